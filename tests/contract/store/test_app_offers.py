"""Who is given the app without adding it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from bot.installations import Offered
from bot.messages import Address, DeliveryState, Unreachable
from bot.ports import Store, UnitOfWork
from tests.contract.store.examples import DAY, NOW, event, furnish, member

UNTIL = NOW + timedelta(minutes=10)
EMAILS = ("ada@example.org", "ben@example.org", "cyd@example.com", "dan@sub.example.org", "eve@notexample.org", "fay@example.org")


def seed(uow: UnitOfWork) -> None:
    """A message waits for each of them, who are in no chat; Fay has opted out."""
    furnish(uow)
    people = uow.people.ids(EMAILS)
    uow.outbox.add([event(people[email]) for email in EMAILS], NOW)
    for queue in uow.outbox.queues(NOW):
        for delivery in uow.outbox.claim(queue, NOW, owner="w", lease=DAY, limit=10):
            reason = Unreachable.OPTED_OUT if delivery.person_id == people["fay@example.org"] else Unreachable.NO_ACCOUNT
            uow.outbox.finish(delivery.delivery_id, DeliveryState.UNREACHABLE, NOW, owner="w", reason=reason)


async def claimed(store: Store, at: timedelta = timedelta(), *domains: str) -> list[str]:
    found = await store.write(lambda uow: uow.app_offers.claim("T1", domains or ("example.org",), NOW + at, UNTIL + at, 10))
    return list(found.values())


async def test_those_of_our_domains_who_are_in_no_chat_are_told_of_once_at_a_time(store: Store) -> None:
    await store.write(seed)
    assert await claimed(store) == ["ada@example.org", "ben@example.org"]
    assert await claimed(store) == []
    assert await claimed(store, timedelta(minutes=11), "example.com", "example.org") == [
        "ada@example.org",
        "ben@example.org",
        "cyd@example.com",
    ]
    assert await claimed(store, timedelta(), "%") == []


async def test_what_became_of_it_says_when_they_are_asked_again(store: Store) -> None:
    await store.write(seed)
    ada, ben = await store.write(lambda uow: list(uow.app_offers.claim("T1", ["example.org"], NOW, UNTIL, 10)))
    await store.write(lambda uow: uow.app_offers.record(ada, Offered.INSTALLED, None))
    await store.write(lambda uow: uow.app_offers.record(ben, Offered.REFUSED, NOW + 7 * DAY))
    assert await claimed(store, 6 * DAY) == []
    assert await store.read(lambda uow: uow.app_offers.counts()) == {Offered.INSTALLED: 1, Offered.REFUSED: 1}
    assert await claimed(store, 8 * DAY) == ["ben@example.org"]
    assert await store.read(lambda uow: uow.app_offers.counts()) == {Offered.INSTALLED: 1}


async def test_who_had_the_app_and_removed_it_is_left_alone(store: Store) -> None:
    await store.write(seed)
    chat = Address(workspace_id="T1", conversation_id="a:1", user_id="U1", service_url="https://smba.example/", is_closed=True)
    await store.write(lambda uow: uow.members.save([member("U1", email="ada@example.org")]))
    assert await claimed(store) == ["ada@example.org", "ben@example.org"]
    await store.write(lambda uow: uow.addresses.save(replace(chat, conversation_id="U1")))  # never had it: there was no chat
    assert await claimed(store, DAY) == ["ada@example.org", "ben@example.org"]
    await store.write(lambda uow: uow.addresses.save(chat))
    assert await claimed(store, 2 * DAY) == ["ben@example.org"]
