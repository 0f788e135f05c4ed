from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from adapters.sandbox.clock import SandboxClock
from adapters.sandbox.page.routes import page_routes
from adapters.sandbox.qualtrics.tenant import Tenant
from adapters.sandbox.serving import serving
from adapters.sandbox.slack.sender import SlackSender
from adapters.sandbox.slack.workspace import Json, UserKind, Workspace
from adapters.sandbox.teams.client import TeamsClient
from adapters.sandbox.teams.identity import IdentityProvider, Key
from adapters.sandbox.teams.tenant import Person
from adapters.sandbox.teams.tenant import Tenant as Teams
from adapters.sandbox.teams.window import Window
from tests.adapters.sandbox_page.drawn import Draw, drawing


@dataclass(slots=True)
class Bot:
    """Stands where the real bot listens."""

    status: int = 200
    #: What Slack sent: form fields of commands and presses, bodies of events.
    heard: list[dict[str, str]] = field(default_factory=list[dict[str, str]])
    #: What Teams sent, and what it is answered with.
    told: list[Json] = field(default_factory=list[Json])
    answer: Json | None = None

    async def listen(self, request: Request) -> Response:
        body = (await request.body()).decode()
        self.heard.append({name: values[0] for name, values in parse_qs(body).items()} or {"event": body})
        return Response(status_code=self.status)

    async def listen_to_teams(self, request: Request) -> Response:
        self.told.append(await request.json())
        return JSONResponse(self.answer, self.status) if self.answer else Response(status_code=self.status)


@dataclass(slots=True)
class World:
    """Everything behind the page, and a browser in front of it."""

    clock: SandboxClock
    tenant: Tenant
    workspace: Workspace
    teams: Teams
    browser: httpx.AsyncClient
    bot: Bot

    async def do(self, **deed: Any) -> httpx.Response:
        return await self.browser.post("/sandbox/do", json=deed)

    async def state(self, user: str = "U1") -> dict[str, Any]:
        return (await self.browser.get("/sandbox/state", params={"user": user})).raise_for_status().json()


@pytest.fixture(scope="module")
def draw() -> Iterator[Draw]:
    with drawing() as draw:
        yield draw


@pytest.fixture(scope="session")
def signing_key() -> Key:
    return Key("k1")


@pytest.fixture
async def world(signing_key: Key) -> AsyncIterator[World]:
    clock = SandboxClock()
    tenant = Tenant(clock, public_url="http://127.0.0.1:1")
    tenant.add_contact("ada@example.com", "Ada", "Lovelace")
    tenant.add_contact("Björn@Example.com", "Björn", "<b>Tables</b>")
    workspace = Workspace(clock=clock, bot_token="xoxb-sandbox", signing_secret="sandbox")
    workspace.platform.patience_s = 30  # a busy machine may take longer than three seconds
    workspace.add_user("U1", "Ada", email="ada@example.com", zone="Europe/Madrid")
    workspace.add_user("U2", "Björn", email="björn@example.com")
    workspace.add_user("U3", "Dee", kind=UserKind.DEACTIVATED)
    workspace.add_channel("C1", "general", members=("U1",))
    teams = Teams(tenant_id="tenant", clock=clock, service_url="http://127.0.0.1:1/", changed=workspace.changed)
    teams.add(
        Person(user_id="ada", name="Ada", email="Ada@example.com"),
        Person(user_id="tia", name="Tia", email="tia@example.com", locale="de-DE"),
        Person(user_id="gus", name="Gus", email=None, role="guest"),
    )
    teams.channel("19:general", ["ada", "tia"], team="Acme", name="General")
    bot = Bot()
    heard = [Route("/slack", bot.listen, methods=["POST"]), Route("/teams", bot.listen_to_teams, methods=["POST"])]
    async with serving(Starlette(routes=heard)) as bot_url:
        client = TeamsClient(teams, IdentityProvider(app_id="app", password="", key=signing_key), f"{bot_url}/teams")
        routes = page_routes(tenant, workspace, SlackSender(workspace, f"{bot_url}/slack"), clock, Window(client))
        transport = httpx.ASGITransport(Starlette(routes=routes))
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:1") as browser:
            yield World(clock=clock, tenant=tenant, workspace=workspace, teams=teams, browser=browser, bot=bot)
