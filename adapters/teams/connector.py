"""Calls to the Bot Connector: by the SDK's blocking client in threads of our own, each with a time-out and none repeated in secret.

The SDK's asynchronous client is the same one in asyncio's few default threads, with its token fetched in the event loop
(reference teams.md 5.2, 5.3).
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import msgspec
from botbuilder.schema import Activity, Attachment, ChannelAccount, ConversationParameters
from botframework.connector import ConnectorClient

from adapters.teams.errors import translated
from adapters.teams.registration import Registration
from adapters.teams.token import BotToken
from bot.errors import Unauthorized

T = TypeVar("T")
Json = Mapping[str, Any]
#: `ConnectorClient`; nothing of it is typed.
Client = Any

#: For a connection, and for an answer; the lease of a delivery must be longer.
_TIMEOUTS_SECONDS = (5, 10)
#: Enough for 25 messages a second at answers that take 300 ms. The more there are, the longer the event loop waits for its turn
#: (tests/benchmarks/teams.py).
_THREADS = 8
#: People a page of a roster (https://learn.microsoft.com/en-us/microsoftteams/platform/bots/how-to/get-teams-context).
_PAGE = 500


class Connector:
    """All methods raise as `translated` says; what only reads or replaces is repeatable."""

    def __init__(
        self, registration: Registration, *, threads: int = _THREADS, timeouts_seconds: tuple[float, float] = _TIMEOUTS_SECONDS
    ) -> None:
        self._registration = registration
        self._timeouts_seconds = timeouts_seconds
        self._token = BotToken(registration)
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="teams")
        self._clients: dict[str, Client] = {}
        self._opening = threading.Lock()

    async def send(self, service_url: str, conversation_id: str, message: Json) -> str:
        """Send `cards.teams.message` and return the id of the new activity."""
        sent = await self._call(
            "send",
            service_url,
            lambda client: client.conversations.send_to_conversation(conversation_id, _activity(message)).id,
        )
        return str(sent)

    async def replace(self, service_url: str, conversation_id: str, activity_id: str, message: Json) -> None:
        await self._call(
            "update",
            service_url,
            lambda client: client.conversations.update_activity(conversation_id, activity_id, _activity(message, activity_id)),
            repeatable=True,
        )

    async def open_chat(self, service_url: str, user_id: str) -> str:
        """Return the id of the personal chat with somebody (Entra object id) who has added the bot; there is one, however often asked."""
        tenant_id = self._registration.tenant_id
        parameters = ConversationParameters(
            is_group=False,
            bot=ChannelAccount(id=f"28:{self._registration.app_id}"),
            members=[ChannelAccount(id=user_id)],
            tenant_id=tenant_id,  # goes out as `tenantID`, which Teams does not read
            channel_data={"tenant": {"id": tenant_id}},
        )
        made = await self._call(
            "create conversation", service_url, lambda client: client.conversations.create_conversation(parameters).id, repeatable=True
        )
        return str(made)

    async def member(self, service_url: str, conversation_id: str, user_id: str) -> Json:
        """Return one account of a conversation's roster, as `adapters.teams.wire.Account` reads it."""
        return await self._call(
            "member",
            service_url,
            lambda client: _told(client.conversations.get_conversation_member(conversation_id, user_id, raw=True)),
            repeatable=True,
        )

    async def members(self, service_url: str, conversation_id: str, after: str | None) -> tuple[list[Json], str | None]:
        """Return a page of a roster, and what to ask for the next one with."""

        def page(client: Client) -> tuple[list[Json], str | None]:
            found = _told(client.conversations.get_conversation_paged_members(conversation_id, _PAGE, after, raw=True))
            return list(found["members"]), found.get("continuationToken")

        return await self._call("members", service_url, page, repeatable=True)

    async def aclose(self) -> None:
        """Calls that are under way come to their end."""
        await asyncio.to_thread(self._pool.shutdown)

    async def _call(self, name: str, service_url: str, work: Callable[[Client], T], *, repeatable: bool = False) -> T:
        def call() -> T:
            token = self._token.get()  # before the call, where a failure says that nothing was sent
            try:
                with translated(name, repeatable=repeatable):
                    return work(self._client(service_url))
            except Unauthorized:
                self._token.drop(token)
                raise

        return await asyncio.get_running_loop().run_in_executor(self._pool, call)

    def _client(self, service_url: str) -> Client:
        with self._opening:
            if service_url not in self._clients:
                self._clients[service_url] = self._opened(service_url)
            return self._clients[service_url]

    def _opened(self, service_url: str) -> Client:
        client: Client = ConnectorClient(self._token, base_url=service_url)
        client.config.connection.timeout = self._timeouts_seconds
        retries = client.config.retry_policy.policy  # changed in place: this thread's session has it already
        retries.total, retries.connect, retries.read, retries.status_forcelist = 0, 0, False, ()
        client.config.redirect_policy.allow = False
        return client


def _activity(message: Json, activity_id: str | None = None) -> Activity:
    attachments = [Attachment(content_type=it["contentType"], content=it["content"]) for it in message["attachments"]]
    same: Json = {} if activity_id is None else {"id": activity_id}
    return Activity(type="message", **same, summary=message["summary"], attachments=attachments)


def _told(answer: Client) -> Json:
    """All of it: the SDK's models leave out what only Teams tells, such as addresses."""
    return msgspec.json.decode(answer.response.text, type=dict[str, Any])
