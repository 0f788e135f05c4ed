"""One GET to Qualtrics: the token, who may see it, time-outs, repetition. The only place that knows httpx."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable
from http import HTTPStatus
from typing import TypeVar

import httpx
import stamina

from adapters.qualtrics import wire
from adapters.qualtrics.errors import backoff, refusal
from bot.errors import Malformed, Unavailable

log = logging.getLogger(__name__)
#: Errors whose text or arguments can hold bytes of the answer: never chained, for a traceback would show them.
_QUOTES_THE_ANSWER = (httpx.RemoteProtocolError, httpx.InvalidURL, UnicodeError)
T = TypeVar("T")


class Transport:
    """Reads addresses below `base_url`, and those Qualtrics' own pages point to."""

    def __init__(self, base_url: str, token: str, *, timeout_seconds: float, connect_timeout_seconds: float, attempts: int) -> None:
        if not re.fullmatch("[!-~]+", token):
            raise ValueError("the Qualtrics token must be printable ASCII without spaces")
        #: The host that answers without a detour, once Qualtrics named it (quirk Q6).
        self.better_host: str | None = None
        self._base = httpx.URL(f"{base_url.rstrip('/')}/")
        self._attempt_seconds = connect_timeout_seconds + timeout_seconds
        self._retrying = stamina.AsyncRetryingCaller(attempts=attempts, timeout=None, wait_initial=0.5, wait_max=30)
        # 50 requests a second at 0.3 s keep 15 connections busy (reference performance.md 3).
        self._http = httpx.AsyncClient(
            headers={"X-API-TOKEN": token, "Accept": "application/json"},
            timeout=httpx.Timeout(timeout_seconds, connect=connect_timeout_seconds),
            limits=httpx.Limits(max_connections=16),
            follow_redirects=False,
        )

    def url(self, path: str, **query: str) -> str:
        return str(self._base.join(path).copy_merge_params(query))

    def next_url(self, page_url: str, reference: str | None) -> str | None:
        """Resolve `nextPage` against the page it stands in; None on the last page. Raises Malformed when it is no URL."""
        if not reference:
            return None
        if not re.search("[/?]", reference):  # "string_or_null" and the like, from mocks and documentation
            log.warning("qualtrics.odd_next_page", extra={"taken_as": "the last page"})
            return None
        try:
            return str(httpx.URL(page_url).join(reference))
        except (httpx.InvalidURL, ValueError) as error:
            raise Malformed(f"{_where(httpx.URL(page_url))}: nextPage is no URL") from _cause(error)

    async def get(self, url: str, read: Callable[[bytes], T]) -> T:
        """Fetch and read one body, repeating both when that can help. `read` raises `wire.UNREADABLE` for a body of the wrong shape.

        Raises Malformed, and sends nothing, when the address is not Qualtrics'.
        """
        target = httpx.URL(url)
        if not self._may_see_token(target):
            raise Malformed(f"{_where(target)} is not on a Qualtrics host: the token stays here")
        return await self._retrying(backoff, self._get_once, target, read)

    async def aclose(self) -> None:
        await self._http.aclose()

    async def _get_once(self, url: httpx.URL, read: Callable[[bytes], T]) -> T:
        response = await self._send(url)
        meta = wire.meta(response.content)
        self._heed(meta.notice)
        if response.status_code != HTTPStatus.OK:
            raise refusal(_where(url), response.status_code, response.headers, meta)
        try:
            return read(response.content)
        except wire.UNREADABLE as error:
            raise Malformed(f"{_where(url)} answered something unexpected") from _cause(error)

    async def _send(self, url: httpx.URL) -> httpx.Response:
        """Wait for the whole answer no longer than both time-outs together: httpx's own begin anew with every byte."""
        try:
            async with asyncio.timeout(self._attempt_seconds):
                return await self._http.get(url)
        except (httpx.HTTPError, TimeoutError) as error:
            raise Unavailable(f"{_where(url)} got no answer ({type(error).__name__})") from _cause(error)

    def _may_see_token(self, url: httpx.URL) -> bool:
        """Allow the configured origin and https Qualtrics hosts, judged by the bytes that will be dialled."""
        if url.userinfo:
            return False
        if (url.scheme, url.raw_host, url.port) == (self._base.scheme, self._base.raw_host, self._base.port):
            return True
        return url.scheme == "https" and url.port is None and bool(re.fullmatch(rb"([a-z0-9-]{1,63}\.){1,3}qualtrics\.com", url.raw_host))

    def _heed(self, notice: str | None) -> None:
        host = re.search(r"use this host instead: ([\w.-]+\.qualtrics\.com)", notice or "")
        if host and self.better_host is None:
            self.better_host = host[1]
            log.warning("qualtrics.proxied", extra={"better_host": self.better_host})


def _where(url: httpx.URL) -> str:
    """Without the query, which is not the log's affair, and still percent-encoded, so that it is one line."""
    return f"GET {url.raw_path.decode('ascii').partition('?')[0]}"


def _cause(error: Exception) -> Exception | None:
    return None if isinstance(error, _QUOTES_THE_ANSWER) else error
