"""Hints lead to one look at each survey, by one process, once the burst is over; what fails is kept and tried again later."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TypeVar

import pytest

from bot.errors import Forbidden, Gone, Malformed, Rejected, SurveybotError, Throttled, Unauthorized, Unavailable
from bot.model import Integration
from bot.ports import UnitOfWork
from bot.ports.records import Lease
from bot.syncing.look import Progress
from bot.syncing.refreshing import LONGEST_PAUSE, Refresher
from store.unit_of_work import SqlStore
from tests.unit.core.examples import NOW, an_integration

T = TypeVar("T")


async def _nothing() -> None:
    """Nothing happens meanwhile."""


@dataclass
class World:
    """Qualtrics' answers, one process that follows hints, and the time."""

    store: SqlStore
    now: datetime = NOW
    #: Surveys read, in order.
    read: list[str] = field(default_factory=list)
    #: What reading a survey raises.
    errors: dict[str, Exception] = field(default_factory=dict)
    #: Surveys not all of which can be read yet.
    unripe: set[str] = field(default_factory=set)
    #: What happens while a survey is read.
    meanwhile: Callable[[], Awaitable[None]] = _nothing
    refresher: Refresher = field(init=False)

    def __post_init__(self) -> None:
        self.refresher = self.another("here")

    def another(self, owner: str) -> Refresher:
        return Refresher(store=self.store, synchronise=self.synchronise, owner=owner, clock=lambda: self.now)

    async def synchronise(self, integration: Integration) -> World:
        if error := self.errors.get(integration.integration_id):
            raise error
        return self

    async def refresh(self, survey_ids: Collection[str]) -> Progress:
        (survey_id,) = survey_ids
        self.read.append(survey_id)
        await self.meanwhile()
        if error := self.errors.get(survey_id):
            raise error
        return Progress(postponed=int(survey_id in self.unripe))

    async def ask(self, *survey_ids: str, integration_id: str = "main") -> None:
        for survey_id in survey_ids:
            await self.store.write(lambda u, name=survey_id: u.refreshes.ask(integration_id, name, self.now))

    async def after(self, **span: float) -> list[str]:
        """Which surveys are read when it is looked after so long."""
        self.now += timedelta(**span)
        self.read.clear()
        await self.refresher.refresh_due()
        return sorted(self.read)

    async def waiting(self) -> list[str]:
        return [hint.survey_id for hint in await self.store.read(lambda u: u.refreshes.all(100))]

    async def add(self, integration_id: str = "main", *, is_paused: bool = False) -> None:
        await self.store.write(lambda u: u.integrations.save(an_integration(integration_id, is_paused=is_paused)))
        await self.store.write(lambda u: u.integrations.set_baseline(integration_id, NOW - timedelta(days=1)))


@pytest.fixture
async def world(store: SqlStore) -> World:
    it = World(store)
    await it.add()
    return it


async def test_a_survey_is_read_once_it_is_quiet_and_then_no_more(world: World) -> None:
    await world.ask("SV_1")
    assert await world.after(seconds=1.9) == []
    assert await world.after(seconds=0.1) == ["SV_1"]
    assert await world.after(hours=1) == []


async def test_a_burst_of_a_thousand_is_one_look(world: World) -> None:
    await world.store.write(lambda u: [u.refreshes.ask("main", "SV_1", NOW) for _ in range(1000)] and None)
    assert await world.after(seconds=2) == ["SV_1"]
    assert await world.after(seconds=20) == []


async def test_a_burst_that_does_not_end_is_looked_at_after_ten_seconds_and_then_every_thirty(world: World) -> None:
    """So nobody who has one delivery, and sends it again and again, can keep Qualtrics busy."""
    looks: list[int] = []
    for second in range(1, 102):
        await world.ask("SV_1")
        looks += [second] * len(await world.after(seconds=1))
    assert looks == [10, 40, 70, 100]


async def test_after_a_quiet_time_a_hint_is_followed_within_seconds(world: World) -> None:
    for _ in range(3):
        await world.ask("SV_1")
        assert await world.after(seconds=2) == ["SV_1"]
        assert await world.after(seconds=30) == []


async def test_a_survey_that_cannot_be_read_is_not_asked_for_more_often_either(world: World) -> None:
    world.errors["SV_1"] = Gone("deleted")
    await world.ask("SV_1")
    assert await world.after(seconds=2) == ["SV_1"]
    await world.ask("SV_1")
    assert await world.after(seconds=29) == []
    assert await world.after(seconds=1) == ["SV_1"]


