"""Modals live as in Slack: opened by a trigger, filled in, answered, stacked, changed; and history is read back with its metadata."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any, cast

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse
from starlette.responses import JSONResponse, Response

from adapters.sandbox.slack.forms import IncompleteForm
from adapters.sandbox.slack.workspace import Workspace
from tests.adapters.sandbox_slack.conftest import Inbox


def plain(text: str) -> dict[str, str]:
    return {"type": "plain_text", "text": text}


def option(value: str) -> dict[str, Any]:
    return {"text": plain(value), "value": value}


def field(action_id: str, element: dict[str, Any], **more: object) -> dict[str, Any]:
    return {
        "type": "input",
        "block_id": f"b_{action_id}",
        "label": plain(action_id),
        "element": {"action_id": action_id, **element},
        **more,
    }


FORM = {
    "type": "modal",
    "callback_id": "subscribe",
    "private_metadata": "SV_1",
    "title": plain("Subscribe"),
    "submit": plain("Save"),
    "notify_on_close": True,
    "blocks": [
        field("name", {"type": "plain_text_input", "max_length": 5}),
        field("survey", {"type": "static_select", "options": [option("SV_1"), option("SV_2")]}),
        field("when", {"type": "checkboxes", "options": [option("daily"), option("done")]}, optional=True),
        field("channel", {"type": "conversations_select"}, optional=True),
        field("day", {"type": "datepicker", "initial_date": "2026-11-30"}),
    ],
}
OTHER = {"type": "modal", "title": plain("Saved"), "blocks": [{"type": "divider"}]}
BROKEN = {"type": "modal", "title": plain("x" * 25), "blocks": []}
GOOD = {"name": "Ana", "survey": "SV_2"}


async def data(call: Awaitable[AsyncSlackResponse]) -> dict[str, Any]:
    return cast("dict[str, Any]", (await call).data)


async def error_of(call: Awaitable[object]) -> str:
    with pytest.raises(SlackApiError) as refused:
        await call
    return cast("str", refused.value.response["error"])


async def opened(client: AsyncWebClient, workspace: Workspace, view: dict[str, Any] = FORM) -> dict[str, Any]:
    return (await data(client.views_open(trigger_id=workspace.new_trigger("U0ANA"), view=view)))["view"]


async def test_what_a_person_fills_in_is_what_the_bot_is_told(client: AsyncWebClient, workspace: Workspace, inbox: Inbox) -> None:
    view = await opened(client, workspace)
    await inbox.sender(workspace).submit("U0ANA", GOOD | {"when": ["done"], "channel": "C0GENERAL"})
    sent = await inbox.payload()
    assert (sent["type"], sent["user"]["id"], sent["view"]["id"], sent["view"]["private_metadata"]) == (
        "view_submission",
        "U0ANA",
        view["id"],
        "SV_1",
    )
    assert sent["view"]["state"]["values"] == {
        "b_name": {"name": {"type": "plain_text_input", "value": "Ana"}},
        "b_survey": {"survey": {"type": "static_select", "selected_option": option("SV_2")}},
        "b_when": {"when": {"type": "checkboxes", "selected_options": [option("done")]}},
        "b_channel": {"channel": {"type": "conversations_select", "selected_conversation": "C0GENERAL"}},
        "b_day": {"day": {"type": "datepicker", "selected_date": "2026-11-30"}},
    }
    assert workspace.modals == {}


async def test_slack_itself_asks_for_what_is_missing(client: AsyncWebClient, workspace: Workspace, inbox: Inbox) -> None:
    await opened(client, workspace)
    with pytest.raises(IncompleteForm) as incomplete:
        await inbox.sender(workspace).submit("U0ANA", {"name": "Ana Maria"})
    assert incomplete.value.errors == {
        "b_name": "Please enter at most 5 characters.",
        "b_survey": "Please complete this required field.",
    }
    for unknown in ({"other": "x"}, GOOD | {"survey": "SV_9"}):
        with pytest.raises(LookupError):
            await inbox.sender(workspace).submit("U0ANA", unknown)
    assert inbox.is_empty


@pytest.mark.parametrize(
    ("answer", "after"),
    [
        ({"response_action": "errors", "errors": {"b_name": "Taken."}}, (["Subscribe"], 0)),
        ({"response_action": "errors", "errors": {"elsewhere": "Taken."}}, (["Subscribe"], 1)),
        ({"response_action": "update", "view": OTHER}, (["Saved"], 0)),
        ({"response_action": "update", "view": BROKEN}, (["Subscribe"], 1)),
        ({"response_action": "push", "view": OTHER}, (["Subscribe", "Saved"], 0)),
        ({"response_action": "clear"}, ([], 0)),
        ({"response_action": "shout"}, (["Subscribe"], 1)),
        ({}, ([], 0)),
    ],
)
async def test_the_answer_to_a_form_is_done_to_it(
    client: AsyncWebClient, workspace: Workspace, inbox: Inbox, answer: dict[str, Any], after: tuple[list[str], int]
) -> None:
    view = await opened(client, workspace)
    inbox.answer = lambda: JSONResponse(answer) if answer else Response()
    assert (await inbox.sender(workspace).submit("U0ANA", GOOD)).status == 200
    stack = workspace.stacks["U0ANA"]
    assert ([one["title"]["text"] for one in stack], len(workspace.refused)) == after
    assert {one["root_view_id"] for one in stack} <= {view["id"]}
    assert workspace.view_errors.get("U0ANA") == ({"b_name": "Taken."} if answer.get("errors") == {"b_name": "Taken."} else None)


async def test_views_are_stacked_three_deep_updated_by_hash_and_closed(client: AsyncWebClient, workspace: Workspace, inbox: Inbox) -> None:
    def trigger() -> str:
        return workspace.new_trigger("U0ANA")

    assert await error_of(client.views_push(trigger_id=trigger(), view=OTHER)) == "not_found"
    first = await opened(client, workspace, FORM | {"external_id": "form"})
    second = (await data(client.views_push(trigger_id=trigger(), view=OTHER)))["view"]
    assert (second["previous_view_id"], second["root_view_id"]) == (first["id"], first["id"])
    assert await error_of(client.views_push(trigger_id=trigger(), view=OTHER | {"external_id": "form"})) == "duplicate_external_id"
    await client.views_push(trigger_id=trigger(), view=OTHER)
    assert await error_of(client.views_push(trigger_id=trigger(), view=OTHER)) == "push_limit_reached"

    changed = (await data(client.views_update(external_id="form", view=FORM, hash=first["hash"])))["view"]
    assert (changed["id"], changed["hash"] == first["hash"]) == (first["id"], False)
    assert await error_of(client.views_update(view_id=first["id"], view=FORM, hash=first["hash"])) == "hash_conflict"
    assert await error_of(client.views_update(view_id="V0", view=FORM)) == "not_found"
    assert await error_of(client.views_open(trigger_id="1.2.3", view=FORM)) == "invalid_trigger_id"

    sender = inbox.sender(workspace)
    assert await sender.close("U0ANA") is None
    assert await sender.close("U0ANA") is None
    assert workspace.modals["U0ANA"]["id"] == first["id"]
    await sender.close("U0ANA", everything=True)
    told = await inbox.payload()
    assert (told["type"], told["view"]["id"], told["is_cleared"]) == ("view_closed", first["id"], True)
    assert workspace.snapshot("U0ANA")["modal"] is None


async def test_history_is_read_with_its_scope_newest_first_with_metadata_if_asked(client: AsyncWebClient, workspace: Workspace) -> None:
    assert await error_of(client.conversations_history(channel=workspace.direct_message("U0ANA").conversation_id)) == "missing_scope"
    workspace.scopes |= {"im:history"}
    metadata = {"event_type": "delivery", "event_payload": {"id": 7}}
    channel = (await data(client.chat_postMessage(channel="U0ANA", text="0", metadata=metadata)))["channel"]
    for number in range(1, 4):
        await client.chat_postMessage(channel=channel, text=str(number))
    workspace.post(channel, sender="U0SURVEYBOT", text="Psst", only_for="U0ANA")
    oldest = next(iter(workspace.conversations[channel].messages))
    await client.chat_update(channel=channel, ts=oldest, text="0 anew")
    page = await data(client.conversations_history(channel=channel, limit=3))
    assert ([message["text"] for message in page["messages"]], page["has_more"]) == (["3", "2", "1"], True)
    cursor = page["response_metadata"]["next_cursor"]
    (last,) = (await data(client.conversations_history(channel=channel, cursor=cursor, include_all_metadata=True)))["messages"]
    assert (last["text"], last["metadata"], last["edited"]["user"]) == ("0 anew", metadata, "U0SURVEYBOT")
    plain_page = await data(client.conversations_history(channel=channel, oldest=oldest, latest=oldest, inclusive=True))
    assert ["metadata" in message for message in plain_page["messages"]] == [False]
    assert await error_of(client.conversations_history(channel="C0GENERAL")) == "missing_scope"
    await client.chat_update(channel=channel, ts=oldest, text="0", metadata={})
    assert workspace.conversations[channel].messages[oldest].metadata == {}
