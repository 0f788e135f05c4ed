"""The outbox: an event is said once, a delivery is held by one worker at a time, and none is lost."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy.event import listen

from bot.events import EventKind
from bot.messages import Delivery, DeliveryState, MemberKind, MessageRef, Platform, Reach, Unreachable
from bot.ports import UnitOfWork
from store.encryption import Keyring
from store.engine import connect
from store.outbox import SqlOutbox
from store.unit_of_work import SqlStore
from tests.contract.store.examples import DAY, NOW, event, member

LEASE = timedelta(minutes=2)
ENDS = (DeliveryState.SENT, DeliveryState.UNKNOWN, DeliveryState.FAILED, DeliveryState.SKIPPED, DeliveryState.UNREACHABLE)
MESSAGE = MessageRef(workspace_id="T1", channel_id="D1", message_id="17.1")
LATER = NOW + LEASE + timedelta(milliseconds=1)


@pytest.fixture
async def person(store: SqlStore) -> int:
    return (await people(store, "ada"))[0]


async def people(store: SqlStore, *names: str) -> list[int]:
    emails = [f"{name}@example.org" for name in names]
    ids = await store.write(lambda u: u.people.ids(emails))
    return [ids[email] for email in emails]


@pytest.fixture
async def ready(store: SqlStore, person: int) -> Delivery:
    await store.write(lambda u: u.outbox.add([event(person)], NOW))
    return (await store.read(lambda u: u.outbox.list(1)))[0]


async def claimed(store: SqlStore, owner: str = "a", *, at: timedelta = timedelta(), limit: int = 99) -> list[int]:
    return [d.delivery_id for d in await store.write(lambda u: claim(u, NOW + at, owner, limit))]


def sent(ready: Delivery) -> Delivery:
    return replace(ready, state=DeliveryState.SENT, attempt=1, workspace_id="T1", message=MESSAGE)


def claim(u: UnitOfWork, now: datetime, owner: str = "a", limit: int = 99) -> list[Delivery]:
    u.outbox.lapse(now)
    return [d for queue in u.outbox.queues(now) for d in u.outbox.claim(queue, now, owner=owner, lease=LEASE, limit=limit)]


async def lost(store: SqlStore, at: datetime) -> list[int]:
    return [d.delivery_id for d in await store.write(lambda u: u.outbox.claim_lost(at, lease=LEASE, limit=99))]


async def test_an_event_is_added_once_whichever_integration_notices_it(store: SqlStore, person: int) -> None:
    again = replace(event(person), integration_id="other")
    assert await store.write(lambda u: u.outbox.add([event(person), again], NOW)) == 1
    assert await store.write(lambda u: u.outbox.add([again, event(person, "EMD_2"), event(person)], NOW + DAY)) == 1
    assert await store.write(lambda u: u.outbox.add([], NOW + DAY)) == 0
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


async def test_more_events_than_a_statement_takes_are_added_once(store: SqlStore, person: int) -> None:
    events = [event(person, str(number)) for number in range(2500)]
    assert await store.write(lambda u: u.outbox.add(events, NOW)) == 2500
    assert await store.write(lambda u: u.outbox.add(events, NOW)) == 0


async def test_it_is_known_when_each_person_was_last_told_of_a_survey(store: SqlStore) -> None:
    ada, bob, cyd = await people(store, "ada", "bob", "cyd")
    for days, told in enumerate((event(ada), event(bob), event(ada, "EMD_2"))):
        await store.write(lambda u, days=days, told=told: u.outbox.add([told], NOW + days * DAY))
    others = [event(bob, survey_id="SV_2"), event(bob, kind=EventKind.SURVEY_CLOSING), event(cyd, kind=EventKind.SURVEY_CLOSING)]
    await store.write(lambda u: u.outbox.add(others, NOW + 9 * DAY))
    told = await store.read(lambda u: u.outbox.last_told(EventKind.SURVEY_INVITED, "SV_1", [ada, bob, cyd]))
    assert told == {ada: NOW + 2 * DAY, bob: NOW + DAY}
    assert await store.read(lambda u: u.outbox.last_told(EventKind.SURVEY_INVITED, "SV_1", [bob])) == {bob: NOW + DAY}
    assert await store.read(lambda u: u.outbox.last_told(EventKind.SURVEY_INVITED, "SV_1", [])) == {}


async def test_due_deliveries_are_claimed_most_urgent_first_up_to_the_limit(store: SqlStore, person: int) -> None:
    for mark, due_at in (("c", NOW), ("b", NOW - DAY), ("a", NOW - 2 * DAY), ("later", NOW + DAY)):
        await store.write(lambda u, mark=mark, due_at=due_at: u.outbox.add([event(person, mark)], due_at))
    first = await store.write(lambda u: claim(u, NOW, limit=2))
    assert [d.due_at for d in first] == [NOW - 2 * DAY, NOW - DAY]
    assert {d.state for d in first} == {DeliveryState.CLAIMED}
    assert len(await claimed(store)) == 1
    assert await claimed(store) == []


async def test_two_workers_at_once_share_the_deliveries_without_overlap(
    store: SqlStore, person: int, database_url: str, keyring: Keyring
) -> None:
    await store.write(lambda u: u.outbox.add([event(person, str(number)) for number in range(60)], NOW))
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


async def test_a_call_that_was_begun_and_lost_is_never_claimed_again_and_found_after_its_lease(store: SqlStore, ready: Delivery) -> None:
    await claimed(store)
    await store.write(lambda u: u.outbox.begin_sending(ready.delivery_id, owner="a", lease_until=NOW + LEASE))
    assert await claimed(store, "b", at=DAY) == []
    assert await lost(store, NOW + LEASE) == []
    assert await lost(store, LATER) == [ready.delivery_id]
    assert await lost(store, LATER) == []
    assert await lost(store, LATER + LEASE) == []
    assert await lost(store, LATER + 2 * LEASE) == [ready.delivery_id]
    assert await claimed(store, "b", at=DAY) == []


async def test_an_answer_in_doubt_is_looked_up_when_its_time_has_come(store: SqlStore, ready: Delivery) -> None:
    await claimed(store)
    await store.write(lambda u: u.outbox.begin_sending(ready.delivery_id, owner="a", lease_until=NOW + LEASE))
    assert not await store.write(lambda u: u.outbox.doubt(ready.delivery_id, NOW + DAY, "no answer", owner="b"))
    assert await store.write(lambda u: u.outbox.doubt(ready.delivery_id, NOW + DAY, "no answer", owner="a"))
    assert await lost(store, NOW + DAY) == []
    (found,) = await store.write(lambda u: u.outbox.claim_lost(NOW + 2 * DAY, lease=LEASE, limit=9))
    assert (found.delivery_id, found.owner, found.reason) == (ready.delivery_id, "a", "no answer")


async def test_a_claim_that_lapsed_before_anything_was_sent_is_not_lost(store: SqlStore, ready: Delivery) -> None:
    await claimed(store)
    assert await lost(store, NOW + DAY) == []
    assert await claimed(store, "b", at=DAY) == [ready.delivery_id]


async def test_claims_are_given_up_by_one_statement_and_due_as_before(store: SqlStore, person: int) -> None:
    await store.write(lambda u: u.outbox.add([event(person, str(number)) for number in range(4)], NOW))
    first, *others = await claimed(store, "a")
    await store.write(lambda u: u.outbox.begin_sending(first, owner="a", lease_until=NOW + LEASE))
    assert await store.write(lambda u: u.outbox.release("b")) == 0
    assert await store.write(lambda u: u.outbox.release("a")) == 3
    assert await claimed(store, "b") == others


async def test_what_waits_is_told_by_workspace_survey_and_kind(store: SqlStore) -> None:
    """A person's workspace is that of their account; a member's goes before a guest's."""
    ada, bob, cyd = await people(store, "ada", "bob", "cyd")

    def fill(u: UnitOfWork) -> None:
        u.members.save([member("U1", email="ada@example.org"), replace(member("U2", email="bob@example.org"), workspace_id="T2")])
        u.members.save([replace(member("U3", email="bob@example.org", kind=MemberKind.GUEST), workspace_id="T0")])
        soon, later = NOW + DAY, NOW + 5 * DAY
        u.outbox.add([replace(event(ada), closes_at=later), replace(event(ada, "again"), closes_at=soon), event(bob), event(cyd)], NOW)
        u.outbox.add([event(ada, kind=EventKind.SURVEY_CLOSING), event(bob, survey_id="SV_2")], NOW)
        u.outbox.add([event(bob, survey_id="SV_3")], LATER)

    await store.write(fill)
    queues = await store.read(lambda u: u.outbox.queues(NOW))
    assert {(q.workspace_id, q.survey_id, str(q.kind), q.due, q.closes_at) for q in queues} == {
        (None, "SV_1", "survey.invited", 1, None),
        ("T1", "SV_1", "survey.closing", 1, None),
        ("T1", "SV_1", "survey.invited", 2, NOW + DAY),
        ("T2", "SV_1", "survey.invited", 1, None),
        ("T2", "SV_2", "survey.invited", 1, None),
    }
    (nowhere,) = [q for q in queues if q.workspace_id is None]
    (moved,) = await store.write(lambda u: u.outbox.claim(nowhere, NOW, owner="a", lease=LEASE, limit=9))
    assert not await store.write(lambda u: u.outbox.move(moved.delivery_id, "T2", owner="b"))
    assert await store.write(lambda u: u.outbox.move(moved.delivery_id, "T2", owner="a"))
    assert {q.due for q in await store.read(lambda u: u.outbox.queues(NOW)) if (q.workspace_id, q.survey_id) == ("T2", "SV_1")} == {2}


