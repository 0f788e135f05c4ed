"""What channels are told: subscribed, listed, changed and removed by people in them.

Whoever subscribes must be able to see the surveys, at that moment and again at every post; who only is in the channel sees what it is
subscribed to, which it was told, and may remove it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from bot import authority, pages, subjects
from bot.messages import Readership
from bot.page import Action, Form, Page
from bot.pages.reader import Reader
from bot.ports import UnitOfWork
from bot.posts import News, PostKind
from bot.subjects import Described
from bot.subscribing import DEFAULT_FEATURES, LONGEST, ZONES, Weekly, Wish, clock, parse, unquoted, zones
from bot.subscriptions import ALL, Feature, Paused, Subscription
from bot.views.viewer import Viewer, page_number

#: Of a subscription whose creator has left, or may see nothing of it any more.
_ORPHANED = frozenset({Paused.CREATOR_LEFT, Paused.NOT_ALLOWED})
_LIST = Action(verb="subscriptions.list")
_NOT_YOURS = Action(verb="subscription.not_yours")
_UNCLEAR = Action(verb="subscription.unclear")


def show_list(uow: UnitOfWork, viewer: Viewer, data: Mapping[str, str], _now: datetime) -> Page:
    if viewer.conversation is None:
        return pages.only_in_channels(viewer.reader)
    removed = data.get("removed", "")
    described = [subjects.describe(uow, each, viewer.problem_share) for each in _of_channel(uow, viewer)]
    return pages.subscription_list(described, page_number(data), viewer.reader, removed=int(removed) if removed.isdecimal() else 0)


def show(uow: UnitOfWork, viewer: Viewer, data: Mapping[str, str], _now: datetime) -> Page:
    described = _described(uow, viewer, data)
    return pages.subscribed(described, viewer.reader, is_changed="changed" in data) if described else _gone(viewer)


def show_times(uow: UnitOfWork, viewer: Viewer, data: Mapping[str, str], now: datetime) -> Page:
    if not _of_channel(uow, viewer):
        return show_list(uow, viewer, {}, now)
    return pages.channel_times(_times(uow, viewer, now), viewer.reader, is_saved="saved" in data)


def ask(uow: UnitOfWork, viewer: Viewer, data: Mapping[str, str], now: datetime) -> Form | Page:
    surveys = subjects.visible(uow, viewer.proven)
    if viewer.conversation is None or not surveys:
        return explain(uow, viewer, data, now)
    return pages.subscription_form(surveys, _wish(data), _times(uow, viewer, now), viewer.reader)


def ask_for_change(uow: UnitOfWork, viewer: Viewer, data: Mapping[str, str], _now: datetime) -> Form | Page:
    described = _described(uow, viewer, data)
    if described is None:
        return _gone(viewer)
    is_theirs = _may_change(uow, viewer, described.subscription)
    return pages.change_form(described, viewer.reader) if is_theirs else pages.not_yours_to_change(viewer.reader)


def ask_for_times(uow: UnitOfWork, viewer: Viewer, _data: Mapping[str, str], now: datetime) -> Form | Page:
    if not _of_channel(uow, viewer):
        return show_list(uow, viewer, {}, now)
    if not _may_set_times(uow, viewer):
        return pages.not_yours_to_change(viewer.reader)
    times = _times(uow, viewer, now)
    return pages.times_form(times, sorted({*ZONES, times.zone, viewer.reader.zone}), viewer.reader)


def explain(uow: UnitOfWork, viewer: Viewer, data: Mapping[str, str], _now: datetime) -> Page:
    """Say why a channel was not subscribed, and what to do."""
    reader, surveys = viewer.reader, subjects.visible(uow, viewer.proven)
    wish = subjects.as_named(_wish(data), surveys)
    if viewer.conversation is None:
        return pages.only_in_channels(reader)
    if not surveys:
        return pages.nothing_to_tell_of(reader)
    if (others := _read_by_others(viewer)) is not None:
        return pages.read_along(others, reader)
    if wish.unknown is not None:
        return pages.unknown_feature(wish, reader)
    meant = subjects.meant(wish, surveys)
    if isinstance(meant, str) or not meant:
        return pages.no_such_survey(wish, reader)
    return pages.which_survey(meant, wish, reader)


def explain_missing(_uow: UnitOfWork, viewer: Viewer, data: Mapping[str, str], _now: datetime) -> Page:
    return (
        pages.only_in_channels(viewer.reader) if viewer.conversation is None else pages.not_subscribed(unquoted(_what(data)), viewer.reader)
    )


def explain_authority(_uow: UnitOfWork, viewer: Viewer, _data: Mapping[str, str], _now: datetime) -> Page:
    return pages.not_yours_to_change(viewer.reader)


def confirm(uow: UnitOfWork, viewer: Viewer, data: Mapping[str, str], _now: datetime) -> Page:
    found = _matching(uow, viewer, unquoted(_what(data)))
    return pages.confirm_removal(found, viewer.reader) if found else _gone(viewer)


def add(uow: UnitOfWork, viewer: Viewer, data: Mapping[str, str], now: datetime) -> Action:
    """What is named is in force afterwards and nothing else, whatever was before; where nothing is named, that stays."""
    conversation, surveys = viewer.conversation, subjects.visible(uow, viewer.proven)
    wish = subjects.as_named(_wish(data), surveys)
    meant = None if wish.unknown else subjects.meant(wish, surveys)
    if conversation is None or not isinstance(meant, str) or not subjects.is_entitled(uow, meant, viewer.proven):
        return replace(_UNCLEAR, data=data)
    if _read_by_others(viewer) is not None:
        return _UNCLEAR
    before = next((each for each in _of_channel(uow, viewer) if each.subject.casefold() == meant.casefold()), None)
    wanted = replace(
        _at(before or _times(uow, viewer, now), wish.weekly),
        subject=before.subject if before else meant,
        features=wish.features or (before.features if before else DEFAULT_FEATURES),
        problem_share=before.problem_share if before and not wish.features else wish.problem_share,
        creator_id=viewer.user_id,
        offered_at=None,
        paused=None,
    )
    is_same = before is not None and _promised(before) == _promised(wanted)
    added = uow.subscriptions.add(wanted if is_same else replace(wanted, created_at=now))
    return _shown(added) if is_same else _announced(uow, added, now)


def _promised(it: Subscription) -> tuple[object, ...]:
    """What its channel is told when it changes."""
    return it.features, it.problem_share, it.creator_id, it.paused


def change(uow: UnitOfWork, viewer: Viewer, data: Mapping[str, str], now: datetime) -> Action:
    described = _described(uow, viewer, data)
    if described is None or not _may_change(uow, viewer, described.subscription):
        return _NOT_YOURS if described else _LIST
    wish, before = _wish(data), described.subscription
    changed = replace(_at(before, wish.weekly), features=wish.features or before.features, created_at=now)
    return _shown(uow.subscriptions.add(changed), changed="yes")


def remove(uow: UnitOfWork, viewer: Viewer, data: Mapping[str, str], _now: datetime) -> Action:
    """Remove what was named; what are several is asked about first."""
    found = _matching(uow, viewer, unquoted(_what(data)))
    if len(found) != 1:
        return Action(verb="subscription.confirm" if found else "subscription.missing", data=data)
    return _removed(uow, [found[0].subscription])


def drop(uow: UnitOfWork, viewer: Viewer, data: Mapping[str, str], _now: datetime) -> Action:
    named = set(data.get("subscriptions", "").split())
    return _removed(uow, [each for each in _of_channel(uow, viewer) if str(each.subscription_id) in named])


def take_over(uow: UnitOfWork, viewer: Viewer, data: Mapping[str, str], now: datetime) -> Action:
    """Somebody who may see it stands for it from now on, where nobody does."""
    described = _described(uow, viewer, data)
    if described is None:
        return _LIST
    it = described.subscription
    if not subjects.is_entitled(uow, it.subject, viewer.proven):
        return _NOT_YOURS
    if it.offered_at is None and it.paused not in _ORPHANED:
        return _shown(it)
    if _read_by_others(viewer) is not None:
        return _UNCLEAR
    uow.subscriptions.take_over(it.subscription_id, viewer.user_id)
    return _announced(uow, it, now)


def resume(uow: UnitOfWork, viewer: Viewer, data: Mapping[str, str], now: datetime) -> Action:
    """The channel is told again who subscribed it: where the bot was not in it at first, it was not."""
    described = _described(uow, viewer, data)
    if described is None or not _may_change(uow, viewer, described.subscription):
        return _NOT_YOURS if described else _LIST
    if _read_by_others(viewer) is not None:
        return _UNCLEAR
    it = described.subscription
    if it.paused not in _ORPHANED and uow.subscriptions.resume(it.subscription_id):
        return _announced(uow, it, now)
    return _shown(it)


def save_times(uow: UnitOfWork, viewer: Viewer, data: Mapping[str, str], _now: datetime) -> Action:
    """For everything the channel is subscribed to; what is no time stays as it was."""
    if not _may_set_times(uow, viewer):
        return _NOT_YOURS
    zone = data.get("zone", "")
    known = {"zone": zone} if zone in zones().values() else {}
    hours = {name: at for name in ("works_from", "works_until") if (at := clock(data.get(name, "")))}
    for each in _of_channel(uow, viewer):
        uow.subscriptions.add(replace(_at(each, _weekly(data)), **known, **hours))
    return Action(verb="subscriptions.times", data={"saved": "yes"})


def complaints(action: Action, reader: Reader) -> Mapping[str, str]:
    """What is wrong with a submitted form of these, by field."""
    data, say = action.data, reader.say
    if action.verb == "subscriptions.save_times":
        begin, end = clock(data.get("works_from", "")), clock(data.get("works_until", ""))
        return {"works_until": say("Please choose a time after the one they begin at.")} if begin and end and begin >= end else {}
    if action.verb == "subscription.add" and not _what(data):
        return {"what": say("Please name a survey, or write: all")}
    if not data.get("features", "").strip():
        return {"features": say("Please choose something. To be told nothing any more, remove the subscription.")}
    return {}


def _of_channel(uow: UnitOfWork, viewer: Viewer) -> Sequence[Subscription]:
    return [] if viewer.conversation is None else uow.subscriptions.of_conversation(viewer.conversation)


def _described(uow: UnitOfWork, viewer: Viewer, data: Mapping[str, str]) -> Described | None:
    """The subscription with the number in `data`, of the channel where they ask."""
    number = data.get("subscription", "")
    found = next((each for each in _of_channel(uow, viewer) if str(each.subscription_id) == number), None)
    return subjects.describe(uow, found, viewer.problem_share) if found else None


def _matching(uow: UnitOfWork, viewer: Viewer, words: str) -> Sequence[Described]:
    """What the channel is subscribed to that somebody may mean: `all`, a pattern, an id, a name or a part of one."""
    every = [subjects.describe(uow, each, viewer.problem_share) for each in _of_channel(uow, viewer)] if words else []
    if words.casefold() == ALL:
        return every
    exact = [each for each in every if words.casefold() in {each.subscription.subject.casefold(), (each.survey_name or "").casefold()}]
    return exact or [each for each in every if each.survey_name and subjects.is_called(words, each.survey_name)]


def _read_by_others(viewer: Viewer) -> Readership | None:
    """Why the channel is told nothing, if it is not."""
    return None if viewer.readership is Readership.MEMBERS else viewer.readership


def _may_change(uow: UnitOfWork, viewer: Viewer, subscription: Subscription) -> bool:
    """Its creator, and administrators of a brand that it is about."""
    if viewer.user_id == subscription.creator_id:
        return True
    theirs = authority.visible(uow, viewer.proven).integrations
    return bool(theirs and theirs & subjects.integrations(uow, subscription))


def _may_set_times(uow: UnitOfWork, viewer: Viewer) -> bool:
    return any(_may_change(uow, viewer, each) for each in _of_channel(uow, viewer))


def _times(uow: UnitOfWork, viewer: Viewer, now: datetime) -> Subscription:
    """The channel's times, which are those of its newest subscription; at first those of whoever asks."""
    assert viewer.conversation is not None, "there are no times but of a channel"
    fresh = Subscription(
        subscription_id=0,
        conversation=viewer.conversation,
        subject="",
        features=DEFAULT_FEATURES,
        creator_id=viewer.user_id,
        created_at=now,
        zone=viewer.reader.zone,
    )
    return next(reversed(_of_channel(uow, viewer)), fresh)


