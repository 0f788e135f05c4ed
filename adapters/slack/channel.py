"""Messages to one person, and to channels, in Slack: paced, sent once, and a private page to nobody but its owner."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from adapters.privacy import check_reader
from adapters.slack import pacing
from adapters.slack.clients import Clients, of_place
from adapters.slack.directory import open_dm
from adapters.slack.errors import fields, next_cursor
from adapters.slack.pacing import SlackPace
from adapters.slack.readership import Onlookers
from bot.errors import Forbidden, Gone, Rejected, Unavailable, loggable
from bot.messages import Conversation, Member, MessageRef, Readership
from bot.page import Page, PrivatePage
from bot.ports import Store
from cards import slack

_EVENT_TYPE = "surveybot_delivery"
_DELIVERY = "delivery"
#: How far Slack's clock and ours may differ: with too little a message would be taken for not arrived, and sent again.
_CLOCK_SKEW = timedelta(hours=1)
#: The least that any app gets (https://docs.slack.dev/apis/web-api/rate-limits): of an hour or two, they are mostly enough.
_HISTORY_PAGE = 15

#: Messages, and where the list goes on.
_Page = tuple[Sequence[Mapping[str, Any]], str | None]

log = logging.getLogger(__name__)


class SlackChannel:
    """`bot.ports.Channel` for every workspace the app is installed in."""

    def __init__(self, clients: Clients, store: Store, pace: SlackPace, *, allow_guests_in_channels: bool = False) -> None:
        self._clients = clients
        self._store = store
        self._pace = pace
        self._onlookers = Onlookers(clients, store, pace, allow_guests_in_channels)
        #: What each workspace has granted, as Slack names it in a header of every answer
        #: (https://docs.slack.dev/authentication/installing-with-oauth).
        self._scopes: dict[str, frozenset[str]] = {}

    async def turn(self, member: Member) -> None:
        """See `bot.ports.Channel`."""
        await self._pace.turn(pacing.SEND, member.workspace_id, member.user_id)

    async def send(self, member: Member, page: Page | PrivatePage, key: str | None = None) -> MessageRef:
        """See `bot.ports.Channel`. Rejected, too, is a page that is not for this member to see, or that Slack cannot show.

        Unauthorized, too, is where the app is not installed: what is to be sent waits until it is, or until its people are forgotten.
        """
        client = await of_place(self._clients, member.workspace_id)
        await check_reader(self._store, member, page)
        card = _card(page) | _metadata(key)
        try:
            message = await self._post(client, member.workspace_id, member.dm_channel_id or member.user_id, card)
        except Gone:  # not sent: some people must be opened first (bolt-python#565), and a stored id may be stale
            channel_id = await self._open(client, member)
            await self._pace.at_once(pacing.SEND, member.workspace_id)
            return await self._post(client, member.workspace_id, channel_id, card)
        if message.channel_id != member.dm_channel_id:
            await self._remember(member, message.channel_id)
        return message

    async def post(self, conversation: Conversation, page: Page, key: str) -> MessageRef:
        """See `bot.ports.Channel`. Unauthorized, Rejected: as with `send`."""
        workspace_id = conversation.workspace_id
        client, card = await of_place(self._clients, workspace_id), _card(page) | _metadata(key)
        await self._pace.turn(pacing.SEND, workspace_id, conversation.channel_id)
        return await self._post(client, workspace_id, conversation.channel_id, card)

    async def readership(self, conversation: Conversation) -> Readership:
        """See `bot.ports.Channel`."""
        return await self._onlookers.look(conversation)

    async def find(self, member: Member, key: str, since: datetime) -> MessageRef | None:
        """See `bot.ports.Channel`. Slack tells metadata to whoever may read the conversation."""
        if "im:history" not in self._scopes.get(member.workspace_id, {"im:history"}):
            raise Forbidden("im:history is not granted")
        client = await self._clients.of(member.workspace_id)
        channel_id = member.dm_channel_id or await self._open(client, member)
        oldest = str((since - _CLOCK_SKEW).timestamp())
        cursor: str | None = ""
        while cursor is not None:
            await self._pace.turn(pacing.READ, member.workspace_id)
            messages, cursor = await self._history(client, member.workspace_id, channel_id, oldest, cursor or None)
            for message in messages:
                if (message.get("metadata") or {}).get("event_payload") == {_DELIVERY: key}:
                    return MessageRef(workspace_id=member.workspace_id, channel_id=channel_id, message_id=message["ts"])
        return None

    async def edit_turn(self, member: Member) -> None:
        """See `bot.ports.Channel`."""
        await self._pace.turn(pacing.EDIT, member.workspace_id)

    async def edit(self, message: MessageRef, member: Member, page: Page | PrivatePage, key: str) -> None:
        """See `bot.ports.Channel`. Text and blocks, for text alone would remove the blocks (reference slack.md 5).

        Gone, too, is a message in a conversation that is not this member's: an e-mail address may have a new owner by now.
        """
        client = await self._clients.of(message.workspace_id)
        await check_reader(self._store, member, page)
        if message.channel_id != (member.dm_channel_id or await self._open(client, member)):
            raise Gone("a message of another conversation")
        card = _card(page) | _metadata(key)
        async with self._called(pacing.EDIT, message.workspace_id, repeatable=True):
            answer = await client.chat_update(channel=message.channel_id, ts=message.message_id, **card)
            self._learn(message.workspace_id, answer)

    async def _open(self, client: AsyncWebClient, member: Member) -> str:
        await self._pace.at_once(pacing.OPEN, member.workspace_id)
        async with self._called(pacing.OPEN, member.workspace_id, repeatable=True):
            channel_id = await open_dm(client, member.user_id)
        await self._remember(member, channel_id)
        return channel_id

    async def _post(self, client: AsyncWebClient, workspace_id: str, to: str, card: dict[str, Any]) -> MessageRef:
        async with self._called(pacing.SEND, workspace_id):
            answer = await client.chat_postMessage(channel=to, unfurl_links=False, unfurl_media=False, **card)
            self._learn(workspace_id, answer)
            told = fields(answer)
            return MessageRef(workspace_id=workspace_id, channel_id=told["channel"], message_id=told["ts"])

    async def _history(self, client: AsyncWebClient, workspace_id: str, channel: str, oldest: str, cursor: str | None) -> _Page:
        """One page, the newest first, and where it goes on."""
        async with self._called(pacing.READ, workspace_id, repeatable=True):
            answer = await client.conversations_history(
                channel=channel, oldest=oldest, cursor=cursor, limit=_HISTORY_PAGE, include_all_metadata=True
            )
            self._learn(workspace_id, answer)
            told = fields(answer)
            return told["messages"], next_cursor(told) or None

    @asynccontextmanager
    async def _called(self, method: str, workspace_id: str, *, repeatable: bool = False) -> AsyncGenerator[None]:
        self._pace.check(method, workspace_id)
        async with pacing.heeding(self._pace, method, workspace_id, repeatable=repeatable):
            yield

    def _learn(self, workspace_id: str, answer: AsyncSlackResponse) -> None:
        if granted := answer.headers.get("x-oauth-scopes"):
            self._scopes[workspace_id] = frozenset(granted.split(","))

    async def _remember(self, member: Member, channel_id: str) -> None:
        """Keep where the person is reached. The message may be sent, so that a failure here must not look like one of sending."""
        try:
            await self._store.write(lambda uow: uow.members.set_dm_channel(member.workspace_id, member.user_id, channel_id))
        except Unavailable as error:
            log.warning("slack.dm_channel_not_kept", extra={"user": member.user_id, **loggable(error)})


def _card(page: Page | PrivatePage) -> dict[str, Any]:
    try:
        return slack.message(page)
    except ValueError as error:
        raise Rejected("a link or a button of the page is longer than Slack takes") from error


def _metadata(key: str | None) -> dict[str, Any]:
    """Every app and member of the workspace may read it (reference performance.md 7.3): so it tells nothing."""
    return {} if key is None else {"metadata": {"event_type": _EVENT_TYPE, "event_payload": {_DELIVERY: key}}}
