"""Whole synchronisations of a simulated Qualtrics over HTTP on loopback: calls, speed, processor time, memory.

- first: everything is new. An invitation is read twice, in `/links` and in `/history`, 100 to a page.
- unchanged: an incremental run when nothing moved; 2 % changed: ten people answered in each of 2 in 100 distributions. Both take place two
  hours later by the bot's clock: histories of yesterday's sendings rest for one.

The simulated Qualtrics is a Python program on the same machine, so elapsed time is partly its own. The bot's speed is judged by the
processor time of its process: how much of a core it takes at the 50 calls a second that Qualtrics allows, and how many rows of the API
(links and history) it takes in a second of that, against the 5,000 that Qualtrics can give (reference performance.md 8, G3). What a call
costs from the request to the commit is also shown beside a bare GET of such a page by httpx, which is the floor of any client over it.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial

import httpx
from sqlalchemy import func, select

from adapters.qualtrics.client import QualtricsClient
from adapters.qualtrics.credentials import ApiToken
from adapters.sandbox.qualtrics.records import numbered
from bot.model import Status
from bot.syncing.look import Progress
from bot.syncing.sync import Kind, Synchronisation
from store import tables
from store.engine import connect
from store.unit_of_work import SqlStore
from tests.benchmarks.databases import KINDS, Databases, keyring
from tests.benchmarks.measure import Figures, Goal, Line, fresh, medians, peak_mib
from tests.benchmarks.simulated import TOKEN, Shape, simulated
from tests.unit.core.examples import an_integration

_RUNS = (("first", Kind.FULL), ("unchanged", Kind.INCREMENTAL), ("changed", Kind.INCREMENTAL))
_CALLS_PER_S = 50
_API_ROWS_PER_S = 5000
_ANSWERS = 10
_GETS = 400
_PROGRESS_EVERY_S = 10


def lines(databases: Databases, *, quick: bool) -> Iterator[Line]:
    runs = 1 if quick else 3
    small = Shape(surveys=4 if quick else 20, distributions=5, recipients=100 if quick else 1000)
    large = replace(small, recipients=2 * small.recipients if quick else 10 * small.recipients)
    taken = medians(runs, {f"sync {kind}": partial(_synchronised, databases, kind, small) for kind in KINDS})
    for kind in KINDS:
        yield from _speed(taken[f"sync {kind}"], kind, small)
    print(f"  sync of {large.invitations:,} invitations", file=sys.stderr, flush=True)
    peak = _synchronised(databases, "sqlite", large, _RUNS[:1])["peak first"]
    what, base = f"sync, peak memory at {large.invitations:,}", taken["sync sqlite"]["peak first"]
    baseline = f"{small.invitations:,}: {base:.0f} MiB"
    yield Line(what=what, database="sqlite", figure=peak, unit="MiB", baseline=baseline, ratio=peak / base, goal=Goal(at_most=1.3))
    yield Line(what=what, database="sqlite", figure=peak, unit="MiB", goal=Goal(at_most=200))


def _speed(taken: Figures, kind: str, shape: Shape) -> Iterator[Line]:
    first = taken["calls first"]
    api_rows = 2 * shape.invitations / taken["cpu first"]
    share = 100 * taken["cpu first"] / first * _CALLS_PER_S
    yield Line(what="sync, first", database=kind, figure=shape.invitations / taken["seconds first"], unit="invitations/s")
    yield Line(what="sync, first: calls", database=kind, figure=first, unit="calls")
    yield Line(what="sync, first: processor time", database=kind, figure=taken["cpu first"], unit="s")
    yield Line(what="sync, first: at 50 calls/s", database=kind, figure=share, unit="% of a core", goal=Goal(at_most=20))
    yield Line(
        what="sync, first: by processor time",
        database=kind,
        figure=api_rows,
        unit="API rows/s",
        baseline=f"API gives {_API_ROWS_PER_S:,}",
        ratio=api_rows / _API_ROWS_PER_S,
        goal=Goal(at_least=6),
    )
    call, get = 1000 * taken["cpu first"] / first, taken["cpu get"]
    base = f"bare httpx GET {get:.2f} ms"
    yield Line(what="sync, first: a call, by processor time", database=kind, figure=call, unit="ms", baseline=base, ratio=call / get)
    for what, name, goal in (("unchanged", "unchanged", Goal(at_most=1 / 45)), ("2 % changed", "changed", Goal(at_most=1 / 20))):
        calls, baseline = taken[f"calls {name}"], f"first {first:,.0f}"
        ratio = calls / first
        yield Line(what=f"sync, {what}: calls", database=kind, figure=calls, unit="calls", baseline=baseline, ratio=ratio, goal=goal)
        yield Line(what=f"sync, {what}: time", database=kind, figure=taken[f"seconds {name}"], unit="s")
    yield Line(
        what="sync, unchanged: faster than 2 % changed",
        database=kind,
        figure=taken["seconds unchanged"],
        unit="s",
        baseline=f"2 % changed {taken['seconds changed']:.2f} s",
        ratio=taken["seconds changed"] / taken["seconds unchanged"],
        goal=Goal(at_least=3),
    )


def _synchronised(databases: Databases, kind: str, shape: Shape, runs: Sequence[tuple[str, Kind]] = _RUNS) -> Figures:
    """Synchronise a new tenant, each time in a fresh process."""
    changed = max(1, shape.surveys * shape.distributions // 50)
    figures: dict[str, float] = {}
    with databases.new(kind) as url, simulated(shape) as tenant:
        figures["cpu get"] = fresh(_got, f"{tenant.url}distributions/{numbered('EMD', 0)}/history")
        tenant.calls()
        expected = shape.invitations
        for name, sync_kind in runs:
            taken = fresh(_run, tenant.url, url, sync_kind, expected)
            answered = shape.invitations // 5 + (changed * _ANSWERS if name == "changed" else 0)
            assert (taken.pop("stored"), taken.pop("answered")) == (shape.invitations, answered), name
            figures |= {f"{figure} {name}": value for figure, value in taken.items()}
            figures[f"calls {name}"] = tenant.answer(changed, _ANSWERS) if name == "unchanged" else tenant.calls()
            expected = 0 if name == "first" else changed * shape.recipients
    return figures


def _got(page_url: str) -> float:
    return asyncio.run(_gets(page_url))


async def _gets(page_url: str) -> float:
    """Milliseconds of processor time that a GET takes, eight at a time as in a synchronisation."""

    async def some(number: int) -> None:
        for _ in range(number):
            (await http.get(page_url)).raise_for_status()

    async with httpx.AsyncClient(headers={"X-API-TOKEN": TOKEN}) as http:
        await asyncio.gather(*(some(2) for _ in range(8)))
        cpu = time.process_time()
        await asyncio.gather(*(some(_GETS // 8) for _ in range(8)))
        return 1000 * (time.process_time() - cpu) / _GETS


def _run(api_url: str, url: str, kind: Kind, expected: int) -> dict[str, float]:
    """Run once, and count what is stored then. Raises AssertionError unless the run read as many invitations as expected."""
    return asyncio.run(_ran(api_url, url, kind, expected)) | _counts(url)


async def _ran(api_url: str, url: str, kind: Kind, expected: int) -> dict[str, float]:
    store = SqlStore(url, keyring())
    later = timedelta(hours=0 if kind is Kind.FULL else 2)
    await store.write(lambda uow: uow.integrations.save(an_integration()))
    async with QualtricsClient(api_url, ApiToken(TOKEN)) as source:
        sync = Synchronisation(
            source=source, store=store, integration_id="main", clock=lambda: datetime.now(UTC) + later, on_progress=_Reporter()
        )
        start, cpu = time.perf_counter(), time.process_time()
        run = await sync.run(kind)
        figures = {"seconds": time.perf_counter() - start, "cpu": time.process_time() - cpu, "peak": peak_mib()}
    await store.close()
    assert (run.outcome, run.invitations, run.skipped, run.told) == ("ok", expected, 0, 0), run
    return figures


def _counts(url: str) -> dict[str, float]:
    """How many invitations are stored, and how many of them are answered."""
    engine = connect(url, read_only=True, connections=1)
    stored = select(func.count()).select_from(tables.invitations)
    with engine.begin() as connection:
        answered = stored.where(tables.invitations.c.status == Status.SURVEY_FINISHED)
        counts = [float(connection.execute(query).scalar_one()) for query in (stored, answered)]
    engine.dispose()
    return dict(zip(("stored", "answered"), counts, strict=True))


class _Reporter:
    """Tells on stderr how far a long run is."""

    def __init__(self) -> None:
        self._next = time.monotonic() + _PROGRESS_EVERY_S

    def __call__(self, progress: Progress) -> None:
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + _PROGRESS_EVERY_S
            print(f"    {progress.invitations:,} invitations", file=sys.stderr, flush=True)