async def test_a_retried_delivery_waits_until_it_is_due_and_counts_its_attempts(store: SqlStore, ready: Delivery) -> None:
    for day in (0, 1):
        assert await claimed(store, at=day * DAY) == [ready.delivery_id]
        await store.write(lambda u: u.outbox.begin_sending(ready.delivery_id, owner="a", lease_until=NOW + 9 * DAY))
        due_at = NOW + (day + 1) * DAY
        assert await store.write(lambda u, due_at=due_at: u.outbox.retry(ready.delivery_id, due_at, "throttled", owner="a"))
        assert await claimed(store, at=day * DAY) == []
    (waiting,) = await store.read(lambda u: u.outbox.list(9))
    assert waiting == replace(ready, attempt=2, due_at=NOW + 2 * DAY, reason="throttled")


async def test_a_finished_delivery_remembers_its_message_and_is_over(store: SqlStore, ready: Delivery) -> None:
    await claimed(store)
    await store.write(lambda u: u.outbox.begin_sending(ready.delivery_id, owner="a", lease_until=NOW + LEASE))
    assert await store.write(lambda u: u.outbox.finish(ready.delivery_id, DeliveryState.SENT, NOW, owner="a", message=MESSAGE))
    assert await store.read(lambda u: u.outbox.list(9)) == [
        replace(ready, state=DeliveryState.SENT, attempt=1, workspace_id="T1", message=MESSAGE)
    ]
    assert await lost(store, NOW + DAY) == []
    assert await claimed(store, at=DAY) == []


