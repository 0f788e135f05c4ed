"""The house whose people are in Teams and nobody in Slack: tokens, connector and cards as there."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from adapters.sandbox.demo import Sandbox, sandbox
from adapters.sandbox.people import entra_id
from adapters.sandbox.teams.tenant import Conversation, Fault, LostAnswer, Tenant, refusal
from adapters.sandbox.teams.window import MENTION, Window, snapshot
from adapters.teams.inbound import PATH
from bot.syncing.sync import Kind
from tests.scenarios.house import GUEST, LINK_MARK, WITHOUT_APP, House, Json, Said, owner_of, personal_links

IN_NO_CHAT = "person006@example.com"


@dataclass(frozen=True, slots=True)
class TeamsHouse(House):
    UNREACHABLE: ClassVar[Mapping[str, str]] = {
        GUEST: "guest account",
        IN_NO_CHAT: "no chat account with this e-mail address",
        WITHOUT_APP: "has not added the app, or has removed it",
    }
    LATECOMER: ClassVar[str] = WITHOUT_APP
    CHANNEL: ClassVar[str] = "19:general@thread.tacv2"
    GROUP: ClassVar[str] = "19:offsite@thread.v2"
    OWNERS: ClassVar[str] = "19:people@thread.tacv2"

    @property
    def window(self) -> Window:
        assert self.inside.teams is not None
        return self.inside.teams

    @property
    def teams(self) -> Tenant:
        return self.window.client.tenant

    def chat(self, email: str) -> Conversation:
        return self.teams.personal(entra_id(email))

    def seen(self, email: str, place: str | None = None) -> list[Said]:
        """With the cards that pressed buttons left in their place."""
        chat_id = place or self.chat(email).conversation_id
        chat = next(chat for chat in snapshot(self.teams, entra_id(email))["chats"] if chat["id"] == chat_id)
        sent = self.teams.conversations[chat_id].messages
        return [_said(message, sent[message["id"]]) for message in chat["messages"] if message["from"] == "bot"]

    async def ask(self, email: str, text: str, place: str | None = None) -> Said:
        before = len(self.seen(email, place))
        said = text if place is None else f"{MENTION} {text}"
        await self.window.say(entra_id(email), said, place or self.chat(email).conversation_id)
        await self.until(lambda: len(self.seen(email, place)) > before)
        return self.seen(email, place)[-1]

    async def press(self, email: str, said: Said, label: str, place: str | None = None, about: str = "") -> Said:
        return await self._submit(email, said, said.button(label, about), {}, place)

    async def forge(self, email: str, verb: str, data: Mapping[str, str]) -> str:
        answer = await self.window.client.press(entra_id(email), {"type": "Action.Execute", "verb": verb, "data": dict(data)})
        return json.dumps(answer.json(), ensure_ascii=False)

    async def fill_in(self, email: str, text: str, label: str, **typed: str | Sequence[str]) -> str:
        """What is chosen of several comes as one text, with the field's name marked."""
        several = {f"{name}[]": ",".join(value) for name, value in typed.items() if not isinstance(value, str)}
        inputs = several | {name: value for name, value in typed.items() if isinstance(value, str)}
        form = await self.ask(email, text)
        return json.dumps((await self._submit(email, form, form.button(label), inputs)).drawn, ensure_ascii=False)

    async def come_by(self, email: str) -> None:
        for said in self.seen(email):
            if "refresh" in said.drawn:
                await self.window.look(entra_id(email), self.chat(email).conversation_id, said.message_id)

    def posts(self, place: str) -> list[str]:
        messages = self.teams.conversations[place].messages.values()
        return [it["summary"] for it in messages if it.get("summary") and "recipient" not in it]

    def assert_does_nothing(self, said: Said, name: str) -> None:
        """It stands in texts that parse no markup, or broken up; what is read out is plain."""
        shown = json.dumps(said.drawn["body"], ensure_ascii=False).replace("\u200b", "")
        assert name in said.text
        assert name in shown
        assert not any(name in found for found in _parsed(said.drawn["body"]))

    async def arrive(self) -> None:
        chat = self.chat(self.LATECOMER)
        await self.window.add_app(chat.members[0], chat.conversation_id)
        await self.until(lambda: bool(self.seen(self.LATECOMER)))
        assert [said.title for said in self.seen(self.LATECOMER)] == ["Surveybot help"]

    async def leave(self, email: str) -> None:
        """Rosters tell."""
        for chat in self.teams.conversations.values():
            chat.members = [member for member in chat.members if member != entra_id(email)]
        await self._read_rosters()

    async def come_back(self, email: str) -> None:
        for chat in (self.teams.conversations[self.CHANNEL], self.chat(email)):
            chat.members.append(entra_id(email))
        await self._read_rosters()

    async def open(self, place: str) -> None:
        if not (chat := self.teams.conversations[place]).has_app:
            await self.window.add_app(chat.members[0], place)

    async def lose_channel(self, place: str) -> None:
        await self.window.remove_app(self.teams.conversations[place].members[0], place)

    def throttle(self, seconds: int) -> None:
        self.teams.troubles.append(Fault(429, retry_after_s=seconds))

    def break_off(self, *, is_down: bool = False, is_banned: bool = False) -> None:
        self.teams.trouble = Fault(503) if is_down else refusal(403, "BotDisabledByAdmin") if is_banned else None

    def lose(self, *, is_reply: bool = False) -> None:  # noqa: ARG002 - both are messages
        self.teams.troubles.append(LostAnswer())

    def refuse_replies(self) -> None:
        self.teams.troubles.extend([Fault(429, retry_after_s=1), Fault(503)])

    async def hear_again(self, email: str, *urls: str) -> int:
        before = len(self.seen(email))
        activity = self.window.client.activity("message", entra_id(email)) | {"text": "help"}
        for url in urls:
            await replace(self.window.client, url=f"{url}{PATH}").post(activity)
        await self.until(lambda: len(self.seen(email)) > before)
        await self.ask(email, "help", self.CHANNEL)  # whoever asked first is answered by now
        return len(self.seen(email)) - before

    def assert_private(self) -> None:
        """A personal link stands in its owner's own chat alone, as a button's address."""
        for chat in self.teams.conversations.values():
            for message in (*chat.messages.values(), *(answer.card for answer in chat.answers.values())):
                theirs = personal_links(message)
                assert json.dumps(message).count(LINK_MARK) == len(theirs)
                owners = {owner_of(self.inside, link) for link in theirs}
                assert owners <= ({self.teams.people[chat.members[0]].email} if chat.kind == "personal" else set())

    async def _submit(self, email: str, said: Said, button: Json, typed: Mapping[str, str], place: str | None = None) -> Said:
        chat_id = place or self.chat(email).conversation_id
        answer = await self.window.press(entra_id(email), chat_id, said.message_id, button, typed)
        assert answer is not None
        if answer.card is None:
            return Said(message_id=said.message_id, text=answer.sentence or "", drawn=None)
        return next(now for now in self.seen(email, place) if now.message_id == said.message_id)

    async def _read_rosters(self) -> None:
        assert self.bot.teams is not None
        await self.bot.teams.directory_reader.read()


