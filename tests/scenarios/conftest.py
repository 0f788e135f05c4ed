"""The whole house on loopback: the real bot, Bolt, slack-sdk and httpx between the simulated tenant and workspace, on both databases."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
import stamina

from adapters import logs
from adapters.push_keys import key_of
from adapters.sandbox.demo import INTEGRATION, Sandbox, sandbox
from adapters.sandbox.slack.workspace import Call, Message
from adapters.slack_access import told
from bot.syncing.sync import Kind
from store import tables
from store.engine import connect
from tests.sides import in_slack

ADA, BJOERN, DMITRI, EUNJI = (f"person{number:03d}@example.com" for number in (0, 1, 3, 4))
DEACTIVATED, GUEST, STRANGER, NOT_IN_SLACK = (f"person{number:03d}@example.com" for number in (6, 7, 8, 23))
LINK_MARK = "/jfe/form/"
SURVEY = "Town hall"


@dataclass(frozen=True, slots=True)
class House:
    """A sandbox with a test's way of saying things."""

    inside: Sandbox

    async def sync(self, kind: Kind = Kind.INCREMENTAL) -> None:
        await self.inside.bot.core.jobs.start(INTEGRATION, kind)

    async def look(self) -> None:
        """Do once what the timers do all the time."""
        await self.sync()
        await self.inside.bot.remind()
        await self.inside.bot.settle()
        await self.inside.bot.deliver()
        await self.inside.bot.edit()

    async def later(self, **span: float) -> None:
        self.inside.clock.advance(timedelta(**span))
        await self.look()

    def send(self, *emails: str, name: str = SURVEY, **values: timedelta | None) -> str:
        """Mail a new survey; returns its id."""
        distribution_id = self.inside.tenant.send_survey(name=name, emails=emails, **values)  # pyright: ignore[reportArgumentType]
        return self.inside.tenant.distribution(distribution_id).survey_id

    def user(self, email: str) -> str:
        return next(user.user_id for user in self.inside.workspace.users.values() if (user.email or "").casefold() == email)

    def dm(self, email: str) -> str:
        return self.inside.workspace.direct_message(self.user(email)).conversation_id

    def seen(self, email: str, channel_id: str | None = None) -> list[Message]:
        return list(self.inside.workspace.sees(self.user(email), channel_id or self.dm(email)).values())

    def titles(self, email: str, about: str = SURVEY) -> list[str]:
        """The first line of every message about a survey in somebody's direct message with the bot."""
        return [message.text.splitlines()[0] for message in self.seen(email) if about in message.text]

    async def command(self, email: str, text: str = "", channel_id: str = "C001") -> Message:
        """Type `/surveys` somewhere and wait for the answer."""
        before = len(self.seen(email, channel_id))
        answer = await self.inside.sender.command(self.user(email), channel_id, "/surveys", text)
        assert answer.status == 200
        await self.until(lambda: len(self.seen(email, channel_id)) > before)
        return self.seen(email, channel_id)[-1]

    async def press(self, email: str, message: Message, label: str, channel_id: str) -> None:
        """Press the first button of that label in a message and wait for its effect."""
        version = self.inside.workspace.version
        answer = await self.inside.sender.press(
            self.user(email), action_id=button(message.blocks, label)["action_id"], channel_id=channel_id, ts=message.ts
        )
        assert answer.status == 200
        await self.until(lambda: self.inside.workspace.version > version)

    async def until(self, is_so: Callable[[], bool]) -> None:
        """Wait for the workspace to become as expected; at most half a minute."""
        async with asyncio.timeout(30):
            while not is_so():
                await self.inside.workspace.wait_for_change(self.inside.workspace.version)

    async def visit(self, url: str, *, finish: bool) -> str:
        """Open a personal link in a browser, and press its button; returns what the last page said."""
        async with httpx.AsyncClient(follow_redirects=True) as browser:
            page = await browser.get(url)
            if finish:
                page = await browser.post(url)
            return page.text


def button(blocks: tuple[dict[str, object], ...] | list[dict[str, object]], label: str) -> dict[str, str]:
    """The first button of that label. Raises StopIteration when there is none."""
    return next(found for found in buttons(blocks) if found["text"]["text"] == label)  # type: ignore[index]


def buttons(blocks: object) -> list[dict[str, str]]:
    """Every button, however deep."""
    if isinstance(blocks, dict):
        mine = [blocks] if blocks.get("type") == "button" else []
        return mine + [found for value in blocks.values() for found in buttons(value)]
    return [found for value in blocks for found in buttons(value)] if isinstance(blocks, list | tuple) else []


def texts(blocks: object) -> list[dict[str, str]]:
    """Every text object, however deep."""
    if isinstance(blocks, dict):
        mine = [blocks] if blocks.get("type") in {"mrkdwn", "plain_text"} else []
        return mine + [found for value in blocks.values() for found in texts(value)]
    return [found for value in blocks for found in texts(value)] if isinstance(blocks, list | tuple) else []


def links_of(call: Call) -> set[str]:
    """The personal links anywhere in a call's arguments."""
    return {part for part in json.dumps(call.arguments).split('"') if LINK_MARK in part}


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


@pytest.fixture
async def house(database_url: str, log: list[str]) -> AsyncIterator[House]:
    """A house whose first synchronisation is done. Afterwards everything it ever sent, logged and stored is held against the promises."""
    async with sandbox(database_url) as inside:
        inside.workspace.platform.patience_s = 30  # a busy machine may take longer than three seconds
        await in_slack(inside.bot).directory_reader.read(inside.workspace.team_id)
        built = House(inside)
        await built.sync(Kind.FULL)
        yield built
        assert inside.workspace.refused == [], "the strict gate refused a payload"
        assert inside.workspace.timeouts == [], "something was not acknowledged"
        for call in inside.workspace.journal:
            for link in links_of(call):
                assert_private(inside, call, link)
        await assert_silent(inside, log)
        await assert_sealed(inside)


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
        assert "Q_DL=" not in line


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
    clear = [LINK_MARK, "Q_DL=", *await secrets_of(inside)]
    assert not any(text in row for row in found for text in clear)


def assert_private(inside: Sandbox, call: Call, link: str) -> None:
    """A personal link went to its owner's direct message with the bot or Home view, as a button's address, unfurling off."""
    owner = owner_of(inside, link)
    users = [user.user_id for user in inside.workspace.users.values() if (user.email or "").casefold() == owner]
    assert len(users) == 1, "the link's owner has one account"
    dm = inside.workspace.direct_message(users[0]).conversation_id
    match call.method:
        case "views.publish":
            assert call.arguments["user_id"] == users[0]
        case "chat.postMessage":
            assert call.arguments["channel"] in {dm, users[0]}
            assert str(call.arguments["unfurl_links"]).casefold() in {"false", "0"}
            assert str(call.arguments["unfurl_media"]).casefold() in {"false", "0"}
        case "chat.update":
            assert call.arguments["channel"] == dm
        case "response_url":
            assert call.result.get("channel", dm) == dm
        case other:
            pytest.fail(f"a personal link in {other}")
    assert LINK_MARK not in str(call.arguments.get("text"))


def owner_of(inside: Sandbox, link: str) -> str | None:
    """Whose link it is, as Qualtrics knows."""
    key = parse_qs(urlsplit(link).query)["Q_DL"][0]
    (email,) = {contact.email for contact in inside.tenant.contacts if contact.lookup_id and key.endswith(contact.lookup_id)}
    return email.casefold() if email else None
