"""The timers run the whole bot, survive what breaks, and leave nothing behind."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta

import pytest

from adapters.job import Job
from adapters.sandbox.demo import Sandbox, sandbox
from adapters.sandbox.qualtrics.faults import Faults
from adapters.sandbox.slack.faults import Status
from adapters.sandbox.slack.workspace import Message
from adapters.scheduler import scheduled
from adapters.settings import Schedule
from bot.errors import Unavailable
from bot.ports import UnitOfWork
from bot.schedule import Every
from bot.schedule import Schedule as Reading
from tests.adapters.operator.conftest import until

BUSY = Schedule(directory=0.2, reminders=0.05, delivery=0.05)
#: Everything once at the start, and then not again while a test runs.
RARE = Schedule(directory=3600, reminders=3600, delivery=3600, retry=0.05)
OFTEN = Reading(full=Every.parse("1 min"), incremental=Every.parse("1 s"))
HOURLY = Reading()
NEVER = Reading(full=Every(), incremental=Every(), sweep=Every())


@asynccontextmanager
async def running(database_url: str, schedule: Schedule, reading: Reading) -> AsyncGenerator[Sandbox]:
    async with sandbox(database_url, schedule=schedule, reading=reading) as inside, scheduled(inside.bot):
        yield inside


async def test_invitation_and_reminder_arrive_by_the_timers_alone(database_url: str) -> None:
    async with running(database_url, BUSY, OFTEN) as inside:
        await until(inside, _has_looked_around)
        inside.tenant.send_survey(name="Town hall", emails=["person000@example.com"], expires_in=timedelta(hours=48))
        await _says(inside, "New survey", "Town hall")
        inside.clock.advance(timedelta(hours=25))
        await _says(inside, "Survey closes soon", "Town hall")


async def test_a_job_that_breaks_says_so_once_and_once_when_it_recovers(database_url: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "adapters.job")
    async with sandbox(database_url, schedule=BUSY, reading=HOURLY) as inside:
        inside.workspace.faults.add(Status(503), method="users.list", times=None)
        async with scheduled(inside.bot):
            await until(inside, lambda _: "job.broken" in caplog.messages)
            inside.workspace.faults.clear()
            await until(inside, _has_looked_around)
            await until(inside, lambda _: "job.recovered" in caplog.messages)
    assert _told(caplog) == [("job.broken", "directory"), ("job.recovered", "directory")]
    broken = next(record for record in caplog.records if record.getMessage() == "job.broken")
    assert vars(broken)["error"] == "Unavailable"
    assert vars(broken)["reason"].startswith("users.list answered 503")


@pytest.fixture
def silent() -> Iterator[str]:
    """A server that takes connections, and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


async def test_an_integration_that_is_read_for_long_does_not_hold_up_the_hints_of_another(database_url: str, silent: str) -> None:
    async with sandbox(database_url, schedule=BUSY, reading=NEVER) as inside:
        store, before = inside.bot.core.store, inside.clock() - timedelta(seconds=10)

        def hint(uow: UnitOfWork) -> None:
            (acme,) = uow.integrations.all()
            uow.integrations.save(replace(acme, integration_id="slow", base_url=f"{silent}/API/v3/", timeout_seconds=120))
            uow.integrations.set_secret("slow", "token")
            for name in ("acme", "slow"):
                uow.integrations.set_baseline(name, before)
            uow.refreshes.ask("slow", "SV_1", before)

        await store.write(hint)
        async with scheduled(inside.bot):
            await until(inside, lambda uow: uow.leases.held("refresh:slow"))
            await store.write(lambda uow: uow.refreshes.ask("acme", "SV_1", before))
            await until(inside, lambda uow: [it.integration_id for it in uow.refreshes.all(9)] == ["slow"])
            assert await store.read(lambda uow: uow.leases.held("refresh:slow"))


