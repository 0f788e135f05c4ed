"""The same house where everybody is in Teams and nobody in Slack: tokens, connector and cards as there, on both databases."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from adapters.sandbox.demo import sandbox
from adapters.sandbox.people import entra_id
from adapters.sandbox.teams.tenant import Answer, Conversation, Tenant
from adapters.sandbox.teams.window import MENTION, Window, snapshot
from bot.syncing.sync import Kind
from tests.scenarios.conftest import LINK_MARK, SURVEY, House, assert_sealed, assert_silent, owner_of

GENERAL, OFFSITE = "19:general@thread.tacv2", "19:offsite@thread.v2"
IN_NO_CHAT, WITHOUT_APP = "person006@example.com", "person013@example.com"

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Seen:
    """A message of the bot as one person sees it."""

    message_id: str
    #: What notifications show.
    summary: str
    card: Json
    is_edited: bool = False

    @property
    def title(self) -> str:
        return self.card["body"][0]["text"]

    def button(self, label: str) -> Json:
        """The first of that label. Raises StopIteration when there is none."""
        return next(found for found in buttons(self.card) if found["title"] == label)


@dataclass(frozen=True, slots=True)
class TeamsHouse(House):
    @property
    def window(self) -> Window:
        assert self.inside.teams is not None
        return self.inside.teams

    @property
    def teams(self) -> Tenant:
        return self.window.client.tenant

    def chat(self, email: str) -> Conversation:
        return self.teams.personal(entra_id(email))

    def sees(self, email: str, chat_id: str | None = None) -> list[Seen]:
        """What the bot has said there, oldest first, with the cards that pressed buttons left in their place."""
        chat_id = chat_id or self.chat(email).conversation_id
        chat = next(chat for chat in snapshot(self.teams, entra_id(email))["chats"] if chat["id"] == chat_id)
        return [_seen(message) for message in chat["messages"] if message["from"] == "bot"]

    def about(self, email: str, what: str = SURVEY) -> list[Seen]:
        return [seen for seen in self.sees(email) if what in seen.summary]

    def titles(self, email: str, about: str = SURVEY) -> list[str]:
        return [seen.summary.splitlines()[0] for seen in self.about(email, about)]

    async def ask(self, email: str, text: str, chat_id: str | None = None) -> Seen:
        """Say something there and wait for the answer."""
        before = len(self.sees(email, chat_id))
        said = text if chat_id is None else f"{MENTION} {text}"
        await self.window.say(entra_id(email), said, chat_id or self.chat(email).conversation_id)
        await self.until(lambda: len(self.sees(email, chat_id)) > before)
        return self.sees(email, chat_id)[-1]

    async def choose(self, email: str, seen: Seen, label: str, chat_id: str | None = None, **typed: str) -> Answer:
        """Press a button of a message, and return what came of it there."""
        place = chat_id or self.chat(email).conversation_id
        answer = await self.window.press(entra_id(email), place, seen.message_id, seen.button(label), typed)
        assert answer is not None
        return answer

    async def look_at(self, email: str, seen: Seen) -> Seen:
        """Have a message before one's eyes that renews itself, and return it as it is then."""
        await self.window.look(entra_id(email), self.chat(email).conversation_id, seen.message_id)
        return next(now for now in self.sees(email) if now.message_id == seen.message_id)


def _seen(message: Mapping[str, Any]) -> Seen:
    activity = message["activity"]
    return Seen(message["id"], activity["summary"], activity["attachments"][0]["content"], message["edited"])


def buttons(drawn: Any) -> list[Json]:
    """Every button, however deep."""
    if isinstance(drawn, dict):
        return [*drawn.get("actions", ()), *(found for value in drawn.values() for found in buttons(value))]
    return [found for part in drawn for found in buttons(part)] if isinstance(drawn, list) else []


def links(drawn: Any) -> list[str]:
    return [found["url"] for found in buttons(drawn) if "url" in found]


@asynccontextmanager
async def teams_house(database_url: str, log: list[str]) -> AsyncGenerator[TeamsHouse]:
    """Afterwards everything that was ever sent, answered, logged and stored is held against the promises."""
    async with sandbox(database_url, has_slack=False, has_teams=True) as inside:
        built = TeamsHouse(inside)
        await built.sync(Kind.FULL)
        store, people = inside.bot.core.store, built.teams.people
        newest = list(people)[-1]
        while not await store.read(lambda uow: uow.members.get(built.teams.tenant_id, newest)):
            await inside.workspace.wait_for_change(0)  # the roster is read once its activity is answered
        yield built
        for chat in built.teams.conversations.values():
            told = [*chat.messages.values(), *(answer.card for answer in chat.answers.values())]
            assert_private(built, chat, told)
        await assert_silent(inside, log)
        await assert_sealed(inside)


def assert_private(house: TeamsHouse, chat: Conversation, told: list[Any]) -> None:
    """A personal link stands in its owner's own chat alone, as a button's address."""
    for message in told:
        theirs = links(message)
        assert json.dumps(message).count(LINK_MARK) == len(theirs)
        owners = {owner_of(house.inside, link) for link in theirs}
        assert owners <= ({house.teams.people[chat.members[0]].email} if chat.kind == "personal" else set())
