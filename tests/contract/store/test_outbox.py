"""The outbox: an event is said once, a delivery is held by one worker at a time, and none is lost."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.messages import Delivery, DeliveryState, MessageRef, Unreachable
from store.encryption import Keyring
from store.unit_of_work import SqlStore
from tests.contract.store.examples import DAY, NOW, event

LEASE = timedelta(minutes=2)
LATER = NOW + LEASE + timedelta(milliseconds=1)


@pytest.fixture
async def person(store: SqlStore) -> int:
    return (await store.write(lambda u: u.people.ids(["ada@example.org"])))["ada@example.org"]


@pytest.fixture
async def ready(store: SqlStore, person: int) -> Delivery:
    await store.write(lambda u: u.outbox.add(event(person), NOW))
    return (await store.read(lambda u: u.outbox.list(1)))[0]


async def claimed(store: SqlStore, owner: str = "a", *, at: timedelta = timedelta(), limit: int = 99) -> list[int]:
    deliveries = await store.write(lambda u: u.outbox.claim(NOW + at, owner=owner, lease=LEASE, limit=limit))
    return [d.delivery_id for d in deliveries]


async def test_an_event_is_added_once_and_tells_when(store: SqlStore, person: int) -> None:
    assert await store.read(lambda u: u.outbox.told_at(event(person))) is None
    assert await store.write(lambda u: u.outbox.add(event(person), NOW))
    assert not await store.write(lambda u: u.outbox.add(replace(event(person), integration_id="other"), NOW + DAY))
    assert await store.write(lambda u: u.outbox.add(event(person, "EMD_2"), NOW + DAY))
    assert await store.read(lambda u: u.outbox.told_at(event(person))) == NOW
    newest, oldest = await store.read(lambda u: u.outbox.list(9))
    assert newest.created_at == NOW + DAY
    assert oldest == Delivery(
        delivery_id=oldest.delivery_id,
        kind=event(person).kind,
        integration_id="main",
        survey_id="SV_1",
        person_id=person,
        state=DeliveryState.READY,
        due_at=NOW,
        attempt=0,
        created_at=NOW,
    )


async def test_due_deliveries_are_claimed_most_urgent_first_up_to_the_limit(store: SqlStore, person: int) -> None:
    for mark, due_at in (("c", NOW), ("b", NOW - DAY), ("a", NOW - 2 * DAY), ("later", NOW + DAY)):
        await store.write(lambda u, mark=mark, due_at=due_at: u.outbox.add(event(person, mark), due_at))
    first = await store.write(lambda u: u.outbox.claim(NOW, owner="a", lease=LEASE, limit=2))
    assert [d.due_at for d in first] == [NOW - 2 * DAY, NOW - DAY]
    assert {d.state for d in first} == {DeliveryState.CLAIMED}
    assert len(await claimed(store)) == 1
    assert await claimed(store) == []


async def test_two_workers_at_once_share_the_deliveries_without_overlap(
    store: SqlStore, person: int, database_url: str, keyring: Keyring
) -> None:
    await store.write(lambda u: [u.outbox.add(event(person, str(number)), NOW) for number in range(60)])
    second = SqlStore(database_url, keyring)
    batches = await asyncio.gather(*(claimed(each, owner, limit=7) for _ in range(5) for each, owner in ((store, "a"), (second, "b"))))
    await second.close()
    taken = [delivery_id for batch in batches for delivery_id in batch]
    assert len(taken) == len(set(taken)) == 60


async def test_a_lapsed_claim_is_taken_over_and_its_first_holder_may_not_send(store: SqlStore, ready: Delivery) -> None:
    assert await claimed(store, "a") == [ready.delivery_id]
    assert await claimed(store, "b", at=LEASE) == []
    assert await claimed(store, "b", at=LATER - NOW) == [ready.delivery_id]
    assert not await store.write(lambda u: u.outbox.begin_sending(ready.delivery_id, owner="a", lease_until=LATER + LEASE))
    assert await store.write(lambda u: u.outbox.begin_sending(ready.delivery_id, owner="b", lease_until=LATER + LEASE))
    assert not await store.write(lambda u: u.outbox.begin_sending(ready.delivery_id, owner="b", lease_until=LATER + LEASE))


async def test_a_call_that_was_begun_and_lost_is_never_claimed_again_and_becomes_unknown(store: SqlStore, ready: Delivery) -> None:
    await claimed(store)
    await store.write(lambda u: u.outbox.begin_sending(ready.delivery_id, owner="a", lease_until=NOW + LEASE))
    assert await claimed(store, "b", at=DAY) == []
    assert await store.write(lambda u: u.outbox.abandon_lapsed(NOW + LEASE)) == 0
    assert await store.write(lambda u: u.outbox.abandon_lapsed(LATER)) == 1
    assert await store.write(lambda u: u.outbox.abandon_lapsed(LATER)) == 0
    assert await claimed(store, "b", at=DAY) == []
    (lost,) = await store.read(lambda u: u.outbox.list(9))
    assert (lost.state, lost.attempt) == (DeliveryState.UNKNOWN, 1)
    assert list((await store.read(lambda u: u.outbox.reasons())).values()) == [1]


async def test_a_claim_that_lapsed_before_anything_was_sent_is_not_abandoned(store: SqlStore, ready: Delivery) -> None:
    await claimed(store)
    assert await store.write(lambda u: u.outbox.abandon_lapsed(NOW + DAY)) == 0
    assert await claimed(store, "b", at=DAY) == [ready.delivery_id]


async def test_a_retried_delivery_waits_until_it_is_due_and_counts_its_attempts(store: SqlStore, ready: Delivery) -> None:
    for day in (0, 1):
        assert await claimed(store, at=day * DAY) == [ready.delivery_id]
        await store.write(lambda u: u.outbox.begin_sending(ready.delivery_id, owner="a", lease_until=NOW + 9 * DAY))
        await store.write(lambda u, day=day: u.outbox.retry(ready.delivery_id, NOW + (day + 1) * DAY, "throttled"))
        assert await claimed(store, at=day * DAY) == []
    (waiting,) = await store.read(lambda u: u.outbox.list(9))
    assert waiting == replace(ready, attempt=2, due_at=NOW + 2 * DAY, reason="throttled")


async def test_a_finished_delivery_remembers_its_message_and_is_over(store: SqlStore, ready: Delivery) -> None:
    message = MessageRef(workspace_id="T1", channel_id="D1", message_id="17.1")
    await claimed(store)
    await store.write(lambda u: u.outbox.begin_sending(ready.delivery_id, owner="a", lease_until=NOW + LEASE))
    await store.write(lambda u: u.outbox.finish(ready.delivery_id, DeliveryState.SENT, NOW, message=message))
    assert await store.read(lambda u: u.outbox.list(9)) == [replace(ready, state=DeliveryState.SENT, attempt=1, message=message)]
    assert await store.write(lambda u: u.outbox.abandon_lapsed(NOW + DAY)) == 0
    assert await claimed(store, at=DAY) == []


async def test_ends_are_counted_by_state_and_the_bad_ones_by_reason(store: SqlStore, person: int) -> None:
    ends = [
        (DeliveryState.UNREACHABLE, Unreachable.NO_ACCOUNT),
        (DeliveryState.UNREACHABLE, Unreachable.NO_ACCOUNT),
        (DeliveryState.FAILED, "is_archived"),
        (DeliveryState.UNKNOWN, None),
        (DeliveryState.SKIPPED, "answered"),
    ]
    await store.write(lambda u: [u.outbox.add(event(person, str(number)), NOW) for number in range(6)])
    ids = await claimed(store, limit=5)
    for delivery_id, (state, reason) in zip(ids, ends, strict=True):
        await store.write(lambda u, d=delivery_id, s=state, r=reason: u.outbox.finish(d, s, NOW, reason=r))
    assert await store.read(lambda u: u.outbox.counts()) == {
        DeliveryState.UNREACHABLE: 2,
        DeliveryState.FAILED: 1,
        DeliveryState.UNKNOWN: 1,
        DeliveryState.SKIPPED: 1,
        DeliveryState.READY: 1,
    }
    assert await store.read(lambda u: u.outbox.reasons()) == {Unreachable.NO_ACCOUNT: 2, "is_archived": 1, "unknown": 1}


async def test_an_incoming_event_is_new_once_for_all_processes_and_forgotten_after_a_day(
    store: SqlStore, database_url: str, keyring: Keyring
) -> None:
    second = SqlStore(database_url, keyring)
    heard = await asyncio.gather(*(each.write(lambda u: u.inbox.first_time("T1:Ev1", NOW)) for each in (store, second, store, second)))
    await second.close()
    assert sorted(heard) == [False, False, False, True]
    assert not await store.write(lambda u: u.inbox.first_time("T1:Ev1", NOW + DAY))
    assert await store.write(lambda u: u.inbox.first_time("T1:Ev2", NOW + DAY))
    assert await store.write(lambda u: u.inbox.first_time("T1:Ev1", NOW + DAY + timedelta(seconds=1)))
