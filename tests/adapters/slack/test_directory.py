"""Who is who in the workspace, from user objects, events, and single questions."""

from __future__ import annotations

from typing import Any

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from adapters.sandbox.slack.faults import Refused
from adapters.sandbox.slack.objects import user_object
from adapters.sandbox.slack.workspace import UserKind, Workspace
from adapters.slack.directory import SlackDirectory, member_of, workspace_of
from bot.errors import Gone, Unauthorized
from bot.messages import Member, MemberKind

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
    # On Enterprise Grid `team_id` names any of the workspaces somebody is in.
    ({"team_id": "T0OTHER", "enterprise_user": {"enterprise_id": "E0ACME", "teams": ["T0OTHER", TEAM]}}, MemberKind.MEMBER),
    ({"team_id": "T0OTHER", "enterprise_user": {"enterprise_id": "E0ACME", "teams": ["T0OTHER"]}}, MemberKind.STRANGER),
    ({"team_id": "T0OTHER", "enterprise_user": {}}, MemberKind.STRANGER),
]


@pytest.mark.parametrize(("said", "kind"), KINDS, ids=[str(said) for said, _ in KINDS])
def test_a_user_object_says_what_an_account_is(said: dict[str, Any], kind: MemberKind) -> None:
    assert member_of({"id": "U1", **said}, TEAM).kind is kind


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ({"team_id": TEAM, "enterprise_user": {"enterprise_id": "E0ACME", "teams": [TEAM]}}, MemberKind.MEMBER),
        ({"team_id": TEAM, "enterprise_user": {"enterprise_id": "E0ACME", "teams": []}, "is_restricted": True}, MemberKind.GUEST),
        ({"team_id": "T0OTHER", "enterprise_user": {"enterprise_id": "E0OTHER", "teams": ["T0OTHER"]}}, MemberKind.STRANGER),
        ({"team_id": "T0OTHER"}, MemberKind.STRANGER),
    ],
)
def test_an_organisation_knows_its_people_by_its_own_id(said: dict[str, Any], kind: MemberKind) -> None:
    member = member_of({"id": "W1", **said}, "E0ACME")
    assert (member.workspace_id, member.kind) == ("E0ACME", kind)


@pytest.mark.parametrize(
    ("said", "email", "is_unconfirmed"),
    [
        ({}, None, False),
        ({"profile": None}, None, False),
        ({"profile": {}}, None, False),
        ({"profile": {"email": ""}}, None, False),
        ({"profile": {"email": ""}, "is_email_confirmed": False}, None, False),
        ({"profile": {"email": "ana\x00@acme.example"}}, None, False),
        ({"profile": {"email": "ana\ud800@acme.example"}}, None, False),
        ({"profile": {"email": " Ana@Acme.Example "}}, "ana@acme.example", False),
        ({"profile": {"email": "ana@acme.example"}, "is_email_confirmed": True}, "ana@acme.example", False),
        ({"profile": {"email": "boss@acme.example"}, "is_email_confirmed": False}, None, True),
    ],
)
def test_an_address_is_lower_case_and_never_an_unconfirmed_one(said: dict[str, Any], email: str | None, is_unconfirmed: bool) -> None:
    member = member_of({"id": "U1", **said}, TEAM)
    assert (member.email, member.has_unconfirmed_email) == (email, is_unconfirmed)


@pytest.mark.parametrize("tz", [None, "", "Mars/Olympus", "../../etc/passwd"])
def test_a_zone_nobody_knows_is_utc(tz: str | None) -> None:
    member = member_of({"id": "U1", "tz": tz}, TEAM)
    assert (member.zone, member.locale) == ("UTC", "en")


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
