"""Pure rules: who was asked, who can still answer and until when, who is told what. Time is an argument; nothing is read or written."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from urllib.parse import parse_qs, urlsplit

from bot.events import Event, EventKind
from bot.messages import ChatAccount, Member, MemberKind, Place, Platform, Preference, Reach, Unreachable
from bot.model import Distribution, HistoryEntry, Invitation, LinkType, Status, Survey

#: How long before their deadline people are reminded (FEATURES C2).
NOTICE = timedelta(hours=24)

#: A history that was short, of what closes soon, is read again after this long.
_AFTER_A_GAP = timedelta(hours=1)
#: How old a sending may be for how long a rest between two readings of its history.
_RESTS = ((timedelta(days=1), timedelta()), (timedelta(days=7), timedelta(hours=1)))
_LONGEST_REST = timedelta(hours=6)
#: What closes within this is looked at as often as if it were new; what closed within this once more.
CLOSING = timedelta(hours=48)

#: The request types that ask for an answer; a reminder where it names the invitation that it reminds of.
INVITE, REMINDER = "Invite", "Reminder"
#: Personal links that were made, and that Qualtrics mails to nobody (quirk Q3).
GENERATED = "GeneratedInvite"
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


def is_left_alone(listed: Survey, known: Survey | None, now: datetime) -> bool:
    """Whether nobody can answer a survey any more: inactive, or what was read of it says that it ended or was deleted.

    One that ended is looked at once more, for the answers since the last look. Whoever prolongs it modifies it, or activates it again:
    then it is looked at.
    """
    if not listed.is_active:
        return True
    if known is None or known.details is None or not known.is_active or known.details_for != listed.last_modified:
        return False
    ends_at, counted_at = known.details.ends_at, known.counted_at
    is_counted = ends_at is not None and ends_at <= now and (counted_at is None or counted_at >= ends_at)
    return known.details.is_deleted or is_counted


def has_answers(distribution: Distribution, survey: Survey, now: datetime, own: Sequence[datetime] = ()) -> bool:
    """Whether a distribution's history can tell anything: it mailed people, and they can still answer.

    `own`: the first and the last of the expiries that single links of it have of their own.
    """
    return _is_asking(distribution, survey, now) and _last_deadline(distribution, survey, own) > now


def history_due_at(
    distribution: Distribution, survey: Survey, now: datetime, own: Sequence[datetime] = (), *, is_hinted: bool = False
) -> datetime | None:
    """When a history is to be read; None = it has nothing (new) to tell, as far as its counts show. Often in the past.

    Never read, or forgotten because its links or its survey came back or moved: at once. Its counts moved: the longer ago it was sent, the
    longer after it was last read (1 h from the second day on, 6 h from the second week on), unless it closes within 48 h or Qualtrics
    hinted. It came back shorter than what was sent (quirks Q9, Q10), or was refused: 6 h after, 1 h if it closes soon. It closed less
    than 48 h ago: as long as its counts differ, for the answers of the last minute.

    And never more often than its size allows: n rows are n / 100 calls of 300 a minute, and one distribution gets a fifth of those,
    so n / 100 seconds go by between two readings (reference qualtrics.md 11).
    """
    open_for = _last_deadline(distribution, survey, own) - now
    is_over = open_for <= timedelta()
    if not _is_asking(distribution, survey, now) or (is_over and (distribution.history_at is None or -open_for >= CLOSING)):
        return None
    rest = timedelta(seconds=distribution.stats.sent // 100)
    if distribution.history_for is not None:
        is_closing = any(abs(at - now) <= CLOSING for at in deadlines(distribution, survey, own))
        rests: list[timedelta] = []
        if distribution.rows_missing and not is_over:
            rests.append(_AFTER_A_GAP if is_closing else _LONGEST_REST)
        if distribution.stats != distribution.history_for:
            rests.append(timedelta() if is_hinted or is_closing else _rest(distribution, now))
        if not rests:
            return None
        rest = max(rest, min(rests))
    return (distribution.history_at or _LONG_AGO) + rest


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


def deadlines(distribution: Distribution, survey: Survey, own: Sequence[datetime]) -> Sequence[datetime]:
    """When a distribution's links stop working: most of them, and the first and last of those with an expiry of their `own`."""
    found = (deadline(at, survey) for at in (distribution.link_expires_at, *own))
    return [at for at in found if at is not None]


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
    if len(asking) == 1:
        best = asking[0]
    elif asking:
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


