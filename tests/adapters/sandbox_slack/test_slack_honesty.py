"""What the simulated Slack sends has the types of the real one, by the package `slack-events`, made from Slack's `@slack/types`."""

from __future__ import annotations

import json
from typing import Any

import pytest
from slack_events.validation import ValidationError, payload_type_for, validate_payload
from slack_sdk.web.async_client import AsyncWebClient

from adapters.sandbox.slack import happenings
from adapters.sandbox.slack.grid import Organisation
from adapters.sandbox.slack.sender import tell_news
from adapters.sandbox.slack.workspace import ConversationKind, UserKind, Workspace
from adapters.slack.manifest import EVENTS
from tests.adapters.sandbox_slack.conftest import Inbox

BUTTON = {"type": "button", "action_id": "go", "text": {"type": "plain_text", "text": "Go"}, "value": "1"}
BLOCKS = [{"type": "actions", "elements": [BUTTON]}]
NAME = {"type": "input", "label": {"type": "plain_text", "text": "Name"}, "element": {"type": "plain_text_input", "action_id": "name"}}
FORM = {
    "type": "modal",
    "title": {"type": "plain_text", "text": "Form"},
    "submit": {"type": "plain_text", "text": "Save"},
    "notify_on_close": True,
    "blocks": [NAME, *BLOCKS],
}


def believed(kind: str, payload: dict[str, Any]) -> str:
    """Validate; a payload of which the package knows nothing does not count as right. Returns the kind."""
    assert payload_type_for(kind, None) is not None, f"{kind} is no kind of payload"
    validate_payload(kind, None, payload)
    return kind


async def believed_event(inbox: Inbox) -> str:
    envelope = await inbox.event()
    assert {"team_id", "api_app_id", "event_id", "event_time", "authorizations"} <= envelope.keys()
    return believed(envelope["event"]["type"], envelope["event"])


async def test_every_event_is_one_of_slacks(workspace: Workspace, inbox: Inbox) -> None:
    """Of every kind of person and channel; and every event that our manifest asks for can be sent."""
    workspace.platform.app.request_url = inbox.url
    sender = inbox.sender(workspace)
    workspace.homes["U0ANA"] = {"id": "V1", "type": "home", "blocks": BLOCKS}
    workspace.add_user("U0FLOW", "Flow", kind=UserKind.WORKFLOW_BOT)
    workspace.add_channel("C0PRIVATE", "private", kind=ConversationKind.PRIVATE, members={"U0ANA", "U0SURVEYBOT"})
    events = [happenings.opened_home(workspace, user) for user in ("U0ANA", "U0BEN")]
    events += [happenings.changed(workspace, user_id) for user_id in workspace.users]
    events.append(happenings.joined_team(workspace, "U0NOMAIL"))
    for channel in ("C0GENERAL", "C0PRIVATE"):
        events += [
            happenings.joined_channel(workspace, channel, "U0BEN"),
            happenings.left_channel(workspace, channel, "U0BEN"),
            happenings.renamed(workspace, channel, "anew"),
            happenings.archived(workspace, channel, "U0ANA"),
            happenings.unarchived(workspace, channel, "U0ANA"),
            happenings.removed_bot(workspace, channel, "U0ANA"),
            happenings.deleted(workspace, channel, "U0ANA"),
        ]
    for event in events:
        assert (await sender.event(event)).status == 200
    grid = Organisation(workspace.platform, "E0ACME", "Acme Group")
    grid.add_workspace("T0NORTH", "North").add_user("W0WIL", "Wil", email="wil@acme.example")
    installation = workspace.platform.install("E0ACME", {"users:read.email"}).installation
    await inbox.sender(grid.workspaces[0]).event(happenings.changed(grid.workspaces[0], "W0WIL"))
    grid.add_workspace("T0SOUTH", "South", is_open=False)
    grid.open_to_app("T0SOUTH")
    grid.close_to_app("T0SOUTH")
    workspace.platform.uninstall(installation)
    await tell_news(workspace.platform)
    seen: set[str] = set()
    while not inbox.is_empty:
        seen.add(await believed_event(inbox))
    assert seen >= EVENTS.keys() | {"tokens_revoked", "app_uninstalled", "team_access_granted", "team_access_revoked"}
    assert seen >= {"channel_archive", "group_archive", "channel_left", "group_left", "channel_deleted", "group_deleted"}


async def test_every_command_and_interaction_is_one_of_slacks(client: AsyncWebClient, workspace: Workspace, inbox: Inbox) -> None:
    sender = inbox.sender(workspace)
    await sender.command("U0ANA", "C0GENERAL", "/surveys", "list")
    command = await inbox.form()
    assert believed("slash_command", command)
    ts = workspace.post("C0GENERAL", sender="U0SURVEYBOT", text="x", blocks=BLOCKS).ts
    whisper = workspace.post("C0GENERAL", sender="U0SURVEYBOT", text="x", blocks=BLOCKS, only_for="U0ANA").ts
    await sender.press("U0ANA", action_id="go", channel_id="C0GENERAL", ts=ts)
    await sender.press("U0ANA", action_id="go", channel_id="C0GENERAL", ts=whisper)
    await client.views_publish(user_id="U0ANA", view={"type": "home", "blocks": BLOCKS})
    await sender.press("U0ANA", action_id="go")
    await client.views_open(trigger_id=workspace.new_trigger("U0ANA"), view=FORM)
    await sender.press("U0ANA", action_id="go")
    await client.views_push(trigger_id=workspace.new_trigger("U0ANA"), view=FORM)
    await sender.close("U0ANA")
    await sender.submit("U0ANA", {"name": "Ana"})
    kinds = [believed(payload["type"], payload) for payload in [await inbox.payload() for _ in range(6)]]
    assert kinds == ["block_actions"] * 4 + ["view_closed", "view_submission"]


def test_a_wrong_type_is_noticed() -> None:
    """Otherwise the tests above would say nothing."""
    with pytest.raises(ValidationError):
        believed("view_submission", {"type": "view_submission", "view": json.loads('{"id": 7}')})
    with pytest.raises(ValidationError):
        believed("channel_left", {"type": "channel_left", "channel": {"id": "C1"}})
