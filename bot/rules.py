"""Pure rules: who was asked, who can still answer and until when, who is told what. Time is an argument; nothing is read or written."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from urllib.parse import parse_qs, urlsplit

from bot.events import Event, EventKind
from bot.messages import Member, MemberKind, Unreachable
from bot.model import Distribution, HistoryEntry, Invitation, LinkType, Status, Survey

#: How long before their deadline people are reminded (FEATURES C2).
NOTICE = timedelta(hours=24)

#: Mailed, and the link still takes an answer.
OPEN = frozenset({Status.SUCCESS, Status.OPENED, Status.SURVEY_STARTED})
#: The person is done with this link, in Qualtrics' eyes too.
ANSWERED = frozenset({Status.SURVEY_FINISHED, Status.SURVEY_SCREENED_OUT, Status.SURVEY_PARTIALLY_FINISHED})
#: Statuses of a row that really was mailed: everything else never reached the person, or is a word we do not know.
MAILED = OPEN | ANSWERED | {Status.SESSION_EXPIRED}

_NEVER = datetime.max.replace(tzinfo=UTC)
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


class State(StrEnum):
    """What a survey means to one person now."""

    OPEN = "open"
    ANSWERED = "answered"
    #: Their time is over: link expired, survey ended, or the session they had begun was closed.
    EXPIRED = "expired"
    #: The survey was deactivated or deleted.
    CLOSED = "closed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Participation:
    """Everything one person has from one survey, folded into one: however many distributions and contacts carry it."""

    survey: Survey
    state: State
    #: The invitation to answer with, or the one that was answered.
    invitation: Invitation
    #: This person's deadline: the earlier of link expiry and survey end; None = none.
    closes_at: datetime | None
    #: What they were asked (again) after: the distribution of their last answer, or of the first link that ran out unanswered before
    #: the next was sent; "" = nothing came before.
    asked_after: str
    #: When the first mail of this asking was sent.
    asked_at: datetime

    @property
    def is_tracked(self) -> bool:
        """Whether Qualtrics can tell if this person answered; with an anonymous link nobody can."""
        return self.invitation.link_type is not LinkType.ANONYMOUS


def reads_history(distribution: Distribution, survey: Survey, now: datetime) -> bool:
    """Whether a distribution's history is worth a call: mailed to people, answerable, and its counts moved since it was last read.

    TestEmail has no history (400 `CP_TD_GER_NP`), links-only distributions mail nobody, thank-yous ask for nothing
    (reference qualtrics.md 4, 5; quirks Q2, Q3).
    """
    is_invite = distribution.request_type == "Invite" or (distribution.request_type == "Reminder" and distribution.parent_id is not None)
    is_out = distribution.send_date is not None and distribution.send_date <= now
    closes_at = deadline(distribution.link_expires_at, survey)
    can_answer = survey.is_active and (closes_at is None or closes_at > now)
    return is_invite and is_out and can_answer and distribution.stats != distribution.history_for


def was_mailed(distribution: Distribution, entry: HistoryEntry, now: datetime) -> bool:
    """Whether Qualtrics sent this row's contact a mail that arrived, as far as it knows (reference qualtrics.md 5).

    `sentAt` alone proves nothing: generated links have it too (quirk Q3).
    """
    is_out = distribution.send_date is not None and distribution.send_date <= now
    return is_out and entry.status in MAILED and not _is_generated(entry.url)


def deadline(link_expires_at: datetime | None, survey: Survey) -> datetime | None:
    """The earlier of a link's expiry and the survey's end; None when neither is set."""
    ends_at = survey.details.ends_at if survey.details else None
    return min((at for at in (link_expires_at, ends_at) if at is not None), default=None)


def notice_at(status: str, link_type: LinkType, closes_at: datetime | None) -> datetime | None:
    """When to look whether somebody must be reminded; None = never.

    An anonymous link does not tell who answered, and people who answered are never reminded.
    """
    if closes_at is None or status not in OPEN or link_type is LinkType.ANONYMOUS:
        return None
    return closes_at - NOTICE


def participation(survey: Survey, invitations: Iterable[Invitation], now: datetime) -> Participation | None:
    """Fold one person's invitations to one survey; None when nothing was ever mailed to them.

    An answer settles everything that was sent before it; what is sent after it, or after all earlier links ran out, asks anew.
    """
    mailed = sorted((i for i in invitations if i.mailed), key=_order)
    answer = max((i for i in mailed if i.status in ANSWERED), key=_answered_at, default=None)
    asking, asked_after = _last_asking(survey, mailed, answer)
    if asking:
        best = max(asking, key=lambda i: (_can_answer(survey, i, now), deadline(i.link_expires_at, survey) or _NEVER, _order(i)))
    elif answer is not None:
        best = answer
    else:
        return None
    return Participation(
        survey=survey,
        state=_state(survey, best, now, answered=not asking),
        invitation=best,
        closes_at=deadline(best.link_expires_at, survey),
        asked_after=asked_after,
        asked_at=_sent_at(asking[0] if asking else best),
    )


def invited(person_id: int, asked: Participation | None, baseline_at: datetime) -> Event | None:
    """The event of a person being asked; None when they cannot answer, or were asked before the silent first synchronisation.

    It depends on the state alone, so whoever looks, however often and in whatever order, finds the same event.
    """
    if asked is None or asked.state is not State.OPEN or asked.asked_at < baseline_at:
        return None
    return _event(EventKind.SURVEY_INVITED, person_id, asked, asked.asked_after)


def closing(
    person_id: int,
    asked: Participation | None,
    now: datetime,
    *,
    invited_at: datetime | None,
    reminded_at: datetime | None,
    baseline_at: datetime | None,
) -> Event | None:
    """The event of a person's deadline coming near; None when they are not to be reminded (now).

    Not reminded: who cannot answer (any more), who has another link that lives longer, who was told of the survey less than NOTICE
    before it closes (that message named the deadline), who was reminded less than NOTICE ago (the deadline moved a little), and whoever's
    notice fell before the silent first synchronisation.
    """
    if asked is None or not closes_soon(asked, now) or not asked.is_tracked or asked.closes_at is None:
        return None
    due_at = asked.closes_at - NOTICE
    is_fresh = (invited_at is not None and invited_at >= due_at) or (reminded_at is not None and reminded_at > now - NOTICE)
    if is_fresh or baseline_at is None or due_at < baseline_at:
        return None
    return _event(EventKind.SURVEY_CLOSING, person_id, asked, str(int(asked.closes_at.timestamp())))


def closes_soon(asked: Participation, now: datetime) -> bool:
    """Whether it can be answered now, and for no longer than NOTICE."""
    return asked.state is State.OPEN and asked.closes_at is not None and asked.closes_at - NOTICE <= now


def addressee(members: Sequence[Member], *, allow_guests: bool) -> Member | Unreachable:
    """The account to write to among those with the person's e-mail address, or why there is none."""
    reachable = [m for m in members if m.kind in reachable_kinds(allow_guests=allow_guests)]
    if reachable:
        return min(reachable, key=lambda m: (m.kind is MemberKind.GUEST, m.workspace_id, m.user_id))
    kinds = {m.kind for m in members}
    for kind, reason in _REASONS:
        if kind in kinds:
            return reason
    return Unreachable.NO_ACCOUNT


