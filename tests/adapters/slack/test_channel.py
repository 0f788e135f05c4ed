"""Direct messages: to whom, how, and what remains of them."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from adapters.core import utc_now
from adapters.sandbox.slack.faults import LostAnswer, RateLimited, Refused
from adapters.sandbox.slack.workspace import Workspace
from adapters.slack.channel import SlackChannel
from adapters.slack.clients import Clients
from adapters.slack.pacing import SlackPace
from bot.errors import Ambiguous, Forbidden, Gone, Rejected, ShutOut, Throttled, Unauthorized
from bot.messages import Conversation, Member, MemberKind, MessageRef
from bot.model import PersonalLink
from bot.page import Page, PrivatePage, Respond, Text
from bot.ports import Channel, Store
from store.encryption import Keyring
from store.gates import SqlGates
from store.unit_of_work import SqlStore
from tests.adapters.slack.conftest import NOW, TEAM

PAGE = Page(title="Hello", elements=(Text(("A word.",)),))


def private_page(owner: int) -> PrivatePage:
    link = PersonalLink(owner=owner, url="https://acme.qualtrics.com/jfe/form/SV_1?Q_DL=ana")
    return PrivatePage(owner=owner, title="Survey", elements=(Respond(label="Respond", link=link),))


async def person(store: Store, email: str) -> int:
    return (await store.write(lambda uow: uow.people.ids([email])))[email]


async def stored(store: Store, member: Member) -> Member:
    found = await store.read(lambda uow: uow.members.get(member.workspace_id, member.user_id))
    assert found is not None
    return found


async def test_the_first_message_goes_to_the_user_id_and_the_next_to_the_conversation_it_named(
    channel: SlackChannel, workspace: Workspace, store: Store, ana: Member
) -> None:
    workspace.journal.clear()
    first = await channel.send(ana, PAGE)
    second = await channel.send(await stored(store, ana), PAGE)
    dm = workspace.direct_message("U0ANA").conversation_id
    assert [(call.method, call.arguments["channel"]) for call in workspace.journal] == [
        ("chat.postMessage", "U0ANA"),
        ("chat.postMessage", dm),
    ]
    assert list(workspace.conversations[dm].messages) == [first.message_id, second.message_id]
    assert first == MessageRef(workspace_id=workspace.team_id, channel_id=dm, message_id=first.message_id)


async def test_a_message_says_everything_in_its_text_and_asks_for_no_unfurling(
    channel: SlackChannel, workspace: Workspace, ana: Member
) -> None:
    await channel.send(ana, PAGE)
    sent = workspace.journal[-1].arguments
    assert "A word." in sent["text"]
    assert (sent["unfurl_links"], sent["unfurl_media"]) == (False, False)
    assert workspace.refused == []


async def test_a_store_that_fails_after_the_message_was_sent_does_not_unsend_it(
    clients: Clients, workspace: Workspace, gates: SqlGates, ana: Member, keyring: Keyring
) -> None:
    """An error here would have the message sent again."""
    broken = SqlStore("sqlite:////nowhere/surveybot.db", keyring)
    sent = await SlackChannel(clients, broken, SlackPace(gates, utc_now, sends_per_minute=180)).send(ana, PAGE)
    assert list(workspace.direct_message("U0ANA").messages) == [sent.message_id]
    await broken.close()


@pytest.mark.parametrize("stale", [None, "D0STALE"])
async def test_a_person_slack_does_not_find_is_opened_once_and_written_to(
    channel: SlackChannel, workspace: Workspace, store: Store, ana: Member, stale: str | None
) -> None:
    workspace.journal.clear()
    workspace.faults.add(Refused("channel_not_found"), method="chat.postMessage")
    sent = await channel.send(replace(ana, dm_channel_id=stale), PAGE)
    assert [call.method for call in workspace.journal] == ["chat.postMessage", "conversations.open", "chat.postMessage"]
    assert (await stored(store, ana)).dm_channel_id == sent.channel_id
    assert len(workspace.conversations[sent.channel_id].messages) == 1


@pytest.mark.parametrize(("user_id", "expected"), [("U0FAR", Gone), ("U0NOBODY", Gone), ("USLACKBOT", Rejected)])
async def test_who_cannot_be_written_to_is_refused_for_good(
    channel: SlackChannel, workspace: Workspace, user_id: str, expected: type[Exception]
) -> None:
    with pytest.raises(expected):
        await channel.send(Member(workspace_id=workspace.team_id, user_id=user_id, kind=MemberKind.MEMBER, email=None), PAGE)


async def test_a_post_goes_into_its_channel_and_says_why_when_it_cannot(channel: SlackChannel, workspace: Workspace) -> None:
    port: Channel = channel
    general = Conversation(workspace_id=TEAM, channel_id="C0GENERAL")
    sent = await port.post(general, PAGE, "key-1")
    (message,) = workspace.conversations["C0GENERAL"].messages.values()
    assert message.ts == sent.message_id
    workspace.conversations["C0GENERAL"].members.remove(workspace.bot_user_id)
    with pytest.raises(ShutOut):
        await port.post(general, PAGE, "key-2")
    workspace.conversations["C0GENERAL"].is_archived = True
    with pytest.raises(Gone) as archived:
        await port.post(general, PAGE, "key-2")
    assert type(archived.value) is Gone


async def test_a_message_whose_answer_was_lost_is_found_again_by_its_key_where_it_may_be_read(
    channel: SlackChannel, workspace: Workspace, ana: Member
) -> None:
    """Also behind more messages than a page of the history holds; another key is not there."""
    workspace.scopes.add("im:history")
    workspace.faults.add(LostAnswer(), method="chat.postMessage")
    with pytest.raises(Ambiguous):
        await channel.send(ana, PAGE, "key-1")
    (lost,) = workspace.direct_message("U0ANA").messages
    for number in range(20):
        await channel.send(ana, PAGE, f"later {number}")
    dm = workspace.direct_message("U0ANA").conversation_id
    assert await channel.find(ana, "key-1", NOW) == MessageRef(workspace_id=ana.workspace_id, channel_id=dm, message_id=lost)
    assert await channel.find(ana, "key-2", NOW) is None


async def test_whoever_may_not_read_is_told_so_and_asks_no_more_than_once(channel: SlackChannel, workspace: Workspace, ana: Member) -> None:
    for _ in range(2):
        with pytest.raises(Forbidden):
            await channel.find(ana, "key-1", NOW)
        await channel.send(ana, PAGE)
    assert [call.method for call in workspace.journal].count("conversations.history") == 1


async def test_an_edit_replaces_text_and_blocks_in_place_and_may_be_repeated(
    channel: SlackChannel, workspace: Workspace, store: Store, ana: Member
) -> None:
    sent = await channel.send(ana, PAGE, "key-1")
    ana = await stored(store, ana)
    for _ in range(2):
        await channel.edit_turn(ana)
        await channel.edit(sent, ana, Page(title="Thank you", elements=(Text(("It has arrived.",)),)), "key-1")
    (message,) = workspace.direct_message("U0ANA").messages.values()
    assert (message.ts, message.edited, "It has arrived." in message.text) == (sent.message_id, True, True)
    assert "It has arrived." in str(message.blocks)
    assert message.metadata == {"event_type": "surveybot_delivery", "event_payload": {"delivery": "key-1"}}
    assert workspace.refused == []


@pytest.mark.parametrize("name", ["message_not_found", "channel_not_found", "is_archived", "cant_update_message", "edit_window_closed"])
async def test_a_message_that_can_never_be_edited_is_a_dead_end(
    channel: SlackChannel, workspace: Workspace, ana: Member, name: str
) -> None:
    sent = await channel.send(ana, PAGE)
    workspace.faults.add(Refused(name), method="chat.update")
    with pytest.raises((Gone, Rejected)):
        await channel.edit(sent, ana, PAGE, "key-1")


async def test_a_message_in_somebody_elses_conversation_is_never_drawn_for_who_has_the_address_now(
    channel: SlackChannel, workspace: Workspace, store: Store, ana: Member
) -> None:
    """Else who had the address before would get the next one's personal link into their chat."""
    predecessor = Member(workspace_id=TEAM, user_id="U0BEN", kind=MemberKind.MEMBER, email=None)
    sent = await channel.send(predecessor, PAGE)
    page = private_page(await person(store, "ana@acme.example"))
    for _ in range(2):  # the first time her own conversation is not known yet
        with pytest.raises(Gone, match="another conversation"):
            await channel.edit(sent, await stored(store, ana), page, "key-1")
    assert not workspace.direct_message("U0BEN").messages[sent.message_id].edited
    assert [call.method for call in workspace.journal].count("conversations.open") == 1


