"""Calls to Qualtrics take turns: as many as the limits allow, first come first served, and none where Qualtrics asked for quiet."""

from __future__ import annotations

import asyncio
from bisect import bisect_left
from collections.abc import AsyncGenerator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.qualtrics.errors import Closed
from adapters.qualtrics.pacing import DEFAULT, PATIENCE_SECONDS, Limits, Pace
from adapters.qualtrics.transport import Pacing
from bot.errors import Throttled
from tests.adapters.qualtrics_pace.simulated import SimulatedGates, run

HISTORY = "/distributions/{id}/history"
LINKS = "/distributions/{id}/links"
SURVEYS = "/surveys"
SMALL = Limits(brand=300, endpoints={HISTORY: 60, LINKS: 120})
#: By the end of a scope's name; all of them are the brand's.
LIMITS = {"": 300, HISTORY: 60, LINKS: 120}
_numbers = count()

Scenario = Callable[["Tenant"], Coroutine[Any, Any, None]]


@dataclass(slots=True)
class Tenant:
    """One brand, however many integrations and processes call it."""

    url: str
    brand: str = field(default_factory=lambda: f"brand {next(_numbers)}")
    opened: list[SimulatedGates] = field(default_factory=list[SimulatedGates])

    def pace(self, integration_id: str = "main", *, limits: Limits = SMALL, requests_per_minute: float | None = None) -> Pace:
        gates = SimulatedGates(self.url)
        self.opened.append(gates)
        return Pace(gates, limits, self.brand, integration_id, requests_per_minute)

    def granted(self, name: str = "") -> list[float]:
        """When calls of a scope were granted, to all; without a name, all of the brand's."""
        instants = [
            at for gates in self.opened for limit, ats in gates.instants().items() if limit.name.endswith(name or self.brand) for at in ats
        ]
        return sorted(instants)


@pytest.fixture
def simulate(database_url: str) -> Callable[[Scenario], None]:
    async def scenario(work: Scenario) -> None:
        async with _tenant(database_url) as tenant:
            await work(tenant)

    return lambda work: run(scenario(work))


@asynccontextmanager
async def _tenant(url: str) -> AsyncGenerator[Tenant]:
    tenant = Tenant(url)
    yield tenant
    for gates in tenant.opened:
        gates._engine.dispose()


def now() -> float:
    return asyncio.get_running_loop().time()


async def keep_calling(pace: Pace, template: str, seconds: float) -> None:
    until = now() + seconds
    while now() < until:
        await pace.turn(template)


def most_in_a_minute(instants: Sequence[float]) -> int:
    return max((index - bisect_left(instants, at - 60) + 1 for index, at in enumerate(instants)), default=0)


def _as_the_port(pace: Pace) -> Pacing:
    """Type-checked: it is what the transport asks for."""
    return pace


@pytest.mark.parametrize(("templates", "used"), [((HISTORY, LINKS), (HISTORY, LINKS)), ((HISTORY, LINKS, SURVEYS), ("",))])
def test_all_integrations_together_keep_every_limit_and_use_the_narrowest(
    simulate: Callable[[Scenario], None], templates: Sequence[str], used: Sequence[str]
) -> None:
    async def scenario(tenant: Tenant) -> None:
        paces = [tenant.pace("main"), tenant.pace("main"), tenant.pace("other")]
        await asyncio.gather(*(keep_calling(pace, template, 65) for pace in paces for template in templates for _ in range(2)))
        for scope, limit in LIMITS.items():
            instants = tenant.granted(scope)
            assert most_in_a_minute(instants) <= limit
            assert len(instants) >= 0.95 * limit * 65 / 60 or scope not in used

    simulate(scenario)


def test_calls_to_one_endpoint_do_not_wait_behind_those_to_another(simulate: Callable[[Scenario], None]) -> None:
    async def scenario(tenant: Tenant) -> None:
        pace = tenant.pace()
        waiting = [asyncio.create_task(pace.turn(HISTORY)) for _ in range(60)]
        start = now()
        for _ in range(100):
            await pace.turn(SURVEYS)
        assert now() - start < 60 * 100 / 200
        assert not all(task.done() for task in waiting)
        await asyncio.gather(*waiting)

    simulate(scenario)


def test_turns_are_granted_in_the_order_in_which_they_were_asked_for(simulate: Callable[[Scenario], None]) -> None:
    async def scenario(tenant: Tenant) -> None:
        pace = tenant.pace()
        instants = await asyncio.gather(*(pace.turn(HISTORY) for _ in range(50)))
        assert instants == sorted(instants)

    simulate(scenario)


def test_a_lone_process_asks_the_database_once_a_call(simulate: Callable[[Scenario], None]) -> None:
    async def scenario(tenant: Tenant) -> None:
        pace = tenant.pace()
        await asyncio.gather(*(pace.turn(template) for template in (HISTORY, LINKS, SURVEYS) for _ in range(60)))
        (gates,) = tenant.opened
        assert gates.asked == 180

    simulate(scenario)


