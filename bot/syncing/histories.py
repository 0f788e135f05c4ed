"""Who was mailed, and what they did: links and histories, page by page, those first whose links die first."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial

from bot import rules
from bot.errors import Forbidden, Gone, Malformed, Rejected
from bot.model import Distribution, DistributionStats, HistoryEntry, LinkEntry, Survey
from bot.ports import UnitOfWork
from bot.ports.records import MailedRow, Position, StoredRow
from bot.syncing.listing import MEMORY
from bot.syncing.look import Kind, Look

_LINKS, _HISTORY = "links:", "history:"
_ROWS_PER_PAGE = 100
_NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(slots=True, kw_only=True)
class _Task:
    """One distribution to be read, with what is known before the first call."""

    survey: Survey
    distribution: Distribution
    #: How far they were read before; None = not, or for other counts.
    links: Position | None
    history: Position | None
    #: The e-mail address of some who were mailed is not known.
    lacks_people: bool
    closes_at: datetime
    #: Pages, as the count of what was sent foretells.
    links_left: int = 0
    history_left: int = 0

    @property
    def survey_id(self) -> str:
        return self.survey.survey_id

    @property
    def is_new(self) -> bool:
        """No row of it is known to be stored; if there are some all the same, its history tells all of them."""
        return self.distribution.history_for is self.distribution.history_at is self.links is self.history is None

    def needs_links(self, look: Look) -> bool:
        """Links are read when somebody may have joined; a sweep looks there for whoever is missing, too. Otherwise they cost no calls."""
        if self.links is not None and self.links.next is None:
            return False
        sent, read_for, missing = self.distribution.stats.sent, self.distribution.history_for, self.distribution.rows_missing or 0
        is_missed = look.kind is Kind.SWEEP and (self.lacks_people or missing > 0)
        return read_for is None or read_for.sent != sent or 0 < sent <= missing or is_missed

    def tells_all(self, look: Look) -> bool:
        """Whether unmoved rows may be news, too: where nobody might be told when they were read, or what they hang on came back.

        Else whoever is to be told was, by the transaction in which their row moved.
        """
        baseline_at, read_at = look.integration.baseline_at, self.distribution.history_at
        is_first = read_at is None or baseline_at is None or read_at <= baseline_at
        return look.kind is Kind.SWEEP or self.distribution.history_for is None or bool(self.distribution.rows_missing) or is_first

    def pages_after(self, reached: Position | None) -> int:
        if reached is not None and reached.next is None:
            return 0
        return -(-max(0, self.distribution.stats.sent - (reached.seen if reached else 0)) // _ROWS_PER_PAGE)

    def count_links(self, look: Look, left: int) -> None:
        look.progress.links_pages_left += left - self.links_left
        self.links_left = left

    def count_history(self, look: Look, left: int) -> None:
        look.progress.history_pages_left += left - self.history_left
        self.history_left = left


async def read_histories(look: Look, survey_ids: Collection[str]) -> None:
    """Read what is due of these surveys, several at a time, soonest deadline first."""
    tasks = sorted(await look.store.read(partial(_tasks, look, survey_ids)), key=lambda task: task.closes_at)
    for task in tasks:
        task.count_links(look, task.pages_after(task.links) if task.needs_links(look) else 0)
        task.count_history(look, task.pages_after(task.history))
    look.show()
    await look.each(tasks, lambda task: task.survey_id, partial(_read, look))


def forget_positions(uow: UnitOfWork, integration_id: str) -> None:
    """Clear what histories and links left behind that were never read to their end."""
    uow.positions.clear_all(integration_id, _LINKS)
    uow.positions.clear_all(integration_id, _HISTORY)


def _tasks(look: Look, survey_ids: Collection[str], uow: UnitOfWork) -> Sequence[_Task]:
    """In few queries, for this is one transaction."""
    ids, wanted = look.integration_id, set(survey_ids)
    surveys = {survey.survey_id: survey for survey in uow.surveys.all(ids) if survey.survey_id in wanted}
    distributions = [distribution for distribution in uow.distributions.of_active(ids) if distribution.survey_id in surveys]
    look.progress.distributions += sum(not distribution.is_deleted for distribution in distributions)
    known = {None, *(distribution.distribution_id for distribution in distributions)}
    read = [d.distribution_id for d in distributions if d.history_at is not None and (look.kind is Kind.SWEEP or _is_behind(d))]
    own = uow.invitations.own_expiries(ids, read, look.started_at - rules.CLOSING)
    found = ((surveys[d.survey_id], d, own.get(d.distribution_id, ())) for d in distributions if d.parent_id in known)
    due = [(survey, d, expiries) for survey, d, expiries in found if _is_due(look, survey, d, expiries)]
    links, histories = _positions(look, uow, {d.distribution_id: d.stats for _, d, _ in due})
    lacking = uow.invitations.lacking_people(ids) if look.kind is Kind.SWEEP else ()
    return [
        _Task(
            survey=survey,
            distribution=d,
            links=links.get(d.distribution_id),
            history=histories.get(d.distribution_id),
            lacks_people=d.distribution_id in lacking,
            closes_at=min(rules.deadlines(d, survey, expiries), default=_NEVER),
        )
        for survey, d, expiries in due
    ]


def _positions(
    look: Look, uow: UnitOfWork, counts: Mapping[str, DistributionStats]
) -> tuple[Mapping[str, Position], Mapping[str, Position]]:
    """How far links and histories were read, where that still holds: nobody joined, or nothing at all moved since."""
    if not counts:
        return {}, {}
    links, histories = (uow.positions.all(look.integration_id, prefix, look.clock() - MEMORY) for prefix in (_LINKS, _HISTORY))
    return (
        {its: at for its, at in links.items() if its in counts and at.began_for and at.began_for.sent == counts[its].sent},
        {its: at for its, at in histories.items() if its in counts and at.began_for == counts[its]},
    )


def _is_behind(distribution: Distribution) -> bool:
    return distribution.stats != distribution.history_for or bool(distribution.rows_missing)


def _is_due(look: Look, survey: Survey, distribution: Distribution, own: Sequence[datetime]) -> bool:
    if look.kind is Kind.SWEEP:  # but not what this sweep has read before its process died
        is_read = look.is_resumed and distribution.history_at is not None and distribution.history_at >= look.started_at
        return not is_read and rules.has_answers(distribution, survey, look.started_at, own)
    due_at = rules.history_due_at(distribution, survey, look.started_at, own, is_hinted=look.is_hinted)
    if due_at is not None and due_at > look.started_at:
        look.progress.postponed += distribution.stats != distribution.history_for
        return False
    return due_at is not None


async def _read(look: Look, task: _Task) -> None:
    """Links first: only they tell whose a contact is, and people can be told only when that is known."""
    distribution_id, counts = task.distribution.distribution_id, task.distribution.stats
    try:
        if task.needs_links(look):
            links = partial(look.source.links, distribution_id, task.survey_id)
            await look.follow(links, partial(_absorb_links, look, task), task.links, began_for=counts)
        history = partial(look.source.history, distribution_id)
        await look.follow(history, partial(_absorb_history, look, task), task.history, began_for=counts)
    except (Forbidden, Gone, Rejected) as error:
        look.leave_out("history", distribution_id, error)
        await look.write(partial(_refused, look, task))


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
    task.count_links(look, task.pages_after(reached))
    return changed, look.tell(uow, task.survey_id, found)


def _absorb_history(look: Look, task: _Task, uow: UnitOfWork, entries: Sequence[HistoryEntry], reached: Position) -> tuple[int, int]:
    ids = look.integration_id, task.distribution.distribution_id
    stored = uow.invitations.of_contacts(*ids, [entry.contact_id for entry in entries])
    rows = [_row(task, entry, stored.get(entry.contact_id), look.clock()) for entry in entries]
    changed = uow.invitations.save_history(*ids, rows).changed
    told = {
        it.person_id
        for row in rows
        if (it := stored.get(row.entry.contact_id)) and it.person_id is not None and (task.tells_all(look) or _has_moved(row, it))
    }
    look.progress.invitations += len(entries)
    task.count_history(look, task.pages_after(reached))
    if reached.next is None:
        _finish(look, task, uow, reached.seen)
    else:
        uow.positions.save(look.integration_id, _HISTORY + task.distribution.distribution_id, reached, look.clock())
    return changed, look.tell(uow, task.survey_id, told)


def _refused(look: Look, task: _Task, uow: UnitOfWork) -> tuple[int, int]:
    """All of its rows are missing: so it rests."""
    task.count_links(look, 0)
    task.count_history(look, 0)
    _finish(look, task, uow, seen=0)
    return 0, 0


def _finish(look: Look, task: _Task, uow: UnitOfWork, seen: int) -> None:
    distribution_id, counts = task.distribution.distribution_id, task.distribution.stats
    missing = max(0, counts.sent - seen)
    uow.distributions.set_history_for(look.integration_id, distribution_id, counts, at=look.started_at, rows_missing=missing)
    # where there was nothing to be read, the next time needs no links again
    uow.positions.clear(look.integration_id, [_HISTORY + distribution_id, *([_LINKS + distribution_id] if seen else [])])
    if missing and seen:  # quirk Q9
        look.leave_out("rows", distribution_id, Malformed(f"the history has {seen} rows, {counts.sent} were sent"))


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
