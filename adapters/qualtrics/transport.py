"""Asking Qualtrics until it answers: the credentials, the shared pace, repetition, and what an answer means."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from http import HTTPStatus
from typing import Any, Protocol, TypeVar

import httpx
import stamina

from adapters.qualtrics import wire
from adapters.qualtrics.addresses import Addresses, where
from adapters.qualtrics.credentials import ApiToken, ClientCredentials, Credentials
from adapters.qualtrics.errors import Closed, backoff, refusal, retry_after
from adapters.qualtrics.line import Answer, Line, cause
from adapters.qualtrics.oauth import AccessTokens, ask_for_token
from bot.errors import Ambiguous, Forbidden, Malformed, SurveybotError, Throttled, Unauthorized, Unavailable
from bot.ports.records import RequestLine

log = logging.getLogger(__name__)
T = TypeVar("T")


class Pacing(Protocol):
    """Whatever holds requests back, so that none meets a limit (`pacing.Pace`). `template` is `Addresses.template`.

    `turn` raises Closed for a call that should not wait for it.
    """

    async def turn(self, template: str) -> float: ...
    async def throttled(self, template: str, granted_at: float, retry_after: float | None) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class _Call:
    """One thing asked; each attempt sends it anew."""

    method: str
    url: httpx.URL
    template: str
    json: Any = field(repr=False)

    @property
    def is_read(self) -> bool:
        return self.method == "GET"

    @property
    def where(self) -> str:
        return where(self.method, self.url)


class Transport:
    """A way to one API root with one set of credentials."""

    def __init__(
        self,
        base_url: str,
        credentials: Credentials,
        *,
        timeout_seconds: float,
        connect_timeout_seconds: float,
        attempts: int,
        pace: Pacing | None,
        on_request: Callable[[RequestLine], None],
    ) -> None:
        #: The host that answers without a detour, once Qualtrics named it (quirk Q6).
        self.better_host: str | None = None
        #: Whether Qualtrics answered a call with these credentials.
        self._are_known = False
        #: Templates of what they may not ask, as found out by `_are_good`.
        self._forbidden: set[str] = set()
        self.addresses = Addresses(base_url)
        self.line = Line(timeout_seconds=timeout_seconds, connect_timeout_seconds=connect_timeout_seconds, on_request=on_request)
        self._pace = pace
        self._retrying = stamina.AsyncRetryingCaller(attempts=attempts, timeout=None, wait_initial=0.5, wait_max=30)
        match credentials:
            case ApiToken(token):
                self._tokens, self._headers = None, {"X-API-TOKEN": token}
            case ClientCredentials():
                self._tokens, self._headers = AccessTokens(partial(ask_for_token, self._paced, self.addresses, credentials)), {}

    async def get(self, url: str, read: Callable[[bytes], T]) -> T:
        """Fetch and read one body, repeating both when that can help. `read` raises `wire.UNREADABLE` for a body of the wrong shape.

        Raises Malformed, and sends nothing, when the address is not Qualtrics'.
        """
        return await self._answer("GET", url, read)

    async def post(self, url: str, json: Any, read: Callable[[bytes], T]) -> T:  # noqa: ANN401 - anything that is JSON
        """Raises Ambiguous when it may have been done; it is repeated only where it certainly was not."""
        return await self._answer("POST", url, read, json)

    async def delete(self, url: str) -> None:
        """As `post`. Success has no `result` (reference qualtrics.md 1)."""
        await self._answer("DELETE", url, _nothing)

    async def aclose(self) -> None:
        await self.line.aclose()

    async def _answer(self, method: str, url: str, read: Callable[[bytes], T], json: Any = None) -> T:  # noqa: ANN401 - as in `post`
        target = self.addresses.checked(url)
        call = _Call(method=method, url=target, template=self.addresses.template(target), json=json)

        async def attempt() -> T:  # a closure: stamina logs arguments
            return await self._attempt(call, read)

        return await self._retrying(self._wait, attempt)

    def _wait(self, error: Exception) -> bool | float:
        """Where calls are paced, the pace holds back the repetition of a refused one, and has the last word on how long that may take."""
        match error:
            case Closed():
                return False
            case Throttled() if self._pace:
                return 0.0
            case _:
                return backoff(error)

    async def _attempt(self, call: _Call, read: Callable[[bytes], T]) -> T:
        answer = await self._authorised(call)
        self._heed(answer.meta.notice)
        if answer.status != HTTPStatus.OK:
            error = self._refusal(call, answer)
            if type(error) is Unauthorized and self._are_known and await self._are_good(call.template):
                raise Forbidden(f"{error}, though Qualtrics answers other calls with these credentials: they may not do this")
            raise error
        self._are_known = True
        try:
            return read(answer.body)
        except wire.UNREADABLE as error:
            kind = Malformed if call.is_read else Ambiguous
            raise kind(f"{call.where} answered something unexpected") from cause(error)

    async def _are_good(self, refused: str) -> bool:
        """Whether credentials that were good are good still, so that a 401 to a template is its own. Costs one call a template."""
        url = self.addresses.checked(self.addresses.below("whoami"))
        whoami = _Call(method="GET", url=url, template=self.addresses.template(url), json=None)
        if refused == whoami.template:
            return False
        if refused not in self._forbidden:
            answer = await self._authorised(whoami)
            if answer.status == HTTPStatus.UNAUTHORIZED:
                return False
            if answer.status != HTTPStatus.OK:
                raise self._refusal(whoami, answer)
            self._forbidden.add(refused)
        return True

    async def _authorised(self, call: _Call) -> Answer:
        """Send with the credentials; an access token that is refused is replaced once."""
        send = partial(self._paced, call.method, call.url, call.template, is_repeatable=call.is_read, json=call.json)
        if self._tokens is None:
            return await send(headers=self._headers)
        token = await self._tokens.current()
        answer = await send(headers=_bearer(token))
        if answer.status == HTTPStatus.UNAUTHORIZED:
            answer = await send(headers=_bearer(await self._tokens.instead_of(token)))
        return answer

    async def _paced(self, method: str, url: httpx.URL, template: str, **request: Any) -> Answer:  # noqa: ANN401 - as `Line.send`
        if self._pace is None:
            return await self.line.send(method, url, template, **request)
        granted_at = await self._pace.turn(template)
        answer = await self.line.send(method, url, template, **request)
        if answer.status == HTTPStatus.TOO_MANY_REQUESTS:
            await self._pace.throttled(template, granted_at, retry_after(answer.headers))
        return answer

    def _refusal(self, call: _Call, answer: Answer) -> SurveybotError:
        error = refusal(call.where, answer.status, answer.headers, answer.meta)
        match error:
            case Throttled() | Forbidden():
                return error
            case Unavailable() if not call.is_read:  # a 504 may come after the deed (reference qualtrics.md 1)
                return Ambiguous(str(error))
            case Unauthorized() if self._are_known:
                return error
            case Unauthorized() if self._tokens and answer.status == HTTPStatus.UNAUTHORIZED:
                host = _named_host(answer.meta.notice)
                use = f"use {host}" if host else "look up its data centre in Qualtrics' account settings"
                return Unauthorized(f"{error}: an OAuth token works only at the data centre of the brand that owns its client; {use}")
            case _:
                return error

    def _heed(self, notice: str | None) -> None:
        host = _named_host(notice)
        if host and self.better_host is None:
            self.better_host = host
            log.warning("qualtrics.proxied", extra={"better_host": host})


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def _named_host(notice: str | None) -> str | None:
    host = re.search(r"use this host instead: ([\w.-]{1,200}\.qualtrics\.com)", notice or "", re.ASCII)
    return host[1] if host else None


def _nothing(_: bytes) -> None:
    return None