async def test_a_delivery_taken_over_is_neither_retried_nor_finished_by_its_first_holder(store: SqlStore, ready: Delivery) -> None:
    async def meddled() -> bool:
        retried = await store.write(lambda u: u.outbox.retry(ready.delivery_id, NOW, "meddled", owner="a"))
        ended = [
            await store.write(lambda u, state=state: u.outbox.finish(ready.delivery_id, state, NOW, owner="a", reason="meddled"))
            for state in ENDS
        ]
        return retried or any(ended)

    await claimed(store, "a")
    assert await claimed(store, "b", at=LATER - NOW) == [ready.delivery_id]
    assert not await meddled()
    assert await store.write(lambda u: u.outbox.begin_sending(ready.delivery_id, owner="b", lease_until=LATER + LEASE))
    assert not await meddled()
    assert await store.write(lambda u: u.outbox.finish(ready.delivery_id, DeliveryState.SENT, LATER, owner="b", message=MESSAGE))
    assert not await meddled()
    assert await store.read(lambda u: u.outbox.list(9)) == [
        replace(ready, state=DeliveryState.SENT, attempt=1, workspace_id="T1", message=MESSAGE)
    ]


@pytest.mark.parametrize("state", ENDS)
async def test_a_delivery_given_back_is_ended_only_by_who_claims_it_again(store: SqlStore, ready: Delivery, state: DeliveryState) -> None:
    await claimed(store)
    assert await store.write(lambda u: u.outbox.retry(ready.delivery_id, NOW, "throttled", owner="a"))
    assert not await store.write(lambda u: u.outbox.finish(ready.delivery_id, state, NOW, owner="a"))
    await claimed(store)
    assert await store.write(lambda u: u.outbox.finish(ready.delivery_id, state, NOW, owner="a"))
    assert await store.read(lambda u: u.outbox.list(9)) == [replace(ready, state=state)]


