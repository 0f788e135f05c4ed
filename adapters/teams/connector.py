"""Calls to the Bot Connector: over a few connections that are kept, each with a time-out and none repeated in secret.

By aiohttp, in the event loop. The SDK's client blocks: its threads, at work, kept the loop waiting for the interpreter for up to 50 ms, and
a message took several times the processor time (tests/benchmarks/teams.py).
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TypeVar
from urllib.parse import quote

import aiohttp
import msgspec
import requests

from adapters.bodies import whole
from adapters.teams.errors import check, translated
from adapters.teams.registration import Registration
from adapters.teams.token import BotToken
from bot.errors import Unauthorized, Unavailable

T = TypeVar("T")
Json = Mapping[str, Any]

#: For a connection, and for an answer; the lease of a delivery must be longer.
_TIMEOUTS_SECONDS = (5, 10)
#: Calls at a time, the others wait: 50 messages a second, all that Teams takes of a bot, at answers that take 600 ms.
_AT_ONCE = 32
#: A connection that nothing went over for so long is opened anew: what lies between may have dropped it without a word, and a message
#: that is lost on it is never repeated. Azure's own gateways drop them after four minutes.
_IDLE_SECONDS = 45.0
#: People a page of a roster (https://learn.microsoft.com/en-us/microsoftteams/platform/bots/how-to/get-teams-context).
_PAGE = 500
#: Of one answer, unpacked; a page of a roster has some hundred kB.
_LONGEST_BYTES = 8 * 2**20
_JSON = {"Content-Type": "application/json; charset=utf-8"}


class _Named(msgspec.Struct):
    """A new activity, or a chat."""

    id: str


class _Roster(msgspec.Struct):
    members: list[dict[str, Any]]
    continuationToken: str | None = None  # noqa: N815 - theirs


class Connector:
    """To be made in the event loop that uses it. All methods raise as `translated` says; what only reads or replaces is repeatable."""

    def __init__(
        self,
        registration: Registration,
        *,
        at_once: int = _AT_ONCE,
        timeouts_seconds: tuple[float, float] = _TIMEOUTS_SECONDS,
        idle_seconds: float = _IDLE_SECONDS,
    ) -> None:
        self._registration = registration
        self._token = BotToken(registration)
        self._places = asyncio.Semaphore(at_once)  # to wait for one takes nothing of the time-outs
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=at_once, keepalive_timeout=idle_seconds),
            cookie_jar=aiohttp.DummyCookieJar(),
            trace_configs=[_noting()],
            timeout=aiohttp.ClientTimeout(connect=timeouts_seconds[0], total=sum(timeouts_seconds)),
        )
        #: By service URL.
        self._ways: dict[str, Mapping[str, Any]] = {}

    async def send(self, service_url: str, conversation_id: str, message: Json, *, only_for: str | None = None) -> str:
        """Send `cards.teams.message` and return the id of the new activity.

        `only_for` is somebody's `29:...`: the others in a shared place do not see it, nor they themselves after a day
        (https://learn.microsoft.com/en-us/microsoftteams/platform/agents-in-teams/targeted-messages).
        """
        target: Json = {"recipient": {"id": only_for}} if only_for else {}
        query = {"isTargetedActivity": "true"} if only_for else {}
        activity = {"type": "message", **message, **target}
        post = self._call("send", service_url, "POST", _activities(conversation_id), _named, query=query, body=activity)
        return (await post).id

    async def replace(self, service_url: str, conversation_id: str, activity_id: str, message: Json) -> None:
        path = f"{_activities(conversation_id)}/{quote(activity_id, safe='')}"
        activity = {"type": "message", "id": activity_id, **message}
        await self._call("update", service_url, "PUT", path, lambda _: None, body=activity, repeatable=True)

    async def open_chat(self, service_url: str, user_id: str) -> str:
        """Return the id of the personal chat with somebody (Entra object id) who has added the bot; there is one, however often asked."""
        tenant_id = self._registration.tenant_id
        asked = {
            "isGroup": False,
            "bot": {"id": f"28:{self._registration.app_id}"},
            "members": [{"id": user_id}],
            "tenantId": tenant_id,
            "channelData": {"tenant": {"id": tenant_id}},
        }
        made = self._call("create conversation", service_url, "POST", "/v3/conversations", _named, body=asked, repeatable=True)
        return (await made).id

    async def member(self, service_url: str, conversation_id: str, user_id: str) -> Json:
        """Return one account of a conversation's roster, as `adapters.teams.wire.Account` reads it."""
        path = f"{_conversation(conversation_id)}/members/{quote(user_id, safe='')}"
        return await self._call("member", service_url, "GET", path, _account, repeatable=True)

    async def members(self, service_url: str, conversation_id: str, after: str | None) -> tuple[list[Json], str | None]:
        """Return a page of a roster, and what to ask for the next one with."""
        path, query = f"{_conversation(conversation_id)}/pagedmembers", {"pageSize": str(_PAGE)}
        if after is not None:
            query["continuationToken"] = after
        page = await self._call("members", service_url, "GET", path, _roster, query=query, repeatable=True)
        return list(page.members), page.continuationToken

    async def aclose(self) -> None:
        await self._session.close()

    async def _call(
        self,
        name: str,
        service_url: str,
        method: str,
        path: str,
        read: Callable[[bytes], T],
        *,
        query: Mapping[str, str] | None = None,
        body: Json | None = None,
        repeatable: bool = False,
    ) -> T:
        data, begun = None if body is None else msgspec.json.encode(body), list[bool]()
        async with self._places:
            # Before the call, where a failure says that nothing was sent.
            way, token = self._way(service_url), await self._token.get()
            headers = {"Authorization": f"Bearer {token}", **_JSON}
            request = partial(self._session.request, method, service_url.rstrip("/") + path, params=query, data=data, headers=headers)
            try:
                with translated(name, repeatable=repeatable, begun=begun):
                    async with request(allow_redirects=False, trace_request_ctx=begun, **way) as answer:
                        told = await _whole(answer)
                    check(name, answer.status, answer.headers, told, repeatable=repeatable)
                    return read(told)
            except Unauthorized:
                self._token.drop(token)
                raise

    def _way(self, service_url: str) -> Mapping[str, Any]:
        if service_url not in self._ways:
            try:
                self._ways[service_url] = _way(service_url)
            except (OSError, ValueError):
                raise Unavailable("the environment names a proxy or certificates that cannot be used") from None
        return self._ways[service_url]


_named = msgspec.json.Decoder(_Named).decode
_roster = msgspec.json.Decoder(_Roster).decode
_account = msgspec.json.Decoder(dict[str, Any]).decode


def _noting() -> aiohttp.TraceConfig:
    """Have each call note that it leaves: what fails before that, on the way through a proxy as well, was not sent."""

    async def note(_session: object, context: SimpleNamespace, _headers: object) -> None:
        context.trace_request_ctx.append(True)

    noting = aiohttp.TraceConfig()
    noting.on_request_headers_sent.append(note)
    return noting


async def _whole(answer: aiohttp.ClientResponse) -> bytes:
    """Raises ClientPayloadError for one that is too long."""
    if (told := await whole(answer.content.iter_any(), _LONGEST_BYTES)) is None:
        raise aiohttp.ClientPayloadError("longer than anything that Teams tells")
    return told


def _way(service_url: str) -> Mapping[str, Any]:
    """The environment's proxies and certificates, those that tokens are asked for by; a ~/.netrc does not replace our token."""
    settings = requests.Session().merge_environment_settings(service_url, {}, None, None, None)
    proxy = requests.utils.select_proxy(service_url, settings["proxies"])
    trusted = Path(requests.utils.DEFAULT_CA_BUNDLE_PATH if settings["verify"] is True else settings["verify"])
    certificates = ssl.create_default_context(capath=trusted) if trusted.is_dir() else ssl.create_default_context(cafile=trusted)
    return {"proxy": proxy and requests.utils.prepend_scheme_if_needed(proxy, "http"), "ssl": certificates}


def _conversation(conversation_id: str) -> str:
    return f"/v3/conversations/{quote(conversation_id, safe='')}"


def _activities(conversation_id: str) -> str:
    return f"{_conversation(conversation_id)}/activities"
