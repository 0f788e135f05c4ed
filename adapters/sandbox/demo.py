"""The demo: the real bot between a simulated Qualtrics and a simulated Slack, which it knows by their addresses alone."""

from __future__ import annotations

import asyncio
import base64
import secrets
import tempfile
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.types import ASGIApp, Receive, Scope, Send

from adapters.app import Bot, open_bot
from adapters.event_subscriptions import EventSubscriptions
from adapters.sandbox.clock import SandboxClock
from adapters.sandbox.page.routes import page_routes
from adapters.sandbox.people import hire
from adapters.sandbox.qualtrics.deliveries import Courier
from adapters.sandbox.qualtrics.seed import founded
from adapters.sandbox.qualtrics.server import qualtrics_app
from adapters.sandbox.qualtrics.tenant import Tenant
from adapters.sandbox.serving import serving
from adapters.sandbox.slack.sender import SlackSender
from adapters.sandbox.slack.server import slack_app
from adapters.sandbox.slack.workspace import Workspace
from adapters.scheduler import scheduled
from adapters.settings import Limits, Schedule, Settings, Slack
from adapters.slack.inbound import PATH
from adapters.web import web
from bot.model import Integration
from bot.ports import UnitOfWork
from bot.schedule import Every
from bot.schedule import Schedule as Reading
from store import migrations

#: The integration's id.
INTEGRATION = "acme"
#: So short that whoever clicks sees what follows; seconds.
QUICK = Schedule(directory=60, reminders=1, delivery=0.5)
#: The simulated tenant limits nobody, unless it is told to; requests a minute.
_UNHURRIED = Limits(brand=60_000, history=60_000, links=60_000)
READ_QUICKLY = Reading(full=Every.parse("1 min"), incremental=Every.parse("2 s"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Sandbox:
    """Everything that runs, for whoever makes things happen in it."""

    #: Of the browser page; the tenant and Slack's API are under the same address.
    url: str
    #: Where the bot listens for Slack.
    bot_url: str
    clock: SandboxClock
    tenant: Tenant
    workspace: Workspace
    sender: SlackSender
    #: Brings the tenant's events to whoever subscribed to them.
    courier: Courier
    bot: Bot

    async def push(self) -> None:
        """Let the bot subscribe to the tenant's events, as `surveybot push register` does."""
        core = self.bot.core
        acme = await core.store.read(lambda uow: uow.integrations.get(INTEGRATION))
        assert acme is not None
        subscriptions = EventSubscriptions(client=await core.connections.source(acme), store=core.store, integration_id=INTEGRATION)
        await subscriptions.register(self.bot_url)


async def run_demo(port: int, announce: Callable[[str], None]) -> None:
    """Run until cancelled; `announce` is told the page's address once everything answers. OSError: the port is taken."""
    with tempfile.TemporaryDirectory(prefix="surveybot-demo-") as folder:
        async with sandbox(f"sqlite:///{folder}/demo.db", port=port) as running, scheduled(running.bot):
            await running.push()
            announce(running.url)
            await running.courier.run()


@asynccontextmanager
async def sandbox(
    database_url: str, *, port: int = 0, schedule: Schedule = QUICK, reading: Reading = READ_QUICKLY, people: int = 24
) -> AsyncGenerator[Sandbox]:
    """Start everything on loopback, with an empty database migrated. Nothing is scheduled: the caller does that, or asks the bot itself."""
    await asyncio.to_thread(migrations.upgrade, database_url)
    clock, worlds = SandboxClock(), _Worlds()
    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(serving(worlds, port=port))
        qualtrics_token, bot_token, signing_secret = (prefix + secrets.token_hex(16) for prefix in ("", "xoxb-", ""))
        tenant = founded(clock, public_url=url, people=people)
        workspace = Workspace(clock=clock, bot_token=bot_token, signing_secret=signing_secret)
        workspace.url = url
        hire(workspace, tenant)
        worlds.qualtrics, worlds.slack = qualtrics_app(tenant, token=qualtrics_token), slack_app(workspace)
        settings = Settings(
            limits=_UNHURRIED,
            slack=Slack(
                bot_token=SecretStr(bot_token), signing_secret=SecretStr(signing_secret), api_url=f"{url}/api/", sends_per_second=20
            ),
            encryption_keys=SecretStr("demo:" + base64.b64encode(secrets.token_bytes(32)).decode()),
            database_url=SecretStr(database_url),
            schedule=schedule,
        )
        bot = await stack.enter_async_context(open_bot(settings, clock))
        await bot.core.store.write(lambda uow: _connect(uow, f"{url}/API/v3/", qualtrics_token, reading))
        bot_url = await stack.enter_async_context(serving(web(bot)))
        sender = SlackSender(workspace, f"{bot_url}{PATH}")
        worlds.page = Starlette(routes=page_routes(tenant, workspace, sender, clock))
        yield Sandbox(
            url=url, bot_url=bot_url, clock=clock, tenant=tenant, workspace=workspace, sender=sender, courier=Courier(tenant), bot=bot
        )


def _connect(uow: UnitOfWork, base_url: str, token: str, reading: Reading) -> None:
    acme = Integration(integration_id=INTEGRATION, name="Acme", base_url=base_url, timeout_seconds=10, schedule=reading)
    uow.integrations.save(acme)
    uow.integrations.set_secret(acme.integration_id, token)


class _Worlds:
    """One address for all three, told apart by their paths, so that links work in whatever browser shows the page."""

    qualtrics: ASGIApp | None = None
    slack: ASGIApp | None = None
    page: ASGIApp | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        if path.startswith(("/API/", "/jfe/", "/oauth2/")):
            app = self.qualtrics
        elif path.startswith(("/api/", "/response/", "/oauth/", "/link")):
            app = self.slack
        else:
            app = self.page
        await (app or Starlette())(scope, receive, send)
