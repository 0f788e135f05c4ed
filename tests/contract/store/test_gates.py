"""A shared limit is kept by everybody together and by nobody twice, whoever asks, whenever, and from whichever process."""

from __future__ import annotations

import asyncio
import time
from bisect import bisect_left
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from multiprocessing import get_context

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import BigInteger, literal_column, text

from bot.errors import Unavailable
from store.engine import connect
from store.gates import Limit, SqlGates, Taken, Wait, by

BRAND = Limit("brand", 600)
HISTORY = Limit("brand:/history", 60)
MINUTE = 60.0
DATABASE = "database_url"
#: Calls, and minutes they are for.
RATES = ((1, 2), (15, 2), (1, 1), (5, 1), (59, 1), (60, 1), (61, 1), (120, 1), (300, 1), (500, 1))
_numbers = count()


@dataclass(slots=True)
class Clock:
    """The database's clock, in seconds; it moves when it is told to."""

    now: float = 1_800_000_000.0

    def gates(self, url: str) -> SqlGates:
        return SqlGates(url, now=by(lambda: datetime.fromtimestamp(self.now, UTC)))


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def gates(database_url: str, clock: Clock) -> AsyncIterator[SqlGates]:
    opened = clock.gates(database_url)
    yield opened
    await opened.close()


async def taken(gates: SqlGates, *limits: Limit) -> Taken:
    answer = await gates.take(limits)
    assert isinstance(answer, Taken), answer
    return answer


async def wait(gates: SqlGates, *limits: Limit) -> float:
    answer = await gates.take(limits)
    assert isinstance(answer, Wait), answer
    return answer.seconds


async def greedy(gates: SqlGates, clock: Clock, limit: Limit, seconds: float) -> list[float]:
    """Take whatever can be had for so long; leave the clock at the end of it."""
    end, instants = clock.now + seconds, list[float]()
    while clock.now < end:
        answer = await gates.take([limit])
        if isinstance(answer, Taken):
            instants.append(answer.at)
        else:
            clock.now += answer.seconds
    clock.now = end
    return instants


def most_in(seconds: float, instants: Sequence[float]) -> int:
    """The most that any span of time holds; both ends belong to it."""
    return max((index - bisect_left(instants, at - seconds) + 1 for index, at in enumerate(instants)), default=0)


async def exhaust(gates: SqlGates, limit: Limit) -> None:
    while isinstance(await gates.take([limit]), Taken):
        pass


async def test_all_limits_of_a_call_are_taken_or_none(gates: SqlGates, clock: Clock) -> None:
    await exhaust(gates, HISTORY)
    for _ in range(50):
        await wait(gates, BRAND, HISTORY)
    untouched = 0
    while isinstance(await gates.take([BRAND]), Taken):
        untouched += 1
    assert untouched == int(BRAND.burst)
    clock.now += 10
    await taken(gates, HISTORY, BRAND)


async def test_who_is_told_to_wait_is_told_how_long(gates: SqlGates, clock: Clock) -> None:
    await exhaust(gates, BRAND)
    await exhaust(gates, HISTORY)
    seconds = await wait(gates, BRAND, HISTORY)
    clock.now += seconds - 0.000_002
    await wait(gates, BRAND, HISTORY)
    clock.now += 0.000_002
    assert (await taken(gates, BRAND, HISTORY)).at == pytest.approx(clock.now, abs=1e-6)


@pytest.mark.parametrize(
    ("database_url", "calls", "minutes"), [*(("sqlite", *rate) for rate in RATES), ("postgresql", 60, 1)], indirect=[DATABASE]
)
async def test_at_least_95_percent_are_used_and_no_minute_holds_more(gates: SqlGates, clock: Clock, calls: int, minutes: int) -> None:
    """Also not at the other end, where some calls arrive up to a second later than others."""
    spans = 20 if calls < 100 else 2
    instants = await greedy(gates, clock, Limit("any", calls / minutes), spans * minutes * MINUTE)
    assert len(instants) >= 0.95 * calls * spans
    assert most_in(minutes * MINUTE + 1, instants) <= calls


