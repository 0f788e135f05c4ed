"""What whole cycles cost: their calls at full size, and their time where calls are limited.

- calls: 1,000 surveys with 5 distributions each to 1,000 people, by the real synchronisation and store, with a source that counts calls
  instead of making them. Its pages of links and histories are full of records that cannot be read: those are counted and not stored, so
  five million invitations take minutes.
- throttled: a full synchronisation over HTTP of a tenant that takes so many calls a minute and no more, with the shared limiter; beside
  the time in which so many calls are allowed at all.
"""

# ruff: noqa: ARG002 - the arguments are the port's
from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from adapters.qualtrics.client import QualtricsClient
from adapters.qualtrics.credentials import ApiToken
from adapters.qualtrics.pacing import Limits, Pace
from bot.model import Contact, Directory, Distribution, DistributionStats, HistoryEntry, LinkEntry, Survey, SurveyDetails, User
from bot.ports.records import Account, Batch
from bot.syncing.sync import Kind, Synchronisation
from store.gates import SqlGates
from store.unit_of_work import SqlStore
from tests.benchmarks.databases import KINDS, Databases, keyring
from tests.benchmarks.measure import Figures, Goal, Line, fresh
from tests.benchmarks.simulated import TOKEN, Shape, simulated
from tests.unit.core.examples import NOW, a_distribution, a_survey, an_integration

_PAGE = 100
#: Twenty a second: enough calls for the start and the end not to count.
_CALLS_PER_MINUTE = 1200


def lines(databases: Databases, *, quick: bool) -> Iterator[Line]:
    yield from _calls(databases, Shape(surveys=20 if quick else 1000, distributions=5, recipients=1000))
    yield from (_throttled(databases, kind, Shape(surveys=1 if quick else 4, distributions=5, recipients=1000)) for kind in KINDS)


@dataclass
class CountingSource:
    """A tenant of which only the counts are there."""

    shape: Shape
    calls: int = 0
    #: Numbers of distributions that moved.
    moved: frozenset[int] = field(default_factory=frozenset[int])

    async def account(self) -> Account:
        return Account(brand_id="acme", user_id="UR_1", datacenter=None)

    async def users(self, after: str | None = None) -> AsyncIterator[Batch[User]]:
        self.calls += 1
        yield Batch(())

    async def surveys(self, after: str | None = None) -> AsyncIterator[Batch[Survey]]:
        for start in range(0, self.shape.surveys, _PAGE):
            self.calls += 1
            numbers = range(start, min(start + _PAGE, self.shape.surveys))
            items = tuple(a_survey(survey_id=f"SV_{number}", details=None, details_for=None) for number in numbers)
            yield Batch(items, 0, None if numbers.stop == self.shape.surveys else str(numbers.stop))

    async def survey(self, survey_id: str) -> Survey:
        self.calls += 1
        return a_survey(survey_id=survey_id)

    async def brand_host(self, survey_id: str) -> str | None:
        self.calls += 1
        return None

    async def survey_details(self, survey_id: str) -> SurveyDetails:
        """Metadata and options."""
        self.calls += 2
        details = a_survey().details
        assert details is not None
        return details

    async def distributions(self, survey_id: str, after: str | None = None) -> AsyncIterator[Batch[Distribution]]:
        self.calls += 1
        first = int(survey_id.removeprefix("SV_")) * self.shape.distributions
        yield Batch(tuple(self._distribution(survey_id, number) for number in range(first, first + self.shape.distributions)))

    async def history(self, distribution_id: str, after: str | None = None) -> AsyncIterator[Batch[HistoryEntry]]:
        for batch in self._unreadable():
            yield batch

    async def links(self, distribution_id: str, survey_id: str, after: str | None = None) -> AsyncIterator[Batch[LinkEntry]]:
        for batch in self._unreadable():
            yield batch

    async def directories(self) -> AsyncIterator[Batch[Directory]]:
        self.calls += 1
        yield Batch(())

    async def contact(self, directory_id: str, contact_id: str) -> Contact:
        self.calls += 1
        return Contact(contact_id=contact_id, email=None)

    def _distribution(self, survey_id: str, number: int) -> Distribution:
        stats = DistributionStats(sent=self.shape.recipients, opened=int(number in self.moved))
        sent = a_distribution(distribution_id=f"EMD_{number}", survey_id=survey_id, stats=stats)
        return replace(sent, send_date=NOW - timedelta(hours=1))

    def _unreadable(self) -> Iterator[Batch[Any]]:
        for end in range(_PAGE, self.shape.recipients + 1, _PAGE):
            self.calls += 1
            yield Batch((), _PAGE, None if end == self.shape.recipients else str(end))


