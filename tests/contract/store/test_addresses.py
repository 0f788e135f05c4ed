"""Where conversations are written to."""

from __future__ import annotations

from dataclasses import replace

from bot.messages import Address
from bot.ports import Store

CHAT = Address(workspace_id="t1", conversation_id="a:1", user_id="ana", service_url="https://smba.example/emea/")


async def test_a_conversation_is_new_once_and_again_after_it_was_closed(store: Store) -> None:
    assert await store.write(lambda uow: uow.addresses.save(CHAT))
    assert not await store.write(lambda uow: uow.addresses.save(CHAT))
    await store.write(lambda uow: uow.addresses.close("t1", "a:1"))
    assert await store.read(lambda uow: uow.addresses.personal("t1", "ana")) == replace(CHAT, is_closed=True)
    assert await store.write(lambda uow: uow.addresses.save(CHAT))


async def test_messages_go_to_where_the_conversation_was_last_heard_from(store: Store) -> None:
    moved = replace(CHAT, service_url="https://smba.example/amer/")
    for address in (CHAT, replace(CHAT, workspace_id="t2"), moved):
        await store.write(lambda uow, address=address: uow.addresses.save(address))
    assert await store.read(lambda uow: uow.addresses.personal("t1", "ana")) == moved


async def test_an_open_chat_is_taken_before_a_closed_one_and_a_shared_place_is_nobodys(store: Store) -> None:
    open_chat = replace(CHAT, conversation_id="a:2")
    for address in (replace(CHAT, is_closed=True), open_chat, replace(CHAT, conversation_id="19:x@thread.tacv2", user_id=None)):
        await store.write(lambda uow, address=address: uow.addresses.save(address))
    assert await store.read(lambda uow: uow.addresses.personal("t1", "ana")) == open_chat
    assert await store.read(lambda uow: uow.addresses.get("t1", "a:2")) == open_chat
    assert await store.read(lambda uow: uow.addresses.get("t2", "a:2")) is None
    assert await store.read(lambda uow: uow.addresses.personal("t1", "ben")) is None
    assert await store.read(lambda uow: uow.addresses.service_url("t1")) == CHAT.service_url
    assert await store.read(lambda uow: uow.addresses.service_url("t2")) is None


async def test_chats_are_counted_by_whether_they_are_open_and_who_never_had_one_apart(store: Store) -> None:
    assert await store.read(lambda uow: uow.addresses.counts()) == {"open": 0, "closed": 0, "never added": 0}
    never = replace(CHAT, conversation_id="ben", user_id="ben", is_closed=True)
    shared = replace(CHAT, conversation_id="19:x@thread.tacv2", user_id=None)
    for address in (CHAT, replace(CHAT, conversation_id="a:2", user_id="cyd", is_closed=True), never, shared):
        await store.write(lambda uow, address=address: uow.addresses.save(address))
    assert await store.read(lambda uow: uow.addresses.counts()) == {"open": 1, "closed": 1, "never added": 1}
