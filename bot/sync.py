"""Synchronisation: read a tenant page by page, store what changed, and tell its people, in one transaction a batch.

Nothing here trusts `modifiedDate` (quirk Q1). A survey's details are read again when its `lastModified` moved, a distribution's history
when its nine counts did. Whoever is told is told in the same transaction that stores the reason, under a unique key.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TypeVar

from bot import participations, rules
from bot.errors import Forbidden, Gone, Malformed, Rejected, SurveybotError, Unavailable
from bot.model import Distribution, HistoryEntry, Invitation, LinkEntry, LinkType, Survey
from bot.ports import Absorbed, Batch, MailedRow, Run, Store, SurveySource, UnitOfWork

#: Rows of one write transaction (reference performance.md 2: 500 to 1,000).
ROWS_PER_TRANSACTION = 1000
#: Single contacts looked up in a run, for people whose e-mail address `/links` does not tell yet (quirk Q10).
CONTACT_LOOKUPS = 200
#: A contact without an e-mail address is looked up again after this long.
LOOKUP_EVERY = timedelta(days=1)
#: So many surveys may be unreadable before a run gives up: beyond that it is not the surveys.
FAILURES_BORNE = 3

T = TypeVar("T")
log = logging.getLogger(__name__)


class Kind(StrEnum):
    FULL = "full"
    INCREMENTAL = "incremental"


@dataclass(slots=True)
class Progress:
    """How far a run is; shown while it goes on, stored when it ends."""

    surveys: int = 0
    surveys_done: int = 0
    distributions: int = 0
    invitations: int = 0
    changed: int = 0
    skipped: int = 0
    told: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Synchronisation:
    """One integration's way from Qualtrics into the store."""

    source: SurveySource
    store: Store
    integration_id: str
    name: str
    clock: Callable[[], datetime]
    #: Surveys read at the same time.
    parallel: int = 4
    on_progress: Callable[[Progress], None] = field(default=lambda _: None)

    async def run(self, kind: Kind) -> Run:
        """Run once. The first full run that succeeds fills the store and tells nobody (FEATURES B6).

        A survey that cannot be read is left for the next run, and this one is `partial`. Raises SurveybotError when the tenant cannot be
        read at all. What was stored until then stays: it is true, and reading it again changes nothing. The failed run is recorded.
        """
        progress = Progress()
        run = Run(integration_id=self.integration_id, kind=kind, started_at=self.clock())
        integration = await self.store.write(lambda uow: uow.integrations.ensure(self.integration_id, self.name))
        run_id = await self.store.write(lambda uow: uow.runs.start(run))
        look = _Look(self, kind, progress, run.started_at, integration.baseline_at)
        try:
            await look.go()
        except BaseException as error:
            await asyncio.shield(self._finish(run_id, run, progress, "failed", error))
            raise
        if kind is Kind.FULL and integration.baseline_at is None:
            await self.store.write(lambda uow: uow.integrations.set_baseline(self.integration_id, run.started_at))
            log.info("sync.baseline", extra={"surveys": progress.surveys, "invitations": progress.invitations})
        return await self._finish(run_id, run, progress, "partial" if look.failures else "ok", next(iter(look.failures), None))

    async def _finish(self, run_id: int, run: Run, progress: Progress, outcome: str, error: BaseException | None) -> Run:
        finished = replace(
            run,
            finished_at=self.clock(),
            outcome=outcome,
            surveys=progress.surveys,
            distributions=progress.distributions,
            invitations=progress.invitations,
            changed=progress.changed,
            skipped=progress.skipped,
            told=progress.told,
            error=f"{type(error).__name__}: {error}" if isinstance(error, SurveybotError) else type(error).__name__ if error else None,
        )
        await self.store.write(lambda uow: uow.runs.finish(run_id, finished))
        log.info("sync.finished", extra={"integration": self.integration_id, "kind": str(run.kind), "outcome": finished.outcome})
        return finished


