"""Where messages go: `conversations.*`, and which conversation a call means and may write to."""

from __future__ import annotations

import base64

from adapters.sandbox.slack.errors import MethodError, complaints
from adapters.sandbox.slack.objects import conversation_object, message_object
from adapters.sandbox.slack.records import Conversation, ConversationKind, Json, User, UserKind
from adapters.sandbox.slack.web_api.users import is_true, known_user
from adapters.sandbox.slack.workspace import Workspace


def destination(workspace: Workspace, arguments: Json) -> Conversation:
    """Where to post: a conversation, or the direct message with the user whose id was given, deactivated or not (slack.md 7)."""
    user = workspace.users.get(str(arguments.get("channel")))
    if user is not None:
        return direct_message(workspace, user, unknown="channel_not_found")
    conversation = writable(workspace, arguments)
    if conversation.is_restricted:
        raise MethodError("restricted_action")
    return conversation


def direct_message(workspace: Workspace, user: User, *, unknown: str) -> Conversation:
    if user.kind in {UserKind.BOT, UserKind.WORKFLOW_BOT}:
        raise MethodError("cannot_dm_bot")
    if user.kind is UserKind.STRANGER:
        raise MethodError(unknown)
    return workspace.direct_message(user.user_id)


def writable(workspace: Workspace, arguments: Json) -> Conversation:
    conversation = visible(workspace, arguments)
    if conversation.is_archived:
        raise MethodError("is_archived")
    if workspace.bot_user_id not in conversation.members and "chat:write.public" not in workspace.scopes:
        raise MethodError("not_in_channel")
    return conversation


def visible(workspace: Workspace, arguments: Json) -> Conversation:
    """To the bot, a private channel it is not in does not exist."""
    if "channel" not in arguments:
        raise MethodError("invalid_arguments", response_metadata=complaints(["missing required field: channel"]))
    conversation = workspace.conversations.get(str(arguments["channel"]))
    if conversation is None or (conversation.kind is not ConversationKind.PUBLIC and workspace.bot_user_id not in conversation.members):
        raise MethodError("channel_not_found")
    return conversation


def open_conversation(workspace: Workspace, arguments: Json) -> Json:
    if arguments.get("channel"):
        return {"channel": {"id": visible(workspace, arguments).conversation_id}}
    if not arguments.get("users"):
        raise MethodError("users_list_not_supplied")
    user = known_user(workspace, arguments["users"])
    if user.kind is UserKind.DEACTIVATED:
        raise MethodError("user_disabled")
    return {"channel": {"id": direct_message(workspace, user, unknown="user_not_found").conversation_id}}


#: https://docs.slack.dev/reference/methods/conversations.info
_READ_SCOPES = {
    ConversationKind.PUBLIC: "channels:read",
    ConversationKind.PRIVATE: "groups:read",
    ConversationKind.DIRECT: "im:read",
    ConversationKind.GROUP: "mpim:read",
}


def info(workspace: Workspace, arguments: Json) -> Json:
    return {"channel": conversation_object(workspace, _looked_at(workspace, arguments))}


def members(workspace: Workspace, arguments: Json) -> Json:
    found, start = sorted(_looked_at(workspace, arguments).members), int(arguments.get("cursor") or 0)
    end = start + int(arguments.get("limit") or 100)
    return {"members": found[start:end], "response_metadata": {"next_cursor": str(end) if end < len(found) else ""}}


def _looked_at(workspace: Workspace, arguments: Json) -> Conversation:
    conversation = visible(workspace, arguments)
    _require(workspace, _READ_SCOPES[conversation.kind])
    return conversation


def _require(workspace: Workspace, scope: str) -> None:
    if scope not in workspace.scopes:
        raise MethodError("missing_scope", needed=scope, provided=",".join(sorted(workspace.scopes)))


#: https://docs.slack.dev/reference/methods/conversations.history
_HISTORY_SCOPES = {
    ConversationKind.PUBLIC: "channels:history",
    ConversationKind.PRIVATE: "groups:history",
    ConversationKind.DIRECT: "im:history",
    ConversationKind.GROUP: "mpim:history",
}


def history(workspace: Workspace, arguments: Json) -> Json:
    """The newest messages first, ephemeral ones never; metadata only where it is asked for.

    Channels need a scope of their own, and here the one for direct messages too: this bot is never to read channels.
    """
    conversation = visible(workspace, arguments)
    _require(workspace, _HISTORY_SCOPES[conversation.kind])
    if workspace.bot_user_id not in conversation.members:
        raise MethodError("not_in_channel")
    found = [m for m in reversed(conversation.messages.values()) if m.only_for is None and _is_between(m.ts, arguments)]
    limit = int(arguments.get("limit") or 100)
    with_metadata = is_true(arguments.get("include_all_metadata"))
    shown = [message_object(workspace, message) for message in found[:limit]]
    messages = [message if with_metadata else {k: v for k, v in message.items() if k != "metadata"} for message in shown]
    has_more = len(found) > limit
    # The cursor is the oldest message of this page, which `latest` of the next one leaves out.
    cursor = base64.b64encode(f"next_ts:{messages[-1]['ts']}".encode()).decode() if has_more else ""
    return {"messages": messages, "has_more": has_more, "pin_count": 0, "response_metadata": {"next_cursor": cursor}}


def _is_between(ts: str, arguments: Json) -> bool:
    latest, oldest = arguments.get("latest"), arguments.get("oldest") or "0"
    if arguments.get("cursor"):
        return float(oldest) < float(ts) < float(base64.b64decode(str(arguments["cursor"])).decode().removeprefix("next_ts:"))
    if is_true(arguments.get("inclusive")):
        return float(oldest) <= float(ts) <= float(latest or ts)
    return float(oldest) < float(ts) and (latest is None or float(ts) < float(latest))
