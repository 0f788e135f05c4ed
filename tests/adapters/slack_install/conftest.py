"""The whole bot as distributed app beside a simulated Slack of several workspaces, and a browser."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest
from pydantic import SecretStr

from adapters.app import Bot, open_bot
from adapters.core import utc_now
from adapters.sandbox.serving import serving
from adapters.sandbox.slack.codes import Consent
from adapters.sandbox.slack.grid import Organisation, another_workspace
from adapters.sandbox.slack.platform import Platform
from adapters.sandbox.slack.sender import SlackSender
from adapters.sandbox.slack.server import slack_app
from adapters.sandbox.slack.workspace import Message, Workspace
from adapters.settings import Settings, Slack
from adapters.slack.inbound import PATH
from adapters.slack.oauth import INSTALL_PATH, REDIRECT_PATH
from adapters.web import web
from bot.installations import Installation, Tokens
from tests.adapters.slack.conftest import settled
from tests.conftest import KEY


@dataclass(frozen=True, slots=True)
class Shown:
    status: int
    location: str
    #: As the browser would send it back.
    cookie: str
    page: str
    headers: dict[str, str]


@dataclass(slots=True)
class House:
    slack: Platform
    settings: Settings
    acme: Workspace
    other: Workspace
    grid: Organisation
    bot: Bot
    url: str
    browser: aiohttp.ClientSession

    async def visit(self, url: str, cookie: str = "") -> Shown:
        """By hand: a cookie for https alone is not kept on loopback."""
        async with self.browser.get(url, headers={"Cookie": cookie} if cookie else {}, allow_redirects=False) as answer:
            kept = answer.headers.get("Set-Cookie", "").partition(";")[0]
            return Shown(answer.status, answer.headers.get("Location", ""), kept, await answer.text(), dict(answer.headers))

    async def allow(self, place: str, **consent: object) -> tuple[str, str]:
        """Begin an installation and decide on Slack's page; returns where Slack sends the browser, and the cookie."""
        self.slack.consent = Consent(user_id="U0ANA", place=place, **consent)  # type: ignore[arg-type]
        begun = await self.visit(f"{self.url}{INSTALL_PATH}")
        assert begun.status == 302
        return (await self.visit(begun.location)).location, begun.cookie

    async def install(self, place: str, **consent: object) -> Shown:
        return await self.visit(*await self.allow(place, **consent))

    async def installation(self, workspace_id: str) -> Installation | None:
        return await self.bot.core.store.read(lambda uow: uow.installations.get(workspace_id))

    async def tokens(self, workspace_id: str) -> Tokens | None:
        return await self.bot.core.store.read(lambda uow: uow.installations.tokens(workspace_id))

    def sender(self, workspace: Workspace) -> SlackSender:
        return SlackSender(workspace, f"{self.url}{PATH}")

    async def ask(self, workspace: Workspace, user_id: str) -> Message:
        """Type `/surveys` in the direct message with the bot; return the newest message there."""
        dm = workspace.direct_message(user_id).conversation_id
        assert (await self.sender(workspace).command(user_id, dm, "/surveys")).status == 200
        await settled()
        return list(workspace.sees(user_id, dm).values())[-1]

    def called(self, method: str) -> int:
        return sum(call.method == method for call in self.slack.journal)


@asynccontextmanager
async def opened(folder: Path, **slack_settings: SecretStr | None) -> AsyncGenerator[House]:
    acme = Workspace(clock=utc_now, bot_token=None, signing_secret="a-signing-secret-of-tests")
    acme.platform.patience_s = 30  # a busy machine may take longer than three seconds
    slack = acme.platform
    other = another_workspace(slack, "T0OTHER", "Other")
    grid = Organisation(slack, "E0GRID", "Grid")
    grid.add_workspace("T0NORTH", "North")
    acme.add_user("U0ANA", "ana", email="ana@acme.example")
    other.add_user("U0ANA", "ana of another company", email="ana@other.example")
    grid.add_user("W0ANA", "ana of grid", email="ana@grid.example", teams=["T0NORTH"])
    async with serving(slack_app(acme)) as slack_url, aiohttp.ClientSession() as browser:
        slack.url = slack_url
        ways: dict[str, SecretStr | None] = {"signing_secret": SecretStr(slack.app.signing_secret)}
        settings = Settings(
            slack=Slack.model_validate(
                {
                    "client_id": slack.app.client_id,
                    "client_secret": SecretStr("client-secret-of-the-sandbox"),
                    "workspaces": "T0ACME,T0OTHER, E0GRID",
                    "api_url": f"{slack_url}/api/",
                    "sends_per_second": 20,
                    **(ways | slack_settings),
                }
            ),
            encryption_keys=SecretStr(KEY),
            database_url=SecretStr(f"sqlite:///{folder / 'surveybot.db'}"),
        )
        slack.app.client_secret = "client-secret-of-the-sandbox"
        async with open_bot(settings) as bot, serving(web(bot)) as url:
            slack.app.redirect_urls = [f"{url}{REDIRECT_PATH}"]
            slack.app.request_url = f"{url}{PATH}"
            yield House(slack, settings, acme, other, grid, bot, url, browser)


@pytest.fixture
def folder(tmp_path: Path, migrated_sqlite: bytes) -> Path:
    (tmp_path / "surveybot.db").write_bytes(migrated_sqlite)
    return tmp_path


@pytest.fixture
async def house(folder: Path, caplog: pytest.LogCaptureFixture) -> AsyncIterator[House]:
    caplog.set_level(logging.INFO, "adapters")
    async with opened(folder) as it:
        yield it
