from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from adapters.sandbox.clock import SandboxClock
from adapters.sandbox.page.routes import page_routes
from adapters.sandbox.qualtrics.tenant import Tenant
from adapters.sandbox.serving import serving
from adapters.sandbox.slack.sender import SlackSender
from adapters.sandbox.slack.workspace import UserKind, Workspace


@dataclass(slots=True)
class Bot:
    """Stands where the real bot listens."""

    status: int = 200
    #: What Slack sent: form fields of commands and presses, bodies of events.
    heard: list[dict[str, str]] = field(default_factory=list[dict[str, str]])

    async def listen(self, request: Request) -> Response:
        body = (await request.body()).decode()
        self.heard.append({name: values[0] for name, values in parse_qs(body).items()} or {"event": body})
        return Response(status_code=self.status)


@dataclass(slots=True)
class World:
    """Everything behind the page, and a browser in front of it."""

    clock: SandboxClock
    tenant: Tenant
    workspace: Workspace
    browser: httpx.AsyncClient
    bot: Bot

    async def do(self, **deed: Any) -> httpx.Response:
        return await self.browser.post("/sandbox/do", json=deed)

    async def state(self, user: str = "U1") -> dict[str, Any]:
        return (await self.browser.get("/sandbox/state", params={"user": user})).raise_for_status().json()


@pytest.fixture
async def world() -> AsyncIterator[World]:
    clock = SandboxClock()
    tenant = Tenant(clock, public_url="http://127.0.0.1:1")
    tenant.add_contact("ada@example.com", "Ada", "Lovelace")
    tenant.add_contact("Björn@Example.com", "Björn", "<b>Tables</b>")
    workspace = Workspace(clock=clock, bot_token="xoxb-sandbox", signing_secret="sandbox")
    workspace.add_user("U1", "Ada", email="ada@example.com", zone="Europe/Madrid")
    workspace.add_user("U2", "Björn", email="björn@example.com")
    workspace.add_user("U3", "Dee", kind=UserKind.DEACTIVATED)
    workspace.add_channel("C1", "general", members=("U1",))
    bot = Bot()
    async with serving(Starlette(routes=[Route("/slack", bot.listen, methods=["POST"])])) as bot_url:
        routes = page_routes(tenant, workspace, SlackSender(workspace, f"{bot_url}/slack"), clock)
        transport = httpx.ASGITransport(Starlette(routes=routes))
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:1") as browser:
            yield World(clock=clock, tenant=tenant, workspace=workspace, browser=browser, bot=bot)