async def test_a_conversation_that_was_opened_anew_is_kept_also_when_nothing_could_be_sent_there(
    channel: SlackChannel, workspace: Workspace, store: Store, ana: Member
) -> None:
    """A lost answer is looked up there, and the next attempt goes there."""
    workspace.faults.add(Refused("channel_not_found"), method="chat.postMessage")
    workspace.faults.add(LostAnswer(), method="chat.postMessage")
    workspace.scopes.add("im:history")
    with pytest.raises(Ambiguous):
        await channel.send(replace(ana, dm_channel_id="D0STALE"), PAGE, "key-1")
    found = await channel.find(await stored(store, ana), "key-1", NOW)
    assert found is not None
    assert list(workspace.conversations[found.channel_id].messages) == [found.message_id]


async def test_an_edit_that_is_throttled_closes_edits_alone(channel: SlackChannel, workspace: Workspace, ana: Member) -> None:
    sent = await channel.send(ana, PAGE)
    workspace.faults.add(RateLimited(60), method="chat.update")
    for _ in range(2):
        with pytest.raises(Throttled):
            await channel.edit(sent, ana, PAGE, "key-1")
    assert [call.method for call in workspace.journal].count("chat.update") == 1
    await channel.send(ana, PAGE)


async def test_after_a_429_nobody_sends_until_slack_said_so(channel: SlackChannel, workspace: Workspace, ana: Member) -> None:
    workspace.faults.add(RateLimited(60), method="chat.postMessage")
    with pytest.raises(Throttled) as told:
        await channel.send(ana, PAGE)
    calls = len(workspace.journal)
    for wait in (channel.turn(ana), channel.send(ana, PAGE)):
        with pytest.raises(Throttled) as waiting:
            await wait
        assert waiting.value.retry_after is not None
        assert 0 < waiting.value.retry_after <= 60
    assert len(workspace.journal) == calls
    assert told.value.retry_after == 60


