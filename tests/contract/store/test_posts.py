"""What is told of surveys is written down once, held by one process at a time, and never sent again when nobody knows whether it was."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from bot.messages import DeliveryState, MessageRef
from bot.model import DistributionStats
from bot.ports import UnitOfWork
from bot.posts import OWNER, News, Post, PostKind
from bot.trend import MEMORY
from store.unit_of_work import SqlStore
from tests.contract.store.examples import DAY, NOW, distribution, furnish
from tests.contract.store.test_subscriptions import PULSE

LEASE = timedelta(seconds=120)
LAUNCH = News(kind=PostKind.LAUNCH, subscription_id=1, survey_id="SV_1")
HALF = replace(LAUNCH, kind=PostKind.MILESTONES, mark="50")
OWNERS = News(kind=PostKind.CLOSING, subscription_id=OWNER, survey_id="SV_1", mark="1")
SENT = MessageRef(workspace_id="T1", channel_id="C1", message_id="1")


async def claimed(store: SqlStore, owner: str, *, limit: int = 10) -> Sequence[Post]:
    return await store.write(lambda u: u.posts.claim(NOW, owner=owner, lease=LEASE, limit=limit))


async def states(store: SqlStore) -> dict[str, DeliveryState]:
    return {post.news.kind: post.state for post in await store.read(lambda u: u.posts.list(10))}


async def test_the_same_news_is_written_down_once_whatever_it_was_first(store: SqlStore) -> None:
    assert await store.write(lambda u: u.posts.add([LAUNCH], NOW, is_told=False)) == 1
    assert await store.write(lambda u: u.posts.add([LAUNCH, HALF], NOW, is_told=True)) == 1
    assert await store.write(lambda u: u.posts.add([replace(HALF, mark="75")], NOW, is_told=False)) == 1
    assert await store.write(lambda u: u.posts.add([], NOW, is_told=True)) == 0
    assert await store.read(lambda u: u.posts.known(1)) == {LAUNCH, HALF, replace(HALF, mark="75")}
    assert await store.read(lambda u: u.posts.known(OWNER)) == set()
    assert await store.read(lambda u: u.posts.counts()) == {DeliveryState.READY: 1, DeliveryState.SKIPPED: 2}
    assert [post.news for post in await claimed(store, "a")] == [HALF]


async def test_two_processes_hold_different_posts_and_only_their_holder_changes_them(store: SqlStore) -> None:
    await store.write(lambda u: u.posts.add([LAUNCH, HALF, OWNERS], NOW, is_told=True))
    both = await asyncio.gather(*(claimed(store, owner, limit=2) for owner in ("a", "b")))
    held = [post for posts in both for post in posts]
    assert sorted(post.post_id for post in held) == sorted({post.post_id for post in held})
    assert len(held) == 3
    (mine, *_), (other, *_) = both if both[0][0].owner == "a" else both[::-1]
    ids = [mine.post_id, other.post_id]
    assert not await store.write(lambda u: u.posts.begin_sending(ids, owner="a", lease_until=NOW + LEASE))
    assert await store.write(lambda u: u.posts.begin_sending(ids[:1], owner="a", lease_until=NOW + LEASE))
    assert not await store.write(lambda u: u.posts.retry(ids[1:], NOW, "no", owner="a"))
    assert await store.write(lambda u: u.posts.retry(ids[1:], NOW + DAY, "later", owner="b"))
    assert await store.write(lambda u: u.posts.finish(ids[:1], DeliveryState.SENT, NOW, owner="a", reason=None, message=SENT))
    found = {post.post_id: post for post in await store.read(lambda u: u.posts.list(10))}
    assert found[ids[0]] == replace(mine, state=DeliveryState.SENT, attempt=1, owner=None, message=SENT)
    assert found[ids[1]] == replace(other, state=DeliveryState.READY, owner=None, reason="later")
    assert await claimed(store, "c") == [], "it is due tomorrow, and the third is held"


async def test_of_a_killed_sender_what_was_begun_stays_unknown_and_the_rest_is_taken_over(store: SqlStore) -> None:
    await store.write(lambda u: u.posts.add([LAUNCH, HALF], NOW, is_told=True))
    begun = (await claimed(store, "a", limit=1))[0].post_id
    await claimed(store, "b", limit=1)
    await store.write(lambda u: u.posts.begin_sending([begun], owner="a", lease_until=NOW + LEASE))
    assert await store.write(lambda u: u.posts.lapse(NOW + LEASE, "nobody knows")) == 0
    assert await store.write(lambda u: u.posts.lapse(NOW + 2 * LEASE, "nobody knows")) == 2
    assert await states(store) == {PostKind.LAUNCH: DeliveryState.UNKNOWN, PostKind.MILESTONES: DeliveryState.READY}
    assert [post.news for post in await claimed(store, "c")] == [HALF]
    for state, message, is_mine in ((DeliveryState.FAILED, None, False), (DeliveryState.SENT, SENT, True)):
        finish = (state, message)
        ended = await store.write(lambda u, it=finish: u.posts.finish([begun], it[0], NOW, owner="a", reason=None, message=it[1]))
        assert ended is is_mine, "its sender came back after all, and knows that it arrived"


async def test_what_was_found_out_for_a_subscription_goes_with_it(store: SqlStore) -> None:
    def forgotten(uow: UnitOfWork) -> None:
        made = uow.subscriptions.add(PULSE)
        uow.posts.add([replace(LAUNCH, subscription_id=made.subscription_id), OWNERS], NOW, is_told=True)
        uow.subscriptions.remove([made.subscription_id])

    await store.write(forgotten)
    assert [post.news for post in await store.read(lambda u: u.posts.list(10))] == [OWNERS]


async def test_of_each_day_on_which_counts_were_first_read_or_changed_the_last_ones_are_kept(store: SqlStore) -> None:
    await store.write(furnish)

    def look(uow: UnitOfWork, day: int, finished: int) -> None:
        it = replace(distribution(), stats=DistributionStats(sent=10, finished=finished))
        uow.counts.keep("main", [it], NOW + day * DAY)
        uow.distributions.save("main", [it])

    for day, finished in ((0, 0), (1, 3), (1, 4), (2, 4), (3, 9)):
        await store.write(lambda u, day=day, finished=finished: look(u, day, finished))

    async def kept() -> list[tuple[int, int]]:
        days = (await store.read(lambda u: u.counts.of_survey("main", "SV_1")))["EMD_1"]
        return [((day - NOW.date()).days, it.finished) for day, it in days]

    assert await kept() == [(0, 0), (1, 4), (3, 9)]
    assert await store.read(lambda u: u.counts.of_survey("main", "SV_2")) == {}
    await store.write(lambda u: u.counts.keep("main", [], NOW + MEMORY + 2 * DAY))
    assert await kept() == [(1, 4), (3, 9)], "what holds at the beginning of what is remembered stays"
    await store.write(lambda u: u.counts.keep("main", [], NOW + MEMORY + 9 * DAY))
    assert await kept() == [(3, 9)]


async def test_counts_that_were_stored_before_they_were_remembered_are_remembered_when_they_are_read_next(store: SqlStore) -> None:
    await store.write(furnish)
    await store.write(lambda u: u.distributions.save("main", [distribution()]))
    assert [await store.write(lambda u: u.counts.keep("main", [distribution()], NOW)) for _ in range(2)] == [1, 0]