async def test_what_is_unknown_becomes_sent_by_the_word_of_its_sender_and_nothing_else(store: SqlStore, ready: Delivery) -> None:
    async def finished(state: DeliveryState, owner: str) -> bool:
        return await store.write(lambda u: u.outbox.finish(ready.delivery_id, state, LATER, owner=owner, message=MESSAGE))

    await claimed(store)
    await store.write(lambda u: u.outbox.begin_sending(ready.delivery_id, owner="a", lease_until=NOW + LEASE))
    assert await store.write(lambda u: u.outbox.finish(ready.delivery_id, DeliveryState.UNKNOWN, LATER, owner="a"))
    assert [await finished(state, "b") for state in ENDS] == [False] * len(ENDS)
    assert not any([await finished(state, "a") for state in ENDS if state is not DeliveryState.SENT])
    assert not await store.write(lambda u: u.outbox.retry(ready.delivery_id, LATER, "late", owner="a"))
    (lost,) = await store.read(lambda u: u.outbox.list(9))
    assert (lost.state, lost.message) == (DeliveryState.UNKNOWN, None)
    assert await finished(DeliveryState.SENT, "a")
    assert [await finished(state, "a") for state in ENDS] == [False] * len(ENDS)
    assert await store.read(lambda u: u.outbox.list(9)) == [
        replace(ready, state=DeliveryState.SENT, attempt=1, workspace_id="T1", message=MESSAGE)
    ]


async def ended(store: SqlStore, state: DeliveryState) -> None:
    """End everything that is due."""
    for delivery_id in await claimed(store):
        await store.write(lambda u, d=delivery_id: u.outbox.finish(d, state, NOW, owner="a", reason="ended"))


async def test_what_was_skipped_is_opened_again_by_its_event_and_due_at_once(store: SqlStore, person: int, ready: Delivery) -> None:
    await ended(store, DeliveryState.SKIPPED)
    assert await store.write(lambda u: u.outbox.add([event(person), event(person, "EMD_2")], LATER)) == 2
    assert (await store.read(lambda u: u.outbox.list(9)))[1] == replace(ready, due_at=LATER)
    assert len(await claimed(store, at=LATER - NOW)) == 2


