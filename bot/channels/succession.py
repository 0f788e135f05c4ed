"""When whoever subscribed a channel has left, or may not see the survey any more, the channel is asked to take over.

Nothing is posted meanwhile: whose rights count is looked at again at every post. After 14 days the subscription is paused (FEATURES E3).
What becomes of a channel that cannot be posted to is known from the posts that fail, and sooner where a platform tells it (FEATURES E4).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from enum import StrEnum

from bot import authority, subjects
from bot.messages import Conversation, Member
from bot.ports import Store, UnitOfWork
from bot.posts import News, PostKind
from bot.subscriptions import Paused, Subscription

#: How long a channel is asked.
PATIENCE = timedelta(days=14)


class Step(StrEnum):
    """What is to be done about a subscription that is not paused."""

    NOTHING = "nothing"
    #: Ask the channel.
    OFFER = "offer"
    #: Its creator is back.
    WITHDRAW = "withdraw"
    PAUSE = "pause"


def next_step(subscription: Subscription, *, is_entitled: bool, now: datetime) -> Step:
    """`is_entitled`: its creator is there and may see what it is about."""
    offered_at = subscription.offered_at
    if is_entitled:
        return Step.NOTHING if offered_at is None else Step.WITHDRAW
    if offered_at is None:
        return Step.OFFER
    return Step.PAUSE if now >= offered_at + PATIENCE else Step.NOTHING


async def review(store: Store, now: datetime) -> int:
    """Do what is to be done about all subscriptions; returns about how many there was something to do. Repeating it changes nothing."""

    def work(uow: UnitOfWork) -> int:
        return sum(_take(uow, subscription, now) for subscription in uow.subscriptions.active())

    return await store.write(work)


def pause(uow: UnitOfWork, subscription: Subscription, why: Paused, now: datetime) -> bool:
    """Post nothing any more, and tell the creator once, in private. False: it was paused already."""
    if not uow.subscriptions.pause(subscription.subscription_id, why):
        return False
    uow.posts.add([_news(PostKind.PAUSED, subscription, now)], now, is_told=True)
    return True


def lost(why: Paused, conversation: Conversation, now: datetime) -> Callable[[UnitOfWork], int]:
    """Return the work to do when a platform tells that a conversation is not to be posted to any more."""

    def work(uow: UnitOfWork) -> int:
        return sum(pause(uow, subscription, why, now) for subscription in uow.subscriptions.of_conversation(conversation))

    return work


def held(conversation: Conversation, now: datetime) -> Callable[[UnitOfWork], int]:
    """Return the work to do while nobody can tell who reads a conversation: whoever subscribed it is told, the first time."""

    def work(uow: UnitOfWork) -> int:
        theirs = (each for each in uow.subscriptions.of_conversation(conversation) if each.paused is None)
        news = [News(kind=PostKind.HELD, subscription_id=each.subscription_id) for each in theirs]
        return uow.posts.add(news, now, is_told=True)

    return work


def _take(uow: UnitOfWork, subscription: Subscription, now: datetime) -> bool:
    creator = subjects.creator_of(uow, subscription)
    if creator is None:  # the whole workspace was forgotten, perhaps for a while: that is not leaving
        return False
    is_entitled = subjects.is_entitled(uow, subscription.subject, authority.proven_address(creator))
    match next_step(subscription, is_entitled=is_entitled, now=now):
        case Step.NOTHING:
            return False
        case Step.OFFER:
            uow.posts.add([_news(PostKind.OFFERED, subscription, now)], now, is_told=True)
            return uow.subscriptions.offer(subscription.subscription_id, now)
        case Step.WITHDRAW:
            return uow.subscriptions.offer(subscription.subscription_id, None)
        case Step.PAUSE:
            return pause(uow, subscription, _why(creator), now)


def _why(creator: Member) -> Paused:
    return Paused.NOT_ALLOWED if authority.proven_address(creator) else Paused.CREATOR_LEFT


def _news(kind: PostKind, subscription: Subscription, now: datetime) -> News:
    return News(kind=kind, subscription_id=subscription.subscription_id, mark=str(int(now.timestamp())))
