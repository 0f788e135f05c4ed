"""The two ways in which Slack brings something to the app: signed HTTP requests, or envelopes over Socket Mode's WebSockets."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Literal, Protocol
from urllib.parse import urlencode

import aiohttp

from adapters.sandbox.slack.platform import Platform
from adapters.sandbox.slack.records import Json

#: As Socket Mode names them.
Envelope = Literal["events_api", "slash_commands", "interactive"]


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """What the bot answered at once."""

    #: Socket Mode has no status: an acknowledgement counts as 200.
    status: int | None
    body: str = ""
    #: Slack's word for what went wrong; None: acknowledged.
    error: Literal["operation_timeout", "dispatch_failed"] | None = None


class Delivery(Protocol):
    async def bring(self, kind: Envelope, payload: Json, *, attempt: int = 0) -> Acknowledgement:
        """Bring it once; from the first retry on, `attempt` counts and is told. Raises TimeoutError without a timely acknowledgement."""
        ...


class Posted(Delivery):
    """https://docs.slack.dev/authentication/verifying-requests-from-slack"""

    def __init__(self, platform: Platform, url: str) -> None:
        self._platform, self._url = platform, url

    async def bring(self, kind: Envelope, payload: Json, *, attempt: int = 0) -> Acknowledgement:
        match kind:
            case "events_api":
                return await self.post(json.dumps(payload), "application/json", attempt)
            case "slash_commands":
                return await self.post(urlencode(payload), _FORM, attempt)
            case "interactive":
                return await self.post(urlencode({"payload": json.dumps(payload)}), _FORM, attempt)

    async def post(self, body: str, content_type: str, attempt: int = 0) -> Acknowledgement:
        retry = {"X-Slack-Retry-Num": str(attempt), "X-Slack-Retry-Reason": "http_timeout"} if attempt else {}
        headers = {"Content-Type": content_type, **retry, **self._signature(body)}
        try:
            async with (
                asyncio.timeout(self._platform.patience_s),
                aiohttp.ClientSession() as session,
                session.post(self._url, data=body.encode(), headers=headers) as response,
            ):
                error = None if response.status == HTTPStatus.OK else "dispatch_failed"
                return Acknowledgement(response.status, await response.text(), error)
        except aiohttp.ClientError:
            return Acknowledgement(None, error="dispatch_failed")

    def _signature(self, body: str) -> Mapping[str, str]:
        """Fresh in real time: the bot refuses what is older than five minutes by its own clock."""
        timestamp = str(int(time.time()))
        digest = hmac.new(self._platform.app.signing_secret.encode(), f"v0:{timestamp}:{body}".encode(), hashlib.sha256).hexdigest()
        return {"X-Slack-Request-Timestamp": timestamp, "X-Slack-Signature": f"v0={digest}"}


class Enveloped(Delivery):
    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    async def bring(self, kind: Envelope, payload: Json, *, attempt: int = 0) -> Acknowledgement:
        envelope: Json = {"type": kind, "payload": payload, "accepts_response_payload": kind != "events_api"}
        if kind == "events_api":
            envelope |= {"retry_attempt": attempt, "retry_reason": "timeout" if attempt else ""}
        try:
            async with asyncio.timeout(self._platform.patience_s):
                answer = await self._platform.sockets.send(envelope)
        except ConnectionError:
            return Acknowledgement(None, error="dispatch_failed")
        return Acknowledgement(HTTPStatus.OK, json.dumps(answer) if answer else "")


_FORM = "application/x-www-form-urlencoded"
