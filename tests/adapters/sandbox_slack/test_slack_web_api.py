"""The simulated Web API answers the real `AsyncWebClient` as Slack does."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable
from typing import Any, cast

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from adapters.sandbox.slack.workspace import ConversationKind, UserKind, Workspace

SECTION = {"type": "section", "text": {"type": "plain_text", "text": "Team pulse"}}
BUTTON = {"type": "actions", "elements": [{"type": "button", "action_id": "go", "text": {"type": "plain_text", "text": "Go"}}]}
BROKEN = {"type": "divder"}
HOME = {"type": "home", "blocks": [SECTION]}


async def data(call: Awaitable[AsyncSlackResponse]) -> dict[str, Any]:
    """The body of a good answer."""
    return cast("dict[str, Any]", (await call).data)


async def error_of(call: Awaitable[AsyncSlackResponse]) -> str:
    with pytest.raises(SlackApiError) as refused:
        await call
    return cast("str", refused.value.response["error"])


async def test_auth_test_names_team_and_bot_and_the_headers_name_the_scopes(client: AsyncWebClient) -> None:
    answer = await client.auth_test()
    assert (answer["team_id"], answer["user_id"], answer["bot_id"]) == ("T0ACME", "U0SURVEYBOT", "B0SURVEYBOT")
    assert "chat:write" in answer.headers["x-oauth-scopes"].split(",")


@pytest.mark.parametrize(("token", "error"), [("xoxb-wrong", "invalid_auth"), (None, "not_authed")])
async def test_a_wrong_and_a_missing_token_are_refused(client: AsyncWebClient, token: str | None, error: str) -> None:
    client.token = token
    assert await error_of(client.chat_postMessage(channel="C0GENERAL", text="Hello")) == error


async def test_an_unknown_method_is_refused(client: AsyncWebClient) -> None:
    assert await error_of(client.api_call("chat.shout")) == "unknown_method"


async def test_a_missing_scope_is_named(client: AsyncWebClient, workspace: Workspace) -> None:
    workspace.scopes.remove("im:write")
    with pytest.raises(SlackApiError) as refused:
        await client.conversations_open(users="U0ANA")
    assert (refused.value.response["error"], refused.value.response["needed"]) == ("missing_scope", "im:write")


async def test_a_post_to_a_user_id_opens_the_direct_message_and_a_second_one_finds_it(client: AsyncWebClient, workspace: Workspace) -> None:
    first = await data(client.chat_postMessage(channel="U0ANA", text="One"))
    second = await data(client.chat_postMessage(channel="U0ANA", text="Two"))
    opened = await data(client.conversations_open(users="U0ANA"))
    assert first["channel"].startswith("D")
    assert first["channel"] == second["channel"] == opened["channel"]["id"]
    assert first["ts"] < second["ts"]
    workspace.scopes.add("im:read")
    assert (await data(client.conversations_info(channel=first["channel"])))["channel"]["user"] == "U0ANA"
    assert [m.text for m in workspace.conversations[first["channel"]].messages.values()] == ["One", "Two"]


async def test_a_post_to_a_deactivated_person_succeeds_silently_but_opening_does_not(client: AsyncWebClient) -> None:
    assert (await data(client.chat_postMessage(channel="U0LEFT", text="Hello")))["ok"]
    assert await error_of(client.conversations_open(users="U0LEFT")) == "user_disabled"


@pytest.mark.parametrize(
    ("channel", "error"),
    [
        ("C0NOWHERE", "channel_not_found"),
        ("", "channel_not_found"),
        ("C0SECRET", "channel_not_found"),
        ("C0UNJOINED", "not_in_channel"),
        ("C0OLD", "is_archived"),
        ("C0GENERAL", "restricted_action"),
        ("U0STRANGER", "channel_not_found"),
        ("USLACKBOT", "cannot_dm_bot"),
    ],
)
async def test_a_post_to_where_the_bot_may_not_write_is_refused(
    client: AsyncWebClient, workspace: Workspace, channel: str, error: str
) -> None:
    workspace.conversations["C0GENERAL"].is_restricted = True
    assert await error_of(client.chat_postMessage(channel=channel, text="Hello")) == error


async def test_with_its_scope_a_bot_posts_to_public_channels_it_has_not_joined(client: AsyncWebClient, workspace: Workspace) -> None:
    workspace.scopes.add("chat:write.public")
    assert (await data(client.chat_postMessage(channel="C0UNJOINED", text="Hello")))["ok"]


async def test_malformed_messages_are_refused_as_the_live_service_was_measured_to(client: AsyncWebClient) -> None:
    assert await error_of(client.api_call("chat.postMessage", json={"text": "Hello"})) == "invalid_arguments"
    assert await error_of(client.api_call("chat.postMessage", json={"channel": "C0GENERAL", "blocks": []})) == "no_text"
    bad = {"channel": "C0GENERAL", "text": "Hello", "blocks": {"type": "divider"}}
    assert await error_of(client.api_call("chat.postMessage", json=bad)) == "invalid_blocks_format"


async def test_blocks_slack_would_refuse_are_refused_with_a_pointer_and_kept(client: AsyncWebClient, workspace: Workspace) -> None:
    with pytest.raises(SlackApiError) as refused:
        await client.chat_postMessage(channel="C0GENERAL", text="Hello", blocks=[SECTION, BROKEN])
    answer = refused.value.response
    assert answer["error"] == "invalid_blocks"
    assert "[json-pointer:/blocks/1" in answer["errors"][0]
    assert answer["response_metadata"]["messages"] == [f"[ERROR] {line}" for line in answer["errors"]]
    assert [r.method for r in workspace.refused] == ["chat.postMessage"]
    assert workspace.conversations["C0GENERAL"].messages == {}


async def test_stored_blocks_have_the_ids_that_slack_would_add(client: AsyncWebClient, workspace: Workspace) -> None:
    anonymous = {"type": "actions", "elements": [{"type": "button", "text": {"type": "plain_text", "text": "Go"}}]}
    posted = await data(client.chat_postMessage(channel="C0GENERAL", text="Hello", blocks=[SECTION, anonymous]))
    (message,) = workspace.conversations["C0GENERAL"].messages.values()
    assert len({block["block_id"] for block in message.blocks}) == 2
    assert message.blocks[1]["elements"][0]["action_id"]
    assert posted["message"]["blocks"] == list(message.blocks)


async def test_an_update_without_blocks_removes_them(client: AsyncWebClient, workspace: Workspace) -> None:
    metadata = {"event_type": "survey", "event_payload": {"delivery": 7}}
    posted = await data(client.chat_postMessage(channel="C0GENERAL", text="Hello", blocks=[BUTTON], metadata=metadata))
    await client.chat_update(channel=posted["channel"], ts=posted["ts"], text="Done")
    message = workspace.conversations["C0GENERAL"].messages[posted["ts"]]
    assert (message.text, message.blocks, message.edited, message.metadata) == ("Done", (), True, metadata)


async def test_only_the_bots_own_lasting_messages_can_be_changed(client: AsyncWebClient, workspace: Workspace) -> None:
    anas = workspace.post("C0GENERAL", sender="U0ANA", text="Mine").ts
    whisper = (await data(client.chat_postEphemeral(channel="C0GENERAL", user="U0ANA", text="Psst")))["message_ts"]
    assert await error_of(client.chat_update(channel="C0GENERAL", ts=anas, text="x")) == "cant_update_message"
    assert await error_of(client.chat_delete(channel="C0GENERAL", ts=anas)) == "cant_delete_message"
    assert await error_of(client.chat_update(channel="C0GENERAL", ts=whisper, text="x")) == "message_not_found"
    assert await error_of(client.chat_update(channel="U0ANA", ts=anas, text="x")) == "channel_not_found"


async def test_a_deleted_message_is_gone(client: AsyncWebClient, workspace: Workspace) -> None:
    posted = await data(client.chat_postMessage(channel="C0GENERAL", text="Hello"))
    await client.chat_delete(channel="C0GENERAL", ts=posted["ts"])
    assert workspace.conversations["C0GENERAL"].messages == {}


async def test_an_ephemeral_message_needs_its_reader_in_the_channel(client: AsyncWebClient) -> None:
    assert await error_of(client.chat_postEphemeral(channel="C0GENERAL", user="U0GUEST", text="Psst")) == "user_not_in_channel"


async def test_users_come_in_pages_each_once_and_in_order(client: AsyncWebClient, workspace: Workspace) -> None:
    pages = [cast("Any", page.data)["members"] async for page in await client.users_list(limit=4)]
    assert [len(page) for page in pages] == [4, 4, 1]
    assert [user["id"] for page in pages for user in page] == list(workspace.users)
    assert len((await data(client.users_list()))["members"]) == 9
    assert await error_of(client.users_list(cursor="nonsense")) == "invalid_cursor"


async def test_every_kind_of_user_looks_as_in_slack(client: AsyncWebClient) -> None:
    users = {user["id"]: user for user in (await data(client.users_list(include_locale=True)))["members"]}
    ana = users["U0ANA"]
    assert (ana["profile"]["email"], ana["tz"], ana["tz_offset"], ana["locale"]) == (
        "Ana.Diaz@Acme.Example",
        "Europe/Madrid",
        3600,
        "es-ES",
    )
    assert "email" not in users["U0NOMAIL"]["profile"]
    assert users["U0LEFT"]["deleted"]
    assert "tz" not in users["U0LEFT"]
    assert (users["U0GUEST"]["is_restricted"], users["U0GUEST"]["is_ultra_restricted"]) == (True, False)
    assert (users["U0SINGLE"]["is_restricted"], users["U0SINGLE"]["is_ultra_restricted"]) == (True, True)
    assert (users["U0STRANGER"]["team_id"], users["U0STRANGER"]["is_stranger"]) == ("T0OTHER", True)
    assert (users["U0SURVEYBOT"]["is_bot"], users["USLACKBOT"]["is_bot"]) == (True, False)


async def test_bots_of_workflows_and_unconfirmed_addresses_can_be_told(client: AsyncWebClient, workspace: Workspace) -> None:
    workspace.add_user("U0FLOW", "Flow", kind=UserKind.WORKFLOW_BOT)
    workspace.add_user("U0NEW", "New", email="new@acme.example", is_email_confirmed=False)
    flow, new = [(await data(client.users_info(user=user)))["user"] for user in ("U0FLOW", "U0NEW")]
    assert (flow["is_bot"], flow["is_workflow_bot"], new["is_email_confirmed"]) == (True, True, False)
    assert await error_of(client.chat_postMessage(channel="U0FLOW", text="Hello")) == "cannot_dm_bot"


async def test_every_kind_of_conversation_looks_as_in_slack(client: AsyncWebClient, workspace: Workspace) -> None:
    here = {"U0ANA", "U0BEN", "U0SURVEYBOT"}
    workspace.add_channel("C0SHARED", "shared", members=here, is_shared=True)
    workspace.add_channel("C0ALL", "all", members=here).is_org_shared = True
    workspace.add_channel("C0INVITED", "invited", members=here).is_pending = True
    workspace.add_channel("G0GROUP", "", members=here, kind=ConversationKind.GROUP)
    workspace.scopes.add("mpim:read")
    shown = {
        channel: (await data(client.conversations_info(channel=channel)))["channel"]
        for channel in ("C0GENERAL", "C0UNJOINED", "C0OLD", "C0SHARED", "C0ALL", "C0INVITED", "G0GROUP")
    }
    flags = ("is_channel", "is_mpim", "is_private", "is_member", "is_archived", "is_ext_shared", "is_org_shared", "is_pending_ext_shared")
    assert {channel: [flag for flag in flags if one[flag]] for channel, one in shown.items()} == {
        "C0GENERAL": ["is_channel", "is_member"],
        "C0UNJOINED": ["is_channel"],
        "C0OLD": ["is_channel", "is_member", "is_archived"],
        "C0SHARED": ["is_channel", "is_member", "is_ext_shared"],
        "C0ALL": ["is_channel", "is_member", "is_org_shared"],
        "C0INVITED": ["is_channel", "is_member", "is_pending_ext_shared"],
        "G0GROUP": ["is_mpim", "is_private", "is_member"],
    }
    assert [channel for channel, one in shown.items() if one["is_shared"]] == ["C0SHARED", "C0ALL"]
    page = await data(client.conversations_members(channel="C0SHARED", limit=2))
    rest = await data(client.conversations_members(channel="C0SHARED", limit=2, cursor=page["response_metadata"]["next_cursor"]))
    assert (page["members"], rest["members"]) == (["U0ANA", "U0BEN"], ["U0SURVEYBOT"])
    assert rest["response_metadata"]["next_cursor"] == ""
    workspace.add_channel("C0BOARD", "board", members=here, kind=ConversationKind.PRIVATE)
    workspace.scopes.remove("groups:read")
    assert await error_of(client.conversations_members(channel="C0BOARD")) == "missing_scope"
    workspace.delete_channel("C0SHARED")
    assert await error_of(client.conversations_info(channel="C0SHARED")) == "channel_not_found"


async def test_without_its_scope_no_email_is_shown_and_without_being_asked_no_locale(client: AsyncWebClient, workspace: Workspace) -> None:
    workspace.scopes.remove("users:read.email")
    user = (await data(client.users_info(user="U0ANA")))["user"]
    assert "email" not in user["profile"]
    assert "locale" not in user


async def test_people_are_looked_up_by_email_in_any_case_unless_deactivated(client: AsyncWebClient) -> None:
    assert (await data(client.users_lookupByEmail(email="ana.diaz@ACME.example")))["user"]["id"] == "U0ANA"
    assert await error_of(client.users_lookupByEmail(email="left@acme.example")) == "users_not_found"
    assert await error_of(client.users_info(user="U0NOBODY")) == "user_not_found"


async def test_a_published_home_is_shown_to_its_user_alone(client: AsyncWebClient, workspace: Workspace) -> None:
    view = (await data(client.views_publish(user_id="U0ANA", view=HOME)))["view"]
    assert view["type"] == "home"
    assert workspace.snapshot("U0ANA")["home"] == {"blocks": view["blocks"]}
    assert workspace.snapshot("U0BEN")["home"] is None


async def test_a_home_published_over_a_newer_one_is_a_conflict(client: AsyncWebClient) -> None:
    stale = (await data(client.views_publish(user_id="U0ANA", view=HOME)))["view"]["hash"]
    await client.views_publish(user_id="U0ANA", view=HOME, hash=stale)
    assert await error_of(client.views_publish(user_id="U0ANA", view=HOME, hash=stale)) == "hash_conflict"


async def test_a_view_slack_would_refuse_is_refused_with_a_pointer(client: AsyncWebClient, workspace: Workspace) -> None:
    with pytest.raises(SlackApiError) as refused:
        await client.views_publish(user_id="U0ANA", view={"type": "home", "blocks": [BROKEN]})
    assert refused.value.response["error"] == "invalid_arguments"
    assert "[json-pointer:/view/blocks/0" in refused.value.response["response_metadata"]["messages"][0]
    assert [r.method for r in workspace.refused] == ["views.publish"]
    assert "U0ANA" not in workspace.homes


async def test_blocks_validate_points_at_what_is_wrong(client: AsyncWebClient) -> None:
    assert (await data(client.blocks_validate(blocks=[SECTION])))["ok"]
    with pytest.raises(SlackApiError) as refused:
        await client.blocks_validate(blocks=[SECTION, BROKEN])
    assert (refused.value.response["error"], refused.value.response["errors"][0]["pointer"][:2]) == ("invalid_blocks", "/1")
    long = {"type": "header", "text": {"type": "plain_text", "text": "x" * 151}}
    with pytest.raises(SlackApiError) as refused:
        await client.blocks_validate(blocks=[long])
    (problem,) = refused.value.response["errors"]
    assert (problem["pointer"], problem["code"], problem["constraint"]) == (
        "/0/text/text",
        "failed_constraint",
        {"type": "maxLength", "expected": ["150"], "got": "string"},
    )
    assert await error_of(client.blocks_validate(view={"type": "home", "blocks": [BROKEN]})) == "invalid_view"
    assert await error_of(client.blocks_validate(blocks=[SECTION], view=HOME)) == "invalid_arguments"


async def test_team_info_names_the_team(client: AsyncWebClient) -> None:
    assert (await data(client.team_info()))["team"]["name"] == "Acme"


async def test_json_form_and_query_string_say_the_same(client: AsyncWebClient, workspace: Workspace) -> None:
    said = {"channel": "C0GENERAL", "text": "Hello", "blocks": json.dumps([SECTION])}
    await client.api_call("chat.postMessage", json=said)
    await client.api_call("chat.postMessage", data=said)
    await client.api_call("chat.postMessage", params=said)
    await client.api_call("chat.postMessage", http_verb="GET", params=said)
    assert [call.arguments for call in workspace.journal] == [{**said, "blocks": [SECTION]}] * 4


async def test_a_token_may_be_an_argument_and_is_not_in_the_journal(slack_url: str, workspace: Workspace) -> None:
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{slack_url}/api/auth.test", data={"token": "xoxb-false"}) as response,
    ):
        assert (await response.json())["ok"]
    assert [call.arguments for call in workspace.journal] == [{}]


async def test_a_body_that_is_no_json_is_refused(slack_url: str) -> None:
    headers = {"Content-Type": "application/json", "Authorization": "Bearer xoxb-false"}
    async with aiohttp.ClientSession() as session, session.post(f"{slack_url}/api/auth.test", data="{", headers=headers) as response:
        assert (await response.json())["error"] == "invalid_json"


async def test_the_journal_keeps_calls_in_order_with_their_results(client: AsyncWebClient, workspace: Workspace) -> None:
    posted = await data(client.chat_postMessage(channel="C0GENERAL", text="Hello"))
    await error_of(client.chat_postMessage(channel="C0OLD", text="Hello"))
    assert [call.method for call in workspace.journal] == ["chat.postMessage", "chat.postMessage"]
    assert [call.result.get("ts") for call in workspace.journal] == [posted["ts"], None]
    assert workspace.journal[1].result["error"] == "is_archived"


async def test_a_hundred_messages_at_once_get_a_hundred_timestamps(client: AsyncWebClient, workspace: Workspace) -> None:
    answers = await asyncio.gather(*(client.chat_postMessage(channel="C0GENERAL", text=str(n)) for n in range(100)))
    assert len({answer["ts"] for answer in answers}) == 100
    stored = list(workspace.conversations["C0GENERAL"].messages)
    assert stored == sorted(stored)