async def test_a_hint_that_comes_during_the_look_leads_to_one_more(world: World) -> None:
    world.meanwhile = lambda: world.ask("SV_1", "SV_1")
    await world.ask("SV_1")
    assert await world.after(seconds=2) == ["SV_1"]
    world.meanwhile = _nothing
    assert await world.after(seconds=30) == ["SV_1"]
    assert await world.after(seconds=60) == []


async def test_of_two_processes_one_reads(world: World) -> None:
    other = world.another("there")
    world.meanwhile = other.refresh_due
    await world.ask("SV_1", "SV_2")
    assert await world.after(seconds=2) == ["SV_1", "SV_2"]
    await other.refresh_due()
    assert len(world.read) == 2


async def test_the_lease_is_given_back_also_when_it_failed(world: World) -> None:
    world.errors["SV_1"] = Unavailable("down")
    await world.ask("SV_1")
    assert await world.after(seconds=2) == ["SV_1"]
    taken = await world.store.write(lambda u: u.leases.take("refresh:main", "there", timedelta(seconds=1)))
    assert taken is Lease.TAKEN


@pytest.mark.parametrize("error", [Unavailable("down"), Throttled("slow"), Unauthorized("refused"), Malformed("odd")])
async def test_what_may_succeed_later_is_kept_and_tried_after_growing_pauses(world: World, error: SurveybotError) -> None:
    world.errors["SV_1"] = error
    await world.ask("SV_1")
    assert await world.after(seconds=2) == ["SV_1"]
    tried = [second for second in range(5, 2000, 5) if await world.after(seconds=5)]
    assert tried == [15, 45, 105, 225, 465, 945, 1545]
    world.errors.clear()
    assert await world.after(seconds=600) == ["SV_1"]
    assert await world.waiting() == []


async def test_qualtrics_own_pause_is_kept(world: World) -> None:
    world.errors["SV_1"] = Throttled("slow", retry_after=100)
    await world.ask("SV_1")
    assert await world.after(seconds=2) == ["SV_1"]
    assert await world.after(seconds=99) == []
    assert await world.after(seconds=1) == ["SV_1"]


async def test_while_one_integration_waits_the_others_go_on(world: World) -> None:
    await world.add("branch")
    world.errors["main"] = Unavailable("down")
    await world.ask("SV_1")
    await world.ask("SV_2", integration_id="branch")
    assert await world.after(seconds=2) == ["SV_2"]
    assert await world.waiting() == ["SV_1"]


async def test_while_one_integration_is_read_for_long_the_others_hints_are_followed(world: World) -> None:
    await world.add("branch")
    begun, ends = asyncio.Event(), asyncio.Event()

    async def long() -> None:
        begun.set()
        await ends.wait()

    world.meanwhile = long
    await world.ask("SV_1")
    world.now += timedelta(seconds=2)
    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        group.create_task(world.refresher.refresh_due())
        await begun.wait()
        world.meanwhile = _nothing
        await world.ask("SV_2", integration_id="branch")
        assert await world.after(seconds=2) == ["SV_2"]
        ends.set()
    assert await world.waiting() == []


@pytest.mark.parametrize("faulty", ["main", "SV_1"])
async def test_an_unforeseen_error_puts_off_its_integration_alone_and_is_told_without_its_words(
    world: World, caplog: pytest.LogCaptureFixture, faulty: str
) -> None:
    await world.add("branch")
    world.errors[faulty] = ValueError("c4n4ry")
    await world.ask("SV_1")
    await world.ask("SV_2", integration_id="branch")
    assert (await world.after(seconds=2))[-1] == "SV_2"
    assert await world.waiting() == ["SV_1"]
    assert await world.after(seconds=14) == []
    (told,) = (record for record in caplog.records if record.name == "bot.syncing.refreshing")
    assert (told.getMessage(), told.levelname, vars(told)["integration"]) == ("refresh.postponed", "ERROR", "main")
    assert "c4n4ry" not in str(vars(told))
    world.errors.clear()
    assert await world.after(seconds=1) == ["SV_1"]


async def test_of_an_integration_that_is_removed_nothing_is_read_and_nothing_harmed(world: World, caplog: pytest.LogCaptureFixture) -> None:
    await world.ask("SV_1")
    world.now += timedelta(seconds=2)
    await world.store.write(lambda u: u.integrations.remove("main", 100))
    assert await world.after(seconds=2) == []
    await world.ask("SV_1")
    assert await world.waiting() == []
    assert not [record for record in caplog.records if record.name == "bot.syncing.refreshing"]


