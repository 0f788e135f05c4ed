"""Direct messages to one person in Slack: paced, sent once, and a private page to nobody but its owner."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import aiohttp
from aiolimiter import AsyncLimiter
from slack_sdk.web.async_client import AsyncWebClient

from adapters.slack.directory import open_dm
from adapters.slack.errors import fields, translated
from adapters.slack.privacy import check_reader
from bot.errors import Gone, Rejected, Throttled, Unavailable, loggable
from bot.messages import Member, MessageRef
from bot.page import Page, PrivatePage
from bot.ports import Store
from cards import slack

#: The longest a call may take; the lease of a delivery must be longer (reference performance.md 7.1).
TIMEOUT_SECONDS = 10
#: Shorter, so that a connection that never came about can be told from an answer that was lost.
_CONNECT_TIMEOUT_SECONDS = 5

log = logging.getLogger(__name__)


def make_client(token: str, base_url: str | None = None) -> AsyncWebClient:
    """Return a client that never repeats a call by itself: the SDK's default posts twice when a connection drops (performance.md 7.2).

    To be called in the event loop that uses it. Its one session is the caller's to close: `await client.session.close()`.
    """
    timeout = aiohttp.ClientTimeout(total=TIMEOUT_SECONDS, connect=_CONNECT_TIMEOUT_SECONDS)
    return AsyncWebClient(
        token=token,
        base_url=base_url or AsyncWebClient.BASE_URL,
        timeout=TIMEOUT_SECONDS,
        session=aiohttp.ClientSession(timeout=timeout),
        retry_handlers=[],
    )


class SlackChannel:
    """`bot.ports.Channel` for one workspace."""

    def __init__(
        self, client: AsyncWebClient, workspace_id: str, store: Store, clock: Callable[[], datetime], *, sends_per_second: float = 3.0
    ) -> None:
        self._client = client
        self._workspace_id = workspace_id
        self._store = store
        self._clock = clock
        self._pace = AsyncLimiter(1, 1 / sends_per_second)
        #: Until then Slack has asked this workspace's senders to wait.
        self._closed_until = clock()

    async def turn(self) -> None:
        """See `bot.ports.Channel`."""
        await self._pace.acquire()
        self._check_open()

    async def send(self, member: Member, page: Page | PrivatePage) -> MessageRef:
        """See `bot.ports.Channel`. Rejected, too, is a page that is not for this member to see, or that Slack cannot show."""
        if member.workspace_id != self._workspace_id:
            raise Rejected("a member of another workspace")
        await check_reader(self._store, member, page)
        card = _card(page)
        try:
            message = await self._post(member.dm_channel_id or member.user_id, card)
        except Gone:  # not sent: some people must be opened first (bolt-python#565), and a stored id may be stale
            message = await self._post(await open_dm(self._client, member.user_id), card)
        if message.channel_id != member.dm_channel_id:
            await self._remember(member, message.channel_id)
        return message

    def _check_open(self) -> None:
        if (wait := self._closed_until - self._clock()) > timedelta(0):
            raise Throttled("waiting as Slack asked", retry_after=wait.total_seconds())

    async def _post(self, to: str, card: dict[str, Any]) -> MessageRef:
        self._check_open()
        try:
            with translated("chat.postMessage"):
                answer = fields(await self._client.chat_postMessage(channel=to, unfurl_links=False, unfurl_media=False, **card))
                return MessageRef(workspace_id=self._workspace_id, channel_id=answer["channel"], message_id=answer["ts"])
        except Throttled as error:
            self._closed_until = self._clock() + timedelta(seconds=error.retry_after or 0.0)
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
