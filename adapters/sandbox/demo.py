"""The demo: the real bot between a simulated Qualtrics, Slack and Teams, which it knows by their addresses alone."""

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
from adapters.sandbox.people import hire, hire_into_teams
from adapters.sandbox.qualtrics.deliveries import Courier
from adapters.sandbox.qualtrics.past import lived
from adapters.sandbox.qualtrics.seed import founded
from adapters.sandbox.qualtrics.server import qualtrics_app
from adapters.sandbox.qualtrics.tenant import Tenant
from adapters.sandbox.serving import serving
from adapters.sandbox.slack.sender import SlackSender
from adapters.sandbox.slack.server import slack_app
from adapters.sandbox.slack.workspace import Workspace
from adapters.sandbox.teams.client import TeamsClient
from adapters.sandbox.teams.running import Simulated, simulated_teams
from adapters.sandbox.teams.window import Window
from adapters.scheduler import scheduled
from adapters.settings import Limits, Links, Schedule, Settings, Slack, Teams
from adapters.slack.inbound import PATH
from adapters.teams.inbound import PATH as TEAMS_PATH
from adapters.teams.registration import PUBLIC
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
#: In which the bot reads, looks and tells what is due on a day.
_DAY_SECONDS = 2.0
READ_QUICKLY = Reading(full=Every.parse("1 min"), incremental=Every.parse("2 s"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Sandbox:
    """Everything that runs, for whoever makes things happen in it."""

    #: Of the browser page; the tenant, Slack's API and Teams' connector are under the same address.
    url: str
    #: Where the bot listens for Slack and Teams.
    bot_url: str
    clock: SandboxClock
    tenant: Tenant
    workspace: Workspace
    sender: SlackSender
    #: None: it was started without Teams.
    teams: Window | None
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
        database_url = f"sqlite:///{folder}/demo.db"
        house = sandbox(database_url, port=port, has_teams=True, has_past=True, day_seconds=_DAY_SECONDS)
        async with house as running, scheduled(running.bot):
            await running.push()
            announce(running.url)
            await running.courier.run()


@asynccontextmanager
async def sandbox(
    database_url: str,
    *,
    port: int = 0,
    schedule: Schedule = QUICK,
    reading: Reading = READ_QUICKLY,
    people: int = 24,
    has_slack: bool = True,
    has_teams: bool = False,
    has_past: bool = False,
    day_seconds: float = 0,
) -> AsyncGenerator[Sandbox]:
    """Start everything on loopback, with an empty database migrated. Nothing is scheduled: the caller does that, or asks the bot itself.

    With Teams, its administrator has added the bot to a team, so that the bot knows who is there. With a past, Qualtrics has surveys of the
    last weeks to look back on, and field staff who are in no chat. `day_seconds`: see `adapters.sandbox.page.deeds.Hand`.
    """
    await asyncio.to_thread(migrations.upgrade, database_url)
    clock, worlds = SandboxClock(), _Worlds()
    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(serving(worlds, port=port))
        qualtrics_token, bot_token, signing_secret = (prefix + secrets.token_hex(16) for prefix in ("", "xoxb-", ""))
        tenant = founded(clock, public_url=url, people=people)
        workspace = Workspace(clock=clock, bot_token=bot_token, signing_secret=signing_secret)
        workspace.url = url
        teams = await stack.enter_async_context(simulated_teams(clock, url)) if has_teams else None
        _people(tenant, workspace if has_slack else None, teams, has_past=has_past)
        worlds.qualtrics, worlds.slack = qualtrics_app(tenant, token=qualtrics_token), slack_app(workspace)
        slack = Slack(bot_token=SecretStr(bot_token), signing_secret=SecretStr(signing_secret), api_url=f"{url}/api/", sends_per_second=20)
        settings = _settings(database_url, url, schedule, slack if has_slack else Slack(), teams.settings if teams else Teams())
        bot = await stack.enter_async_context(open_bot(settings, clock, cloud=teams.cloud if teams else PUBLIC))
        await bot.core.store.write(lambda uow: _connect(uow, f"{url}/API/v3/", qualtrics_token, reading))
        bot_url = await stack.enter_async_context(serving(web(bot)))
        worlds.files = web(bot)
        sender = SlackSender(workspace, f"{bot_url}{PATH}")
        window = None
        if teams:
            worlds.teams, teams.tenant.changed = teams.connector, workspace.changed
            window = await _introduced(teams, f"{bot_url}{TEAMS_PATH}")
        worlds.page = Starlette(routes=page_routes(tenant, workspace, sender, clock, window, day_seconds=day_seconds))
        yield Sandbox(
            url=url,
            bot_url=bot_url,
            clock=clock,
            tenant=tenant,
            workspace=workspace,
            sender=sender,
            teams=window,
            courier=Courier(tenant),
            bot=bot,
        )


def _people(tenant: Tenant, workspace: Workspace | None, teams: Simulated | None, *, has_past: bool) -> None:
    """Those of a past are in no chat."""
    if workspace:
        hire(workspace, tenant)
    if teams:
        hire_into_teams(teams.tenant, tenant)
    if has_past:
        lived(tenant)


def _settings(database_url: str, url: str, schedule: Schedule, slack: Slack, teams: Teams) -> Settings:
    return Settings(
        limits=_UNHURRIED,
        links=_links(url),
        slack=slack,
        encryption_keys=SecretStr("demo:" + base64.b64encode(secrets.token_bytes(32)).decode()),
        database_url=SecretStr(database_url),
        public_url=url,
        schedule=schedule,
        teams=teams,
    )


async def _introduced(teams: Simulated, bot_url: str) -> Window:
    window = Window(TeamsClient(teams.tenant, teams.identity, bot_url))
    team = next(chat for chat in teams.tenant.conversations.values() if chat.kind == "channel")
    await window.add_app(team.members[-1], team.conversation_id)
    return window


def _links(url: str) -> Links:
    """Into the simulated Qualtrics: what is no https address is refused as a setting."""
    here = f"{url}/responses/{{survey}}"
    return Links.model_construct(results=here, distributions=here, builder=here)


def _connect(uow: UnitOfWork, base_url: str, token: str, reading: Reading) -> None:
    acme = Integration(integration_id=INTEGRATION, name="Acme", base_url=base_url, timeout_seconds=10, schedule=reading)
    uow.integrations.save(acme)
    uow.integrations.set_secret(acme.integration_id, token)


class _Worlds:
    """One address for all of them, told apart by their paths, so that links work in whatever browser shows the page."""

    qualtrics: ASGIApp | None = None
    slack: ASGIApp | None = None
    teams: ASGIApp | None = None
    page: ASGIApp | None = None
    #: What the bot has people fetch with their browser.
    files: ASGIApp | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        if path.startswith(("/API/", "/jfe/", "/oauth2/", "/responses/")):
            app = self.qualtrics
        elif path.startswith(("/api/", "/response/", "/oauth/", "/link")):
            app = self.slack
        elif path.startswith("/v3/"):
            app = self.teams
        elif path.startswith("/coverage/"):
            app = self.files
        else:
            app = self.page
        await (app or Starlette())(scope, receive, send)
