"""Who was mailed, and what they did: links and histories, page by page, those first whose links die first."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial

from bot import rules
from bot.errors import Forbidden, Gone, Malformed, Rejected
from bot.listing import MEMORY
from bot.look import Kind, Look
from bot.model import Distribution, HistoryEntry, LinkEntry, Survey
from bot.ports import UnitOfWork
from bot.records import MailedRow, Position, StoredRow

_LINKS, _HISTORY = "links:", "history:"
_ROWS_PER_PAGE = 100
_NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class _Task:
    """One distribution to be read, with what is known before the first call."""

    survey: Survey
    distribution: Distribution
    links: Position | None
    history: Position | None
    needs_links: bool

    @property
    def survey_id(self) -> str:
        return self.survey.survey_id

    @property
    def closes_at(self) -> datetime:
        return rules.deadline(self.distribution.link_expires_at, self.survey) or _NEVER

    @property
    def is_new(self) -> bool:
        """No row of it is stored yet."""
        return self.distribution.history_for is self.distribution.history_at is self.links is self.history is None

    def tells_all(self, look: Look) -> bool:
        """Whether unmoved rows may be news, too: where nobody might be told when they were read, or what they hang on came back.

        Else whoever is to be told was, by the transaction in which their row moved.
        """
        baseline_at, read_at = look.integration.baseline_at, self.distribution.history_at
        is_first = read_at is None or baseline_at is None or read_at <= baseline_at
        return look.kind is Kind.SWEEP or self.distribution.history_for is None or is_first

    def pages_done(self, rows: int, reached: Position) -> int:
        after = 0 if reached.next is None else self.pages_left(reached.seen)
        return self.pages_left(reached.seen - rows) - after

    def pages_left(self, seen: int) -> int:
        """As the count of what was sent foretells."""
        return -(-max(0, self.distribution.stats.sent - seen) // _ROWS_PER_PAGE)


async def read_histories(look: Look, survey_ids: Collection[str]) -> None:
    """Read what is due of these surveys, several at a time, soonest deadline first."""
    tasks = sorted(await look.store.read(partial(_tasks, look, survey_ids)), key=lambda task: task.closes_at)
    look.progress.links_pages_left = sum(task.pages_left(_seen(task.links)) for task in tasks if task.needs_links)
    look.progress.history_pages_left = sum(task.pages_left(_seen(task.history)) for task in tasks)
    look.show()
    await look.each(tasks, lambda task: task.survey_id, partial(_read, look))


def forget_positions(uow: UnitOfWork, integration_id: str) -> None:
    """Clear what histories and links left behind that were never read to their end."""
    uow.positions.clear_all(integration_id, _LINKS)
    uow.positions.clear_all(integration_id, _HISTORY)


def _tasks(look: Look, survey_ids: Collection[str], uow: UnitOfWork) -> Sequence[_Task]:
    ids = look.integration_id
    surveys = {survey.survey_id: survey for survey in uow.surveys.all(ids) if survey.survey_id in set(survey_ids)}
    distributions = [distribution for distribution in uow.distributions.of_active(ids) if distribution.survey_id in surveys]
    look.progress.distributions += sum(not distribution.is_deleted for distribution in distributions)
    known = {None, *(distribution.distribution_id for distribution in distributions)}
    due = (d for d in distributions if d.parent_id in known and _is_due(look, surveys[d.survey_id], d))
    return [_task(look, uow, surveys[distribution.survey_id], distribution) for distribution in due]


def _is_due(look: Look, survey: Survey, distribution: Distribution) -> bool:
    if look.kind is Kind.SWEEP:  # but not what this sweep has read before its process died
        is_read = distribution.history_at is not None and distribution.history_at >= look.started_at
        return not is_read and rules.has_answers(distribution, survey, look.started_at)
    due_at = rules.history_due_at(distribution, survey, look.started_at, is_hinted=look.is_hinted)
    if due_at is not None and due_at > look.started_at:
        look.progress.postponed += 1
        return False
    return due_at is not None


def _task(look: Look, uow: UnitOfWork, survey: Survey, distribution: Distribution) -> _Task:
    """Links are read when somebody may have joined, or somebody is missing; otherwise they cost no calls."""
    ids = look.integration_id, distribution.distribution_id
    since = look.clock() - MEMORY
    links, history = (uow.positions.get(look.integration_id, prefix + distribution.distribution_id, since) for prefix in (_LINKS, _HISTORY))
    is_read = links is not None and links.next is None
    has_joined = distribution.history_for is None or distribution.history_for.sent != distribution.stats.sent
    lacks = has_joined or bool(distribution.rows_missing) or uow.invitations.lacks_people(*ids)
    return _Task(survey, distribution, links, history, needs_links=lacks and not is_read)


async def _read(look: Look, task: _Task) -> None:
    """Links first: only they tell whose a contact is, and people can be told only when that is known."""
    distribution_id = task.distribution.distribution_id
    try:
        if task.needs_links:
            links = partial(look.source.links, distribution_id, task.survey_id)
            await look.follow(links, partial(_absorb_links, look, task), task.links)
        history = partial(look.source.history, distribution_id)
        await look.follow(history, partial(_absorb_history, look, task), task.history, began_for=task.distribution.stats)
    except (Forbidden, Gone, Rejected) as error:
        look.leave_out("history", distribution_id, error)


def _absorb_links(look: Look, task: _Task, uow: UnitOfWork, links: Sequence[LinkEntry], reached: Position) -> tuple[int, int]:
    ids = look.integration_id, task.distribution.distribution_id
    stored: Mapping[str, StoredRow] = {} if task.is_new else uow.invitations.of_contacts(*ids, [link.contact_id for link in links])
    people = uow.people.ids({link.email for link in links if link.email is not None})
    changed = uow.invitations.save_links(*ids, links, people).changed
    found = {
        people[link.email]
        for link in links
        if link.email is not None and (it := stored.get(link.contact_id)) and it.mailed and it.person_id != people[link.email]
    }
    uow.positions.save(look.integration_id, _LINKS + task.distribution.distribution_id, reached, look.clock())
    look.progress.links_pages_left -= task.pages_done(len(links), reached)
    return changed, look.tell(uow, task.survey_id, found)


def _absorb_history(look: Look, task: _Task, uow: UnitOfWork, entries: Sequence[HistoryEntry], reached: Position) -> tuple[int, int]:
    ids = look.integration_id, task.distribution.distribution_id
    stored = uow.invitations.of_contacts(*ids, [entry.contact_id for entry in entries])
    rows = [_row(task, entry, stored.get(entry.contact_id), look.started_at) for entry in entries]
    changed = uow.invitations.save_history(*ids, rows).changed
    told = {
        it.person_id
        for row in rows
        if (it := stored.get(row.entry.contact_id)) and it.person_id is not None and (task.tells_all(look) or _has_moved(row, it))
    }
    look.progress.invitations += len(entries)
    look.progress.history_pages_left -= task.pages_done(len(entries), reached)
    if reached.next is None:
        _finish(look, task, uow, reached)
    else:
        uow.positions.save(look.integration_id, _HISTORY + task.distribution.distribution_id, reached, look.clock())
    return changed, look.tell(uow, task.survey_id, told)


def _finish(look: Look, task: _Task, uow: UnitOfWork, reached: Position) -> None:
    distribution_id, counts = task.distribution.distribution_id, reached.began_for or task.distribution.stats
    missing = max(0, counts.sent - reached.seen)
    uow.distributions.set_history_for(look.integration_id, distribution_id, counts, at=look.started_at, rows_missing=missing)
    uow.positions.clear(look.integration_id, [_LINKS + distribution_id, _HISTORY + distribution_id])
    if missing:  # quirk Q9
        look.leave_out("rows", distribution_id, Malformed(f"the history has {reached.seen} rows, {counts.sent} were sent"))


def _has_moved(row: MailedRow, stored: StoredRow) -> bool:
    return (row.entry.status, row.mailed, row.entry.sent_at) != (stored.status, stored.mailed, stored.sent_at)


def _row(task: _Task, entry: HistoryEntry, stored: StoredRow | None, now: datetime) -> MailedRow:
    """Apply the rules to one history entry. An answer without a time counts from when it was first seen, a mail from its send date."""
    distribution = task.distribution
    mailed = rules.was_mailed(distribution, entry, now)
    if mailed and entry.sent_at is None:
        entry = replace(entry, sent_at=distribution.send_date)
    if entry.status in rules.ANSWERED and entry.completed_at is None:
        entry = replace(entry, completed_at=(stored.completed_at if stored else None) or now)
    link_expires_at = (stored.link_expires_at if stored else None) or distribution.link_expires_at
    closes_at = rules.deadline(link_expires_at, task.survey)
    notice_at = rules.notice_at(entry.status, distribution.link_type, closes_at) if mailed else None
    return MailedRow(entry=entry, mailed=mailed, notice_at=notice_at)


def _seen(position: Position | None) -> int:
    return position.seen if position else 0
