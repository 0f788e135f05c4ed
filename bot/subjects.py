"""Which surveys a subscription is about: found among those that somebody may see, and among no others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bot import authority
from bot.messages import Member
from bot.model import Survey
from bot.ports import UnitOfWork
from bot.subscribing import Wish
from bot.subscriptions import ALL, Subscription, covers, is_of_many


@dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """A subscription, with what those in its channel may read of it."""

    subscription: Subscription
    #: Of the one survey it is about; None: it is about several, or its creator may not see it any more.
    survey_name: str | None
    #: Who subscribed; None = not known.
    owner: str | None
    #: From this share of invitations that do not arrive on that is told.
    problem_share: float


def visible(uow: UnitOfWork, proven: str | None) -> Sequence[Survey]:
    """Everything that whoever has this proven address may see: active ones first, then by name."""
    rights = authority.visible(uow, proven)
    found = {survey.survey_id: survey for integration_id in rights.integrations for survey in uow.surveys.all(integration_id)}
    found |= uow.surveys.get(rights.surveys)
    return sorted(found.values(), key=lambda survey: (not survey.is_active, survey.name.casefold(), survey.survey_id))


def as_named(wish: Wish, surveys: Sequence[Survey]) -> Wish:
    """A survey's name may end in a feature's word: where all that was typed is a name, and its beginning is none, it is meant."""
    names = {_name(survey.name) for survey in surveys}
    is_whole = wish.whole is not None and _name(wish.whole) in names and _name(wish.subject) not in names
    return Wish(subject=wish.whole) if wish.whole is not None and is_whole else wish


def meant(wish: Wish, surveys: Sequence[Survey]) -> str | Sequence[Survey]:
    """Return the subject of what was wished, or the surveys that it may mean: none, or several."""
    typed = wish.subject
    if not typed:
        return []
    if typed.casefold() == ALL or not typed.strip("* "):
        return ALL
    if "*" in typed:
        return typed
    named = [survey for survey in surveys if _name(survey.name) == _name(typed)]
    found = [survey for survey in surveys if survey.survey_id == typed] or named or _partly(typed, surveys)
    return found[0].survey_id if len(found) == 1 else found


def is_entitled(uow: UnitOfWork, subject: str, proven: str | None) -> bool:
    """Whether whoever has this proven address may see what a subscription is about: its survey, or any of those it may be about."""
    if is_of_many(subject):
        return bool(authority.visible(uow, proven))
    return authority.may_see(uow, proven, subject) is not None


def creator_of(uow: UnitOfWork, subscription: Subscription) -> Member | None:
    """The chat account whose rights count; None = it is not known (any more)."""
    return uow.members.get(subscription.conversation.workspace_id, subscription.creator_id)


def describe(uow: UnitOfWork, subscription: Subscription, problem_share: float) -> Described:
    """`problem_share`: where it names none.

    Of a survey that its creator may not see any more not even its name is told: it may be another one by now.
    """
    creator = creator_of(uow, subscription)
    proven, subject = authority.proven_address(creator), subscription.subject
    survey = uow.surveys.get([subject]).get(subject) if authority.may_see(uow, proven, subject) else None
    return Described(
        subscription=subscription,
        survey_name=survey.name if survey else None,
        owner=uow.users.known_as(creator.email) or creator.email if creator and creator.email else None,
        problem_share=subscription.problem_share or problem_share,
    )


def integrations(uow: UnitOfWork, subscription: Subscription) -> frozenset[str]:
    """Those that a subscription may tell of, as far as its creator sees them."""
    proven = authority.proven_address(creator_of(uow, subscription))
    if is_of_many(subscription.subject):
        rights = authority.visible(uow, proven)
        return rights.integrations | frozenset(rights.surveys.values())
    integration_id = authority.may_see(uow, proven, subscription.subject)
    return frozenset(filter(None, [integration_id]))


def is_called(words: str, name: str) -> bool:
    """Whether a survey's name has these words in it, or is of this pattern."""
    return covers(words, "", name) if "*" in words else _name(words) in _name(name)


def _partly(typed: str, surveys: Sequence[Survey]) -> Sequence[Survey]:
    """Those with a part of a name: of the active ones, where there are any."""
    found = [survey for survey in surveys if is_called(typed, survey.name)]
    return [survey for survey in found if survey.is_active] or found


def _name(text: str) -> str:
    return " ".join(text.split()).casefold()
