"""What the core may rely on in a chat, whichever it is: `bot.ports.Channel`, over HTTP against both simulated platforms."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from adapters.core import utc_now
from bot.errors import Ambiguous, Forbidden, Gone, Rejected, Throttled, Unavailable
from bot.messages import Member, MessageRef, Readership
from bot.model import PersonalLink
from bot.page import Page, PrivatePage, Respond, Text
from bot.ports import Store
from tests.adapters.channels.conftest import Chat

pytestmark = pytest.mark.usefixtures("in_store")
PAGE = Page(title="Hello", elements=(Text(("A word.",)),))
ANSWERED = replace(PAGE, title="Thank you")
SECRET = "Q_DL=c4n4ry"


async def stored(store: Store, member: Member) -> Member:
    """As the directory knows them by now."""
    found = await store.read(lambda uow: uow.members.get(member.workspace_id, member.user_id))
    assert found is not None
    return found


async def test_a_message_is_sent_once_is_read_out_whole_and_is_replaced_in_place(chat: Chat, store: Store) -> None:
    await chat.channel.turn(chat.ana)
    sent = await chat.channel.send(chat.ana, PAGE, "key")
    assert [text.split() for text in chat.seen(chat.ana)] == [["Hello", "A", "word."]]
    ana = await stored(store, chat.ana)
    for _ in range(2):
        await chat.channel.edit_turn(ana)
        await chat.channel.edit(sent, ana, ANSWERED, "key")
    assert [text.split() for text in chat.seen(ana)] == [["Thank", "you", "A", "word."]]


async def test_what_is_gone_and_what_is_another_persons_is_never_edited(chat: Chat, store: Store) -> None:
    sent = [await chat.channel.send(member, PAGE) for member in (chat.ana, chat.ben)]
    ana, calls = await stored(store, chat.ana), chat.calls()
    with pytest.raises(Gone):
        await chat.channel.edit(sent[1], ana, ANSWERED, "key")
    assert chat.calls() == calls
    with pytest.raises((Gone, Rejected)):
        await chat.channel.edit(replace(sent[0], message_id="1.2"), ana, ANSWERED, "key")
    assert [chat.seen(member) for member in (chat.ana, chat.ben)] == [[text] for text in ("Hello\nA word.",) * 2]


async def test_who_is_not_there_is_a_dead_end(chat: Chat) -> None:
    with pytest.raises(Gone):
        await chat.channel.send(chat.nobody, PAGE)


async def test_after_a_refusal_by_the_platforms_limit_nobody_sends_until_it_is_over(chat: Chat) -> None:
    await chat.channel.send(chat.ben, PAGE)
    chat.meet("limit")
    with pytest.raises(Throttled) as refused:
        await chat.channel.send(chat.ana, PAGE)
    assert refused.value.retry_after == 60
    calls = chat.calls()
    for later in (chat.channel.send(chat.ben, PAGE), chat.channel.turn(chat.ana)):
        with pytest.raises(Throttled) as told:
            await later
        assert told.value.retry_after is not None
        assert 50 < told.value.retry_after <= 60
    assert (chat.calls(), chat.seen(chat.ana)) == (calls, [])


async def test_an_outage_is_a_message_not_sent_and_a_lost_answer_one_that_may_have_arrived(chat: Chat, store: Store) -> None:
    """It is found again where the bot may read what it sent, and never sent again here."""
    await chat.channel.send(chat.ana, PAGE)
    ana, since = await stored(store, chat.ana), utc_now() - timedelta(minutes=1)
    calls = chat.calls()
    chat.meet("down")
    with pytest.raises(Unavailable):
        await chat.channel.send(ana, PAGE, "first")
    chat.meet("lost")
    with pytest.raises(Ambiguous):
        await chat.channel.send(ana, PAGE, "second")
    assert (chat.calls(), len(chat.seen(ana))) == (calls + 2, 2)
    found = await asyncio.gather(*(chat.channel.find(ana, key, since) for key in ("first", "second")), return_exceptions=True)
    assert isinstance(found[1], MessageRef | Forbidden)
    assert found[0] is None or isinstance(found[0], Forbidden)


async def test_a_private_page_goes_to_its_owner_alone_and_what_cannot_be_shown_to_nobody(chat: Chat, store: Store) -> None:
    people = await store.write(lambda uow: uow.people.ids(["ana@acme.example", "ben@acme.example"]))

    def page(email: str, url: str = f"https://acme.qualtrics.com/jfe/form/SV_1?{SECRET}") -> PrivatePage:
        owner = people[email]
        return PrivatePage(owner=owner, title="t", elements=(Respond(label="r", link=PersonalLink(owner=owner, url=url)),))

    sent = await chat.channel.send(chat.ana, page("ana@acme.example"))
    assert SECRET not in str(chat.seen(chat.ana)), "what is read out is shown in notifications, too"
    ana, calls = await stored(store, chat.ana), chat.calls()
    longest = f"https://acme.qualtrics.com/jfe/form/SV_1?{SECRET}{'1' * 4000}"
    wrong = [
        (chat.ben, page("ana@acme.example")),
        (replace(ana, email=None), page("ana@acme.example")),
        (ana, page("ben@acme.example")),
        (ana, PrivatePage(owner=12345, title="t", elements=())),
        (ana, page("ana@acme.example", longest)),
    ]
    for reader, secret in wrong:
        for attempt in (chat.channel.send(reader, secret), chat.channel.edit(sent, reader, secret, "key")):
            with pytest.raises((Rejected, Gone)) as refused:
                await attempt
            assert SECRET not in str(refused.value)
    assert (chat.calls(), chat.seen(chat.ben)) == (calls, [])


async def test_who_reads_a_channel_is_looked_at_anew_each_time(chat: Chat) -> None:
    """A look that is refused says nothing about it."""
    found = [await chat.channel.readership(chat.place)]
    for who in ("guest", "another"):
        chat.join(who)
        found.append(await chat.channel.readership(chat.place))
    assert found == [Readership.MEMBERS, Readership.GUESTS, Readership.OUTSIDERS]
    with pytest.raises(Gone):
        await chat.channel.readership(replace(chat.place, channel_id="nowhere"))
    for trouble, error in (("down", Unavailable), ("limit", Throttled)):
        chat.meet(trouble)
        with pytest.raises(error):
            await chat.channel.readership(chat.place)
