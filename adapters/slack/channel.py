"""Direct messages to one person in Slack: paced, sent once, and a private page to nobody but its owner."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from aiolimiter import AsyncLimiter
from slack_sdk.web.async_client import AsyncWebClient

from adapters.privacy import check_reader
from adapters.slack.clients import Clients
from adapters.slack.directory import open_dm
from adapters.slack.errors import fields, translated
from bot.errors import Gone, Rejected, Throttled, Unavailable, loggable
from bot.messages import Member, MessageRef
from bot.page import Page, PrivatePage
from bot.ports import Store
from cards import slack

log = logging.getLogger(__name__)


class SlackChannel:
    """`bot.ports.Channel` for every workspace the app is installed in."""

    def __init__(self, clients: Clients, store: Store, clock: Callable[[], datetime], *, sends_per_second: float = 3.0) -> None:
        self._clients = clients
        self._store = store
        self._clock = clock
        #: By workspace.
        self._pace: defaultdict[str, AsyncLimiter] = defaultdict(lambda: AsyncLimiter(1, 1 / sends_per_second))
        #: Until then Slack has asked this workspace's senders to wait.
        self._closed_until: dict[str, datetime] = {}

    async def turn(self, member: Member) -> None:
        """See `bot.ports.Channel`."""
        await self._pace[member.workspace_id].acquire()
        self._check_open(member)

    async def send(self, member: Member, page: Page | PrivatePage) -> MessageRef:
        """See `bot.ports.Channel`. Rejected, too, is a page that is not for this member to see, or that Slack cannot show."""
        client = await self._clients.of(member.workspace_id)
        await check_reader(self._store, member, page)
        card = _card(page)
        try:
            message = await self._post(client, member, member.dm_channel_id or member.user_id, card)
        except Gone:  # not sent: some people must be opened first (bolt-python#565), and a stored id may be stale
            message = await self._post(client, member, await open_dm(client, member.user_id), card)
        if message.channel_id != member.dm_channel_id:
            await self._remember(member, message.channel_id)
        return message

    def _check_open(self, member: Member) -> None:
        now = self._clock()
        if (wait := self._closed_until.get(member.workspace_id, now) - now) > timedelta(0):
            raise Throttled("waiting as Slack asked", retry_after=wait.total_seconds())

    async def _post(self, client: AsyncWebClient, member: Member, to: str, card: dict[str, Any]) -> MessageRef:
        self._check_open(member)
        try:
            with translated("chat.postMessage"):
                answer = fields(await client.chat_postMessage(channel=to, unfurl_links=False, unfurl_media=False, **card))
                return MessageRef(workspace_id=member.workspace_id, channel_id=answer["channel"], message_id=answer["ts"])
        except Throttled as error:
            self._closed_until[member.workspace_id] = self._clock() + timedelta(seconds=error.retry_after or 0.0)
            raise

    async def _remember(self, member: Member, channel_id: str) -> None:
        """Keep where the person is reached. The message is sent, so that a failure here must not look like one of sending."""
        try:
            await self._store.write(lambda uow: uow.members.set_dm_channel(member.workspace_id, member.user_id, channel_id))
        except Unavailable as error:
            log.warning("slack.dm_channel_not_kept", extra={"user": member.user_id, **loggable(error)})


def _card(page: Page | PrivatePage) -> dict[str, Any]:
    try:
        return slack.message(page)
    except ValueError as error:
        raise Rejected("a link or a button of the page is longer than Slack takes") from error
