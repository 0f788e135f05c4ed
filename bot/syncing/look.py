"""What all stages of one look at a tenant share: its kind, its counts, lists read on from a position, and what is left out."""

from __future__ import annotations

import logging
from asyncio import TaskGroup
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TypeVar

from bot import participations, rules
from bot.errors import Gone, Malformed, Rejected, SurveybotError, Unavailable
from bot.model import DistributionStats, Integration
from bot.ports import Store, SurveySource, UnitOfWork
from bot.ports.records import Batch, Position
from bot.syncing.outdating import outdate

#: So many surveys may be unreadable one after the other before a run gives up: beyond that it is not the surveys. More than are read at
#: the same time, so that a few that come first, for their deadlines, do not keep it from all others.
FAILURES_BORNE = 10
_RECORDED_EVERY = timedelta(seconds=10)
#: For positions of the look itself, which end with its run.
EVER = datetime.min.replace(tzinfo=UTC)

T = TypeVar("T")
#: Stores one page and how far the list was read with it; returns how many rows changed and how many people are told.
Absorb = Callable[[UnitOfWork, Sequence[T], Position], tuple[int, int]]
log = logging.getLogger(__name__)


class Kind(StrEnum):
    #: Also reads the accounts, and closes what vanished.
    FULL = "full"
    INCREMENTAL = "incremental"
    #: As FULL, and reads whatever can still be answered, whatever the counts say (quirks Q9, Q10).
    SWEEP = "sweep"


@dataclass(slots=True, kw_only=True)
class Progress:
    """How far a run is; shown while it goes on, stored when it ends."""

    #: Requests to Qualtrics so far, repetitions included.
    calls: int = 0
    #: Surveys whose distributions are (to be) listed, and how many of these lists are still to be read.
    surveys: int = 0
    lists_left: int = 0
    distributions: int = 0
    #: Pages still to be read, as the counts of what was sent foretell; 0 until all lists were read.
    links_pages_left: int = 0
    history_pages_left: int = 0
    #: Rows of histories read.
    invitations: int = 0
    changed: int = 0
    skipped: int = 0
    told: int = 0
    #: Distributions that moved, but were read so recently that they must wait; after a `refresh`, ask again later.
    postponed: int = 0

    @property
    def surveys_done(self) -> int:
        return self.surveys - self.lists_left


@dataclass(slots=True, kw_only=True)
class Look:
    """One look at a tenant, from one process's start to its end."""

    source: SurveySource
    store: Store
    integration: Integration
    kind: Kind
    #: The run's; what all rules of this look take for now, also after it was taken up again.
    started_at: datetime
    clock: Callable[[], datetime]
    parallel: int
    on_progress: Callable[[Progress], None]
    progress: Progress = field(default_factory=Progress)
    #: An earlier process began it: there may be positions.
    is_resumed: bool = False
    #: Qualtrics hinted that something happened: what is old is looked at, too.
    is_hinted: bool = False
    #: Stores the counts with the run, so that a killed one loses few of them.
    record: Callable[[UnitOfWork, Progress], None] = field(default=lambda _uow, _progress: None)
    recorded_at: datetime = EVER
    #: What is added to the source's count, which began before this look.
    calls_before: int = 0
    #: By survey, one a survey that could not be read.
    failures: dict[str, SurveybotError] = field(default_factory=dict[str, SurveybotError])
    #: Surveys that failed since something was read.
    _failed_in_a_row: set[str] = field(default_factory=set[str])

    @property
    def integration_id(self) -> str:
        return self.integration.integration_id

    async def each(self, items: Collection[T], survey_id: Callable[[T], str], work: Callable[[T], Awaitable[None]]) -> None:
        """Work on several items at a time, in their order. A survey that cannot be read is left for the next run.

        Raises the last error when more than FAILURES_BORNE cannot and nothing else could be read between them.
        """
        queue = iter(items)
        try:
            async with TaskGroup() as group:
                for _ in range(min(self.parallel, len(items))):
                    group.create_task(self._work(queue, survey_id, work))
        except BaseExceptionGroup as errors:
            raise errors.exceptions[0] from errors

    async def _work(self, queue: Iterator[T], survey_id: Callable[[T], str], work: Callable[[T], Awaitable[None]]) -> None:
        for item in queue:
            try:
                await work(item)
            except (Unavailable, Malformed) as error:
                self.fail(survey_id(item), error)
                if len(self._failed_in_a_row) > FAILURES_BORNE:
                    raise

    async def follow(
        self,
        pages: Callable[[str | None], AsyncIterator[Batch[T]]],
        absorb: Absorb[T],
        begun: Position | None = None,
        began_for: DistributionStats | None = None,
    ) -> None:
        """Read a list to its end, from where it was `begun`, if it was; each page is stored by one transaction.

        A position that Qualtrics refuses is dropped, and the list read from its start.
        """
        try:
            await self._follow(pages, absorb, begun or Position(next=None, began_for=began_for))
        except (Gone, Rejected):
            if begun is None:
                raise
            await self._follow(pages, absorb, Position(next=None, began_for=began_for))

    async def _follow(self, pages: Callable[[str | None], AsyncIterator[Batch[T]]], absorb: Absorb[T], begun: Position) -> None:
        seen, skipped = begun.seen, begun.skipped
        async for batch in pages(begun.next):
            seen, skipped = seen + len(batch.items) + batch.skipped, skipped + batch.skipped
            self.progress.skipped += batch.skipped
            reached = Position(next=batch.next, seen=seen, skipped=skipped, began_for=begun.began_for)
            await self.write(lambda uow, items=batch.items, reached=reached: absorb(uow, items, reached))

    async def write(self, work: Callable[[UnitOfWork], tuple[int, int]]) -> None:
        """Commit `work`, which returns how many rows it changed and how many people are told."""
        now = self.clock()
        is_late = now - self.recorded_at >= _RECORDED_EVERY
        self.recorded_at = now if is_late else self.recorded_at

        def recorded(uow: UnitOfWork) -> tuple[int, int]:
            if is_late:
                self.record(uow, self.progress)
            return work(uow)

        changed, told = await self.store.write(recorded)  # not in the sums: several surveys are read at once
        self._failed_in_a_row.clear()
        self.progress.changed += changed
        self.progress.told += told
        self.show()

    def show(self) -> None:
        self.progress.calls = self.calls_before + self.source.calls
        self.on_progress(self.progress)

    def tell(self, uow: UnitOfWork, survey_id: str, people: Collection[int]) -> int:
        """Tell those who can answer and were not told yet, in the transaction that stored why, and outdate what the others were told."""
        baseline_at, now = self.integration.baseline_at, self.clock()
        if baseline_at is None or not people:
            return 0
        found = participations.in_survey(uow, survey_id, people, now)
        outdate(uow, survey_id, found, now)
        events = (rules.invited(person_id, asked, baseline_at) for person_id, asked in found.items())
        return uow.outbox.add([event for event in events if event is not None], now)

    def leave_out(self, what: str, subject: str, error: SurveybotError) -> None:
        """One thing that may not or cannot be read is left out, counted and logged; the run goes on (FEATURES B7)."""
        self.progress.skipped += 1
        log.warning("sync.left_out", extra={"what": what, "subject": subject, "cause": str(error)})

    def fail(self, subject: str, error: SurveybotError) -> None:
        """As `leave_out`, where the next run may have more luck: this one is partial."""
        self.failures.setdefault(subject, error)
        self._failed_in_a_row.add(subject)
        self.leave_out("survey", subject, error)
