"""Who reads a channel in Slack is told by Slack's word for it, and by what the directory knows of everybody in it."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.core import utc_now
from adapters.sandbox.slack.workspace import Conversation as Place
from adapters.sandbox.slack.workspace import ConversationKind, UserKind, Workspace
from adapters.slack.channel import SlackChannel
from adapters.slack.clients import Clients, OneWorkspace
from adapters.slack.pacing import SlackPace
from bot.errors import Gone, ShutOut, Unauthorized, Unavailable
from bot.messages import Conversation, Member, MemberKind, Readership
from bot.ports import Store
from store.gates import SqlGates
from tests.adapters.slack.conftest import TEAM

HERE = Conversation(workspace_id=TEAM, channel_id="C0TEAM")


@pytest.fixture
def place(workspace: Workspace) -> Place:
    return workspace.conversations["C0TEAM"]


def asked(workspace: Workspace) -> list[str]:
    return [call.method for call in workspace.journal]


@pytest.mark.parametrize(
    ("told", "readership"),
    [
        ({"is_shared": True}, Readership.OUTSIDERS),
        ({"is_pending": True}, Readership.OUTSIDERS),
        ({"is_shared": True, "is_org_shared": True}, Readership.OUTSIDERS),
        ({"is_org_shared": True}, Readership.MEMBERS),
        ({}, Readership.MEMBERS),
    ],
)
async def test_who_is_invited_is_taken_for_there_and_workspaces_of_one_organisation_are_no_others(
    channel: SlackChannel, place: Place, told: dict[str, bool], readership: Readership
) -> None:
    for name, value in told.items():
        setattr(place, name, value)
    assert await channel.readership(HERE) is readership


async def test_guests_of_both_kinds_are_found_on_every_page_known_or_new_and_nobody_is_asked_for_twice(
    channel: SlackChannel, workspace: Workspace, place: Place, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.slack.readership._PAGE", 2)
    known = [Member(workspace_id=TEAM, user_id=user_id, kind=MemberKind.MEMBER, email=None) for user_id in ("U0ANA", "U0BEN")]
    await store.write(lambda uow: uow.members.save(known))
    assert await channel.readership(HERE) is Readership.MEMBERS
    assert sorted(asked(workspace)) == ["conversations.info", *["conversations.members"] * 2, *["users.info"] * 2], "Sam's and the bot's"
    for guest in ("U0GUEST", "U0ONE"):
        place.members.add(guest)
        assert await channel.readership(HERE) is Readership.GUESTS
        place.members.remove(guest)
    workspace.add_user("U0ANA", "ana", kind=UserKind.GUEST)
    await store.write(lambda uow: uow.members.save([Member(workspace_id=TEAM, user_id="U0ANA", kind=MemberKind.GUEST, email=None)]))
    assert await channel.readership(HERE) is Readership.GUESTS
    place.members.remove("U0ANA")
    del workspace.users["U0SHY"]
    assert await channel.readership(HERE) is Readership.OUTSIDERS, "somebody whom Slack does not know here"


async def test_what_cannot_be_looked_through_is_not_taken_for_harmless(
    channel: SlackChannel, workspace: Workspace, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.slack.readership._STRANGERS", 3)
    with pytest.raises(Unavailable):
        await channel.readership(HERE)
    monkeypatch.setattr("adapters.slack.readership._PAGE", 2)
    monkeypatch.setattr("adapters.slack.readership._PAGES", 1)
    assert await channel.readership(HERE) is Readership.UNKNOWN
    workspace.scopes.remove("channels:read")
    assert await channel.readership(HERE) is Readership.UNKNOWN
    workspace.scopes |= {"channels:read"}
    workspace.scopes.remove("groups:read")
    place.kind = ConversationKind.PRIVATE
    assert await channel.readership(HERE) is Readership.UNKNOWN
    place.kind = ConversationKind.GROUP
    assert await channel.readership(HERE) is Readership.UNKNOWN


async def test_where_guests_may_read_nobody_is_looked_through_and_others_still_may_not(
    clients: Clients, workspace: Workspace, place: Place, store: Store, gates: SqlGates
) -> None:
    pace = SlackPace(gates, utc_now, sends_per_minute=60_000)
    channel = SlackChannel(clients, store, pace, allow_guests_in_channels=True)
    place.members.add("U0GUEST")
    assert await channel.readership(HERE) is Readership.MEMBERS
    assert asked(workspace) == ["conversations.info"]
    place.is_shared = True
    assert await channel.readership(HERE) is Readership.OUTSIDERS


async def test_dead_ends_are_found_and_an_app_that_went_is_none(
    workspace: Workspace, place: Place, clients: Clients, store: Store, gates: SqlGates
) -> None:
    pace = SlackPace(gates, utc_now, sends_per_minute=60_000)
    channel = SlackChannel(clients, store, pace)
    place.is_archived = True
    with pytest.raises(Gone):
        await channel.readership(HERE)
    workspace.delete_channel("C0TEAM")
    with pytest.raises(ShutOut):
        await channel.readership(HERE)
    elsewhere: Any = OneWorkspace("T0OTHER", await clients.of(TEAM))
    with pytest.raises(Unauthorized):
        await SlackChannel(elsewhere, store, pace).readership(HERE)
