"""What is told of surveys is written down once, held by one process at a time, and never sent again when nobody knows whether it was."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from bot.channels import succession
from bot.messages import DeliveryState, MessageRef
from bot.model import DistributionStats
from bot.ports import UnitOfWork
from bot.posts import OWNER, News, Post, PostKind
from bot.subscriptions import Paused
from bot.trend import MEMORY
from store.unit_of_work import SqlStore
from tests.contract.store.examples import DAY, NOW, distribution, furnish, survey
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
    assert await store.read(lambda u: u.posts.counts()) == {
        (PostKind.LAUNCH, DeliveryState.SKIPPED): 1,
        (PostKind.MILESTONES, DeliveryState.READY): 1,
        (PostKind.MILESTONES, DeliveryState.SKIPPED): 1,
    }
    assert await store.read(lambda u: u.posts.oldest_due()) == NOW
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


async def test_of_a_survey_that_is_over_everything_is_forgotten_at_once_and_of_others_nothing(store: SqlStore) -> None:
    closed, results = (replace(LAUNCH, kind=kind, mark="EMD_1") for kind in (PostKind.CLOSED, PostKind.RESULTS))
    followed, again = replace(LAUNCH, survey_id="SV_2"), replace(LAUNCH, mark="EMD_2")
    weeks = [News(kind=PostKind.WEEKLY, subscription_id=1, mark=f"2026-W{number}") for number in (40, 48)]
    await store.write(lambda u: u.posts.add([LAUNCH, HALF, closed, OWNERS, followed, weeks[0]], NOW, is_told=False))
    await store.write(lambda u: u.posts.add([weeks[1]], NOW + DAY, is_told=False))
    await store.write(lambda u: u.posts.add([results], NOW, is_told=True))
    assert await store.write(lambda u: u.posts.forget(NOW)) == 0, "it is not long enough ago"
    assert await store.write(lambda u: u.posts.forget(NOW + DAY)) == 2, "the final numbers are not told yet"
    assert await store.read(lambda u: u.posts.known(1)) == {LAUNCH, HALF, closed, results, followed, weeks[1]}
    assert await store.read(lambda u: u.posts.known(OWNER)) == set()
    (held,) = await claimed(store, "a")
    await store.write(lambda u: u.posts.finish([held.post_id], DeliveryState.SENT, NOW, owner="a", reason=None, message=SENT))
    await store.write(lambda u: u.posts.add([again], NOW, is_told=False))
    assert await store.write(lambda u: u.posts.forget(NOW + DAY)) == 0, "it was sent once more, and has not ended since"
    await store.write(lambda u: u.posts.add([replace(closed, mark="EMD_2")], NOW, is_told=False))
    assert await store.write(lambda u: u.posts.forget(NOW + DAY)) == 6
    assert await store.read(lambda u: u.posts.known(1)) == {followed, weeks[1]}


async def test_a_subscription_that_was_paused_long_ago_is_forgotten_with_all_of_its_posts(store: SqlStore) -> None:
    def paused(uow: UnitOfWork) -> None:
        for number, subject in enumerate(("all", "Old*", "New*", "Active*")):
            made = uow.subscriptions.add(replace(PULSE, subject=subject, created_at=NOW - DAY))
            uow.posts.add([replace(LAUNCH, subscription_id=made.subscription_id)], NOW, is_told=False)
            if subject != "Active*":
                succession.pause(uow, made, Paused.ARCHIVED, NOW + number * DAY)

    await store.write(paused)
    assert await store.write(lambda u: u.subscriptions.forget_paused(NOW + 2 * DAY)) == 2
    left = await store.read(lambda u: u.subscriptions.all())
    assert [each.subject for each in left] == ["New*", "Active*"]
    known = await store.read(lambda u: u.posts.list(10))
    assert {post.news.subscription_id for post in known} == {each.subscription_id for each in left}


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
    await store.write(lambda u: u.surveys.save("main", [replace(survey(), is_active=False)], NOW))
    await store.write(lambda u: u.counts.keep("main", [], NOW + MEMORY + 9 * DAY))
    assert await store.read(lambda u: u.counts.of_survey("main", "SV_1")) == {}


async def test_counts_that_were_stored_before_they_were_remembered_are_remembered_when_they_are_read_next(store: SqlStore) -> None:
    await store.write(furnish)
    await store.write(lambda u: u.distributions.save("main", [distribution()]))
    assert [await store.write(lambda u: u.counts.keep("main", [distribution()], NOW)) for _ in range(2)] == [1, 0]
