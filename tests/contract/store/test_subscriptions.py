"""What a channel asked for is kept, changed and paused under one subject; others' are not touched."""

from __future__ import annotations

from dataclasses import replace
from datetime import time

from bot.messages import Conversation
from bot.ports import UnitOfWork
from bot.subscriptions import Feature, Paused, Subscription
from store.unit_of_work import SqlStore
from tests.contract.store.examples import DAY, NOW

HERE = Conversation(workspace_id="T1", channel_id="C1")
PULSE = Subscription(
    subscription_id=0,
    conversation=HERE,
    subject="Pulse*",
    features=frozenset({Feature.DELIVERY_PROBLEMS, Feature.WEEKLY}),
    creator_id="U1",
    created_at=NOW,
    zone="Europe/Rome",
    weekday=4,
    weekly_at=time(16, 30),
    works_from=time(8),
    works_until=time(18, 15),
    problem_share=0.25,
)


async def added(store: SqlStore, *subscriptions: Subscription) -> list[Subscription]:
    return await store.write(lambda u: [u.subscriptions.add(each) for each in subscriptions])


async def test_a_subscription_comes_back_as_it_was_made_with_an_id(store: SqlStore) -> None:
    elsewhere = replace(PULSE, conversation=Conversation(workspace_id="T2", channel_id="C1"))
    one, other, third = await added(store, PULSE, elsewhere, replace(PULSE, subject="all", features=frozenset(), problem_share=None))
    assert one == replace(PULSE, subscription_id=one.subscription_id)
    assert len({0, one.subscription_id, other.subscription_id, third.subscription_id}) == 4
    assert await store.read(lambda u: u.subscriptions.get(other.subscription_id)) == other
    assert await store.read(lambda u: u.subscriptions.of_conversation(HERE)) == [one, third]
    assert await store.read(lambda u: u.subscriptions.active()) == [one, other, third]
    assert await store.write(lambda u: u.subscriptions.remove([one.subscription_id, other.subscription_id, 99])) == 2
    assert await store.write(lambda u: u.subscriptions.remove([])) == 0
    assert await store.read(lambda u: u.subscriptions.get(one.subscription_id)) is None
    assert await store.read(lambda u: u.subscriptions.active()) == [third]


async def test_the_same_subject_again_replaces_what_the_channel_has_and_ends_its_pause_and_offer(store: SqlStore) -> None:
    (first,) = await added(store, PULSE)

    def age(uow: UnitOfWork) -> None:
        subscriptions = uow.subscriptions
        subscriptions.posted(first.subscription_id, NOW + DAY)
        subscriptions.offer(first.subscription_id, NOW)
        subscriptions.pause(first.subscription_id, Paused.ARCHIVED)

    await store.write(age)
    anew = replace(PULSE, features=frozenset({Feature.CLOSED}), creator_id="U2", created_at=NOW + 2 * DAY)
    assert await added(store, anew) == [replace(anew, subscription_id=first.subscription_id, last_post_at=NOW + DAY)]


async def test_it_is_paused_once_until_it_is_resumed(store: SqlStore) -> None:
    (one,) = await added(store, PULSE)
    number = one.subscription_id
    assert await store.write(lambda u: u.subscriptions.pause(number, Paused.REMOVED))
    assert not await store.write(lambda u: u.subscriptions.pause(number, Paused.FORBIDDEN))
    assert not await store.write(lambda u: u.subscriptions.pause(99, Paused.FORBIDDEN))
    assert await store.read(lambda u: u.subscriptions.get(number)) == replace(one, paused=Paused.REMOVED)
    assert await store.read(lambda u: u.subscriptions.active()) == []
    assert await store.write(lambda u: u.subscriptions.resume(number))
    assert not await store.write(lambda u: u.subscriptions.resume(number))
    assert await store.read(lambda u: u.subscriptions.active()) == [one]


async def test_it_is_offered_since_the_first_time_until_somebody_takes_it_over(store: SqlStore) -> None:
    (one,) = await added(store, PULSE)
    number = one.subscription_id
    assert await store.write(lambda u: u.subscriptions.offer(number, NOW))
    assert not await store.write(lambda u: u.subscriptions.offer(number, NOW + DAY))
    assert await store.read(lambda u: u.subscriptions.get(number)) == replace(one, offered_at=NOW)
    assert await store.write(lambda u: u.subscriptions.offer(number, None))
    assert not await store.write(lambda u: u.subscriptions.offer(number, None))
    await store.write(lambda u: (u.subscriptions.offer(number, NOW), u.subscriptions.pause(number, Paused.CREATOR_LEFT)))
    await store.write(lambda u: u.subscriptions.take_over(number, "U2"))
    assert await store.read(lambda u: u.subscriptions.get(number)) == replace(one, creator_id="U2")


async def test_forgetting_a_workspace_forgets_its_channels(store: SqlStore) -> None:
    _, other = await added(store, PULSE, replace(PULSE, conversation=Conversation(workspace_id="T2", channel_id="C1")))
    await store.write(lambda u: u.installations.forget("T1"))
    assert await store.read(lambda u: u.subscriptions.active()) == [other]
