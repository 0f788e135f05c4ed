"""Things that happen in a workspace without the bot: each changes it and returns the event that Slack tells of it.

https://docs.slack.dev/reference/events; bring it with `SlackSender.event`.
"""

from __future__ import annotations

from adapters.sandbox.slack.objects import user_object
from adapters.sandbox.slack.records import Conversation, ConversationKind, Json
from adapters.sandbox.slack.workspace import Workspace


def opened_home(workspace: Workspace, user_id: str, tab: str = "home") -> Json:
    event: Json = {"type": "app_home_opened", "user": user_id, "tab": tab, "channel": workspace.direct_message(user_id).conversation_id}
    return event | {"view": workspace.homes[user_id]} if user_id in workspace.homes else event


def joined_team(workspace: Workspace, user_id: str) -> Json:
    """Somebody was added with `Workspace.add_user`."""
    return _about_user(workspace, "team_join", user_id)


def changed(workspace: Workspace, user_id: str) -> Json:
    """Somebody was changed with `Workspace.add_user`: left, came back, got another address or zone."""
    return _about_user(workspace, "user_change", user_id)


def archived(workspace: Workspace, channel_id: str, by: str) -> Json:
    channel = workspace.conversations[channel_id]
    channel.is_archived = True
    workspace.changed()
    moved = {} if channel.kind is ConversationKind.PUBLIC else {"is_moved": 0}
    return {"type": f"{_family(channel)}_archive", "channel": channel_id, "user": by, **moved}


def unarchived(workspace: Workspace, channel_id: str, by: str) -> Json:
    channel = workspace.conversations[channel_id]
    channel.is_archived = False
    workspace.changed()
    return {"type": f"{_family(channel)}_unarchive", "channel": channel_id, "user": by}


def renamed(workspace: Workspace, channel_id: str, name: str) -> Json:
    channel = workspace.conversations[channel_id]
    channel.name = name
    workspace.changed()
    return {"type": f"{_family(channel)}_rename", "channel": {"id": channel_id, "name": name, "created": 1_700_000_000}}


def deleted(workspace: Workspace, channel_id: str, by: str) -> Json:
    channel = workspace.conversations[channel_id]
    workspace.delete_channel(channel_id)
    if channel.kind is ConversationKind.PUBLIC:
        return {"type": "channel_deleted", "channel": channel_id}
    return {"type": "group_deleted", "channel": channel_id, "actor_id": by, "date_deleted": int(workspace.clock().timestamp())}


def removed_bot(workspace: Workspace, channel_id: str, by: str) -> Json:
    """Somebody takes the bot out of a channel: it hears `channel_left` or `group_left`."""
    channel = workspace.conversations[channel_id]
    channel.members.discard(workspace.bot_user_id)
    workspace.changed()
    return {"type": f"{_family(channel)}_left", "channel": channel_id, "actor_id": by}


def left_channel(workspace: Workspace, channel_id: str, user_id: str) -> Json:
    """Whoever leaves, the bot among them."""
    return _membership(workspace, "member_left_channel", channel_id, user_id)


def joined_channel(workspace: Workspace, channel_id: str, user_id: str) -> Json:
    return _membership(workspace, "member_joined_channel", channel_id, user_id)


def _membership(workspace: Workspace, kind: str, channel_id: str, user_id: str) -> Json:
    channel = workspace.conversations[channel_id]
    change = channel.members.add if kind == "member_joined_channel" else channel.members.discard
    change(user_id)
    workspace.changed()
    letter = "C" if channel.kind is ConversationKind.PUBLIC else "G"
    return {"type": kind, "user": user_id, "channel": channel_id, "channel_type": letter, "team": workspace.team_id}


def _about_user(workspace: Workspace, kind: str, user_id: str) -> Json:
    user = user_object(workspace, workspace.users[user_id], with_locale=True)
    return {"type": kind, "user": user, "cache_ts": int(workspace.clock().timestamp())}


def _family(channel: Conversation) -> str:
    """Events of private channels have names of their own."""
    return "channel" if channel.kind is ConversationKind.PUBLIC else "group"
