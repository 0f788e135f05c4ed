"""Synchronisation: read a tenant page by page, store what changed, and tell its people, in one transaction a batch.

Nothing here trusts `modifiedDate` (quirk Q1). A survey's details are read again when its `lastModified` moved, a distribution's history
when its nine counts did. Whoever is told is told in the same transaction that stores the reason, under a unique key.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import TypeVar

from bot import rules
from bot.errors import Forbidden, Gone, Rejected, SurveybotError
from bot.model import Anonymity, Distribution, HistoryEntry, Invitation, LinkEntry, LinkType, Survey, SurveyDetails
from bot.ports import Absorbed, Batch, MailedRow, Run, Store, SurveySource, UnitOfWork

#: Rows of one write transaction (reference performance.md 2: 500 to 1,000).
ROWS_PER_TRANSACTION = 1000
#: Single contacts looked up in a run, for people whose e-mail address `/links` does not tell yet (quirk Q10).
CONTACT_LOOKUPS = 200

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

        Raises SurveybotError when the tenant could not be read to the end. What was stored until then stays: it is true, and reading it
        again changes nothing. The failed run is recorded.
        """
        progress = Progress()
        run = Run(integration_id=self.integration_id, kind=kind, started_at=self.clock())
        integration = await self.store.write(lambda uow: uow.integrations.ensure(self.integration_id, self.name))
        run_id = await self.store.write(lambda uow: uow.runs.start(run))
        try:
            await _Look(self, kind, progress, run.started_at, announces=integration.baseline_at is not None).go()
        except BaseException as error:
            await asyncio.shield(self._finish(run_id, run, progress, error))
            raise
        if kind is Kind.FULL and integration.baseline_at is None:
            await self.store.write(lambda uow: uow.integrations.set_baseline(self.integration_id, self.clock()))
        return await self._finish(run_id, run, progress, None)

    async def _finish(self, run_id: int, run: Run, progress: Progress, error: BaseException | None) -> Run:
        finished = replace(
            run,
            finished_at=self.clock(),
            outcome="failed" if error else "ok",
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
    announces: bool
    lookups_left: int = CONTACT_LOOKUPS

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

    async def _each(self, queue: Iterator[Survey]) -> None:
        for survey in queue:
            await self._survey(survey)
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
        integration_id = self.sync.integration_id
        async for batch in self.sync.source.surveys():
            self._skip(batch)
            await self._write(lambda uow, surveys=batch.items: uow.surveys.save(integration_id, surveys, self.started_at))
        if self.kind is Kind.FULL:
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
        """Read a survey's end and options when its `lastModified` moved."""
        if survey.details is not None and survey.details_for == survey.last_modified:
            return survey
        try:
            details = await self.sync.source.survey_details(survey.survey_id)
        except (Forbidden, Gone, Rejected) as error:
            self._left_out("details", survey.survey_id, error)
            details = survey.details or SurveyDetails(ends_at=None, anonymity=Anonymity.UNKNOWN)

        def save(uow: UnitOfWork) -> None:
            uow.surveys.save_details(self.sync.integration_id, survey.survey_id, details, survey.last_modified)
            uow.invitations.reschedule(self.sync.integration_id, survey.survey_id, details.ends_at, rules.NOTICE)

        await self.sync.store.write(save)
        return replace(survey, details=details, details_for=survey.last_modified)

    async def _invitations(self, survey: Survey, distribution: Distribution) -> None:
        """Read who was mailed. Links first: only they tell whose a contact is, and people can be told only when that is known."""
        integration_id, distribution_id = self.sync.integration_id, distribution.distribution_id
        try:
            if await self._needs_links(distribution):
                async for found in self._rows(self.sync.source.links(distribution_id, survey.survey_id)):
                    await self._write(lambda uow, found=found: _absorb_links(uow, integration_id, distribution_id, found))
            async for entries in self._rows(self.sync.source.history(distribution_id)):
                self.progress.invitations += len(entries)
                await self._history(survey, distribution, entries)
        except (Forbidden, Gone, Rejected) as error:
            self._left_out("history", distribution_id, error)
            return
        await self._look_up_missing(survey, distribution)
        await self.sync.store.write(lambda uow: uow.distributions.set_history_for(integration_id, distribution_id, distribution.stats))

    async def _needs_links(self, distribution: Distribution) -> bool:
        """Whether somebody may have joined, or is still without an e-mail address; otherwise links cost no calls."""
        if distribution.history_for is None or distribution.history_for.sent != distribution.stats.sent:
            return True
        ids = self.sync.integration_id, distribution.distribution_id
        return bool(await self.sync.store.read(lambda uow: uow.invitations.without_person(*ids, limit=1)))

    async def _history(self, survey: Survey, distribution: Distribution, entries: Sequence[HistoryEntry]) -> None:
        def absorb(uow: UnitOfWork) -> tuple[Absorbed, int]:
            contact_ids = [entry.contact_id for entry in entries]
            stored = uow.invitations.of_contacts(self.sync.integration_id, distribution.distribution_id, contact_ids)
            rows = [_row(survey, distribution, entry, stored.get(entry.contact_id), self.started_at) for entry in entries]
            return self._telling(
                uow,
                survey,
                {i.person_id for i in stored.values() if i.person_id is not None},
                lambda: uow.invitations.save_history(self.sync.integration_id, distribution.distribution_id, rows),
            )

        await self._write_telling(absorb)

    async def _look_up_missing(self, survey: Survey, distribution: Distribution) -> None:
        """Ask the directory for mailed contacts whose e-mail address `/links` did not tell (quirk Q10), within the run's budget."""
        integration_id, distribution_id = self.sync.integration_id, distribution.distribution_id
        missing = await self.sync.store.read(lambda uow: uow.invitations.without_person(integration_id, distribution_id, self.lookups_left))
        if not missing:
            return
        directory_id = await self._directory()
        for contact_id in missing if directory_id else ():
            self.lookups_left -= 1
            try:
                contact = await self.sync.source.contact(directory_id, contact_id)
            except (Forbidden, Gone, Rejected) as error:
                self._left_out("contact", contact_id, error)
                continue
            if contact.email is not None:
                await self._write_telling(
                    lambda uow, email=contact.email, contact_id=contact_id: self._absorb_contact(
                        uow, survey, distribution_id, contact_id, email
                    )
                )

    def _absorb_contact(self, uow: UnitOfWork, survey: Survey, distribution_id: str, contact_id: str, email: str) -> tuple[Absorbed, int]:
        person_id = uow.people.ids([email])[email]

        def save() -> Absorbed:
            uow.invitations.set_person(self.sync.integration_id, distribution_id, contact_id, person_id)
            return Absorbed(seen=1, changed=1)

        return self._telling(uow, survey, {person_id}, save)

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

    def _telling(self, uow: UnitOfWork, survey: Survey, people: set[int], save: Callable[[], Absorbed]) -> tuple[Absorbed, int]:
        """Save, and tell those whom the change asks to answer, in the same transaction."""
        if not self.announces or not people:
            return save(), 0
        before = uow.invitations.of_people(survey.survey_id, people)
        absorbed = save()
        after = uow.invitations.of_people(survey.survey_id, people)
        told = 0
        for person_id in sorted(people):
            then, now = (rules.participation(survey, rows.get(person_id, ()), self.started_at) for rows in (before, after))
            event = rules.invited(person_id, then, now)
            told += event is not None and uow.outbox.add(event, self.sync.clock())
        return absorbed, told

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
        self.progress.changed += (await self.sync.store.write(work)).changed
        self.sync.on_progress(self.progress)

    async def _write_telling(self, work: Callable[[UnitOfWork], tuple[Absorbed, int]]) -> None:
        absorbed, told = await self.sync.store.write(work)
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
    """Give reminders the link type of their invite: Qualtrics tells it on invites only (reference qualtrics.md 4)."""
    link_types = {distribution.distribution_id: distribution.link_type for distribution in distributions}
    return [
        replace(distribution, link_type=link_types.get(distribution.parent_id or "", LinkType.UNKNOWN))
        if distribution.link_type is LinkType.UNKNOWN
        else distribution
        for distribution in distributions
    ]


def _absorb_links(uow: UnitOfWork, integration_id: str, distribution_id: str, links: Sequence[LinkEntry]) -> Absorbed:
    people = uow.people.ids({link.email for link in links if link.email is not None})
    return uow.invitations.save_links(integration_id, distribution_id, links, people)


def _row(survey: Survey, distribution: Distribution, entry: HistoryEntry, stored: Invitation | None, now: datetime) -> MailedRow:
    """Apply the rules to one history entry. An answer without a time counts from when it was first seen."""
    mailed = rules.was_mailed(distribution, entry, now)
    if entry.status in rules.ANSWERED and entry.completed_at is None:
        entry = replace(entry, completed_at=(stored.completed_at if stored else None) or now)
    link_expires_at = (stored.link_expires_at if stored else None) or distribution.link_expires_at
    notice_at = rules.notice_at(entry.status, distribution.link_type, rules.deadline(link_expires_at, survey)) if mailed else None
    return MailedRow(entry=entry, mailed=mailed, notice_at=notice_at)
