"""What Qualtrics calls when something happened: a signed delivery becomes a hint that one survey is to be read again, and nothing else.

Form and signature: reference qualtrics.md 9. Nothing but a delivery's survey and status is kept or logged, and every answer is empty.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from urllib.parse import parse_qsl, quote

import msgspec
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from adapters.bodies import whole_body
from adapters.hints import Hints, Message
from adapters.push_keys import PushKeys
from adapters.qualtrics.wire import UNREADABLE
from bot.errors import Unavailable
from bot.ports import Store

PATH = "/qualtrics/events/"
LONGEST_BODY_BYTES = 64 * 1024
_FORM = "application/x-www-form-urlencoded"
_MOST_FIELDS = 20


def path(integration_id: str) -> str:
    """Where an integration's events are to be sent."""
    return PATH + quote(integration_id, safe="")


def routes(store: Store, clock: Callable[[], datetime], *, patience_seconds: float = 5) -> list[Route]:
    """Return the URL of all integrations. Qualtrics also asks it with GET.

    A delivery is answered 200 when its hint is stored, or was stored before, or tells nothing; 400, 413 or 415 when it is none; 401 when no
    key of that integration signed it; 503 when it may be sent again. `patience_seconds` have the body to come, and the database to answer.
    """
    return [
        Route(PATH + "{integration_id}", _Desk(keys=PushKeys(store, clock), hints=Hints(store, clock), patience_seconds=patience_seconds))
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Desk:
    """An ASGI application, because a function's route would answer other methods with words."""

    keys: PushKeys
    hints: Hints
    patience_seconds: float

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        match request.method:
            case "POST":
                response = Response(status_code=await self.receive(request))
            case "GET" | "HEAD":
                response = Response()
            case _:
                response = Response(status_code=HTTPStatus.METHOD_NOT_ALLOWED, headers={"Allow": "GET, HEAD, POST"})
        await response(scope, receive, send)

    async def receive(self, request: Request) -> HTTPStatus:
        if request.headers.get("Content-Type", "").partition(";")[0].strip().lower() != _FORM:
            return HTTPStatus.UNSUPPORTED_MEDIA_TYPE
        try:
            async with asyncio.timeout(self.patience_seconds):
                body = await whole_body(request, LONGEST_BODY_BYTES)
        except (ClientDisconnect, TimeoutError):
            return HTTPStatus.BAD_REQUEST
        if body is None:
            return HTTPStatus.REQUEST_ENTITY_TOO_LARGE
        try:
            async with asyncio.timeout(self.patience_seconds):
                return await self._judge(body, request.path_params["integration_id"])
        except (Unavailable, TimeoutError):
            return HTTPStatus.SERVICE_UNAVAILABLE

    async def _judge(self, body: bytes, integration_id: str) -> HTTPStatus:
        """What nobody signed is not looked into."""
        fields = _fields(body)
        if fields is None:
            return HTTPStatus.BAD_REQUEST
        if not await self.keys.accept(integration_id, *fields):
            return HTTPStatus.UNAUTHORIZED
        message = _message(fields[0])
        if message is None or not await self.hints.remember(integration_id, message):
            return HTTPStatus.BAD_REQUEST
        return HTTPStatus.OK


def _fields(body: bytes) -> tuple[bytes, str] | None:
    """Return the signed bytes and their signature; None unless there is exactly one of each.

    `Topic` and whatever else comes is not signed, and not read (quirk Q16).
    """
    try:
        fields = parse_qsl(body.decode(), keep_blank_values=True, strict_parsing=True, errors="strict", max_num_fields=_MOST_FIELDS)
        (signed,) = (value for name, value in fields if name == "MSG")
        (signature,) = (value for name, value in fields if name == "HMAC")
    except ValueError:
        return None
    return signed.encode(), signature


def _message(signed: bytes) -> Message | None:
    try:
        return msgspec.json.decode(signed, type=Message)
    except UNREADABLE:
        return None