def _calls(databases: Databases, shape: Shape) -> Iterator[Line]:
    with databases.new("sqlite") as url:
        first, unchanged, changed = asyncio.run(_cycles(url, shape))
    size = f"{shape.surveys:,} x {shape.distributions} x {shape.recipients:,}"
    yield Line(what=f"cycle, {size}: first", figure=first, unit="calls")
    for what, calls, most in (("nothing changed", unchanged, 1 / 45), ("2 % changed", changed, 1 / 20)):
        yield Line(
            what=f"cycle, {size}: {what}",
            figure=calls,
            unit="calls",
            baseline=f"first {first:,}",
            ratio=calls / first,
            goal=Goal(at_most=most),
        )


async def _cycles(url: str, shape: Shape) -> list[int]:
    store, source, calls, now = SqlStore(url, keyring()), CountingSource(shape), list[int](), NOW
    await store.write(lambda uow: uow.integrations.save(an_integration()))
    count = shape.surveys * shape.distributions
    for kind, moved in ((Kind.FULL, 0), (Kind.INCREMENTAL, 0), (Kind.INCREMENTAL, count // 50)):
        source.moved = frozenset(range(moved))
        sync = Synchronisation(source=source, store=store, integration_id="main", clock=partial(_at, now))
        before, now = source.calls, now + timedelta(minutes=15)
        run = await sync.run(kind)
        assert run.outcome == "ok", run
        calls.append(source.calls - before)
    await store.close()
    return calls


def _at(now: datetime) -> datetime:
    return now


def _throttled(databases: Databases, kind: str, shape: Shape) -> Line:
    with databases.new(kind) as url, simulated(shape, calls_per_minute=_CALLS_PER_MINUTE) as tenant:
        taken = fresh(_synchronised, tenant.url, url)
        assert tenant.refused() == 0
        floor = tenant.calls() / _CALLS_PER_MINUTE * 60
    return Line(
        what=f"sync, throttled to {_CALLS_PER_MINUTE:,} calls/min, none over",
        database=kind,
        figure=taken["seconds"],
        unit="s",
        baseline=f"floor {floor:.1f} s",
        ratio=taken["seconds"] / floor,
        goal=Goal(at_most=1.1),
    )


def _synchronised(api_url: str, url: str) -> Figures:
    return asyncio.run(_paced(api_url, url))


async def _paced(api_url: str, url: str) -> Figures:
    store, gates = SqlStore(url, keyring()), SqlGates(url)
    await store.write(lambda uow: uow.integrations.save(an_integration()))
    pace = Pace(gates, Limits(brand=_CALLS_PER_MINUTE, endpoints={}), "acme", "main")
    async with QualtricsClient(api_url, ApiToken(TOKEN), pace=pace) as source:
        sync = Synchronisation(source=source, store=store, integration_id="main", clock=partial(datetime.now, UTC))
        start = time.perf_counter()
        run = await sync.run(Kind.FULL)
        seconds = time.perf_counter() - start
    await gates.close()
    await store.close()
    assert run.outcome == "ok", run
    return {"seconds": seconds}
