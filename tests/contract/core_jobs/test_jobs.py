"""Whatever number of processes looks: each slot brings one run, each integration has one at a time, and nothing is missed in silence."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from itertools import pairwise
from typing import TypeVar

import pytest
from sqlalchemy import text

from bot.errors import Forbidden, Gone, Rejected, Unauthorized, Unavailable, UserError
from bot.ports import UnitOfWork
from bot.ports.records import Lease, Outcome, Run
from bot.schedule import Every, Schedule, Window
from bot.syncing import timetable
from bot.syncing.closures import name_of, set_vetoed
from bot.syncing.sync import Kind
from store.engine import connect
from store.unit_of_work import SqlStore
from tests.contract.core_jobs.conftest import MANUAL, World
from tests.unit.core.examples import DAY, NOW

MINUTE = timedelta(minutes=1)
T = TypeVar("T")
#: The name of a picture that closes nothing.
NOTHING = name_of(())
FULL_ONLY = Schedule(incremental=MANUAL, sweep=MANUAL)


async def test_a_new_integration_is_read_whole_by_one_replica_and_the_others_say_nothing(world: World) -> None:
    await world.connect("main")
    await world.tick()
    assert await world.told() == [("full", "ok", "scheduled")]
    await world.tick()
    assert len(await world.runs()) == 1
    assert await world.held() == []


async def test_for_hours_of_three_replicas_each_slot_brings_one_run(world: World) -> None:
    await world.connect("main", schedule=Schedule(sweep=MANUAL))
    for _ in range(200):
        await world.tick()
        world.wait(minutes=1)
    runs = await world.runs()
    assert {run.outcome for run in runs} == {Outcome.OK}
    assert {run.reason for run in runs} == {"scheduled"}
    assert all(timedelta(minutes=12) <= later.started_at - run.started_at <= timedelta(minutes=21) for run, later in pairwise(runs))
    full = [run for run in runs if run.kind == Kind.FULL]
    assert all(timedelta(minutes=59) <= later.started_at - run.started_at <= timedelta(minutes=65) for run, later in pairwise(full))
    assert (len(full), world.tenants.looks["main"]) == (4, len(runs))


async def test_several_integrations_are_read_at_once_up_to_the_cap_and_the_others_after_them(world: World) -> None:
    names = ["a", "b", "c", "d", "e"]
    await world.connect(*names)
    world.tenants.gate.clear()
    async with asyncio.timeout(30), asyncio.TaskGroup() as group:
        group.create_task(world.tick())
        while len(await _vetoed(world, names)) < 2 or len(world.tenants.looking) < 3:
            await world.held()  # through the store, so that everything else goes on
        await world.replicas[1].tick()  # again, while the first three still run
        assert await _vetoed(world, names) == [("full", "vetoed", timetable.CAP_REACHED)] * 2
        world.tenants.gate.set()
    assert world.tenants.most_at_once == 3
    world.wait(minutes=7)
    await world.tick()
    assert sorted(world.tenants.looks.elements()) == names
    told = [await world.told(name) for name in names]
    late = [rows for rows in told if len(rows) > 1]
    assert late == [[("full", "vetoed", timetable.CAP_REACHED), ("full", "ok", "scheduled")]] * 2


async def test_by_hand_a_second_one_of_the_same_integration_is_vetoed_and_recorded(world: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "bot.syncing.jobs")
    await world.connect("main", "other")
    world.tenants.gate.clear()
    first, second, other = world.replicas
    async with asyncio.timeout(30), asyncio.TaskGroup() as group:
        running = group.create_task(first.start("main", Kind.FULL))
        await world.until_looking("main")
        for replica in (first, second):  # the same process, and another one
            vetoed = await replica.start("main", Kind.FULL)
            assert (vetoed.outcome, vetoed.reason) == (Outcome.VETOED, timetable.RUNNING)
            assert vetoed.finished_at is not None
        elsewhere = group.create_task(other.start("other", Kind.FULL))
        await world.until_looking("other")
        world.tenants.gate.set()
    assert running.result().outcome is elsewhere.result().outcome is Outcome.OK
    assert [outcome for _, outcome, _ in await world.told()] == ["ok", "vetoed", "vetoed"]
    decisions = [vars(record) for record in caplog.records if record.getMessage() == "sync.decision"]
    assert [(said["integration"], said["go"], said["reason"]) for said in decisions] == [
        ("main", True, "by hand"),
        ("main", False, timetable.RUNNING),
        ("main", False, timetable.RUNNING),
        ("other", True, "by hand"),
    ]


async def test_what_is_due_while_another_runs_is_vetoed_then_missed_then_caught_up_once(world: World) -> None:
    await world.connect("main", baseline_at=NOW - DAY, schedule=Schedule(full=MANUAL, sweep=MANUAL))
    world.tenants.gate.clear()
    async with asyncio.timeout(30), asyncio.TaskGroup() as group:
        running = group.create_task(world.replicas[0].start("main", Kind.FULL))
        await world.until_looking("main")
        for _ in range(40):
            world.wait(minutes=1)
            await world.tick()
        world.tenants.gate.set()
        await running
    for _ in range(3):
        world.wait(minutes=1)
        await world.tick()
    assert await world.told() == [
        ("full", "ok", "by hand"),
        ("incremental", "vetoed", timetable.RUNNING),
        ("incremental", "misfired", timetable.RUNNING),
        ("incremental", "ok", timetable.CATCH_UP),
    ]


async def test_starts_missed_while_no_process_ran_are_one_misfire_and_one_run(world: World) -> None:
    await world.connect("main", schedule=FULL_ONLY)
    await world.tick()
    world.wait(hours=7)
    await world.tick()
    world.wait(minutes=1)
    await world.tick()
    assert (await world.told())[1:] == [("full", "misfired", timetable.NO_PROCESS), ("full", "ok", timetable.CATCH_UP)]


async def test_a_missed_window_is_told_at_once_and_caught_up_in_the_next(world: World) -> None:
    nightly = Schedule(full=Every.parse("daily"), incremental=MANUAL, sweep=MANUAL, window=Window.parse("22:00-04:00 UTC"))
    await world.connect("main", schedule=nightly)
    await world.tick()
    assert await world.told() == []
    world.wait(hours=14)  # 23:30
    await world.tick()
    world.wait(hours=34)  # 09:30, a night later
    for _ in range(2):
        await world.tick()
        world.wait(minutes=1)
    assert (await world.told())[1:] == [("full", "misfired", timetable.NO_PROCESS)]
    world.wait(hours=13)
    await world.tick()
    assert (await world.told())[2:] == [("full", "ok", timetable.CATCH_UP)]


async def test_an_incremental_one_waits_for_a_full_one_and_says_so_once(world: World) -> None:
    await world.connect("main", schedule=Schedule(full=MANUAL))
    for _ in range(3):
        await world.tick()
        world.wait(minutes=20)
    assert await world.told() == [("incremental", "vetoed", timetable.NO_BASELINE)]
    vetoed = await world.replicas[0].start("main", Kind.SWEEP)
    assert (vetoed.outcome, vetoed.reason) == (Outcome.VETOED, timetable.NO_BASELINE)
    assert world.tenants.looks.total() == 0
    await world.replicas[0].start("main", Kind.FULL)
    world.wait(minutes=16)
    await world.tick()
    assert (await world.told())[-1] == ("incremental", "ok", "scheduled")


async def test_a_paused_integration_is_left_alone_and_goes_on_when_it_is_resumed(world: World) -> None:
    await world.connect("main", schedule=FULL_ONLY, is_paused=True)
    for _ in range(3):
        await world.tick()
        world.wait(hours=2)
    assert await world.told() == [("full", "vetoed", timetable.PAUSED)]
    await world.store.write(lambda u: u.integrations.set_paused("main", is_paused=False))
    await world.tick()
    assert (await world.told())[1:] == [("full", "ok", "scheduled")]


@pytest.mark.parametrize("where", ["errors", "source_errors"])
async def test_refused_credentials_are_tried_with_one_call_now_and_then_until_they_work(world: World, where: str) -> None:
    await world.connect("main", schedule=FULL_ONLY)
    getattr(world.tenants, where)["main"] = world.tenants.account_errors["main"] = Unauthorized("the token was revoked")
    await world.tick()
    (integration,) = await world.store.read(lambda u: u.integrations.all())
    assert integration.unauthorized_at is not None
    assert await world.told() == [("full", "failed", "scheduled")]
    for _ in range(30):
        world.wait(minutes=1)
        await world.tick()
    assert (await world.told())[1:] == [("full", "vetoed", timetable.UNAUTHORIZED)]
    assert where == "source_errors" or 3 <= world.tenants.accounts["main"] <= 6 * len(world.replicas)
    assert world.tenants.looks["main"] <= 1
    getattr(world.tenants, where).clear()
    world.tenants.account_errors.clear()
    for _ in range(6):
        world.wait(minutes=1)
        await world.tick()
    (integration,) = await world.store.read(lambda u: u.integrations.all())
    assert integration.unauthorized_at is None
    assert (await world.told())[2:] == [("full", "ok", timetable.RETRY)]


async def test_by_hand_refused_credentials_are_tried_at_once(world: World) -> None:
    await world.connect("main")
    await world.store.write(lambda u: u.integrations.set_unauthorized("main", NOW))
    world.tenants.account_errors["main"] = Unauthorized("the token was revoked")
    assert (await world.replicas[0].start("main", Kind.FULL)).reason == timetable.UNAUTHORIZED
    world.tenants.account_errors.clear()
    assert (await world.replicas[0].start("main", Kind.FULL)).outcome is Outcome.OK


async def test_a_refused_part_does_not_make_the_integration_unauthorized(world: World) -> None:
    await world.connect("main")
    world.tenants.source_errors["main"] = Forbidden("not this list")
    with pytest.raises(Forbidden):
        await world.replicas[0].start("main", Kind.FULL)
    (integration,) = await world.store.read(lambda u: u.integrations.all())
    assert integration.unauthorized_at is None


@pytest.mark.parametrize("where", ["errors", "source_errors"])
async def test_one_that_fails_does_not_disturb_the_others_and_is_tried_again_soon(world: World, where: str) -> None:
    await world.connect("bad", "good", schedule=FULL_ONLY)
    getattr(world.tenants, where)["bad"] = Rejected("not like this")
    await world.tick()
    assert await world.told("good") == [("full", "ok", "scheduled")]
    assert await world.told("bad") == [("full", "failed", "scheduled")]
    world.wait(minutes=3)
    await world.tick()
    assert len(await world.runs("bad")) == 1
    world.wait(minutes=3)
    await world.tick()
    world.wait(minutes=9)
    await world.tick()
    assert (await world.told("bad"))[1:] == [("full", "failed", timetable.RETRY)]
    getattr(world.tenants, where).clear()
    world.wait(minutes=2)
    await world.tick()
    assert (await world.told("bad"))[2:] == [("full", "ok", timetable.RETRY)]
    assert len(await world.runs("good")) == 1
    assert await world.held() == []


async def test_what_nobody_foresaw_is_logged_without_its_words_and_disturbs_nobody(world: World, caplog: pytest.LogCaptureFixture) -> None:
    await world.connect("bad", "good", schedule=FULL_ONLY)
    world.tenants.source_errors["bad"] = ValueError("c4n4ry@example.com")
    await world.replicas[0].tick()
    assert await world.told("good") == [("full", "ok", "scheduled")]
    (broken,) = [record for record in caplog.records if record.getMessage() == "sync.broken"]
    assert vars(broken)["integration"] == "bad"
    assert "c4n4ry" not in caplog.text + str(vars(broken))


async def test_a_run_whose_process_died_is_taken_up_by_another_once_its_lease_lapsed(world: World) -> None:
    await world.connect("main", baseline_at=NOW - DAY, schedule=FULL_ONLY)
    dead = Run(integration_id="main", kind="full", started_at=NOW, reason="scheduled")
    await world.store.write(lambda u: u.runs.start(dead))
    await world.store.write(lambda u: u.leases.take("sync:main", "the dead", timedelta(minutes=5)))
    world.wait(minutes=1)
    await world.tick()
    assert await world.told() == [("full", "None", "scheduled")]
    await world.store.write(lambda u: u.leases.take("sync:main", "the dead", timedelta(0)))
    await world.tick()
    (run,) = await world.runs()
    assert (run.outcome, run.resumed) == (Outcome.OK, 1)
    assert world.tenants.looks["main"] == 1


async def test_a_run_that_is_stopped_frees_its_lease_at_once_and_goes_on_elsewhere(world: World) -> None:
    await world.connect("main", schedule=FULL_ONLY)
    world.tenants.gate.clear()
    ticking = asyncio.create_task(world.replicas[0].tick())
    await world.until_looking("main")
    assert await world.held() == ["sync:main"]
    ticking.cancel()
    await asyncio.wait({ticking})
    assert await world.held() == []
    world.tenants.gate.set()
    await world.replicas[1].tick()
    (run,) = await world.runs()
    assert (run.outcome, run.resumed) == (Outcome.OK, 1)


async def test_a_lease_is_kept_alive_as_long_as_its_run(world: World, database_url: str) -> None:
    """Far longer than it lasts by itself."""
    await world.connect("main")
    world.tenants.gate.clear()
    short = world.replica(world.stores[0], lease=timedelta(seconds=1.5))
    engine = connect(database_url, read_only=True, connections=1)

    def held_until() -> int:
        with engine.begin() as connection:
            return connection.execute(text("SELECT held_until FROM leases")).scalar_one()

    async with asyncio.timeout(30), asyncio.TaskGroup() as group:
        running = group.create_task(short.start("main", Kind.FULL))
        await world.until_looking("main")
        first = held_until()
        while await asyncio.to_thread(held_until) < first + 1600:
            pass
        vetoed = await world.replicas[1].start("main", Kind.FULL)
        assert vetoed.reason == timetable.RUNNING
        world.tenants.gate.set()
    assert running.result().outcome is Outcome.OK
    engine.dispose()


async def test_who_lost_the_lease_stops(world: World, database_url: str) -> None:
    await world.connect("main")
    world.tenants.gate.clear()
    short = world.replica(world.stores[0], lease=timedelta(seconds=0.3))
    running = asyncio.create_task(short.start("main", Kind.FULL))
    await world.until_looking("main")
    other = connect(database_url, read_only=False, connections=1)
    with other.begin() as connection:
        connection.execute(text("UPDATE leases SET owner = 'another'"))
    with pytest.raises(Unavailable, match="another process has taken this over"):
        await asyncio.wait_for(running, 60)
    assert world.tenants.looking == set()
    with other.begin() as connection:
        assert connection.execute(text("SELECT owner FROM leases")).scalar_one() == "another"
    other.dispose()


async def test_replicas_that_come_at_the_same_moment_take_up_a_dead_run_once(world: World) -> None:
    await world.connect("main", baseline_at=NOW - DAY, schedule=FULL_ONLY)
    await world.store.write(lambda u: u.runs.start(Run(integration_id="main", kind="full", started_at=NOW, reason="scheduled")))
    await asyncio.gather(*(replica.tick() for replica in world.replicas for _ in range(3)))
    (run,) = await world.runs()
    assert (run.outcome, run.resumed) == (Outcome.OK, 1)


async def test_a_picture_that_waits_for_a_decision_is_not_taken_away_by_an_incremental_run(world: World) -> None:
    await world.connect("main", baseline_at=NOW - DAY, schedule=Schedule(full=MANUAL, sweep=MANUAL))
    await world.store.write(lambda u: set_vetoed(u, "main", Kind.FULL, NOW))
    for _ in range(3):
        await world.tick()
        world.wait(minutes=16)
    assert await world.told() == [("incremental", "vetoed", timetable.UNDECIDED)]
    assert await world.replicas[0].drop("main")
    await world.tick()
    assert (await world.told())[1:] == [("incremental", "ok", "scheduled")]


async def test_what_was_asked_for_is_run_too_after_a_smaller_one_that_was_cut_off(world: World) -> None:
    await world.connect("main", baseline_at=NOW - DAY)
    for asked in (Kind.SWEEP, Kind.INCREMENTAL):
        await world.store.write(lambda u: u.runs.start(Run(integration_id="main", kind="full", started_at=world.now, reason="scheduled")))
        await world.replicas[0].start("main", asked)
        world.wait(minutes=1)
    assert [(run.kind, run.outcome, run.resumed) for run in await world.runs()] == [
        ("full", "ok", 1),
        ("sweep", "ok", 0),
        ("full", "ok", 1),
    ]


async def test_an_integration_that_is_not_there_is_gone(world: World) -> None:
    with pytest.raises(Gone):
        await world.replicas[0].start("main", Kind.FULL)
    assert await world.held() == []


async def test_nothing_is_approved_or_dropped_while_a_synchronisation_runs(world: World) -> None:
    await world.connect("main")
    await world.store.write(lambda u: u.leases.take("sync:main", "somebody", timedelta(minutes=5)))
    for ask in (partial(world.replicas[0].approve, picture=NOTHING), world.replicas[0].drop):
        with pytest.raises(UserError, match="is running"):
            await ask("main")
    await world.store.write(lambda u: u.leases.release("sync:main", "somebody"))
    assert not await world.replicas[0].drop("main")
    with pytest.raises(UserError):
        await world.replicas[0].approve("main", NOTHING)
    assert await world.store.write(lambda u: u.leases.take("sync:main", "somebody", MINUTE)) is Lease.TAKEN


async def test_what_waits_is_dropped_while_qualtrics_cannot_be_asked(world: World) -> None:
    await world.connect("main", baseline_at=NOW - DAY)
    await world.store.write(lambda u: set_vetoed(u, "main", Kind.FULL, NOW))
    world.tenants.source_errors["main"] = Unavailable("HTTP 503")
    assert await world.replicas[0].drop("main")
    assert not await world.replicas[0].drop("main")
    assert await world.held() == []


async def test_nothing_of_an_unknown_integration_is_approved_or_dropped(world: World) -> None:
    for ask in (partial(world.replicas[0].approve, picture=NOTHING), world.replicas[0].drop):
        with pytest.raises(Gone):
            await ask("main")
    assert await world.held() == []


async def test_a_picture_of_a_paused_integration_is_not_approved_and_still_waits(world: World) -> None:
    await world.connect("main", baseline_at=NOW - DAY, is_paused=True)
    await world.store.write(lambda u: set_vetoed(u, "main", Kind.FULL, NOW))
    with pytest.raises(UserError, match="is paused"):
        await world.replicas[0].approve("main", NOTHING)
    assert await world.runs() == []
    assert await world.held() == []
    assert await world.replicas[0].drop("main")


async def test_an_approved_one_counts_among_those_that_may_run_at_a_time(world: World) -> None:
    await world.connect("main", baseline_at=NOW - DAY)
    await world.store.write(lambda u: set_vetoed(u, "main", Kind.FULL, NOW))
    await world.store.write(lambda u: [u.leases.take(f"sync:{name}", "somebody", MINUTE) for name in "abc"])
    with pytest.raises(UserError, match="As many"):
        await world.replicas[0].approve("main", NOTHING)
    await world.store.write(lambda u: u.leases.release("sync:a", "somebody"))
    assert (await world.replicas[0].approve("main", NOTHING)).outcome is Outcome.OK


@dataclass
class Faltering:
    """A store whose answers to writes are lost from some moment on: what they wrote is there, or (`is_down`) not."""

    store: SqlStore
    is_down: bool
    is_lost: bool = False
    lost: asyncio.Event = field(default_factory=asyncio.Event)

    async def read(self, work: Callable[[UnitOfWork], T]) -> T:
        return await self.store.read(work)

    async def write(self, work: Callable[[UnitOfWork], T]) -> T:
        if self.is_lost and self.is_down:
            raise Unavailable("the database cannot answer now")
        answer = await self.store.write(work)
        if self.is_lost and not self.lost.is_set():
            self.lost.set()
            await asyncio.Event().wait()
        return answer


@pytest.mark.parametrize("how", ["tick", "start", "approve"])
async def test_whoever_is_stopped_while_it_takes_the_lease_leaves_none_behind(world: World, how: str) -> None:
    await world.connect("main", baseline_at=None if how == "tick" else NOW - DAY)
    await world.store.write(lambda u: set_vetoed(u, "main", Kind.FULL, NOW))
    faltering = Faltering(world.store, is_down=False, is_lost=True)
    jobs = replace(world.replicas[0], store=faltering)
    asked = {"tick": jobs.tick, "start": lambda: jobs.start("main", Kind.FULL), "approve": lambda: jobs.approve("main", NOTHING)}[how]
    taking = asyncio.ensure_future(asked())
    await asyncio.wait_for(faltering.lost.wait(), 60)
    assert await world.held() == ["sync:main"]
    taking.cancel()
    await asyncio.wait({taking})
    assert await world.held() == []


async def test_a_lease_that_cannot_be_released_does_not_hide_how_its_run_ended(world: World) -> None:
    """It lapses by itself."""
    await world.connect("main")
    world.tenants.gate.clear()
    faltering = Faltering(world.store, is_down=True)
    running = asyncio.create_task(replace(world.replicas[0], store=faltering).start("main", Kind.FULL))
    await world.until_looking("main")
    faltering.is_lost = True
    running.cancel()
    await asyncio.wait({running})
    assert running.cancelled()
    assert await world.held() == ["sync:main"]


async def _vetoed(world: World, names: list[str]) -> list[tuple[str, str, str | None]]:
    return [row for name in names for row in await world.told(name) if row[1] == "vetoed"]
