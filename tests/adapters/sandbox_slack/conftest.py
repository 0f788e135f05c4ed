"""A simulated workspace with somebody of every kind, served on loopback and spoken to by the real SDK."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl

import pytest
from slack_sdk.signature import SignatureVerifier
from slack_sdk.web.async_client import AsyncWebClient
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from adapters.sandbox.serving import serving
from adapters.sandbox.slack.sender import SlackSender
from adapters.sandbox.slack.server import slack_app
from adapters.sandbox.slack.workspace import ConversationKind, UserKind, Workspace


class Clock:
    """Stands still until told otherwise."""

    def __init__(self) -> None:
        self.at = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at

    def advance(self, by: timedelta) -> None:
        self.at += by


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def workspace(clock: Clock) -> Workspace:
    acme = Workspace(clock=clock, bot_token="xoxb-false", signing_secret="not a secret")
    acme.platform.patience_s = 30  # a busy machine may take longer than three seconds
    acme.add_user("U0ANA", "Ana", email="Ana.Diaz@Acme.Example", zone="Europe/Madrid", locale="es-ES")
    acme.add_user("U0BEN", "Ben", email="ben@acme.example")
    acme.add_user("U0NOMAIL", "Nomail")
    acme.add_user("U0LEFT", "Left", email="left@acme.example", kind=UserKind.DEACTIVATED)
    acme.add_user("U0GUEST", "Guest", email="guest@partner.example", kind=UserKind.GUEST)
    acme.add_user("U0SINGLE", "Single", email="single@partner.example", kind=UserKind.SINGLE_CHANNEL_GUEST)
    acme.add_user("U0STRANGER", "Stranger", kind=UserKind.STRANGER)
    acme.add_channel("C0GENERAL", "general", members={"U0ANA", "U0BEN", "U0SURVEYBOT"})
    acme.add_channel("C0UNJOINED", "unjoined", members={"U0ANA"})
    acme.add_channel("C0SECRET", "secret", kind=ConversationKind.PRIVATE, members={"U0BEN"})
    acme.add_channel("C0OLD", "old", members={"U0ANA", "U0SURVEYBOT"}, is_archived=True)
    return acme


@pytest.fixture
async def slack_url(workspace: Workspace) -> AsyncIterator[str]:
    async with serving(slack_app(workspace)) as url:
        workspace.url = url
        yield url


@pytest.fixture
def client(slack_url: str) -> AsyncWebClient:
    return AsyncWebClient(token="xoxb-false", base_url=f"{slack_url}/api/", retry_handlers=[])


class Inbox:
    """A bot that keeps what it was sent, each with a signature that the SDK's verifier accepts, and always answers the same."""

    def __init__(self, workspace: Workspace) -> None:
        self.url = ""
        self.answer: Callable[[], Response] = Response
        self._verifier = SignatureVerifier(workspace.signing_secret)
        self._bodies: asyncio.Queue[str] = asyncio.Queue()

    async def take(self, request: Request) -> Response:
        body = await request.body()
        assert self._verifier.is_valid_request(body, dict(request.headers))
        self._bodies.put_nowait(body.decode())
        return self.answer()

    @property
    def is_empty(self) -> bool:
        return self._bodies.empty()

    async def payload(self) -> dict[str, Any]:
        """Of an interaction."""
        return json.loads((await self.form())["payload"])

    async def event(self) -> dict[str, Any]:
        return json.loads(await self._next())

    async def form(self) -> dict[str, str]:
        return dict(parse_qsl(await self._next()))

    async def _next(self) -> str:
        async with asyncio.timeout(30):
            return await self._bodies.get()

    def sender(self, workspace: Workspace) -> SlackSender:
        return SlackSender(workspace, self.url)


@pytest.fixture
async def inbox(workspace: Workspace) -> AsyncIterator[Inbox]:
    kept = Inbox(workspace)
    async with serving(Starlette(routes=[Route("/", kept.take, methods=["POST"])])) as url:
        kept.url = url
        yield kept
