"""Slack and Teams as one channel: every workspace is written to by its own."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from bot.errors import Gone, Unauthorized
from bot.messages import Conversation, Member, MessageRef, Platform, Reach, Readership
from bot.page import Page, PrivatePage
from bot.ports import Channel


class Chats:
    """`bot.ports.Channel`. Methods raise Gone, too, for a workspace of a platform that the bot is no longer connected with."""

    def __init__(self, channels: Mapping[Platform, Channel], reach: Reach) -> None:
        self._channels = channels
        self._reach = reach

    async def turn(self, member: Member) -> None:
        """See `bot.ports.Channel`."""
        await self._of(member.workspace_id).turn(member)

    async def send(self, member: Member, page: Page | PrivatePage, key: str | None = None) -> MessageRef:
        """See `bot.ports.Channel`."""
        return await self._of(member.workspace_id).send(member, page, key)

    async def post(self, conversation: Conversation, page: Page, key: str) -> MessageRef:
        """See `bot.ports.Channel`."""
        return await self._of_shared(conversation).post(conversation, page, key)

    async def readership(self, conversation: Conversation) -> Readership:
        """See `bot.ports.Channel`."""
        return await self._of_shared(conversation).readership(conversation)

    async def find(self, member: Member, key: str, since: datetime) -> MessageRef | None:
        """See `bot.ports.Channel`."""
        return await self._of(member.workspace_id).find(member, key, since)

    async def edit_turn(self, member: Member) -> None:
        """See `bot.ports.Channel`."""
        await self._of(member.workspace_id).edit_turn(member)

    async def edit(self, message: MessageRef, member: Member, page: Page | PrivatePage, key: str) -> None:
        """See `bot.ports.Channel`."""
        await self._of(member.workspace_id).edit(message, member, page, key)

    def _of_shared(self, conversation: Conversation) -> Channel:
        """Not Gone: it is the bot that went, and not the conversation."""
        try:
            return self._of(conversation.workspace_id)
        except Gone as error:
            raise Unauthorized(str(error)) from error

    def _of(self, workspace_id: str) -> Channel:
        platform = self._reach.platform(workspace_id)
        if platform is None:
            raise Gone("the bot is not connected with this platform any more")
        return self._channels[platform]