def _at(subscription: Subscription, weekly: Weekly) -> Subscription:
    return replace(
        subscription,
        weekday=subscription.weekday if weekly.weekday is None else weekly.weekday,
        weekly_at=weekly.at or subscription.weekly_at,
        zone=weekly.zone or subscription.zone,
    )


def _wish(data: Mapping[str, str]) -> Wish:
    """What was typed, or what a form says."""
    if "features" not in data:
        return parse(_what(data))
    features = frozenset(Feature(word) for word in data["features"].split() if word in set(Feature))
    return Wish(subject=unquoted(_what(data)), features=features, weekly=_weekly(data))


def _weekly(data: Mapping[str, str]) -> Weekly:
    weekday = data.get("weekday", "")
    return Weekly(weekday=int(weekday) if weekday in set("0123456") else None, at=clock(data.get("weekly_at", "")))


def _what(data: Mapping[str, str]) -> str:
    return data.get("what", "")[:LONGEST].strip()


def _announced(uow: UnitOfWork, subscription: Subscription, now: datetime) -> Action:
    """The channel is told who subscribed it."""
    mark = str(int(now.timestamp()))
    uow.posts.add([News(kind=PostKind.SUBSCRIBED, subscription_id=subscription.subscription_id, mark=mark)], now, is_told=True)
    return _shown(subscription)


def _removed(uow: UnitOfWork, subscriptions: Sequence[Subscription]) -> Action:
    removed = uow.subscriptions.remove([each.subscription_id for each in subscriptions])
    return Action(verb=_LIST.verb, data={"removed": str(removed)})


def _shown(subscription: Subscription, **said: str) -> Action:
    return Action(verb="subscription.show", data={"subscription": str(subscription.subscription_id), **said})


def _gone(viewer: Viewer, words: str = "") -> Page:
    return pages.only_in_channels(viewer.reader) if viewer.conversation is None else pages.not_subscribed(words, viewer.reader)