@settings(max_examples=40)
@given(
    per_minute=st.integers(1, 200),
    gaps=st.lists(st.one_of(st.just(0.0), st.floats(0, 1), st.floats(0, 70)), min_size=1, max_size=150),
)
async def test_no_minute_holds_more_however_calls_arrive(gates: SqlGates, clock: Clock, per_minute: int, gaps: Sequence[float]) -> None:
    limit, instants = Limit(f"any {next(_numbers)}", per_minute), list[float]()
    for gap in gaps:
        clock.now += gap
        answer = await gates.take([limit])
        if isinstance(answer, Taken):
            instants.append(answer.at)
    assert instants
    assert most_in(MINUTE + 1, instants) <= per_minute


async def test_a_closing_holds_for_everybody_and_opens_without_a_burst(database_url: str, gates: SqlGates, clock: Clock) -> None:
    other = clock.gates(database_url)
    call = await taken(gates, BRAND, HISTORY)
    await gates.slow(HISTORY, call.at, 30)
    for asker in (gates, other):
        assert await wait(asker, BRAND, HISTORY) == pytest.approx(30)
        await taken(asker, BRAND)
    clock.now += 30
    await taken(other, HISTORY)
    assert await wait(gates, HISTORY) == pytest.approx(2 * HISTORY.seconds_per_call, rel=0.01)
    await other.close()


async def test_who_is_told_to_wait_is_told_what_a_refusal_closed_and_until_when(gates: SqlGates, clock: Clock) -> None:
    await exhaust(gates, HISTORY)
    paced = await gates.take([BRAND, HISTORY])
    assert isinstance(paced, Wait)
    assert paced.closing is None
    await gates.slow(BRAND, clock.now, 7)
    await gates.slow(HISTORY, clock.now, 30)
    answer = await gates.take([BRAND, HISTORY])
    assert isinstance(answer, Wait)
    assert answer.closing is not None
    assert answer.closing.limit == HISTORY
    assert (answer.seconds, answer.closing.seconds, answer.closing.until - clock.now) == pytest.approx((30, 30, 30))


async def test_a_shorter_closing_does_not_cut_a_longer_one_short(gates: SqlGates, clock: Clock) -> None:
    call = await taken(gates, BRAND)
    await gates.slow(BRAND, call.at, 50)
    clock.now += 1
    await gates.slow(BRAND, call.at, 5)
    assert await wait(gates, BRAND) == pytest.approx(49)


async def test_refusals_of_calls_taken_before_a_halving_halve_no_further(gates: SqlGates, clock: Clock) -> None:
    calls = [(await taken(gates, BRAND)).at for _ in range(5)]
    clock.now += 1
    for at in calls:
        await gates.slow(BRAND, at, 1)
    clock.now += 1
    assert len(await greedy(gates, clock, BRAND, 30)) == pytest.approx(30 / BRAND.seconds_per_call / 2, abs=2)


async def test_each_refusal_of_a_later_call_halves_again_down_to_a_sixteenth(gates: SqlGates, clock: Clock) -> None:
    for _ in range(9):
        clock.now += 10
        await gates.slow(BRAND, (await taken(gates, BRAND)).at, 1)
    clock.now += 1
    assert len(await greedy(gates, clock, BRAND, 30)) == pytest.approx(30 / BRAND.seconds_per_call / 16, abs=2)


async def test_a_halved_limit_recovers_by_5_percent_a_quiet_minute_to_all_of_it_and_no_further(gates: SqlGates, clock: Clock) -> None:
    """The minutes count from when it is open again."""
    await gates.slow(HISTORY, (await taken(gates, HISTORY)).at, 300)
    clock.now += 300
    used = [len(await greedy(gates, clock, HISTORY, MINUTE)) for _ in range(14)]
    full = MINUTE / HISTORY.seconds_per_call
    assert used == [pytest.approx(min(1, 0.5 + 0.05 * minute) * full, abs=1.5) for minute in range(14)]


async def test_a_closing_ends_after_an_hour_whatever_was_asked(gates: SqlGates, clock: Clock) -> None:
    await gates.slow(BRAND, (await taken(gates, BRAND)).at, 1e9)
    assert await wait(gates, BRAND) == pytest.approx(3600)
    clock.now += 3600
    await taken(gates, BRAND)


async def test_a_clock_that_is_set_back_closes_nothing(gates: SqlGates, clock: Clock) -> None:
    await exhaust(gates, BRAND)
    await gates.slow(HISTORY, (await taken(gates, HISTORY)).at, 30)
    clock.now -= 86_400
    await taken(gates, BRAND, HISTORY)
    assert 0 < await wait(gates, HISTORY) < 10