def _said(message: Mapping[str, Any], sent: Json) -> Said:
    """A card that took the place of another is read out by what it says itself."""
    [attachment], activity = message["activity"]["attachments"], message["activity"]
    card = attachment["content"]
    text = activity["summary"] if activity["attachments"] == sent["attachments"] else card["fallbackText"]
    return Said(message_id=message["id"], text=text, drawn=card, is_edited=message["edited"])


def _parsed(drawn: Any) -> list[str]:
    """Every text in which signs mean something, however deep."""
    if isinstance(drawn, dict):
        mine = [drawn["text"]] if drawn.get("type") == "TextBlock" else []
        return mine + [found for value in drawn.values() for found in _parsed(value)]
    return [found for value in drawn for found in _parsed(value)] if isinstance(drawn, list) else []


@asynccontextmanager
async def teams_house(database_url: str) -> AsyncGenerator[TeamsHouse]:
    """The bot knows who is in the team, and the first synchronisation is done."""
    async with sandbox(database_url, has_slack=False, has_teams=True) as inside:
        house = TeamsHouse(inside)
        await house.sync(Kind.FULL)
        await introduced(inside)
        yield house


async def introduced(inside: Sandbox) -> None:
    """The roster of the team is read once its activity is answered."""
    assert inside.teams is not None
    tenant, store = inside.teams.client.tenant, inside.bot.core.store
    newest = list(tenant.people)[-1]
    async with asyncio.timeout(30):
        while not await store.read(lambda uow: uow.members.get(tenant.tenant_id, newest)):
            await inside.workspace.wait_for_change(0)
