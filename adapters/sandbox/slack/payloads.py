"""The payloads that Slack sends to an app: commands, interactions, events (https://docs.slack.dev/interactivity)."""

from __future__ import annotations

import html
from collections.abc import Mapping

from adapters.sandbox.slack.objects import message_object
from adapters.sandbox.slack.records import Conversation, ConversationKind, Json
from adapters.sandbox.slack.workspace import Workspace, elements


def command(workspace: Workspace, user_id: str, channel_id: str, name: str, text: str) -> Json:
    """A slash command typed in a conversation, with `should_escape` on. Raises KeyError for an unknown user or conversation."""
    organisation = workspace.organisation
    grid = {} if organisation is None else {"enterprise_id": organisation.enterprise_id, "enterprise_name": organisation.name}
    return {
        "token": "unused",
        "team_id": workspace.team_id,
        "team_domain": workspace.team_domain,
        **grid,
        "channel_id": channel_id,
        "channel_name": _channel_name(workspace.conversations[channel_id]),
        "user_id": user_id,
        "user_name": workspace.users[user_id].name,
        "command": name,
        "text": html.escape(text, quote=False),
        "api_app_id": workspace.app_id,
        "is_enterprise_install": str(workspace.is_org_wide).lower(),
        "response_url": workspace.new_response_url(user_id, channel_id, None),
        "trigger_id": workspace.new_trigger(user_id),
    }


def interaction(workspace: Workspace, user_id: str, kind: str) -> Json:
    """What every interaction says of its person and place."""
    user, organisation = workspace.users[user_id], workspace.organisation
    return {
        "type": kind,
        "token": "unused",
        "api_app_id": workspace.app_id,
        "team": {"id": workspace.team_id, "domain": workspace.team_domain},
        "enterprise": organisation and {"id": organisation.enterprise_id, "name": organisation.name},
        "is_enterprise_install": workspace.is_org_wide,
        "user": {"id": user_id, "username": user.name, "name": user.name, "team_id": user.team_id},
    }


def in_message(workspace: Workspace, user_id: str, channel_id: str, ts: str) -> tuple[tuple[Json, ...], Json]:
    """The blocks of a message and how an interaction names it; Slack does not send the message along when it is ephemeral."""
    message = workspace.sees(user_id, channel_id)[ts]
    is_ephemeral = message.only_for is not None
    place: Json = {
        "container": {"type": "message", "message_ts": ts, "channel_id": channel_id, "is_ephemeral": is_ephemeral},
        "channel": {"id": channel_id, "name": _channel_name(workspace.conversations[channel_id])},
        "response_url": workspace.new_response_url(user_id, channel_id, ts),
    }
    return message.blocks, place if is_ephemeral else place | {"message": message_object(workspace, message)}


def in_view(view: Json) -> tuple[tuple[Json, ...], Json]:
    return tuple(view["blocks"]), {"container": {"type": "view", "view_id": view["id"]}, "view": view}


def action(workspace: Workspace, blocks: tuple[Json, ...], action_id: str, block_id: str | None, chosen: str | None) -> Json:
    """The press of a button or, with `chosen`, the choice of the option of that value. Raises LookupError when there is none."""
    for block in blocks:
        for element in elements(block):
            if element["action_id"] == action_id and block_id in {None, block["block_id"]}:
                said = {key: element[key] for key in ("type", "action_id", "text", "value") if key in element}
                if chosen is not None:
                    said["selected_option"] = option(element, chosen)
                return said | {"block_id": block["block_id"], "action_ts": workspace.new_ts()}
    raise LookupError(f"no element with action_id {action_id}")


def option(element: Json, value: str) -> Json:
    """Raises LookupError for a value that is not offered."""
    groups = [group["options"] for group in element.get("option_groups", [])]
    for offered in [*element.get("options", []), *(one for group in groups for one in group)]:
        if offered["value"] == value:
            return offered
    raise LookupError(f"no option {value}")


def envelope(workspace: Workspace, event: Mapping[str, object]) -> Json:
    """Wrap an event with an id of its own: the same envelope, delivered again, is the same event."""
    authorization = {
        "enterprise_id": workspace.enterprise_id,
        "team_id": None if workspace.is_org_wide else workspace.team_id,
        "user_id": workspace.bot_user_id,
        "is_bot": True,
        "is_enterprise_install": workspace.is_org_wide,
    }
    grid = {} if workspace.enterprise_id is None else {"enterprise_id": workspace.enterprise_id}
    return {
        "type": "event_callback",
        "token": "unused",
        "team_id": workspace.team_id,
        **grid,
        "context_team_id": workspace.team_id,
        "context_enterprise_id": workspace.enterprise_id,
        "api_app_id": workspace.app_id,
        "event": {"event_ts": workspace.new_ts(), **event},
        "event_id": workspace.new_id("Ev"),
        "event_time": int(workspace.clock().timestamp()),
        "authorizations": [authorization],
        "is_ext_shared_channel": False,
    }


def _channel_name(conversation: Conversation) -> str:
    """https://docs.slack.dev/interactivity/implementing-slash-commands"""
    match conversation.kind:
        case ConversationKind.PUBLIC:
            return conversation.name
        case ConversationKind.PRIVATE:
            return "privategroup"
        case ConversationKind.DIRECT:
            return "directmessage"
        case ConversationKind.GROUP:
            return f"mpdm-{conversation.conversation_id.lower()}"