async def test_after_a_success_pauses_are_short_again(world: World) -> None:
    for _ in range(2):
        await world.ask("SV_1")
        world.errors["SV_1"] = Unavailable("down")
        assert await world.after(seconds=30) == ["SV_1"]
        world.errors.clear()
        assert await world.after(seconds=15) == ["SV_1"]


@pytest.mark.parametrize("error", [Gone("deleted"), Forbidden("not yours"), Rejected("never")])
async def test_what_will_never_succeed_is_not_tried_again(world: World, error: SurveybotError) -> None:
    world.errors["SV_1"] = error
    await world.ask("SV_1", "SV_2")
    assert await world.after(seconds=2) == ["SV_1", "SV_2"]
    assert await world.waiting() == []


async def test_what_could_not_be_read_whole_is_read_again_and_then_left_to_the_synchronisation(world: World) -> None:
    world.unripe = {"SV_1"}
    await world.ask("SV_1", "SV_2")
    assert await world.after(seconds=2) == ["SV_1", "SV_2"]
    tried = [second for second in range(5, 2000, 5) if await world.after(seconds=5)]
    assert tried == [30, 60, 120, 240, 480, 960]
    assert await world.waiting() == []


async def test_a_new_hint_ends_the_pause_of_what_could_not_be_read_whole(world: World) -> None:
    world.unripe = {"SV_1"}
    await world.ask("SV_1")
    assert [await world.after(seconds=seconds) for seconds in (2, 30, 30, 30)] == [["SV_1"], ["SV_1"], ["SV_1"], []]
    await world.ask("SV_1")
    world.unripe.clear()
    assert await world.after(seconds=2) == ["SV_1"]
    assert await world.waiting() == []


async def test_what_is_read_whole_later_anyway_is_not_read_now(world: World) -> None:
    await world.add("paused", is_paused=True)
    await world.store.write(lambda u: u.integrations.save(an_integration("new")))
    await world.ask("SV_1", integration_id="paused")
    await world.ask("SV_2", integration_id="new")
    assert await world.after(seconds=2) == []
    assert await world.waiting() == []


async def test_what_is_cancelled_is_kept_and_the_lease_given_back(world: World) -> None:
    begun = asyncio.Event()

    async def forever() -> None:
        begun.set()
        await asyncio.Event().wait()

    world.meanwhile = forever
    await world.ask("SV_1")
    world.now += timedelta(seconds=2)
    task = asyncio.create_task(world.refresher.refresh_due())
    await begun.wait()
    task.cancel()
    await asyncio.wait({task})
    world.meanwhile = _nothing
    world.read.clear()
    await world.another("there").refresh_due()
    assert world.read == ["SV_1"]


@dataclass
class LostInWriting:
    """Its first write is done, and never said to be."""

    store: SqlStore
    lost: asyncio.Event = field(default_factory=asyncio.Event)

    async def read(self, work: Callable[[UnitOfWork], T]) -> T:
        return await self.store.read(work)

    async def write(self, work: Callable[[UnitOfWork], T]) -> T:
        answer = await self.store.write(work)
        if not self.lost.is_set():
            self.lost.set()
            await asyncio.Event().wait()
        return answer


async def test_whoever_is_stopped_while_it_takes_the_lease_leaves_none_behind(world: World) -> None:
    await world.ask("SV_1")
    world.now += timedelta(seconds=2)
    losing = LostInWriting(world.store)
    task = asyncio.create_task(replace(world.refresher, store=losing).refresh_due())
    await asyncio.wait_for(losing.lost.wait(), 60)
    assert await world.store.read(lambda u: u.leases.held("")) == ["refresh:main"]
    task.cancel()
    await asyncio.wait({task})
    assert await world.store.read(lambda u: u.leases.held("")) == []


async def test_pauses_are_forgotten_in_the_end(world: World) -> None:
    world.errors["SV_1"] = Unavailable("down")
    await world.ask("SV_1")
    assert await world.after(seconds=2) == ["SV_1"]
    await world.store.write(lambda u: u.refreshes.done(u.refreshes.all(1)[0]))
    await world.after(seconds=2 * LONGEST_PAUSE.total_seconds())
    assert world.refresher._pauses == {}
