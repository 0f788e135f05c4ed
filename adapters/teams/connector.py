"""Calls to the Bot Connector: by the SDK's blocking client in threads of our own, each with a time-out and none repeated in secret.

The SDK's asynchronous client is the same one in asyncio's few default threads, with its token fetched in the event loop
(reference teams.md 5.2, 5.3).
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar
from urllib.parse import quote

import msgspec
import requests
from botbuilder.schema import ChannelAccount, ConversationParameters
from botframework.connector import ConnectorClient

from adapters.teams.errors import check, translated
from adapters.teams.registration import Registration
from adapters.teams.token import BotToken
from bot.errors import Unauthorized

T = TypeVar("T")
Json = Mapping[str, Any]
#: `ConnectorClient`, or the `ServiceClient` below it; nothing of them is typed.
Client = Any

#: For a connection, and for an answer; the lease of a delivery must be longer.
_TIMEOUTS_SECONDS = (5, 10)
#: Enough for 25 messages a second at answers that take 300 ms. The more there are, the longer the event loop waits for its turn
#: (tests/benchmarks/teams.py).
_THREADS = 8
#: A connection that nothing went over for so long is opened anew: what lies between may have dropped it without a word, and a message
#: that is lost on it is never repeated. Azure's own gateways drop them after four minutes.
_IDLE_SECONDS = 45.0
#: People a page of a roster (https://learn.microsoft.com/en-us/microsoftteams/platform/bots/how-to/get-teams-context).
_PAGE = 500
_JSON = {"Content-Type": "application/json; charset=utf-8"}


class _Sent(msgspec.Struct):
    id: str


class Connector:
    """All methods raise as `translated` says; what only reads or replaces is repeatable."""

    def __init__(
        self,
        registration: Registration,
        *,
        threads: int = _THREADS,
        timeouts_seconds: tuple[float, float] = _TIMEOUTS_SECONDS,
        idle_seconds: float = _IDLE_SECONDS,
    ) -> None:
        self._registration = registration
        self._timeouts_seconds = timeouts_seconds
        self._idle_seconds = idle_seconds
        self._token = BotToken(registration)
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="teams")
        self._clients: dict[str, Client] = {}
        self._opening = threading.Lock()
        #: By service URL, of each thread: it has connections of its own.
        self._used_at = threading.local()

    async def send(self, service_url: str, conversation_id: str, message: Json, *, only_for: str | None = None) -> str:
        """Send `cards.teams.message` and return the id of the new activity.

        `only_for` is somebody's `29:...`: the others in a shared place do not see it, nor they themselves after a day
        (https://learn.microsoft.com/en-us/microsoftteams/platform/agents-in-teams/targeted-messages).
        """
        target: Json = {"recipient": {"id": only_for}} if only_for else {}
        query = {"isTargetedActivity": "true"} if only_for else {}
        activity = {"type": "message", **message, **target}

        def post(client: Client) -> str:
            http = _plain(client)
            answer = http.send(http.post(_activities(conversation_id), query, _JSON, activity), stream=False)
            check("send", answer)
            return msgspec.json.decode(answer.content, type=_Sent).id

        return await self._call("send", service_url, post)

    async def replace(self, service_url: str, conversation_id: str, activity_id: str, message: Json) -> None:
        url = f"{_activities(conversation_id)}/{quote(activity_id, safe='')}"
        activity = {"type": "message", "id": activity_id, **message}

        def put(client: Client) -> None:
            http = _plain(client)
            check("update", http.send(http.put(url, None, _JSON, activity), stream=False), repeatable=True)

        await self._call("update", service_url, put, repeatable=True)

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
            client = self._clients[service_url]
        used_at: dict[str, float] = self._used_at.__dict__
        now = time.monotonic()
        if now - used_at.get(service_url, now) > self._idle_seconds:
            client.close()  # the connections of this thread; the client stays as it is
        used_at[service_url] = now
        return client

    def _opened(self, service_url: str) -> Client:
        client: Client = ConnectorClient(self._token, base_url=service_url)
        config = client.config
        config.connection.timeout = self._timeouts_seconds
        retries = config.retry_policy.policy  # changed in place: this thread's session has it already
        retries.total, retries.connect, retries.read, retries.status_forcelist = 0, 0, False, ()
        config.redirect_policy.allow = False
        # Proxies and certificates of the environment are looked up here, not at every call; a ~/.netrc does not replace our token.
        settings = requests.Session().merge_environment_settings(service_url, {}, None, None, None)
        config.proxies.use_env_settings, config.proxies.proxies = False, dict(settings["proxies"])
        config.connection.verify = settings["verify"]
        return client


def _plain(client: Client) -> Client:
    """The SDK's client one layer below its models: to make an `Activity` of a card and JSON of that is half the time of a message."""
    return client.conversations._client  # noqa: SLF001 - `ServiceClient`, all of whose methods are public


def _activities(conversation_id: str) -> str:
    return f"/v3/conversations/{quote(conversation_id, safe='')}/activities"


def _told(answer: Client) -> Json:
    """All of it: the SDK's models leave out what only Teams tells, such as addresses."""
    return msgspec.json.decode(answer.response.text, type=dict[str, Any])