def test_an_integrations_own_limit_holds_it_back_and_nobody_else(simulate: Callable[[Scenario], None]) -> None:
    async def scenario(tenant: Tenant) -> None:
        slow, other = tenant.pace("slow", requests_per_minute=30), tenant.pace("other")
        await asyncio.gather(keep_calling(slow, SURVEYS, 120), keep_calling(slow, HISTORY, 120), keep_calling(other, LINKS, 120))
        assert len(tenant.granted(":slow")) >= 0.95 * 60
        assert most_in_a_minute(tenant.granted(":slow")) <= 30
        assert len(tenant.granted(LINKS)) >= 0.95 * 240
        assert most_in_a_minute(tenant.granted()) <= 300

    simulate(scenario)


def test_a_429_closes_an_endpoint_with_a_limit_of_its_own_for_everybody(simulate: Callable[[Scenario], None]) -> None:
    async def scenario(tenant: Tenant) -> None:
        pace, other, start = tenant.pace(), tenant.pace("other"), now()
        await _as_the_port(pace).throttled(HISTORY, await pace.turn(HISTORY), 40)
        assert await other.turn(SURVEYS) < start + 1
        assert await other.turn(HISTORY) == pytest.approx(start + 40, abs=0.01)
        assert len([at for at in tenant.granted(HISTORY) if at < start + 40]) == 1
        assert await pace.turn(HISTORY) > start + 40

    simulate(scenario)


def test_a_429_of_any_other_call_closes_the_whole_brand(simulate: Callable[[Scenario], None]) -> None:
    async def scenario(tenant: Tenant) -> None:
        pace, other, start = tenant.pace(), tenant.pace("other"), now()
        await pace.throttled(SURVEYS, await pace.turn(SURVEYS), 40)
        instants = await asyncio.gather(other.turn(HISTORY), other.turn(SURVEYS), pace.turn(LINKS))
        assert min(instants) == pytest.approx(start + 40, abs=0.01)

    simulate(scenario)


@pytest.mark.parametrize(("retry_after", "quiet_seconds"), [(None, 15), (0.0, 1), (-5.0, 1), (0.2, 1), (60.0, 60)])
def test_a_429_always_brings_some_quiet(simulate: Callable[[Scenario], None], retry_after: float | None, quiet_seconds: float) -> None:
    async def scenario(tenant: Tenant) -> None:
        pace, start = tenant.pace(), now()
        await pace.throttled(SURVEYS, await pace.turn(SURVEYS), retry_after)
        assert await pace.turn(SURVEYS) == pytest.approx(start + quiet_seconds, abs=0.01)

    simulate(scenario)


def test_who_would_wait_too_long_is_told_at_once_when_to_come_back(simulate: Callable[[Scenario], None]) -> None:
    async def scenario(tenant: Tenant) -> None:
        pace, start = tenant.pace(), now()
        await pace.throttled(HISTORY, await pace.turn(HISTORY), 1e9)
        refused = await asyncio.gather(*(pace.turn(HISTORY) for _ in range(5)), return_exceptions=True)
        for error in refused:
            assert isinstance(error, Throttled)
            assert error.retry_after == pytest.approx(3600, abs=10)
        assert now() - start < 10

    simulate(scenario)


@pytest.mark.parametrize(("brand", "own"), [(3, None), (3000, 3)])
def test_a_call_waits_as_long_as_the_pace_of_its_queue_needs(simulate: Callable[[Scenario], None], brand: int, own: float | None) -> None:
    async def scenario(tenant: Tenant) -> None:
        pace = tenant.pace(limits=Limits(brand=brand), requests_per_minute=own)
        instants = await asyncio.gather(*(pace.turn(SURVEYS) for _ in range(20)))
        assert most_in_a_minute(instants) == 3
        assert max(instants) - min(instants) > 3 * PATIENCE_SECONDS

    simulate(scenario)


def test_nobody_waits_longer_than_the_patience_for_what_429s_close_again_and_again(simulate: Callable[[Scenario], None]) -> None:
    async def scenario(tenant: Tenant) -> None:
        pace, start, ended = tenant.pace(), now(), list[float]()

        async def refused() -> None:
            try:
                await pace.throttled(SURVEYS, await pace.turn(SURVEYS), 50)
            finally:
                ended.append(now() - start)

        answers = await asyncio.gather(*(refused() for _ in range(8)), return_exceptions=True)
        assert max(ended) < PATIENCE_SECONDS
        assert [type(answer) for answer in answers] == [type(None)] * 3 + [Closed] * 5

    simulate(scenario)