@dataclass(slots=True)
class _Look:
    """One look at a tenant."""

    sync: Synchronisation
    kind: Kind
    progress: Progress
    started_at: datetime
    #: None: this run tells nobody.
    baseline_at: datetime | None
    #: One a survey that could not be read.
    failures: list[SurveybotError] = field(default_factory=list[SurveybotError])

    async def go(self) -> None:
        if self.kind is Kind.FULL:
            await self._users()
        surveys = await self._surveys()
        self.progress.surveys = len(surveys)
        queue = iter(surveys)
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(min(self.sync.parallel, len(surveys))):
                    group.create_task(self._each(queue))
        except BaseExceptionGroup as errors:
            raise errors.exceptions[0] from errors
        try:
            await self._look_up_missing({survey.survey_id: survey for survey in surveys})
        except (Unavailable, Malformed) as error:
            self.failures.append(error)
            self._left_out("contacts", self.sync.integration_id, error)

    async def _each(self, queue: Iterator[Survey]) -> None:
        for survey in queue:
            try:
                await self._survey(survey)
            except (Unavailable, Malformed) as error:
                self.failures.append(error)
                self._left_out("survey", survey.survey_id, error)
                if len(self.failures) > FAILURES_BORNE:
                    raise
            self.progress.surveys_done += 1
            self.sync.on_progress(self.progress)

    async def _users(self) -> None:
        """Read the accounts; needs a brand admin's token, so being refused is no failure (FEATURES A7)."""
        try:
            async for batch in self.sync.source.users():
                self._skip(batch)
                await self._write(lambda uow, users=batch.items: uow.users.save(self.sync.integration_id, users))
        except (Forbidden, Gone, Rejected) as error:
            log.warning("sync.no_users", extra={"integration": self.sync.integration_id, "cause": str(error)})

    async def _surveys(self) -> Sequence[Survey]:
        """Store the list of surveys and return those that can be answered: the others are left alone."""
        integration_id, unreadable = self.sync.integration_id, 0
        async for batch in self.sync.source.surveys():
            self._skip(batch)
            unreadable += batch.skipped
            await self._write(lambda uow, surveys=batch.items: uow.surveys.save(integration_id, surveys, self.started_at))
        if self.kind is Kind.FULL and not unreadable:  # one that could not be read has not vanished
            closed = await self.sync.store.write(lambda uow: uow.surveys.close_unseen(integration_id, self.started_at))
            self.progress.changed += closed
        stored = await self.sync.store.read(lambda uow: uow.surveys.all(integration_id))
        return [survey for survey in stored if survey.is_active]

    async def _survey(self, survey: Survey) -> None:
        survey = await self._details(survey)
        if survey.details is not None and survey.details.is_deleted:
            return
        listed: list[Distribution] = []
        try:
            async for batch in self.sync.source.distributions(survey.survey_id):
                self._skip(batch)
                listed += batch.items
        except (Forbidden, Gone, Rejected) as error:
            self._left_out("distributions", survey.survey_id, error)
            return
        await self._write(lambda uow: uow.distributions.save(self.sync.integration_id, _inherited(listed)))
        distributions = await self.sync.store.read(lambda uow: uow.distributions.of_survey(self.sync.integration_id, survey.survey_id))
        self.progress.distributions += len(distributions)
        known = {None, *(distribution.distribution_id for distribution in distributions)}
        for distribution in distributions:
            if distribution.parent_id in known and rules.reads_history(distribution, survey, self.started_at):
                await self._invitations(survey, distribution)

    async def _details(self, survey: Survey) -> Survey:
        """Read a survey's end and options when its `lastModified` moved, or it was (de)activated; where refused, in full runs again."""
        is_settled = survey.details is not None or self.kind is Kind.INCREMENTAL
        if is_settled and survey.details_for == survey.last_modified:
            return survey
        ids = self.sync.integration_id, survey.survey_id
        try:
            details = await self.sync.source.survey_details(survey.survey_id)
        except (Forbidden, Gone, Rejected) as error:
            self._left_out("details", survey.survey_id, error)
            await self.sync.store.write(lambda uow: uow.surveys.save_details(*ids, None, survey.last_modified))
            return survey
        while await self.sync.store.write(
            lambda uow: uow.invitations.reschedule(*ids, details.ends_at, rules.NOTICE, limit=ROWS_PER_TRANSACTION)
        ):
            pass

        def save(uow: UnitOfWork) -> None:
            if survey.details is not None and survey.details_for is None:  # it came back, and its people must be looked at again
                uow.distributions.forget_history(*ids)
            uow.surveys.save_details(*ids, details, survey.last_modified)

        await self.sync.store.write(save)
        return replace(survey, details=details, details_for=survey.last_modified)

    async def _invitations(self, survey: Survey, distribution: Distribution) -> None:
        """Read who was mailed. Links first: only they tell whose a contact is, and people can be told only when that is known."""
        integration_id, distribution_id = self.sync.integration_id, distribution.distribution_id
        seen = 0
        try:
            if await self._needs_links(distribution):
                async for found in self._rows(self.sync.source.links(distribution_id, survey.survey_id)):
                    await self._links(survey, distribution, found)
            async for entries in self._rows(self.sync.source.history(distribution_id)):
                seen += len(entries)
                await self._history(survey, distribution, entries)
        except (Forbidden, Gone, Rejected) as error:
            self._left_out("history", distribution_id, error)
            return
        self.progress.invitations += seen
        if seen < distribution.stats.sent:  # quirk Q9: it is read again next time
            self._left_out("rows", distribution_id, Malformed(f"the history has {seen} rows, {distribution.stats.sent} were sent"))
            return
        await self.sync.store.write(lambda uow: uow.distributions.set_history_for(integration_id, distribution_id, distribution.stats))

    async def _needs_links(self, distribution: Distribution) -> bool:
        """Whether somebody may have joined, or is still without an e-mail address; otherwise links cost no calls."""
        if distribution.history_for is None or distribution.history_for.sent != distribution.stats.sent:
            return True
        ids = self.sync.integration_id, distribution.distribution_id
        return await self.sync.store.read(lambda uow: uow.invitations.lacks_people(*ids))

    async def _links(self, survey: Survey, distribution: Distribution, links: Sequence[LinkEntry]) -> None:
        def absorb(uow: UnitOfWork) -> tuple[Absorbed, int]:
            people = uow.people.ids({link.email for link in links if link.email is not None})
            absorbed = uow.invitations.save_links(self.sync.integration_id, distribution.distribution_id, links, people)
            return absorbed, self._tell(uow, survey, people.values())

        await self._write_telling(absorb)

    async def _history(self, survey: Survey, distribution: Distribution, entries: Sequence[HistoryEntry]) -> None:
        def absorb(uow: UnitOfWork) -> tuple[Absorbed, int]:
            ids = self.sync.integration_id, distribution.distribution_id
            stored = uow.invitations.of_contacts(*ids, [entry.contact_id for entry in entries])
            rows = [_row(survey, distribution, entry, stored.get(entry.contact_id), self.started_at) for entry in entries]
            absorbed = uow.invitations.save_history(*ids, rows)
            return absorbed, self._tell(uow, survey, {i.person_id for i in stored.values() if i.person_id is not None})

        await self._write_telling(absorb)

    async def _look_up_missing(self, surveys: Mapping[str, Survey]) -> None:
        """Ask the directory for mailed contacts whose e-mail address `/links` does not tell (quirk Q10), within the run's budget."""
        tried_before = self.started_at - LOOKUP_EVERY
        missing = await self.sync.store.read(
            lambda uow: uow.invitations.without_person(self.sync.integration_id, tried_before, CONTACT_LOOKUPS)
        )
        directory_id = await self._directory() if missing else ""
        for invitation in missing if directory_id else ():
            try:
                email = (await self.sync.source.contact(directory_id, invitation.contact_id)).email
            except (Forbidden, Gone, Rejected) as error:
                self._left_out("contact", invitation.contact_id, error)
                email = None
            await self._contact(surveys.get(invitation.survey_id), invitation, email)

    async def _contact(self, survey: Survey | None, invitation: Invitation, email: str | None) -> None:
        def absorb(uow: UnitOfWork) -> tuple[Absorbed, int]:
            person_id = None if email is None else uow.people.ids([email])[email]
            contact = invitation.integration_id, invitation.distribution_id, invitation.contact_id
            uow.invitations.set_person(*contact, person_id, self.started_at)
            told = 0 if person_id is None or survey is None else self._tell(uow, survey, {person_id})
            return Absorbed(seen=1, changed=int(person_id is not None)), told

        await self._write_telling(absorb)

    async def _directory(self) -> str:
        """Return the default directory's id, else the first one's, "" when there is none to be seen."""
        found = ""
        try:
            async for batch in self.sync.source.directories():
                for directory in batch.items:
                    if directory.is_default:
                        return directory.directory_id
                    found = found or directory.directory_id
        except (Forbidden, Gone, Rejected) as error:
            self._left_out("directories", self.sync.integration_id, error)
        return found

    def _tell(self, uow: UnitOfWork, survey: Survey, people: Collection[int]) -> int:
        """Tell those who can answer and were not told yet, in the transaction that stored why."""
        if self.baseline_at is None or not people:
            return 0
        found = participations.in_survey(uow, survey.survey_id, people, self.started_at)
        events = (rules.invited(person_id, asked, self.baseline_at) for person_id, asked in found.items())
        return uow.outbox.add([event for event in events if event is not None], self.sync.clock())

    async def _rows(self, batches: AsyncIterator[Batch[T]]) -> AsyncIterator[Sequence[T]]:
        """Gather pages into transactions' worth of rows; good pages before a bad one are handed on before it raises (quirk Q8)."""
        rows: list[T] = []
        try:
            async for batch in batches:
                self._skip(batch)
                rows += batch.items
                if len(rows) >= ROWS_PER_TRANSACTION:
                    yield rows
                    rows = []
        except SurveybotError:
            if rows:
                yield rows
            raise
        if rows:
            yield rows

    async def _write(self, work: Callable[[UnitOfWork], Absorbed]) -> None:
        await self._write_telling(lambda uow: (work(uow), 0))

    async def _write_telling(self, work: Callable[[UnitOfWork], tuple[Absorbed, int]]) -> None:
        absorbed, told = await self.sync.store.write(work)  # not in the sums: several surveys are read at once
        self.progress.changed += absorbed.changed
        self.progress.told += told
        self.sync.on_progress(self.progress)

    def _skip(self, batch: Batch[object]) -> None:
        self.progress.skipped += batch.skipped

    def _left_out(self, what: str, subject: str, error: SurveybotError) -> None:
        """One thing that may not or cannot be read is left out, counted and logged; the run goes on (FEATURES B7)."""
        self.progress.skipped += 1
        log.warning("sync.left_out", extra={"what": what, "subject": subject, "cause": str(error)})


