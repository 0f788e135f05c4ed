"""A bot at work between a simulated tenant and the chats, in a test's words: the same ones for Slack and for Teams."""

from __future__ import annotations

import asyncio
import re
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit

import httpx

from adapters.app import Bot, open_bot
from adapters.sandbox.demo import INTEGRATION, Sandbox
from adapters.teams.registration import PUBLIC
from bot.messages import DeliveryState
from bot.syncing.sync import Kind

ADA, BJOERN, DMITRI, EUNJI = (f"person{number:03d}@example.com" for number in (0, 1, 3, 4))
DEACTIVATED, GUEST, STRANGER, NOT_IN_SLACK = (f"person{number:03d}@example.com" for number in (6, 7, 8, 23))
WITHOUT_APP = "person013@example.com"
ADMIN = "brigitte.admin@example.com"
#: Of a personal link.
LINK_MARK = "Q_DL="
SURVEY = "Town hall"

Json = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A message of the bot as one person sees it."""

    message_id: str
    #: What is read out, and what notifications show.
    text: str
    #: Blocks or a card.
    drawn: Any
    is_edited: bool = False

    @property
    def title(self) -> str:
        return self.text.splitlines()[0]

    @property
    def links(self) -> list[str]:
        """The personal ones."""
        return personal_links(self.drawn)

    def button(self, label: str, about: str = "") -> Json:
        """The first of that label, and with that id in its data. Raises StopIteration when there is none."""
        return next(found for found in buttons(self.drawn) if label_of(found) == label and about in str(found))


@dataclass(frozen=True, slots=True)
class House(ABC):
    """A sandbox whose people are in one chat."""

    inside: Sandbox
    #: Who is not told at first, and the reason that is counted.
    UNREACHABLE: ClassVar[Mapping[str, str]]
    #: One of them, and what makes them able to be told.
    LATECOMER: ClassVar[str]
    #: Where others look on: a channel, a group, and a channel of people who own surveys.
    CHANNEL: ClassVar[str]
    GROUP: ClassVar[str]
    OWNERS: ClassVar[str]

    @property
    def bot(self) -> Bot:
        return self.inside.bot

    async def sync(self, kind: Kind = Kind.INCREMENTAL) -> None:
        await self.bot.core.jobs.start(INTEGRATION, kind)

    async def look(self, bot: Bot | None = None) -> None:
        """Do once what the timers do all the time."""
        await self.sync()
        await work(bot or self.bot)

    async def later(self, **span: float) -> None:
        self.inside.clock.advance(timedelta(**span))
        await self.look()

    def send(self, *emails: str, name: str = SURVEY, **values: timedelta | None) -> str:
        """Mail a new survey; returns its id."""
        distribution_id = self.inside.tenant.send_survey(name=name, emails=emails, **values)  # pyright: ignore[reportArgumentType]
        return self.inside.tenant.distribution(distribution_id).survey_id

    def about(self, email: str, what: str = SURVEY) -> list[Said]:
        """The messages about a survey in somebody's own chat with the bot."""
        return [said for said in self.seen(email) if what in said.text]

    def titles(self, email: str, about: str = SURVEY) -> list[str]:
        return [said.title for said in self.about(email, about)]

    async def counts(self) -> Mapping[DeliveryState, int]:
        return await self.bot.core.store.read(lambda uow: uow.outbox.counts())

    async def until(self, is_so: Callable[[], bool]) -> None:
        """Wait for the chats to become as expected; at most half a minute."""
        async with asyncio.timeout(30):
            while not is_so():
                await self.inside.workspace.wait_for_change(self.inside.workspace.version)

    async def visit(self, url: str, *, finish: bool) -> str:
        """Open a personal link in a browser, and press its button; returns what the last page said."""
        async with httpx.AsyncClient(follow_redirects=True) as browser:
            page = await browser.get(url)
            if finish:
                page = await browser.post(url)
            return page.raise_for_status().text

    @asynccontextmanager
    async def another(self) -> AsyncGenerator[Bot]:
        """Another process of the same bot: a replica, or the one that is started after this one has ended."""
        core, teams = self.bot.core, self.bot.teams
        async with open_bot(core.settings, core.clock, cloud=teams.registration.cloud if teams else PUBLIC) as bot:
            yield bot

    @abstractmethod
    def seen(self, email: str, place: str | None = None) -> list[Said]:
        """What the bot has said in somebody's own chat, or before their eyes in a place, oldest first."""

    @abstractmethod
    async def ask(self, email: str, text: str, place: str | None = None) -> Said:
        """Ask by words there, and return the answer."""

    @abstractmethod
    async def press(self, email: str, said: Said, label: str, place: str | None = None, about: str = "") -> Said:
        """Press a button of a message, and return what it led to there: a new message, or the old one as it is now."""

    @abstractmethod
    async def forge(self, email: str, verb: str, data: Mapping[str, str]) -> str:
        """Press, in one's own chat, a button that the bot never drew; returns all that is answered."""

    @abstractmethod
    async def fill_in(self, email: str, text: str, label: str, **typed: str | Sequence[str]) -> str:
        """Ask for a form by words, fill it in and submit it; returns what is shown then."""

    @abstractmethod
    async def come_by(self, email: str) -> None:
        """Somebody has their own chat with the bot before their eyes."""

    @abstractmethod
    def posts(self, place: str) -> list[str]:
        """What everybody there was told."""

    @abstractmethod
    def assert_does_nothing(self, said: Said, name: str) -> None:
        """A message shows a name as it is, and nothing in it means anything to the chat."""

    @abstractmethod
    async def arrive(self) -> None:
        """The latecomer can be told from now on."""

    @abstractmethod
    async def leave(self, email: str) -> None:
        """Somebody leaves the company, and the bot hears of it."""

    @abstractmethod
    async def come_back(self, email: str) -> None:
        """They are there again."""

    @abstractmethod
    async def open(self, place: str) -> None:
        """Somebody adds the bot to a place, where it must be there to be asked."""

    @abstractmethod
    async def lose_channel(self, place: str) -> None:
        """A channel that the bot could post in is one no more."""

    @abstractmethod
    def throttle(self, seconds: int) -> None:
        """The next message is refused, and no other wanted for so long."""

    @abstractmethod
    def break_off(self, *, is_down: bool = False, is_banned: bool = False) -> None:
        """The chat does not answer, or takes no word of the bot; without either all is well again."""

    @abstractmethod
    def lose(self, *, is_reply: bool = False) -> None:
        """The next message (or answer to somebody) arrives, and the chat's answer does not."""

    @abstractmethod
    def refuse_replies(self) -> None:
        """The next answer to somebody is refused for a moment, twice."""

    @abstractmethod
    async def hear_again(self, email: str, *urls: str) -> int:
        """Bring one and the same request to each of these bots; returns how many answers it got."""

    @abstractmethod
    def assert_private(self) -> None:
        """Whatever was ever said: a personal link went to its owner alone, and the chat took every message as valid."""


async def work(bot: Bot) -> None:
    await bot.remind()
    await bot.settle()
    await bot.deliver()
    await bot.edit()
    await bot.announce()
    await bot.post()


def buttons(drawn: Any) -> Iterator[Json]:
    """Every button, however deep; what older clients are shown in its place is none."""
    if isinstance(drawn, dict):
        if re.match(r"button$|Action\.", str(drawn.get("type"))):
            yield drawn
        drawn = [value for name, value in drawn.items() if name not in {"fallback", "refresh"}]
    if isinstance(drawn, list | tuple):
        for part in drawn:
            yield from buttons(part)


def personal_links(drawn: Any) -> list[str]:
    return [found["url"] for found in buttons(drawn) if LINK_MARK in found.get("url", "")]


def label_of(found: Json) -> str:
    return found["title"] if "title" in found else found["text"]["text"]


def owner_of(inside: Sandbox, link: str) -> str | None:
    """Whose link it is, as Qualtrics knows."""
    key = parse_qs(urlsplit(link).query)["Q_DL"][0]
    (email,) = {contact.email for contact in inside.tenant.contacts if contact.lookup_id and key.endswith(contact.lookup_id)}
    return email.casefold() if email else None
