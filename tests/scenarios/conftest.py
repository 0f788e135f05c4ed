"""The whole house on loopback: the real bot and the vendors' clients between the simulated services, in each chat, on both databases."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest
import stamina

from adapters import logs
from adapters.push_keys import key_of
from adapters.sandbox.demo import INTEGRATION, Sandbox
from adapters.slack_access import told
from store import tables
from store.engine import connect
from tests.scenarios.house import LINK_MARK, House
from tests.scenarios.in_slack import SlackHouse, slack_house
from tests.scenarios.in_teams import teams_house

HOUSES = {"slack": slack_house, "teams": teams_house}


@pytest.fixture(autouse=True)
def quick_retries() -> Iterator[None]:
    """Reads are retried as ever, without the waits between."""
    with stamina.set_testing(True, attempts=3):
        yield


class Listener(logging.Handler):
    """Keeps everything that would be logged, extra fields and tracebacks included."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.heard: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.heard.append(f"{logging.Formatter().format(record)} {vars(record)}")


@pytest.fixture
def log() -> Iterator[list[str]]:
    """Everything logged during a test, with the libraries kept as quiet as in production."""
    root, listener = logging.getLogger(), Listener()
    levels = {logging.getLogger(name): least for name, least in logs.QUIET.items()} | {root: logging.DEBUG}
    before = {logger: logger.level for logger in levels}
    for logger, level in levels.items():
        logger.setLevel(level)
    root.addHandler(listener)
    yield listener.heard
    root.removeHandler(listener)
    for logger, level in before.items():
        logger.setLevel(level)


@pytest.fixture(params=HOUSES)
async def house(request: pytest.FixtureRequest, database_url: str, log: list[str]) -> AsyncIterator[House]:
    """One chat after the other."""
    async with HOUSES[request.param](database_url) as opened, kept(opened, log):
        yield opened


@pytest.fixture
async def slack(database_url: str, log: list[str]) -> AsyncIterator[SlackHouse]:
    async with slack_house(database_url) as opened, kept(opened, log):
        yield opened


@asynccontextmanager
async def kept(house: House, log: list[str]) -> AsyncGenerator[None]:
    """Afterwards everything it ever sent, logged and stored is held against the promises."""
    yield
    house.assert_private()
    await assert_silent(house.inside, log)
    await assert_sealed(house.inside)


async def secrets_of(inside: Sandbox) -> list[str]:
    settings, store = inside.bot.core.settings, inside.bot.core.store
    qualtrics = await store.read(lambda uow: (uow.integrations.secret(INTEGRATION), *map(key_of, uow.integrations.push_keys(INTEGRATION))))
    chats = (settings.slack.bot_token, settings.slack.signing_secret, settings.teams.client_secret)
    found = [*qualtrics, *map(told, (*chats, settings.encryption_keys))]
    return [secret for secret in found if secret]


async def assert_silent(inside: Sandbox, log: list[str]) -> None:
    """No line of the log holds a token, an e-mail address or a personal link."""
    secrets = await secrets_of(inside)
    assert len(secrets) >= 3
    for line in log:
        assert not any(secret in line for secret in secrets)
        assert "@example.com" not in line
        assert LINK_MARK not in line


async def assert_sealed(inside: Sandbox) -> None:
    """No row of any table holds a personal link or a secret in clear."""
    url = inside.bot.core.settings.database_url.get_secret_value()
    engine = connect(url, read_only=True, connections=1)

    def rows() -> list[str]:
        with engine.connect() as connection:
            return [repr(tuple(row)) for table in tables.METADATA.sorted_tables for row in connection.execute(table.select())]

    found = await asyncio.to_thread(rows)
    engine.dispose()
    assert len(found) > 100
    clear = ["/jfe/form/", LINK_MARK, *await secrets_of(inside)]
    assert not any(text in row for row in found for text in clear)