@pytest.mark.parametrize(
    ("template", "limit"),
    [
        (HISTORY, f"the brand's limit for {HISTORY}"),
        (SURVEYS, "the limit of the whole brand"),
        ("/oauth2/token", "the limit of the whole brand"),
    ],
)
def test_what_is_closed_says_which_limit_until_when_and_why(simulate: Callable[[Scenario], None], template: str, limit: str) -> None:
    async def scenario(tenant: Tenant) -> None:
        pace = tenant.pace(requests_per_minute=30)
        at = await pace.turn(template)
        await pace.throttled(template, at, 400)
        with pytest.raises(Closed) as caught:
            await pace.turn(HISTORY)
        until = datetime.fromtimestamp(at + 400, UTC)
        seconds = caught.value.retry_after or 0
        assert 390 < seconds <= 400
        assert str(caught.value) == f"{limit} is closed until {until:%H:%M} UTC ({seconds:.0f} s) because of a 429"

    simulate(scenario)


def test_whoever_gives_up_leaves_the_order_of_the_others_as_it_was(simulate: Callable[[Scenario], None]) -> None:
    """Also whoever was first, and whoever had just been given the turn."""

    async def scenario(tenant: Tenant) -> None:
        pace = tenant.pace()
        await pace.throttled(HISTORY, await pace.turn(HISTORY), 5)
        waiting = [asyncio.create_task(pace.turn(HISTORY)) for _ in range(30)]
        leaving = waiting[::3]
        for moment, task in enumerate(leaving):
            await asyncio.sleep(moment % 2)
            task.cancel()
        answers = await asyncio.gather(*waiting, return_exceptions=True)
        instants = [answer for answer in answers if isinstance(answer, float)]
        assert len(instants) >= len(waiting) - len(leaving)
        assert instants == sorted(instants)
        assert most_in_a_minute(tenant.granted(HISTORY)) <= 60

    simulate(scenario)


def test_a_brand_that_becomes_known_counts_from_the_next_call(simulate: Callable[[Scenario], None]) -> None:
    async def scenario(tenant: Tenant) -> None:
        pace, known = tenant.pace(), tenant.pace("other")
        pace.brand = "fra1.qualtrics.com"
        await pace.turn(HISTORY)
        await known.throttled(HISTORY, await known.turn(HISTORY), 30)
        start, pace.brand = now(), tenant.brand
        assert await pace.turn(HISTORY) == pytest.approx(start + 30, abs=0.01)

    simulate(scenario)


@pytest.mark.parametrize(
    ("template", "endpoint"),
    [
        ("/eventsubscriptions/{id}", "/eventsubscriptions"),
        ("/eventsubscriptions", "/eventsubscriptions"),
        ("/distributions/{id}/history", "/distributions/{id}/history"),
        ("/distributions/{id}", None),
        ("/eventsubscriptionsother", None),
        ("/surveys", None),
    ],
)
def test_an_endpoints_limit_holds_for_what_is_below_it(template: str, endpoint: str | None) -> None:
    assert DEFAULT.endpoint(template) == endpoint


_retry_after = st.one_of(st.none(), st.integers(0, 60).map(float), st.sampled_from([1e9, -1.0]))


@settings(max_examples=12)
@given(
    refusals=st.dictionaries(st.integers(0, 60), _retry_after, min_size=1, max_size=12),
    templates=st.lists(st.sampled_from([HISTORY, LINKS, SURVEYS]), min_size=1, max_size=4),
)
def test_in_a_storm_of_429s_no_call_is_made_in_a_closed_window(
    simulate: Callable[[Scenario], None], refusals: dict[int, float | None], templates: list[str]
) -> None:
    """Three processes; some of their calls are refused, each with its own idea of how long to wait, or none."""
    closed: list[tuple[str, float, float]] = []
    calls: list[tuple[str, float]] = []

    async def call(pace: Pace, template: str) -> None:
        at = await pace.turn(template)
        calls.append((template, at))
        await asyncio.sleep(0.1)
        if len(calls) - 1 in refusals:
            retry_after = refusals[len(calls) - 1]
            quiet = 15 if retry_after is None else min(3600, max(1, retry_after))
            await pace.throttled(template, at, retry_after)
            closed.append(("" if template == SURVEYS else template, now(), now() + quiet))

    async def worker(pace: Pace, template: str) -> None:
        for _ in range(6):
            with suppress(Throttled):
                await call(pace, template)

    async def scenario(tenant: Tenant) -> None:
        await asyncio.gather(*(worker(tenant.pace(f"{number}"), template) for number in range(3) for template in templates))
        for name, limit in LIMITS.items():
            assert most_in_a_minute(tenant.granted(name)) <= limit

    simulate(scenario)
    assert calls
    assert not [
        (call, window) for call in calls for window in closed if window[0] in {"", call[0]} and window[1] < call[1] < window[2] - 1e-5
    ]