def _inherited(distributions: Sequence[Distribution]) -> Sequence[Distribution]:
    """Give reminders the link type and expiry of their invite: Qualtrics tells them on invites only (reference qualtrics.md 4)."""
    known = {distribution.distribution_id: distribution for distribution in distributions}
    return [_like_its_parent(distribution, known.get(distribution.parent_id or "")) for distribution in distributions]


def _like_its_parent(distribution: Distribution, parent: Distribution | None) -> Distribution:
    if parent is None or distribution.link_type is not LinkType.UNKNOWN:
        return distribution
    expires_at = distribution.link_expires_at or parent.link_expires_at
    return replace(distribution, link_type=parent.link_type, link_expires_at=expires_at)


def _row(survey: Survey, distribution: Distribution, entry: HistoryEntry, stored: Invitation | None, now: datetime) -> MailedRow:
    """Apply the rules to one history entry. An answer without a time counts from when it was first seen, a mail from its send date."""
    mailed = rules.was_mailed(distribution, entry, now)
    if mailed and entry.sent_at is None:
        entry = replace(entry, sent_at=distribution.send_date)
    if entry.status in rules.ANSWERED and entry.completed_at is None:
        entry = replace(entry, completed_at=(stored.completed_at if stored else None) or now)
    link_expires_at = (stored.link_expires_at if stored else None) or distribution.link_expires_at
    notice_at = rules.notice_at(entry.status, distribution.link_type, rules.deadline(link_expires_at, survey)) if mailed else None
    return MailedRow(entry=entry, mailed=mailed, notice_at=notice_at)
