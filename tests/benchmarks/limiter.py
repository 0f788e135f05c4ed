"""Four processes on one limit of 3,000 calls a minute: how much of it they use together, and what a turn costs.

- granted: calls granted within the minute after the first one, when four processes with four callers each take whatever they can get
  (`Pace.turn`, so with the smoothing in each process). No minute may hold more than 3,000: that is checked, not measured.
- take: one process takes a call of three scopes, as a call to `history` of an integration with its own switch does. The limits are so high
  that nobody waits.
"""

from __future__ import annotations

import asyncio
from bisect import bisect_left
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from time import perf_counter

from adapters.qualtrics.pacing import DEFAULT, Pace
from store.gates import Limit, SqlGates, Taken
from tests.benchmarks.databases import KINDS, Databases
from tests.benchmarks.measure import Figures, Goal, Line, fresh, medians

_PROCESSES = 4
_CALLERS = 4
_MINUTE = 60.0
_TEMPLATE = "/surveys"


def lines(databases: Databases, *, quick: bool) -> Iterator[Line]:
    seconds, takes, runs = (3.0, 50, 1) if quick else (_MINUTE, 2000, 3)
    allowed = DEFAULT.brand * seconds / _MINUTE
    for kind in KINDS:
        granted = _granted(databases, kind, seconds)
        for goal in (Goal(at_least=0.95), Goal(at_most=1.0)):
            yield Line(
                what="limit, 4 processes",
                database=kind,
                figure=granted,
                unit="calls",
                baseline=f"allowed {allowed:,.0f}",
                ratio=granted / allowed,
                goal=goal,
            )
        name = f"limiter take {kind}"
        taken = medians(runs, {name: partial(_on_new, databases, kind, takes)})
        yield Line(what="limit, one take of 3 scopes", database=kind, figure=taken[name]["microseconds"], unit="µs")


def _granted(databases: Databases, kind: str, seconds: float) -> int:
    """How many calls were granted in the first `seconds`. By the database's clock."""
    with databases.new(kind) as url, ProcessPoolExecutor(_PROCESSES, mp_context=get_context("spawn")) as pool:
        working = [pool.submit(_calls, url, seconds) for _ in range(_PROCESSES)]
        instants = sorted(at for calls in working for at in calls.result())
    most = max(index - bisect_left(instants, at - _MINUTE) + 1 for index, at in enumerate(instants))
    assert most <= DEFAULT.brand, most
    return bisect_left(instants, instants[0] + seconds)


def _calls(url: str, seconds: float) -> list[float]:
    return asyncio.run(_callers(url, seconds))


async def _callers(url: str, seconds: float) -> list[float]:
    gates = SqlGates(url)
    pace = Pace(gates, DEFAULT, "bench", "main")

    async def caller() -> list[float]:
        instants = [await pace.turn(_TEMPLATE)]
        while instants[-1] < instants[0] + seconds:
            instants.append(await pace.turn(_TEMPLATE))
        return instants

    calls = await asyncio.gather(*(caller() for _ in range(_CALLERS)))
    await gates.close()
    return [at for instants in calls for at in instants]


def _on_new(databases: Databases, kind: str, takes: int) -> Figures:
    with databases.new(kind) as url:
        return fresh(_take, url, takes)


def _take(url: str, takes: int) -> Figures:
    return asyncio.run(_taken(url, takes))


async def _taken(url: str, takes: int) -> Figures:
    gates, limits = SqlGates(url), [Limit(name, 1e9) for name in ("brand", "brand:history", "brand:main")]
    assert isinstance(await gates.take(limits), Taken)
    start = perf_counter()
    for _ in range(takes):
        assert isinstance(await gates.take(limits), Taken)
    elapsed = perf_counter() - start
    await gates.close()
    return {"microseconds": elapsed / takes * 1_000_000}
