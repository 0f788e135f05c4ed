"""One activity of Teams becomes one answer: what was asked, by whom, and where the answer may be seen."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from adapters.privacy import check_reader
from adapters.teams.channel import TeamsChannel
from adapters.teams.directory import TeamsDirectory
from adapters.teams.origins import carried, carrying
from adapters.teams.wire import Incoming, Press
from bot import actions, slash_commands
from bot.errors import ShutOut, UserError, loggable
from bot.messages import Member, Request, Surface
from bot.page import Action, Button, Buttons, Form, Page, PrivatePage, Text
from bot.pages.reader import Reader
from bot.ports import Store
from cards import teams

Shown = Page | PrivatePage | Form
Handle = Callable[[Store, Request, datetime], Awaitable[Shown]]
Json = dict[str, Any]

_CARD = teams.CONTENT_TYPE
_SENTENCE = "application/vnd.microsoft.activity.message"
_FAILED = "Something went wrong on my side. Please try again in a few minutes."

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Turns:
    """What is personal is shown in the personal chat alone, wherever it was asked for: all of a shared place sees what is said there."""

    store: Store
    directory: TeamsDirectory
    channel: TeamsChannel
    clock: Callable[[], datetime]
    handle: Handle = actions.handle

    async def said(self, incoming: Incoming) -> None:
        """Answer a message, or a button that `pressed` was not asked or not in time, by a message in the personal chat."""
        await self._answer_privately(incoming, _asked(incoming))

    async def pressed(self, incoming: Incoming) -> Json:
        """Return what takes the place of a card whose button was pressed; of one in a shared place, a sentence to whoever pressed it."""
        say = _reader(incoming).say
        try:
            if incoming.is_personal:
                return _answer(_CARD, await self._card(incoming))
            await self._answer_privately(incoming, _pressed(incoming.value))
            return _answer(_SENTENCE, say("I have answered in our own chat."))
        except ShutOut:
            text = say("Please add me to your own chats first: what I know about surveys is for you alone.")
        except Exception as error:  # noqa: BLE001 - without an answer Teams would say that nobody is there
            log.error("teams.answer_failed", extra={"verb": _pressed(incoming.value).verb, **loggable(error)})  # noqa: TRY400 - a traceback quotes data
            text = say(_FAILED)
        return _answer(_SENTENCE, text)

    def follows(self, incoming: Incoming) -> Json:
        """What stands in for an answer that takes its time."""
        return _answer(_SENTENCE, _reader(incoming).say("This takes a little longer. I will send you a message."))

    def nothing(self, incoming: Incoming) -> Json:
        """What is said to the second delivery of a pressed button."""
        return _answer(_SENTENCE, _reader(incoming).say("I am at it already."))

    async def added(self, incoming: Incoming, *, is_new: bool) -> None:
        """The bot was added: people become known, and one person is welcomed, once."""
        if not incoming.is_personal:
            await self.directory.absorb(incoming)
        elif is_new:
            await self._answer_privately(incoming, Action(verb="help.show"))

    async def _card(self, incoming: Incoming) -> Json:
        member, page = await self._page(incoming, _pressed(incoming.value))
        await check_reader(self.store, member, page)
        return teams.card(page)

    async def _answer_privately(self, incoming: Incoming, action: Action) -> None:
        member, page = await self._page(incoming, action)
        if member is not None:
            await self.channel.turn(member)
            await self.channel.send(member, page)

    async def _page(self, incoming: Incoming, action: Action) -> tuple[Member | None, Shown]:
        """Whatever fails is logged, and said in one sentence. No member: it is not known who asks."""
        member, reader = None, _reader(incoming)
        try:
            member = await self.directory.sender(incoming)
            reader = Reader.of(member)
            action, remembered = carried(action)
            asked_in = await self.directory.shared_place(incoming, member, remembered)
            request = Request(member=member, action=action, surface=Surface.PRIVATE, conversation=asked_in)
            page = await self.handle(self.store, request, self.clock())
            return member, page if asked_in is None else carrying(page, asked_in.channel_id)
        except UserError as error:
            return member, _sentence(str(error), reader)
        except Exception as error:  # noqa: BLE001 - there is somebody waiting, whatever it was
            log.error("teams.answer_failed", extra={"verb": action.verb, **loggable(error)})  # noqa: TRY400 - a traceback quotes data
            return member, _sentence(reader.say(_FAILED), reader)


def _asked(incoming: Incoming) -> Action:
    if incoming.type == "invoke":
        return _pressed(incoming.value)
    if isinstance(incoming.value, dict):
        return _private(_parsed(lambda: teams.parse_submit(incoming.value)))
    return slash_commands.parse_said(incoming.said)


def _pressed(value: object) -> Action:
    try:
        action = msgspec.convert(value, Press).action
    except msgspec.ValidationError:
        return Action(verb="")
    return _private(_parsed(lambda: teams.parse_execute(action.verb, action.data)))


def _parsed(parse: Callable[[], Action]) -> Action:
    """A button that is not ours becomes a verb nobody knows, which is answered as out of date."""
    try:
        return parse()
    except ValueError:
        return Action(verb="")


def _private(action: Action) -> Action:
    """Handing over into the personal chat is what every answer does here."""
    return Action(verb="survey.show", data=action.data) if action.verb == "survey.handover" else action


def _reader(incoming: Incoming) -> Reader:
    return Reader(incoming.locale or "en", incoming.zone or "UTC")


def _answer(kind: str, value: Any) -> Json:  # noqa: ANN401 - a card or a text
    return {"statusCode": 200, "type": kind, "value": value}


def _sentence(text: str, reader: Reader) -> Page:
    button = Button(label=reader.say("My active surveys"), action=Action(verb="surveys.list"))
    return Page(title=reader.say("That did not work"), elements=(Text((text,)), Buttons((button,))), zone=reader.zone)