@pytest.mark.usefixtures("no_waiting")
async def test_what_is_rare_and_broke_is_tried_again_soon(database_url: str) -> None:
    """A Qualtrics or Slack that is down when the bot starts must not cost the hour until the next time."""
    async with sandbox(database_url, schedule=RARE.model_copy(update={"delivery": 0.2}), reading=HOURLY) as inside:
        inside.tenant.faults = Faults(status=503)
        inside.workspace.faults.add(Status(503), method="users.list", times=None)
        async with scheduled(inside.bot):
            await until(inside, lambda uow: len(uow.runs.list("acme", 9)) > 1)
            inside.tenant.faults = Faults()
            inside.workspace.faults.clear()
            await until(inside, _has_looked_around)


async def test_the_end_interrupts_what_runs_and_waits_until_it_is_put_in_order(database_url: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.ERROR)
    async with sandbox(database_url, schedule=RARE, reading=HOURLY) as inside:
        before = asyncio.all_tasks()
        inside.tenant.faults = Faults(slow_seconds=60, prefix="/users")
        async with scheduled(inside.bot):
            await until(inside, lambda _: inside.tenant.calls["/users"])
            ending = asyncio.get_running_loop().time()
        assert asyncio.get_running_loop().time() - ending < 30
        (run,) = await inside.bot.core.store.read(lambda uow: uow.runs.latest("acme"))
        assert run.outcome is None  # it goes on at the next start
        assert list(await inside.bot.core.store.read(lambda uow: uow.leases.held(""))) == []
        inside.tenant.faults = Faults()
        ours = {task for task in asyncio.all_tasks() - before if "adapters" in str(task.get_coro())}
        assert not ours
        assert not caplog.records


@pytest.mark.usefixtures("no_waiting")
async def test_a_block_that_ends_at_once_leaves_no_job_behind(database_url: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.ERROR)
    async with sandbox(database_url, schedule=BUSY, reading=OFTEN) as inside:
        async with scheduled(inside.bot):
            pass
        async with scheduled(inside.bot):
            await inside.workspace.wait_for_change(-1)
        assert list(await inside.bot.core.store.read(lambda uow: uow.leases.held(""))) == []
    assert not caplog.records


async def test_an_unforeseen_error_is_told_once_without_its_words_and_the_next_run_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    errors: list[Exception] = [ValueError("c4n4ry@example.com"), ValueError("c4n4ry"), Unavailable("asleep")]
    done: list[str] = []

    async def work() -> None:
        if errors:
            raise errors.pop(0)
        done.append("well")

    job = Job("delivery", 1, work)
    for _ in range(5):
        await job.run()
    assert done == ["well", "well"]
    assert _told(caplog) == [("job.broken", "delivery"), ("job.recovered", "delivery")]
    (broken, _) = caplog.records
    assert vars(broken)["error"] == "ValueError"
    assert "work" in vars(broken)["trace"]
    assert "c4n4ry" not in caplog.text + str([vars(record) for record in caplog.records])


async def test_a_job_may_be_under_way_more_than_once_and_all_of_it_is_interrupted() -> None:
    under_way, ended = asyncio.Barrier(3), list[bool]()

    async def work() -> None:
        try:
            await under_way.wait()
            await asyncio.Event().wait()
        finally:
            ended.append(True)

    job = Job("sync", 1, work, at_once=2)
    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        for _ in range(2):
            group.create_task(job.run())
        await under_way.wait()
        await job.stop()
    assert ended == [True, True]
    assert not job.running


async def test_a_job_that_never_ran_stops_too() -> None:
    async def never() -> None:
        raise AssertionError

    await Job("delivery", 1, never).stop()


def _has_looked_around(uow: UnitOfWork) -> bool:
    """A full synchronisation and a directory refresh are behind the bot."""
    return any(integration.baseline_at for integration in uow.integrations.all()) and any(uow.members.counts().values())


async def _says(inside: Sandbox, *words: str) -> None:
    """Wait until a direct message says all that."""
    version = -1
    async with asyncio.timeout(120):
        while not any(all(word in message.text for word in words) for message in _direct_messages(inside)):
            version = await inside.workspace.wait_for_change(max(version, inside.workspace.version - 1))


def _direct_messages(inside: Sandbox) -> list[Message]:
    return [message for conversation in inside.workspace.conversations.values() for message in conversation.messages.values()]


def _told(caplog: pytest.LogCaptureFixture) -> list[tuple[str, str]]:
    return [(record.getMessage(), vars(record)["job"]) for record in caplog.records if hasattr(record, "job")]
