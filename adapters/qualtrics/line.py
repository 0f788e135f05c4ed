"""One request to Qualtrics and its whole answer: time-outs, the count, the request log. The only place that sends."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx

from adapters.bodies import whole
from adapters.qualtrics import wire
from adapters.qualtrics.addresses import where
from adapters.qualtrics.errors import TooLong, request_id
from bot.errors import Ambiguous, Unavailable
from bot.ports.records import RequestLine

#: Of one answer, unpacked. A page of a list has some hundred kB; a survey's definition can have megabytes.
LONGEST_BYTES = 8 * 2**20
#: Errors whose text or arguments can hold bytes of the request or answer: never chained, for a traceback would show them.
_QUOTES = (httpx.ProtocolError, httpx.InvalidURL, UnicodeError)
#: Nothing was sent before one of these.
_BEFORE_SENDING = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    status: int
    #: Names compare without regard to case.
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    meta: wire.Meta = field(repr=False)


class Line:
    """The connections of one integration."""

    def __init__(self, *, timeout_seconds: float, connect_timeout_seconds: float, on_request: Callable[[RequestLine], None]) -> None:
        #: Requests sent, whatever became of them.
        self.calls = 0
        #: The `Date` of the last answer.
        self.date: str | None = None
        self._on_request = on_request
        self._attempt_seconds = connect_timeout_seconds + timeout_seconds
        # 50 requests a second at 0.3 s keep 15 connections busy (reference performance.md 3).
        self._http = httpx.AsyncClient(
            headers={"Accept": "application/json"},
            timeout=httpx.Timeout(timeout_seconds, connect=connect_timeout_seconds),
            limits=httpx.Limits(max_connections=16),
            follow_redirects=False,
        )

    async def send(self, method: str, url: httpx.URL, template: str, *, is_repeatable: bool, **request: Any) -> Answer:  # noqa: ANN401 - `json`, `data`, `headers`, `auth` are httpx's
        """Send once. Raises Unavailable without an answer; Ambiguous when the request is not repeatable and may have been heard.

        What is longer than LONGEST_BYTES is not read to its end; for a repeatable request that is TooLong.

        It waits for the whole answer no longer than both time-outs together: httpx's own begin anew with every byte. A call that is
        cancelled has no line in the log: nobody waited for its answer.
        """
        at, start = datetime.now(UTC), time.perf_counter()

        def tell(answer: Answer | None) -> None:
            self._on_request(_line(at, method, template, answer, time.perf_counter() - start))

        self.calls += 1
        try:
            async with asyncio.timeout(self._attempt_seconds):
                async with self._http.stream(method, url, **request) as response:
                    body = await whole(response.aiter_bytes(), LONGEST_BYTES)
        except (httpx.HTTPError, TimeoutError) as error:
            tell(None)
            kind = Unavailable if is_repeatable or isinstance(error, _BEFORE_SENDING) else Ambiguous
            raise kind(f"{where(method, url)} got no answer ({type(error).__name__})") from cause(error)
        self.date = response.headers.get("Date")
        tell(answer := Answer(status=response.status_code, headers=response.headers, body=body or b"", meta=wire.meta(body or b"")))
        if body is None:
            raise (TooLong if is_repeatable else Ambiguous)(f"{where(method, url)} answered more than {LONGEST_BYTES} bytes")
        return answer

    async def aclose(self) -> None:
        await self._http.aclose()


def cause(error: Exception) -> Exception | None:
    """Return what may be chained: errors that quote may not."""
    return None if isinstance(error, _QUOTES) else error


def _line(at: datetime, method: str, template: str, answer: Answer | None, seconds: float) -> RequestLine:
    return RequestLine(
        at=at,
        method=method,
        path=template,
        status=answer.status if answer else None,
        duration_ms=round(1000 * seconds),
        request_id=request_id(answer.meta) if answer else None,
    )
