"""Who is who in the workspace, from `users.list`, events, and single questions."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from adapters.sandbox.slack.faults import LostAnswer, RateLimited, Refused
from adapters.sandbox.slack.objects import user_object
from adapters.sandbox.slack.workspace import UserKind, Workspace
from adapters.slack.directory import SlackDirectory, member_of, workspace_of
from bot.errors import Gone, Unauthorized, Unavailable
from bot.messages import Member, MemberKind
from bot.ports import Store

TEAM = "T0ACME"
KINDS: list[tuple[dict[str, Any], MemberKind]] = [
    ({}, MemberKind.MEMBER),
    ({"team_id": TEAM}, MemberKind.MEMBER),
    ({"team_id": None}, MemberKind.MEMBER),
    ({"deleted": True}, MemberKind.DEACTIVATED),
    ({"deleted": True, "is_bot": True}, MemberKind.DEACTIVATED),
    ({"is_bot": True}, MemberKind.BOT),
    ({"id": "USLACKBOT", "is_bot": False}, MemberKind.BOT),
    ({"is_restricted": True}, MemberKind.GUEST),
    ({"is_restricted": True, "is_ultra_restricted": True}, MemberKind.GUEST),
    ({"is_stranger": True}, MemberKind.STRANGER),
    ({"team_id": "T0OTHER"}, MemberKind.STRANGER),
    ({"team_id": "T0OTHER", "is_restricted": True}, MemberKind.STRANGER),
    ({"is_admin": True}, MemberKind.MEMBER),
]


@pytest.mark.parametrize(("said", "kind"), KINDS, ids=[str(said) for said, _ in KINDS])
def test_a_user_object_says_what_an_account_is(said: dict[str, Any], kind: MemberKind) -> None:
    assert member_of({"id": "U1", **said}, TEAM).kind is kind


@pytest.mark.parametrize(
    ("said", "email"),
    [
        ({}, None),
        ({"profile": None}, None),
        ({"profile": {}}, None),
        ({"profile": {"email": ""}}, None),
        ({"profile": {"email": " Ana@Acme.Example "}}, "ana@acme.example"),
        ({"profile": {"email": "ana@acme.example"}, "is_email_confirmed": True}, "ana@acme.example"),
        ({"profile": {"email": "boss@acme.example"}, "is_email_confirmed": False}, None),
    ],
)
def test_an_address_is_lower_case_and_never_an_unconfirmed_one(said: dict[str, Any], email: str | None) -> None:
    assert member_of({"id": "U1", **said}, TEAM).email == email


@pytest.mark.parametrize("tz", [None, "", "Mars/Olympus", "../../etc/passwd"])
def test_a_zone_nobody_knows_is_utc(tz: str | None) -> None:
    member = member_of({"id": "U1", "tz": tz}, TEAM)
    assert (member.zone, member.locale) == ("UTC", "en")


async def test_a_refresh_stores_everybody_with_what_they_are(directory: SlackDirectory, workspace: Workspace, store: Store) -> None:
    for number in range(450):
        workspace.add_user(f"U{number:05}", f"user{number}", email=f"user{number}@acme.example")
    assert await directory.refresh(TEAM) == len(workspace.users)
    pages = [call for call in workspace.journal if call.method == "users.list"]
    assert len(pages) == 3
    assert {str(call.arguments["limit"]) for call in pages} == {"200"}
    counts = await store.read(lambda uow: uow.members.counts())
    expected = Counter(str(user.kind) if "guest" not in user.kind else "guest" for user in workspace.users.values())
    assert counts == {**expected, "no e-mail": 1}
    found = await store.read(lambda uow: uow.members.by_email("ana@acme.example"))
    assert [(m.user_id, m.zone, m.locale) for m in found] == [("U0ANA", "Europe/Berlin", "en-US")]


async def test_a_refresh_waits_as_slack_asks_and_goes_on(directory: SlackDirectory, workspace: Workspace) -> None:
    workspace.faults.add(RateLimited(0), method="users.list", times=3)
    assert await directory.refresh(TEAM) == len(workspace.users)


async def test_a_refresh_gives_up_on_endless_429s(directory: SlackDirectory, workspace: Workspace) -> None:
    workspace.faults.add(RateLimited(0), method="users.list", times=None)
    with pytest.raises(Unavailable):
        await directory.refresh(TEAM)
    assert len(workspace.journal) == 11


async def test_a_lost_answer_fails_a_refresh_as_unavailable(directory: SlackDirectory, workspace: Workspace) -> None:
    workspace.faults.add(LostAnswer(), method="users.list", times=None)  # aiohttp repeats a GET once by itself
    with pytest.raises(Unavailable):
        await directory.refresh(TEAM)


async def test_somebody_new_is_asked_for_once(directory: SlackDirectory, workspace: Workspace) -> None:
    first = await directory.member(TEAM, "U0BEN")
    assert await directory.member(TEAM, "U0BEN") == first
    assert first.email == "ben@acme.example"
    assert [call.method for call in workspace.journal] == ["users.info"]


async def test_nobody_is_gone(directory: SlackDirectory) -> None:
    with pytest.raises(Gone):
        await directory.member(TEAM, "U0NOBODY")


async def test_a_conversation_is_opened_once(directory: SlackDirectory, workspace: Workspace, ana: Member) -> None:
    workspace.journal.clear()
    opened = await directory.dm_channel(ana)
    assert opened == workspace.direct_message("U0ANA").conversation_id
    assert await directory.dm_channel(await directory.member(TEAM, "U0ANA")) == opened
    assert [call.method for call in workspace.journal] == ["conversations.open"]


async def test_a_token_tells_its_workspace(client: AsyncWebClient, workspace: Workspace) -> None:
    assert await workspace_of(client) == workspace.team_id
    workspace.faults.add(Refused("invalid_auth"), method="auth.test")
    with pytest.raises(Unauthorized):
        await workspace_of(client)


async def test_an_event_changes_what_is_known(directory: SlackDirectory, workspace: Workspace, ana: Member) -> None:
    gone = workspace.add_user("U0ANA", "ana", email="ana@acme.example", kind=UserKind.DEACTIVATED)
    await directory.absorb(TEAM, user_object(workspace, gone))
    assert (await directory.member(TEAM, "U0ANA")).kind is MemberKind.DEACTIVATED


async def test_what_an_event_leaves_out_stays_as_it_was(directory: SlackDirectory, ana: Member) -> None:
    """Events come without addresses (reference slack.md 7)."""
    opened = await directory.dm_channel(ana)
    await directory.absorb(TEAM, {"id": "U0ANA", "team_id": TEAM, "is_restricted": True, "profile": {"status_text": "lunch"}})
    kept = await directory.member(TEAM, "U0ANA")
    assert (kept.kind, kept.email, kept.zone, kept.locale) == (MemberKind.GUEST, "ana@acme.example", "Europe/Berlin", "en-US")
    assert kept.dm_channel_id == opened
