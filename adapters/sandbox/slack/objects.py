"""The JSON shapes in which Slack shows its users, conversations, messages and views (https://docs.slack.dev/reference/objects)."""

from __future__ import annotations

from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from adapters.sandbox.slack.records import Conversation, ConversationKind, Json, Message, User, UserKind
from adapters.sandbox.slack.workspace import SLACKBOT, Workspace

if TYPE_CHECKING:
    from adapters.sandbox.slack.grid import Organisation


def user_object(workspace: Workspace, user: User, *, with_locale: bool = False) -> Json:
    """A user; the e-mail address is there only with the scope for it, and a deactivated user has no zone and no roles."""
    profile: Json = {"real_name": user.name, "display_name": user.name, "team": user.team_id}
    if user.email is not None and "users:read.email" in workspace.scopes:
        profile["email"] = user.email
    shown: Json = {
        "id": user.user_id,
        "team_id": user.team_id,
        "name": user.name,
        "real_name": user.name,
        "deleted": user.kind is UserKind.DEACTIVATED,
        "profile": profile,
        "is_bot": user.kind in {UserKind.BOT, UserKind.WORKFLOW_BOT} and user.user_id != SLACKBOT,  # Slack says that Slackbot is no bot
        "is_app_user": False,
        "updated": 1_700_000_000,
    }
    if user.kind is not UserKind.DEACTIVATED:
        shown |= _active_part(workspace, user)
    if user.kind is UserKind.WORKFLOW_BOT:
        shown["is_workflow_bot"] = True
    if user.kind is UserKind.STRANGER:
        shown["is_stranger"] = True
    elif workspace.organisation is not None:
        shown["enterprise_user"] = _enterprise_user(workspace.organisation, user)
    return shown | {"locale": user.locale} if with_locale else shown


def _active_part(workspace: Workspace, user: User) -> Json:
    offset = ZoneInfo(user.zone).utcoffset(workspace.clock())
    return {
        "tz": user.zone,
        "tz_label": user.zone,
        "tz_offset": 0 if offset is None else int(offset.total_seconds()),
        "is_admin": False,
        "is_owner": False,
        "is_primary_owner": False,
        "is_restricted": user.kind in {UserKind.GUEST, UserKind.SINGLE_CHANNEL_GUEST},
        "is_ultra_restricted": user.kind is UserKind.SINGLE_CHANNEL_GUEST,
        "is_email_confirmed": user.is_email_confirmed,
    }


def _enterprise_user(organisation: Organisation, user: User) -> Json:
    """https://docs.slack.dev/reference/objects/user-object"""
    return {
        "id": user.user_id,
        "enterprise_id": organisation.enterprise_id,
        "enterprise_name": organisation.name,
        "is_admin": False,
        "is_owner": False,
        "teams": [workspace.team_id for workspace in organisation.workspaces if user.user_id in workspace.users],
    }


def conversation_object(workspace: Workspace, conversation: Conversation) -> Json:
    shown: Json = {"id": conversation.conversation_id, "created": 1_700_000_000, "is_archived": conversation.is_archived}
    if conversation.kind is ConversationKind.DIRECT:
        partner = next(iter(conversation.members - {workspace.bot_user_id}))
        return shown | {"is_im": True, "is_channel": False, "user": partner}
    is_group = conversation.kind is ConversationKind.GROUP
    shared = {
        "is_shared": conversation.is_shared or conversation.is_org_shared,
        "is_ext_shared": conversation.is_shared,
        "is_org_shared": conversation.is_org_shared,
        "is_pending_ext_shared": conversation.is_pending,
    }
    return shown | {
        "name": f"mpdm-{conversation.conversation_id.lower()}" if is_group else conversation.name,
        "is_channel": conversation.kind is ConversationKind.PUBLIC,
        "is_group": conversation.kind is ConversationKind.PRIVATE,
        "is_im": False,
        "is_mpim": is_group,
        "is_private": conversation.kind is not ConversationKind.PUBLIC,
        "is_member": workspace.bot_user_id in conversation.members,
        **shared,
    }


def message_object(workspace: Workspace, message: Message) -> Json:
    shown: Json = {"type": "message", "ts": message.ts, "user": message.sender, "text": message.text, "team": workspace.team_id}
    if message.sender == workspace.bot_user_id:
        shown |= {"bot_id": workspace.bot_id, "app_id": workspace.app_id}
    if message.blocks:
        shown["blocks"] = list(message.blocks)
    if message.metadata:
        shown["metadata"] = message.metadata
    if message.edited:
        shown["edited"] = {"user": message.sender, "ts": message.ts}
    return shown


def view_object(workspace: Workspace, view: Json, *, before: Json | None = None, below: Json | None = None) -> Json:
    """Complete what an app published, opened, or made of the view `before`, to what Slack stores and returns."""
    view_id = before["id"] if before else workspace.new_id("V")
    root_id, previous_id = view_id, None
    if before or below:
        root_id = (before or below or {})["root_view_id"]
        previous_id = below["id"] if below else (before or {})["previous_view_id"]
    return {
        "id": view_id,
        "team_id": workspace.team_id,
        "app_id": workspace.app_id,
        "bot_id": workspace.bot_id,
        "app_installed_team_id": workspace.enterprise_id if workspace.is_org_wide else workspace.team_id,
        "root_view_id": root_id,
        "previous_view_id": previous_id,
        "hash": workspace.new_id("hash"),
        "callback_id": "",
        "external_id": "",
        "private_metadata": "",
        "state": {"values": {}},
        **view,
        "blocks": list(workspace.with_ids(view["blocks"])),
    }
