"""Messages: `chat.*`."""

from __future__ import annotations

from adapters.sandbox.slack.errors import MethodError
from adapters.sandbox.slack.objects import message_object
from adapters.sandbox.slack.records import Conversation, Json
from adapters.sandbox.slack.web_api.content import content
from adapters.sandbox.slack.web_api.conversations import destination, writable
from adapters.sandbox.slack.workspace import Workspace


def post_message(workspace: Workspace, arguments: Json) -> Json:
    conversation = destination(workspace, arguments)
    text, blocks = content(workspace, "chat.postMessage", arguments)
    message = workspace.post(
        conversation.conversation_id, sender=workspace.bot_user_id, text=text, blocks=blocks, metadata=arguments.get("metadata")
    )
    return {"channel": conversation.conversation_id, "ts": message.ts, "message": message_object(workspace, message)}


def post_ephemeral(workspace: Workspace, arguments: Json) -> Json:
    conversation = destination(workspace, arguments)
    if arguments.get("user") not in conversation.members:
        raise MethodError("user_not_in_channel")
    text, blocks = content(workspace, "chat.postEphemeral", arguments)
    message = workspace.post(
        conversation.conversation_id, sender=workspace.bot_user_id, text=text, blocks=blocks, only_for=str(arguments["user"])
    )
    return {"message_ts": message.ts}


def update(workspace: Workspace, arguments: Json) -> Json:
    """Text without blocks removes the blocks (slack.md 5)."""
    conversation, ts = _own_message(workspace, arguments, "cant_update_message")
    text, blocks = content(workspace, "chat.update", arguments)
    message = workspace.edit(conversation.conversation_id, ts, text=text, blocks=blocks, metadata=arguments.get("metadata"))
    return {"channel": conversation.conversation_id, "ts": ts, "text": text, "message": message_object(workspace, message)}


def delete(workspace: Workspace, arguments: Json) -> Json:
    conversation, ts = _own_message(workspace, arguments, "cant_delete_message")
    workspace.delete(conversation.conversation_id, ts)
    return {"channel": conversation.conversation_id, "ts": ts}


def _own_message(workspace: Workspace, arguments: Json, not_mine: str) -> tuple[Conversation, str]:
    """An ephemeral message is found by its `response_url` alone (slack.md 5)."""
    conversation = writable(workspace, arguments)
    ts = str(arguments.get("ts"))
    message = conversation.messages.get(ts)
    if message is None or message.only_for is not None:
        raise MethodError("message_not_found")
    if message.sender != workspace.bot_user_id:
        raise MethodError(not_mine)
    return conversation, ts
