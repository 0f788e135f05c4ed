"""The house whose people are in Slack: Bolt and slack-sdk between the bot and the simulated workspace."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import ClassVar

import pytest

from adapters.sandbox.demo import sandbox
from adapters.sandbox.slack import happenings
from adapters.sandbox.slack.faults import LostAnswer, RateLimited, Refused, Status
from adapters.sandbox.slack.sender import SlackSender
from adapters.sandbox.slack.workspace import Call, ConversationKind, Message, User, UserKind, Workspace
from adapters.slack.inbound import PATH
from bot.slash_commands import SLASH_COMMANDS, STATS, SURVEYS
from bot.syncing.sync import Kind
from tests.scenarios.house import ADA, BJOERN, DEACTIVATED, GUEST, LINK_MARK, NOT_IN_SLACK, STRANGER, House, Said, owner_of
from tests.sides import in_slack

#: What is asked by the other command, unless the first word says so.
_STATS = {word.word for word in STATS.words} - {word.word for word in SURVEYS.words}


@dataclass(frozen=True, slots=True)
class SlackHouse(House):
    UNREACHABLE: ClassVar[Mapping[str, str]] = {
        DEACTIVATED: "chat account deactivated",
        GUEST: "guest account",
        STRANGER: "account of another organisation",
        NOT_IN_SLACK: "no chat account with this e-mail address",
    }
    LATECOMER: ClassVar[str] = NOT_IN_SLACK
    CHANNEL: ClassVar[str] = "C001"
    GROUP: ClassVar[str] = "G001"
    OWNERS: ClassVar[str] = "C002"

    @property
    def workspace(self) -> Workspace:
        return self.inside.workspace

    @property
    def sender(self) -> SlackSender:
        return self.inside.sender

    def user(self, email: str) -> User:
        return next(user for user in self.workspace.users.values() if (user.email or "").casefold() == email)

    def dm(self, email: str) -> str:
        return self.workspace.direct_message(self.user(email).user_id).conversation_id

    def seen(self, email: str, place: str | None = None) -> list[Said]:
        return [_said(message) for message in self._visible(email, place).values()]

    async def ask(self, email: str, text: str, place: str | None = None) -> Said:
        before = self._visible(email, place)
        await self._type(email, text, place)
        return await self._news(email, place, before)

    async def press(self, email: str, said: Said, label: str, place: str | None = None, about: str = "") -> Said:
        before, action_id = self._visible(email, place), said.button(label, about)["action_id"]
        answer = await self.sender.press(
            self.user(email).user_id, action_id=action_id, channel_id=place or self.dm(email), ts=said.message_id
        )
        assert answer.status == 200
        return await self._news(email, place, before)

    async def forge(self, email: str, verb: str, data: Mapping[str, str]) -> str:
        button = {"type": "button", "text": {"type": "plain_text", "text": "Press"}, "action_id": f"{verb}#1", "value": json.dumps(data)}
        blocks = [{"type": "actions", "elements": [button]}]
        message = self.workspace.post(self.dm(email), sender=self.workspace.bot_user_id, text="Forged", blocks=blocks)
        answered = await self.press(email, _said(message), "Press")
        return f"{answered.text} {answered.drawn}"

    async def fill_in(self, email: str, text: str, label: str, **typed: str | Sequence[str]) -> str:  # noqa: ARG002 - a window has one button
        await self._type(email, text, None)
        user_id = self.user(email).user_id
        await self.until(lambda: any(block["type"] == "input" for block in self.workspace.modals.get(user_id, {}).get("blocks", ())))
        values = {name: value if isinstance(value, str) else list(value) for name, value in typed.items()}
        assert (await self.sender.submit(user_id, values)).status == 200
        await self.until(lambda: "Loading" not in str(self.workspace.modals[user_id]["blocks"]))
        return json.dumps(self.workspace.modals[user_id], ensure_ascii=False)

    async def come_by(self, email: str) -> None:
        """Slack does not tell who reads what: by asking for something they are known to be there."""
        await self.ask(email, "help", self.CHANNEL)

    def talk_to_each_other(self, one: str, other: str, conversation_id: str) -> None:
        pair = {self.user(email).user_id for email in (one, other)}
        self.workspace.add_channel(conversation_id, "directmessage", kind=ConversationKind.DIRECT, members=pair)

    def posts(self, place: str) -> list[str]:
        messages = self.workspace.conversations[place].messages.values()
        return [it.text for it in messages if it.sender == self.workspace.bot_user_id and it.only_for is None]

    def assert_does_nothing(self, said: Said, name: str) -> None:
        escaped = name.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        assert escaped in said.text
        assert not any(sign in found for found in (said.text, *_marked_up(said.drawn)) for sign in ("<!channel", "<http", "<at"))

    async def arrive(self) -> None:
        self.workspace.add_user("U555", "Newcomer", email=self.LATECOMER)
        await self.sender.event(happenings.joined_team(self.workspace, "U555"))

    async def leave(self, email: str) -> None:
        await self._change(email, UserKind.DEACTIVATED)

    async def come_back(self, email: str) -> None:
        await self._change(email, UserKind.MEMBER)

    async def open(self, place: str) -> None:
        """Commands work everywhere, and the bot is where it posts."""

    async def lose_channel(self, place: str) -> None:
        """The bot asks for no scope that would tell it."""
        happenings.archived(self.workspace, place, by="U902")

    def throttle(self, seconds: int) -> None:
        self.workspace.faults.add(RateLimited(seconds), method="chat.postMessage")

    def break_off(self, *, is_down: bool = False, is_banned: bool = False) -> None:
        self.workspace.faults.clear()
        self.workspace.faults.down = is_down
        if is_banned:
            self.workspace.faults.add(Refused("account_inactive"), method="chat.postMessage", times=None)

    def lose(self, *, is_reply: bool = False) -> None:
        self.workspace.faults.add(LostAnswer(), method="response_url" if is_reply else "chat.postMessage")

    def refuse_replies(self) -> None:
        for failure in (RateLimited(), Status(503)):
            self.workspace.faults.add(failure, method="response_url")

    async def hear_again(self, email: str, *urls: str) -> int:
        user_id = self.user(email).user_id
        envelope = self.sender.envelope(happenings.opened_home(self.workspace, user_id))
        for url in urls:
            await SlackSender(self.workspace, f"{url}{PATH}").deliver(envelope)
        await self.until(lambda: user_id in self.workspace.homes)
        await self.ask(email, "help", self.CHANNEL)  # whoever asked first is answered by now
        return sum(call.method == "views.publish" for call in self.workspace.journal)

    def assert_private(self) -> None:
        assert self.workspace.refused == [], "the strict gate refused a payload"
        assert self.workspace.timeouts == [], "something was not acknowledged"
        for call in self.workspace.journal:
            for link in {part for part in json.dumps(call.arguments).split('"') if LINK_MARK in part}:
                self._assert_private(call, link)

    def _assert_private(self, call: Call, link: str) -> None:
        """It stands in its owner's direct message with the bot or Home view, as a button's address, unfurling off."""
        owner = owner_of(self.inside, link)
        users = [user.user_id for user in self.workspace.users.values() if (user.email or "").casefold() == owner]
        assert len(users) == 1, "the link's owner has one account"
        dm = self.workspace.direct_message(users[0]).conversation_id
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

    def _visible(self, email: str, place: str | None) -> dict[str, Message]:
        return dict(self.workspace.sees(self.user(email).user_id, place or self.dm(email)))

    async def _type(self, email: str, text: str, place: str | None) -> None:
        """`results` for `/survey-stats results`, `list` for `/surveys list`, and both in full, without the stroke."""
        first, *rest = text.split(maxsplit=1)
        command = STATS.name if first in _STATS else SURVEYS.name
        if f"/{first}" in SLASH_COMMANDS:
            command, text = f"/{first}", " ".join(rest)
        answer = await self.sender.command(self.user(email).user_id, place or self.dm(email), command, text)
        assert answer.status == 200

    async def _news(self, email: str, place: str | None, before: Mapping[str, Message]) -> Said:
        """The newest message that was not there before, or not as it is now."""

        def fresh() -> list[Message]:
            return [message for ts, message in self._visible(email, place).items() if before.get(ts) != message]

        await self.until(lambda: bool(fresh()))
        return _said(fresh()[-1])

    async def _change(self, email: str, kind: UserKind) -> None:
        user = self.user(email)
        self.workspace.add_user(user.user_id, user.name, email=user.email, kind=kind, zone=user.zone, locale=user.locale)
        await self.sender.event(happenings.changed(self.workspace, user.user_id))


def _said(message: Message) -> Said:
    return Said(message_id=message.ts, text=message.text, drawn=message.blocks, is_edited=message.edited)


def _marked_up(drawn: object) -> list[str]:
    """Every text in which signs mean something, however deep."""
    if isinstance(drawn, dict):
        mine = [drawn["text"]] if drawn.get("type") == "mrkdwn" else []
        return mine + [found for value in drawn.values() for found in _marked_up(value)]
    return [found for value in drawn for found in _marked_up(value)] if isinstance(drawn, list | tuple) else []


@asynccontextmanager
async def slack_house(database_url: str) -> AsyncGenerator[SlackHouse]:
    """The directory is read, and the first synchronisation done."""
    async with sandbox(database_url) as inside:
        inside.workspace.platform.patience_s = 30  # a busy machine may take longer than three seconds
        house = SlackHouse(inside)
        pair = {house.user(email).user_id for email in (ADA, BJOERN)}
        inside.workspace.add_channel(house.GROUP, "mpdm", kind=ConversationKind.GROUP, members=pair)
        await in_slack(inside.bot).directory_reader.read(inside.workspace.team_id)
        await house.sync(Kind.FULL)
        yield house
