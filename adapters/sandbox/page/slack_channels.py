"""What the browser page can do to a channel in Slack: the bot comes and goes, the channel is archived and opened again."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from adapters.sandbox.slack import happenings
from adapters.sandbox.slack.records import Json
from adapters.sandbox.slack.sender import SlackSender
from adapters.sandbox.slack.workspace import Workspace
from bot.errors import UserError


class ChangeChannel(Struct, tag_field="what", tag="channel"):
    user: str
    channel: str
    change: Literal["add", "remove", "archive", "unarchive", "restrict", "allow"]


async def change_channel(workspace: Workspace, sender: SlackSender, deed: ChangeChannel) -> str:
    """Do it, tell the bot as Slack does, and return a sentence. Raises UserError, and LookupError for a channel that is not there."""
    channel = workspace.conversations[deed.channel]
    if deed.user not in channel.members:
        raise UserError("This person is not in that channel. Choose another one.")
    if deed.change in {"restrict", "allow"}:  # of which Slack tells nobody
        channel.is_restricted = deed.change == "restrict"
        workspace.changed()
    else:
        await sender.event(_happened(workspace, deed))
    return {
        "add": f"Surveybot is in #{channel.name} now.",
        "remove": f"Surveybot was removed from #{channel.name}, and is told so.",
        "archive": f"#{channel.name} is archived: nobody can post there.",
        "unarchive": f"#{channel.name} is open again.",
        "restrict": f"Apps may not post in #{channel.name}, and are not told.",
        "allow": f"Apps may post in #{channel.name} again.",
    }[deed.change]


def _happened(workspace: Workspace, deed: ChangeChannel) -> Json:
    match deed.change:
        case "add":
            return happenings.joined_channel(workspace, deed.channel, workspace.bot_user_id)
        case "remove":
            return happenings.removed_bot(workspace, deed.channel, deed.user)
        case "archive":
            return happenings.archived(workspace, deed.channel, deed.user)
        case _:
            return happenings.unarchived(workspace, deed.channel, deed.user)