def is_wanted(kind: EventKind, preference: Preference) -> bool:
    """Whether somebody wants to be told of this in chat."""
    if preference.place is Place.NOWHERE:
        return False
    match kind:
        case EventKind.SURVEY_INVITED:
            return preference.new_surveys
        case EventKind.SURVEY_CLOSING:
            return preference.reminders


def is_owner_told(preference: Preference) -> bool:
    """Whether somebody wants to be told before surveys of theirs close (FEATURES D5)."""
    return preference.own_surveys and preference.place is not Place.NOWHERE


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


def addressee(accounts: Sequence[ChatAccount], place: Place, reach: Reach) -> Member | Unreachable:
    """The account to write to among those with the person's e-mail address, or why there is none.

    Of several the one where they want it, else the one they used last.
    """
    included = [account for account in accounts if reach.includes(account.member)]
    if open_ones := [account for account in included if account.is_open is not False]:
        return min(open_ones, key=lambda account: _detour(account, place, reach)).member
    if included:
        return Unreachable.SHUT_OUT
    kinds = {account.member.kind for account in accounts if reach.platform(account.member.workspace_id)}
    for kind, reason in _REASONS:
        if kind in kinds:
            return reason
    return Unreachable.NO_ACCOUNT


def _detour(account: ChatAccount, place: Place, reach: Reach) -> tuple[bool, bool, bool, float, bool, str, str]:
    """How far from the best way an account is. In Teams whoever was never heard from has perhaps not added the bot."""
    member, platform = account.member, reach.platform(account.member.workspace_id)
    is_teams, used_at = platform is Platform.TEAMS, account.used_at or _LONG_AGO
    return (
        place in {Place.SLACK, Place.TEAMS} and platform != place,
        member.kind is MemberKind.GUEST,
        is_teams and account.is_open is None,
        -used_at.timestamp(),
        is_teams,
        member.workspace_id,
        member.user_id,
    )


def reachable_kinds(*, allow_guests: bool) -> frozenset[MemberKind]:
    """The kinds of accounts that may be written to."""
    return frozenset({MemberKind.MEMBER, MemberKind.GUEST} if allow_guests else {MemberKind.MEMBER})


_REASONS = (
    (MemberKind.GUEST, Unreachable.GUEST),
    (MemberKind.DEACTIVATED, Unreachable.DEACTIVATED),
    (MemberKind.STRANGER, Unreachable.STRANGER),
    (MemberKind.BOT, Unreachable.BOT),
)


def _is_asking(distribution: Distribution, survey: Survey, now: datetime) -> bool:
    """TestEmail has no history (400 `CP_TD_GER_NP`), links-only distributions mail nobody, thank-yous ask for nothing
    (reference qualtrics.md 4, 5; quirks Q2, Q3).
    """
    is_invite = distribution.request_type == INVITE or (distribution.request_type == REMINDER and distribution.parent_id is not None)
    is_out = distribution.send_date is not None and distribution.send_date <= now
    return is_invite and is_out and survey.is_active and not distribution.is_deleted


def _last_deadline(distribution: Distribution, survey: Survey, own: Sequence[datetime]) -> datetime:
    """Links without an expiry of their own live as long as their distribution: also those that are not known yet."""
    expires_at = distribution.link_expires_at and max((distribution.link_expires_at, *own))
    return deadline(expires_at, survey) or _NEVER


def _rest(distribution: Distribution, now: datetime) -> timedelta:
    age = now - (distribution.send_date or _LONG_AGO)
    return next((rest for limit, rest in _RESTS if age < limit), _LONGEST_REST)


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


def _order(invitation: Invitation) -> tuple[datetime, str, str, str]:
    """Several integrations may see one invitation."""
    return (_sent_at(invitation), invitation.distribution_id, invitation.contact_id, invitation.integration_id)


def _can_answer(survey: Survey, invitation: Invitation, now: datetime) -> bool:
    return _state(survey, invitation, now, answered=False) is State.OPEN


def _state(survey: Survey, invitation: Invitation, now: datetime, *, answered: bool) -> State:
    if answered:
        return State.ANSWERED
    if not survey.is_active or (survey.details is not None and survey.details.is_deleted) or invitation.is_withdrawn:
        return State.CLOSED
    closes_at = deadline(invitation.link_expires_at, survey)
    if invitation.status not in OPEN or (closes_at is not None and closes_at <= now):
        return State.EXPIRED
    return State.OPEN


def _event(kind: EventKind, person_id: int, asked: Participation, mark: str) -> Event:
    return Event(
        kind=kind,
        integration_id=asked.invitation.integration_id,
        survey_id=asked.survey.survey_id,
        person_id=person_id,
        mark=mark,
        closes_at=asked.closes_at,
    )