async def test_a_limit_that_was_raised_holds_at_once(gates: SqlGates) -> None:
    await taken(gates, Limit("any", 0.01))
    await taken(gates, Limit("any", 60))


async def test_without_another_clock_the_databases_is_used(database_url: str) -> None:
    gates = SqlGates(database_url)
    first = await taken(gates, Limit("slow", 0.01))
    assert first.at == pytest.approx(time.time(), abs=3600)
    assert 0 < await wait(gates, Limit("slow", 0.01)) <= Limit("slow", 0.01).seconds_per_call
    await gates.close()


async def test_many_who_ask_in_any_order_do_not_block_each_other(database_url: str) -> None:
    """New rows included. The limits are too high to matter."""
    limits = [Limit(f"scope {number}", 1e9) for number in range(5)]
    askers = [SqlGates(database_url) for _ in range(4)]

    async def ask(gates: SqlGates, order: Sequence[Limit]) -> list[Taken]:
        return [await taken(gates, *order[number % 4 :]) for number in range(25)]

    answers = await asyncio.gather(*(ask(gates, limits[:: (1, -1)[number % 2]]) for number, gates in enumerate(askers)))
    assert sum(map(len, answers)) == 100
    for gates in askers:
        await gates.close()


async def test_a_database_that_cannot_be_reached_gives_no_call() -> None:
    gates = SqlGates("sqlite:////nowhere/at/all.db")
    with pytest.raises(Unavailable):
        await gates.take([BRAND])
    await gates.close()


async def test_what_the_gates_write_does_not_wait_for_the_disk(database_url: str, gates: SqlGates) -> None:
    """As the store's own connection does (SQLite's 2 is FULL, its 1 NORMAL)."""
    setting = "PRAGMA synchronous" if database_url.startswith("sqlite") else "SHOW synchronous_commit"
    durable = connect(database_url, read_only=False, connections=1)
    found: list[object] = []
    for engine in (durable, gates._engine):
        with engine.begin() as connection:
            found.append(connection.execute(text(setting)).scalar_one())
    durable.dispose()
    assert found in ([2, 1], ["on", "off"])


_SHARED_CLOCK = "SELECT at FROM shared_clock"
_PER_MINUTE = 300


@pytest.mark.parametrize(DATABASE, [pytest.param("sqlite", marks=pytest.mark.deep), "postgresql"], indirect=True)
async def test_four_processes_use_a_limit_as_one_would(database_url: str) -> None:
    """Their database's clock moves only when somebody has to wait, and only to the end of that wait, so no machine is too slow for this."""
    engine = connect(database_url, read_only=False, connections=1)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE shared_clock (at BIGINT)"))
        connection.execute(text("INSERT INTO shared_clock VALUES (1800000000000000)"))
    engine.dispose()
    with ProcessPoolExecutor(4, mp_context=get_context("spawn")) as pool:
        working = [pool.submit(_one_of_four, database_url, 1_800_000_000 + MINUTE) for _ in range(4)]
        shares = [await asyncio.wrap_future(one) for one in working]
    instants = sorted(at for share in shares for at in share)
    assert 0.95 <= len(instants) / _PER_MINUTE <= 1
    assert most_in(MINUTE, instants) <= _PER_MINUTE


def _one_of_four(url: str, until: float) -> list[float]:
    return asyncio.run(_takes(url, until))


async def _takes(url: str, until: float) -> list[float]:
    gates, instants = SqlGates(url, now=literal_column(f"({_SHARED_CLOCK})", BigInteger)), list[float]()
    engine = connect(url, read_only=False, connections=1)

    def clock(move: float = 0.0) -> float:
        with engine.begin() as connection:
            connection.execute(text("UPDATE shared_clock SET at = :at WHERE at < :at"), {"at": round(move * 1_000_000)})
            return connection.execute(text(_SHARED_CLOCK)).scalar_one() / 1_000_000

    while (now := clock()) < until:
        match await gates.take([Limit("four", _PER_MINUTE)]):
            case Taken(at):
                instants.append(at)
            case Wait(seconds, _):
                clock(now + seconds)
    engine.dispose()
    await gates.close()
    return instants
