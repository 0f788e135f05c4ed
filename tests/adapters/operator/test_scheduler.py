"""The timers run the whole bot, survive what breaks, and leave nothing behind."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from adapters.sandbox.demo import Sandbox, sandbox
from adapters.sandbox.qualtrics.faults import Faults
from adapters.sandbox.slack.workspace import Message
from adapters.scheduler import Job, Skipped, scheduled
from adapters.settings import Schedule
from bot.errors import Unavailable
from bot.ports import UnitOfWork
from tests.adapters.operator.conftest import until

BUSY = Schedule(full_sync=0.2, incremental_sync=0.05, directory=0.2, reminders=0.05, delivery=0.05)
#: One full synchronisation, then many incremental ones.
LOOKING = Schedule(full_sync=3600, incremental_sync=0.05, retry=3600)
#: Everything once at the start, and then not again while a test runs.
RARE = Schedule(full_sync=3600, incremental_sync=3600, directory=3600, reminders=3600, delivery=3600, retry=0.05)


@asynccontextmanager
async def running(database_url: str, schedule: Schedule) -> AsyncGenerator[Sandbox]:
    async with sandbox(database_url, schedule=schedule) as inside, scheduled(inside.bot):
        yield inside


async def test_invitation_and_reminder_arrive_by_the_timers_alone(empty_database_url: str) -> None:
    async with running(empty_database_url, BUSY) as inside:
        await until(inside, _has_looked_around)
        inside.tenant.send_survey(name="Town hall", emails=["person000@example.com"], expires_in=timedelta(hours=48))
        await _says(inside, "New survey", "Town hall")
        inside.clock.advance(timedelta(hours=25))
        await _says(inside, "Survey closes soon", "Town hall")


@pytest.mark.usefixtures("no_waiting")
async def test_a_job_that_breaks_says_so_once_and_once_when_it_recovers(empty_database_url: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "adapters.scheduler")
    async with running(empty_database_url, LOOKING) as inside:
        await until(inside, _has_looked_around)
        inside.tenant.faults, before = Faults(status=503), inside.tenant.calls["/surveys"]
        await until(inside, lambda _: inside.tenant.calls["/surveys"] > before + 10)
        inside.tenant.faults = Faults()
        await until(inside, lambda _: "job.recovered" in caplog.messages)
        before = inside.tenant.calls["/surveys"]
        await until(inside, lambda _: inside.tenant.calls["/surveys"] > before + 3)
    assert _told(caplog) == [("job.broken", "sync.incremental"), ("job.recovered", "sync.incremental")]
    broken = next(record for record in caplog.records if record.getMessage() == "job.broken")
    assert vars(broken)["error"] == "Unavailable"
    assert vars(broken)["reason"].startswith("GET /API/v3/surveys answered 503")


@pytest.mark.usefixtures("no_waiting")
async def test_a_rare_job_that_broke_is_tried_again_soon(empty_database_url: str) -> None:
    """A Qualtrics that is down when the bot starts must not cost the hour until the next full synchronisation."""
    async with sandbox(empty_database_url, schedule=RARE) as inside:
        inside.tenant.faults = Faults(status=503)
        async with scheduled(inside.bot):
            await until(inside, lambda _: inside.tenant.calls["/surveys"] + inside.tenant.calls["/users"] > 6)
            inside.tenant.faults = Faults()
            await until(inside, _has_looked_around)


async def test_the_end_interrupts_what_runs_and_waits_until_it_is_put_in_order(
    empty_database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.ERROR)
    async with sandbox(empty_database_url, schedule=RARE) as inside:
        before = asyncio.all_tasks()
        inside.tenant.faults = Faults(slow_seconds=60)
        async with scheduled(inside.bot):
            await until(inside, lambda _: inside.tenant.calls["/users"])
            ending = asyncio.get_running_loop().time()
        assert asyncio.get_running_loop().time() - ending < 2
        (run,) = await inside.bot.core.store.read(lambda uow: uow.runs.latest("acme"))
        assert (run.outcome, run.error) == ("failed", "CancelledError")
        inside.tenant.faults = Faults()
        ours = {task for task in asyncio.all_tasks() - before if "adapters" in str(task.get_coro())}
        assert not ours
        assert not caplog.records


@pytest.mark.usefixtures("no_waiting")
async def test_a_block_that_ends_at_once_leaves_no_job_behind(empty_database_url: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.ERROR)
    async with sandbox(empty_database_url, schedule=BUSY) as inside:
        async with scheduled(inside.bot):
            pass
        async with scheduled(inside.bot):
            await inside.workspace.wait_for_change(-1)
        assert await inside.bot.core.store.read(lambda uow: uow.integrations.all()) == []
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


async def test_a_skipped_run_says_nothing_about_health_and_is_late(caplog: pytest.LogCaptureFixture) -> None:
    """An incremental synchronisation that finds a full one at work has not recovered."""
    caplog.set_level(logging.INFO)
    outcomes: list[Exception] = [Unavailable("asleep"), Skipped(), Unavailable("asleep"), Skipped()]

    async def work() -> None:
        if outcomes:
            raise outcomes.pop(0)

    job = Job("sync.incremental", 1, work)
    for _ in range(4):
        await job.run()
        assert job.is_late
    assert _told(caplog) == [("job.broken", "sync.incremental")]
    await job.run()
    assert not job.is_late
    assert _told(caplog)[1:] == [("job.recovered", "sync.incremental")]


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
    async with asyncio.timeout(20):
        while not any(all(word in message.text for word in words) for message in _direct_messages(inside)):
            version = await inside.workspace.wait_for_change(max(version, inside.workspace.version - 1))


def _direct_messages(inside: Sandbox) -> list[Message]:
    return [message for conversation in inside.workspace.conversations.values() for message in conversation.messages.values()]


def _told(caplog: pytest.LogCaptureFixture) -> list[tuple[str, str]]:
    return [(record.getMessage(), vars(record)["job"]) for record in caplog.records if hasattr(record, "job")]