async def test_who_has_a_turn_sends_without_waiting(
    clients: Clients, workspace: Workspace, store: Store, gates: SqlGates, ana: Member
) -> None:
    """A wait in here would be one after the delivery was marked as being sent."""
    slow = SlackChannel(clients, store, SlackPace(gates, utc_now, sends_per_minute=1 / 60))
    await slow.turn(ana)
    async with asyncio.timeout(30):
        sent = await slow.send(ana, PAGE)
    assert list(workspace.direct_message("U0ANA").messages) == [sent.message_id]


async def test_a_page_slack_cannot_show_is_refused_unsent_and_unquoted(
    channel: SlackChannel, workspace: Workspace, store: Store, ana: Member
) -> None:
    owner = await person(store, "ana@acme.example")
    link = PersonalLink(owner=owner, url="https://acme.qualtrics.com/jfe/form/SV_1?Q_DL=" + "ana" * 1000)
    calls = len(workspace.journal)
    with pytest.raises(Rejected) as refused:
        await channel.send(ana, PrivatePage(owner=owner, title="Survey", elements=(Respond(label="Respond", link=link),)))
    assert "Q_DL" not in str(refused.value)
    assert len(workspace.journal) == calls


async def test_a_member_of_a_workspace_without_the_app_is_not_written_to_until_it_is_installed_there(
    channel: SlackChannel, workspace: Workspace, ana: Member
) -> None:
    """Were it refused for good, whoever was waited for would never be told."""
    calls = len(workspace.journal)
    with pytest.raises(Unauthorized, match="not installed"):
        await channel.send(replace(ana, workspace_id="T0OTHER"), PAGE)
    assert len(workspace.journal) == calls