def reachable_kinds(*, allow_guests: bool) -> frozenset[MemberKind]:
    """The kinds of accounts that may be written to."""
    return frozenset({MemberKind.MEMBER, MemberKind.GUEST} if allow_guests else {MemberKind.MEMBER})


_REASONS = (
    (MemberKind.GUEST, Unreachable.GUEST),
    (MemberKind.DEACTIVATED, Unreachable.DEACTIVATED),
    (MemberKind.STRANGER, Unreachable.STRANGER),
    (MemberKind.BOT, Unreachable.BOT),
)


def _is_generated(url: str | None) -> bool:
    if url is None or ("gl" not in url and "%" not in url):  # parsing is slow, and most links need none
        return False
    return "gl" in parse_qs(urlsplit(url).query).get("Q_CHL", ())


def _last_asking(survey: Survey, mailed: Sequence[Invitation], answer: Invitation | None) -> tuple[list[Invitation], str]:
    """The invitations that wait for the same answer, earliest first, and what they came after."""
    asking: list[Invitation] = []
    after = answer.distribution_id if answer else ""
    for invitation in mailed:
        if answer is not None and _sent_at(invitation) <= _answered_at(answer):
            continue
        if asking and all((deadline(i.link_expires_at, survey) or _NEVER) <= _sent_at(invitation) for i in asking):
            after, asking = asking[0].distribution_id, []
        asking.append(invitation)
    return asking, after


def _sent_at(invitation: Invitation) -> datetime:
    return invitation.sent_at or _LONG_AGO


def _answered_at(invitation: Invitation) -> datetime:
    return invitation.completed_at or _sent_at(invitation)


def _order(invitation: Invitation) -> tuple[datetime, str, str]:
    return (_sent_at(invitation), invitation.distribution_id, invitation.contact_id)


def _can_answer(survey: Survey, invitation: Invitation, now: datetime) -> bool:
    return _state(survey, invitation, now, answered=False) is State.OPEN


def _state(survey: Survey, invitation: Invitation, now: datetime, *, answered: bool) -> State:
    if answered:
        return State.ANSWERED
    if not survey.is_active or (survey.details is not None and survey.details.is_deleted):
        return State.CLOSED
    closes_at = deadline(invitation.link_expires_at, survey)
    if invitation.status not in OPEN or (closes_at is not None and closes_at <= now):
        return State.EXPIRED
    return State.OPEN


def _event(kind: EventKind, person_id: int, asked: Participation, mark: str) -> Event:
    return Event(
        kind=kind, integration_id=asked.invitation.integration_id, survey_id=asked.survey.survey_id, person_id=person_id, mark=mark
    )