@pytest.mark.parametrize("state", [state for state in DeliveryState if state is not DeliveryState.SKIPPED])
async def test_what_was_not_skipped_stays_as_it_is_when_its_event_comes_again(
    store: SqlStore, person: int, ready: Delivery, state: DeliveryState
) -> None:
    if state is not DeliveryState.READY:
        await claimed(store)
    if state is DeliveryState.SENDING:
        await store.write(lambda u: u.outbox.begin_sending(ready.delivery_id, owner="a", lease_until=NOW + LEASE))
    if state in ENDS:
        await store.write(lambda u: u.outbox.finish(ready.delivery_id, state, NOW, owner="a"))
    before = await store.read(lambda u: u.outbox.list(9))
    assert [delivery.state for delivery in before] == [state]
    assert await store.write(lambda u: u.outbox.add([event(person)], NOW + DAY)) == 0
    assert await store.read(lambda u: u.outbox.list(9)) == before


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_what_another_process_opened_and_sent_in_between_is_not_opened_again(
    store: SqlStore, person: int, ready: Delivery, database_url: str, keyring: Keyring
) -> None:
    """Between finding the skipped row and opening it. SQLite's writers are alone."""
    await ended(store, DeliveryState.SKIPPED)
    engine, other = (connect(database_url, read_only=False, connections=1) for _ in range(2))

    def be_faster(_c: object, _cursor: object, statement: str, *_rest: object) -> None:
        if statement.startswith("UPDATE outbox"):
            with other.begin() as connection:
                outbox = SqlOutbox(connection)
                assert outbox.add([event(person)], NOW) == 1
                (queue,) = outbox.queues(NOW)
                assert len(outbox.claim(queue, NOW, owner="b", lease=LEASE, limit=9)) == 1
                assert outbox.finish(ready.delivery_id, DeliveryState.SENT, NOW, owner="b")

    with engine.begin() as connection:
        listen(connection, "before_cursor_execute", be_faster)
        assert SqlOutbox(connection).add([event(person)], NOW) == 0
    engine.dispose()
    other.dispose()
    assert await store.read(lambda u: u.outbox.list(9)) == [replace(ready, state=DeliveryState.SENT)]


async def test_who_could_not_be_reached_is_told_once_they_have_an_account_that_may_be_written_to(store: SqlStore) -> None:
    someone, guest, *others = await people(store, "member", "guest", "deactivated", "nobody")

    def join(u: UnitOfWork) -> None:
        u.members.save([member(kind, kind=MemberKind(kind), email=f"{kind}@example.org") for kind in ("member", "guest", "deactivated")])
        u.members.save([member("second", email="member@example.org"), member("stranger", email="stranger@example.org")])

    async def reopened(*platforms: Platform, guests: Platform = Platform.TEAMS, tenant_id: str | None = None) -> int:
        reach = Reach(platforms=frozenset(platforms), guests=frozenset({guests}), tenant_id=tenant_id)
        return await store.write(lambda u: u.outbox.reopen_reachable(reach, LATER))

    await store.write(lambda u: u.outbox.add([event(someone, "failed")], NOW))
    await ended(store, DeliveryState.FAILED)
    await store.write(lambda u: u.outbox.add([event(person) for person in (someone, guest, *others)], NOW))
    await ended(store, DeliveryState.UNREACHABLE)
    assert await reopened(*Platform) == 0
    await store.write(join)
    assert await reopened() == 0
    assert await reopened(Platform.TEAMS, tenant_id="another") == 0
    assert await reopened(Platform.SLACK) == 1
    assert await reopened(Platform.SLACK, guests=Platform.SLACK) == 1
    assert await reopened(*Platform, guests=Platform.SLACK) == 0
    again = await store.write(lambda u: claim(u, LATER))
    assert {d.person_id for d in again} == {someone, guest}
    assert {(d.due_at, d.reason) for d in again} == {(LATER, None)}


async def test_ends_are_counted_by_state_and_the_bad_ones_by_reason(store: SqlStore, person: int) -> None:
    ends = [
        (DeliveryState.UNREACHABLE, Unreachable.NO_ACCOUNT),
        (DeliveryState.UNREACHABLE, Unreachable.NO_ACCOUNT),
        (DeliveryState.FAILED, "is_archived"),
        (DeliveryState.UNKNOWN, None),
        (DeliveryState.SKIPPED, "answered"),
    ]
    await store.write(lambda u: u.outbox.add([event(person, str(number)) for number in range(6)], NOW))
    ids = await claimed(store, limit=5)
    for delivery_id, (state, reason) in zip(ids, ends, strict=True):
        await store.write(lambda u, d=delivery_id, s=state, r=reason: u.outbox.finish(d, s, NOW, owner="a", reason=r))
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
