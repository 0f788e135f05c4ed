"""An operator's shell: an environment of settings, the commands, and a sandbox they can be pointed at."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import stamina
import stamina.instrumentation

from adapters import logs
from adapters.cli import main
from adapters.sandbox.demo import Sandbox, sandbox
from adapters.sandbox.qualtrics.records import User
from adapters.settings import Settings
from adapters.slack_access import told
from bot.model import Integration
from bot.ports import UnitOfWork
from tests.conftest import KEY

COMMAND = Path(sys.executable).with_name("surveybot")
#: Two API tokens and the secret of an OAuth client that `Desk`'s tenant knows.
TOKEN, OTHER, CLIENT_SECRET = "canary-api-token-1", "canary-api-token-2", "canary-client-secret"
#: The least that starts; nothing answers there.
GOOD = {
    "SURVEYBOT_SLACK__BOT_TOKEN": "xoxb-canary-slack-token",
    "SURVEYBOT_SLACK__SIGNING_SECRET": "canary-signing-secret",
    "SURVEYBOT_ENCRYPTION_KEYS": KEY,
}
#: What Teams needs, beside them or in Slack's place.
IN_TEAMS = {
    "SURVEYBOT_TEAMS__APP_ID": "0000000A-0000-0000-0000-000000000001",
    "SURVEYBOT_TEAMS__TENANT_ID": "0000000b-0000-0000-0000-000000000002",
    "SURVEYBOT_TEAMS__CLIENT_SECRET": "c4n4ry-0123456789~Q",
}


@dataclass(frozen=True, slots=True)
class Ended:
    """What a command left on the operator's screen."""

    code: int
    out: str
    err: str


@dataclass(frozen=True, slots=True)
class Shell:
    folder: Path
    monkeypatch: pytest.MonkeyPatch
    capsys: pytest.CaptureFixture[str]

    def set(self, variables: Mapping[str, str]) -> None:
        for name, value in variables.items():
            self.monkeypatch.setenv(name, value)

    async def run(self, *arguments: str) -> Ended:
        """Run a command in a thread of this process, where warnings are errors."""
        self.monkeypatch.setattr(sys, "argv", ["surveybot", *arguments])
        self.capsys.readouterr()
        code = await asyncio.to_thread(_exit_code)
        out, err = self.capsys.readouterr()
        return Ended(code, out, err)


def _exit_code() -> int:
    try:
        main()
    except SystemExit as exited:
        return int(exited.code or 0)
    return 0


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Shell]:
    """A shell without settings in an empty folder. Commands set logging up for good: what was before comes back."""
    for name in [name for name in os.environ if name.startswith("SURVEYBOT_")]:
        monkeypatch.delenv(name)
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.chdir(folder)
    root = logging.getLogger()
    handlers, levels = root.handlers[:], {name: logging.getLogger(name).level for name in (None, *logs.QUIET)}
    yield Shell(folder, monkeypatch, capsys)
    stamina.instrumentation.set_on_retry_hooks(None)
    root.handlers[:] = handlers
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)


@pytest.fixture
def no_waiting() -> Iterator[None]:
    """Repeated reads follow each other at once, and give up after the second."""
    with stamina.set_testing(True, attempts=2):
        yield


@pytest.fixture
async def inside(database_url: str, no_waiting: None) -> AsyncIterator[Sandbox]:
    async with sandbox(database_url) as running:
        yield running


def variables(settings: Settings) -> dict[str, str]:
    """The environment that makes these settings."""
    return {
        "SURVEYBOT_SLACK__BOT_TOKEN": told(settings.slack.bot_token),
        "SURVEYBOT_SLACK__SIGNING_SECRET": told(settings.slack.signing_secret),
        "SURVEYBOT_SLACK__API_URL": settings.slack.api_url,
        "SURVEYBOT_ENCRYPTION_KEYS": settings.encryption_keys.get_secret_value(),
        "SURVEYBOT_DATABASE_URL": settings.database_url.get_secret_value(),
    }


@dataclass(frozen=True, slots=True)
class Desk:
    """An operator's shell beside a running sandbox. Two API tokens and an OAuth client are known to its tenant."""

    inside: Sandbox
    shell: Shell

    @property
    def base_url(self) -> str:
        return f"{self.inside.url}/API/v3/"

    @property
    def brand(self) -> str:
        """The first lines that tell what the credentials see."""
        account = accounts(self.inside)[0].user_id
        return f"  brand sandbox, account {account}, data centre iad1\n  sees 14 surveys\n  may list the brand's users\n"

    async def integration(self, *arguments: str) -> Ended:
        ended = await self.shell.run("integration", *arguments)
        assert "canary" not in ended.out + ended.err
        assert "Traceback" not in ended.err
        return ended

    async def add(self, name: str = "Main", *arguments: str, secret: str = TOKEN) -> Ended:
        self.shell.set({"SURVEYBOT_SECRET": secret})
        return await self.integration("add", name, "--base-url", self.base_url, *arguments)

    async def stored(self, integration_id: str) -> Integration | None:
        return await self.inside.bot.core.store.read(lambda uow: uow.integrations.get(integration_id))

    async def secret(self, integration_id: str) -> str | None:
        return await self.inside.bot.core.store.read(lambda uow: uow.integrations.secret(integration_id))

    async def change(self, work: Callable[[UnitOfWork], object]) -> None:
        await self.inside.bot.core.store.write(work)


@pytest.fixture
def desk(inside: Sandbox, shell: Shell) -> Desk:
    shell.set(variables(inside.bot.core.settings))
    admin, member = accounts(inside)
    inside.tenant.credentials.add_token(TOKEN, admin.user_id)
    inside.tenant.credentials.add_token(OTHER, member.user_id)
    inside.tenant.credentials.add_client("client", CLIENT_SECRET, admin.user_id)
    return Desk(inside, shell)


def accounts(inside: Sandbox) -> tuple[User, User]:
    """A Brand Admin, and somebody who is none."""
    return next(it for it in inside.tenant.users if it.is_admin), next(it for it in inside.tenant.users if not it.is_admin)


async def until(inside: Sandbox, is_so: Callable[[UnitOfWork], object], seconds: float = 120) -> None:
    """Look again and again: what is waited for happens in another process, or tells nobody."""
    async with asyncio.timeout(seconds):
        while not await inside.bot.core.store.read(is_so):  # noqa: ASYNC110 - nobody sets an event
            await asyncio.sleep(0.02)  # so that what is waited for has the processor


@asynccontextmanager
async def process(folder: Path, environment: Mapping[str, str], *arguments: str) -> AsyncGenerator[asyncio.subprocess.Process]:
    """A command in a process of its own, for what needs signals. It does not outlive the block."""
    started = await asyncio.create_subprocess_exec(
        COMMAND,
        *arguments,
        cwd=folder,
        env={"PATH": os.environ["PATH"], "PYTHONWARNINGS": "error", **environment},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield started
    finally:
        if started.returncode is None:
            started.kill()
        await started.communicate()
