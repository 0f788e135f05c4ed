"""Whom a survey's messages reached in chat, and why not the others (FEATURES D9, C13). Qualtrics' own e-mail remains their way."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum

from bot import small_groups
from bot.messages import DeliveryState, Unreachable
from bot.model import Distribution
from bot.ports import UnitOfWork
from bot.ports.records import Told
from bot.small_groups import Family, Guarded, Shown


class Reached(StrEnum):
    """What became of somebody's messages about a survey, in the order in which they are told."""

    REACHED = "reached"
    WAITING = "waiting"
    NO_ACCOUNT = "no account"
    OPTED_OUT = "opted out"
    GUEST = "guest"
    DEACTIVATED = "deactivated"
    NO_EMAIL = "no e-mail"
    FAILED = "failed"
    #: Answered before it was their turn, mailed before the bot was there, mail that came back, perhaps reached, and who is too few to
    #: tell apart. The rest: no number of its own may ever be shown of them.
    OTHERS = "others"


def of_survey(uow: UnitOfWork, integration_id: str, survey_id: str, now: datetime) -> Guarded:
    """The coverage of a stored survey. Whether somebody may see it is `bot.authority`'s to say."""
    k = uow.surveys.group_sizes(integration_id, [survey_id])[survey_id]
    told = uow.tellings.of_survey(integration_id, survey_id)
    return coverage(told, uow.distributions.of_survey(integration_id, survey_id), k, now)


def coverage(told: Iterable[Told], distributions: Sequence[Distribution], k: int, now: datetime) -> Guarded:
    """Of a whole survey. Reminders go to the people of their invitations, and are not counted again.

    Pools were counted once, and what becomes of messages moves on: of theirs only the whole is told, as of others.
    """
    counts = _counts(told)
    large, pools = small_groups.cohorts(distributions, k, now)
    divided = [_divided(family, counts, k) for family in large]
    return small_groups.combine([*divided, *(small_groups.divide(pool.stats.sent, {}, k) for pool in pools)])


def rows(covered: Guarded) -> Sequence[tuple[Reached, Shown]]:
    """Every `Reached` in order; together they are the whole."""
    return [(reach, covered.rest(*_TOLD) if reach is Reached.OTHERS else covered.part(reach)) for reach in Reached]


_TOLD = tuple(reach for reach in Reached if reach is not Reached.OTHERS)
_STATES: Mapping[DeliveryState | None, Reached] = {
    DeliveryState.SENT: Reached.REACHED,
    DeliveryState.READY: Reached.WAITING,
    DeliveryState.CLAIMED: Reached.WAITING,
    DeliveryState.SENDING: Reached.WAITING,
    DeliveryState.FAILED: Reached.FAILED,
}
_REASONS: Mapping[str | None, Reached] = {
    Unreachable.NO_ACCOUNT: Reached.NO_ACCOUNT,
    Unreachable.SHUT_OUT: Reached.NO_ACCOUNT,
    Unreachable.OPTED_OUT: Reached.OPTED_OUT,
    Unreachable.GUEST: Reached.GUEST,
    Unreachable.STRANGER: Reached.GUEST,
    Unreachable.DEACTIVATED: Reached.DEACTIVATED,
}


def _reach(told: Told) -> Reached:
    if not told.is_known:
        return Reached.NO_EMAIL
    if told.state is DeliveryState.UNREACHABLE:
        return _REASONS.get(told.reason, Reached.OTHERS)
    return _STATES.get(told.state, Reached.OTHERS)


def _counts(told: Iterable[Told]) -> Mapping[str, Counter[Reached]]:
    counts = defaultdict[str, Counter[Reached]](Counter)
    for each in told:
        counts[each.distribution_id][_reach(each)] += each.people
    return counts


def _divided(family: Family, counts: Mapping[str, Counter[Reached]], k: int) -> Guarded:
    """Of those it was sent to, as on other pages, also where their links tell of fewer: the difference would tell whose mail came back."""
    reached = counts[family.invite.distribution_id]
    return small_groups.divide(family.invite.stats.sent, {reach: reached[reach] for reach in _TOLD}, k)
