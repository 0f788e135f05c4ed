"""One activity of Teams becomes one answer: what was asked, by whom, and where the answer may be seen."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

from adapters.privacy import check_reader
from adapters.teams import asking
from adapters.teams.channel import TeamsChannel
from adapters.teams.directory import TeamsDirectory
from adapters.teams.origins import carried, carrying
from adapters.teams.patience import patiently
from adapters.teams.wire import Incoming
from adapters.visits import Visits
from bot import actions, pages
from bot.channels.looking import looked
from bot.errors import Ambiguous, ShutOut, SurveybotError, UserError, loggable
from bot.messages import Member, Request, Surface
from bot.page import Action, AnyPage, Page, PrivatePage, Text
from bot.pages.reader import Reader
from bot.pages.refusals import FAILED
from bot.ports import Store
from cards import teams

Json = dict[str, Any]

_SENTENCE = "application/vnd.microsoft.activity.message"
_ERROR = "application/vnd.microsoft.error"
#: At a time; an eighth of the connector's calls.
WELCOMES = 4

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What whoever pressed a button is shown: a page in the place of its card, or else a sentence beside it."""

    page: AnyPage | None = None
    card: Json | None = None
    sentence: str | None = None
    #: None: it is not known who asks.
    member: Member | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Turns:
    """What is personal is shown in the personal chat alone, wherever it was asked for: all of a shared place sees what is said there."""

    store: Store
    directory: TeamsDirectory
    channel: TeamsChannel
    clock: Callable[[], datetime]
    visits: Visits
    handle: actions.Handle = actions.handle
    #: In shared places answer where it was asked, by messages that only whoever asked sees; else, and where Teams refuses, in their chat.
    is_targeting: bool = False
    #: Threads that draw keep the event loop from acknowledging: in a rush answers queue here, acknowledgements do not.
    drawing: asyncio.Semaphore = field(default_factory=partial(asyncio.Semaphore, 2))
    #: A whole company may be given the app within minutes: few are welcomed at a time, so that nobody who asks waits behind them.
    welcoming: asyncio.Semaphore = field(default_factory=partial(asyncio.Semaphore, WELCOMES))

    async def said(self, incoming: Incoming) -> None:
        """Answer a message by a message."""
        action = asking.asked(incoming)
        try:
            member, _ = await self._answer(incoming, action)
        except ShutOut:
            await self._invite(incoming)
        else:
            await self.visits.came_by(member)

    async def pressed(self, incoming: Incoming) -> Answer:
        """Answer a pressed button: in the place of a card that only its reader sees; else by a message, and a sentence that says so."""
        action, say = asking.pressed(incoming), _reader(incoming).say
        try:
            if incoming.is_automatic:
                return await self._refreshed(incoming, action)
            if complaint := _complaint(action, _reader(incoming)):  # the form stays as it was filled in
                return Answer(sentence=complaint)
            if incoming.is_personal or (self.is_targeting and incoming.is_targeted):
                return await self._in_place(incoming, action)
            member, is_targeted = await self._answer(incoming, action)
        except ShutOut:
            return Answer(sentence=say("Please add me to your own chats first: what I know about surveys is for you alone."))
        except Exception as error:  # noqa: BLE001 - without an answer Teams would say that nobody is there
            log.error("teams.answer_failed", extra={"verb": action.verb, **loggable(error)})  # noqa: TRY400 - a traceback quotes data
            return Answer(sentence=say(FAILED))
        where = say("I have answered here; only you see it.") if is_targeted else say("I have answered in our own chat.")
        return Answer(sentence=where, member=member)

    async def follow(self, incoming: Incoming, answer: Answer) -> None:
        """Send what was not ready in time to take the place of a card."""
        if answer.page is not None:
            await self._show(incoming, answer.member, answer.page)
        await self.visits.came_by(answer.member)

    async def added(self, incoming: Incoming, *, is_new: bool) -> None:
        """Somebody was added. Where it is the bot, people become known; one person in their own chat is welcomed, once."""
        is_upgrade = incoming.action == "add-upgrade"
        if incoming.is_personal:
            async with self.welcoming:
                if is_new and is_upgrade:
                    await self.directory.sender(incoming)
                elif is_new:
                    await self._answer(incoming, Action(verb="help.show"))
        elif not incoming.adds_the_bot:
            await self.directory.meet(incoming)
        elif is_new or is_upgrade:  # two activities tell of it
            await self.directory.absorb(incoming)

    async def _answer(self, incoming: Incoming, action: Action) -> tuple[Member | None, bool]:
        """Answer by a message: who asked, and whether it is in the place where they did. Raises ShutOut where no message reaches them."""
        surface = Surface.SHARED if self.is_targeting and not incoming.is_personal else Surface.PRIVATE
        member, page = await self._page(incoming, action, surface)
        return member, await self._show(incoming, member, page)

    async def _show(self, incoming: Incoming, member: Member | None, page: AnyPage) -> bool:
        """Send a page to whoever asked: where they did, for their eyes alone, or in their own chat. Returns whether it is the former."""
        try:
            return await self._show_once(incoming, member, page)
        except Ambiguous as error:
            log.error("teams.answer_lost", extra=loggable(error))  # noqa: TRY400 - a traceback quotes data
            return await self._show_once(
                incoming, member, pages.apology(error, "Teams", Reader.of(member) if member else _reader(incoming))
            )

    async def _show_once(self, incoming: Incoming, member: Member | None, page: AnyPage) -> bool:
        if self.is_targeting and not incoming.is_personal and not isinstance(page, PrivatePage):
            try:
                await self.channel.reply(self.directory.heard_at(incoming), page, only_for=incoming.sender.id)
            except Ambiguous:
                raise
            except SurveybotError as error:
                log.warning("teams.not_targeted", extra={"conversation": incoming.conversation_id, **loggable(error)})
            else:
                return True
        if member is not None:
            await self._send(member, page)
        return False

    async def _send(self, member: Member, page: AnyPage) -> None:
        async def send() -> None:
            await self.channel.turn(member)
            await self.channel.send(member, page)

        await patiently(send)

    async def _invite(self, incoming: Incoming) -> None:
        """Tell somebody who asks in a shared place, and whom no message reaches, what to do; this alone is said to everybody there."""
        if not incoming.is_personal:
            reader = _reader(incoming)
            text = reader.say("I answer in your own chat with me, because others read along here. Please add me there, then ask again.")
            page = Page(title=reader.say("Please add me first"), elements=(Text((text,)),), zone=reader.zone)
            await self.channel.reply(self.directory.heard_at(incoming), page)

    async def _in_place(self, incoming: Incoming, action: Action) -> Answer:
        member, page = await self._page(incoming, action, Surface.PRIVATE if incoming.is_personal else Surface.SHARED)
        await check_reader(self.store, member, page)
        return Answer(page=page, card=teams.card(page), member=member)

    async def _refreshed(self, incoming: Incoming, action: Action) -> Answer:
        """Draw a card anew for whoever looks at it; where that is not possible it stays as it is, and nobody is told."""
        try:
            member = await self.directory.sender(incoming)
            page = await self._drawn(incoming, member, action, Surface.PRIVATE if incoming.is_personal else Surface.SHARED)
            await check_reader(self.store, member, page)
        except SurveybotError as error:
            log.info("teams.not_refreshed", extra={"verb": action.verb, **loggable(error)})
            return Answer()
        return Answer(card=teams.card(page))

    async def _page(self, incoming: Incoming, action: Action, surface: Surface) -> tuple[Member | None, AnyPage]:
        """Whatever fails is logged, and said in one sentence; but ShutOut is raised. No member: it is not known who asks."""
        member, reader = None, _reader(incoming)
        try:
            member = await self.directory.sender(incoming)
            reader = Reader.of(member)
            return member, await self._drawn(incoming, member, action, surface)
        except ShutOut:
            raise
        except Exception as error:  # noqa: BLE001 - there is somebody waiting, whatever it was
            if not isinstance(error, UserError):
                log.error("teams.answer_failed", extra={"verb": action.verb, **loggable(error)})  # noqa: TRY400 - a traceback quotes data
            return member, pages.apology(error, "Teams", reader)

    async def _drawn(self, incoming: Incoming, member: Member, action: Action, surface: Surface) -> AnyPage:
        if action.verb == "survey.handover":
            handed_over = Action(verb="survey.show", data=action.data)
            if surface is Surface.PRIVATE:  # there every answer is
                return await self._drawn(incoming, member, handed_over, surface)
            page = await self._drawn(incoming, member, handed_over, Surface.PRIVATE)
            if isinstance(page, PrivatePage):  # else there is nothing of theirs to hand over, and the answer will say so
                await self._send(member, page)
        if complaint := _complaint(action, Reader.of(member)):
            raise UserError(complaint)
        action, remembered = carried(action)
        asked_in = await self.directory.shared_place(incoming, member, remembered)
        request = Request(member=member, action=action, surface=surface, conversation=asked_in)
        request = await looked(self.channel, self.store, request)
        async with self.drawing:
            page = await self.handle(self.store, request, self.clock())
        return page if asked_in is None else carrying(page, asked_in.channel_id)


def shown(incoming: Incoming, answer: Answer) -> Json:
    """Return the answer as Teams expects it: https://learn.microsoft.com/en-us/adaptive-cards/authoring-cards/universal-action-model#response-format."""
    if answer.card is not None:
        return _body(teams.CONTENT_TYPE, answer.card)
    if answer.sentence is not None:
        return _body(_SENTENCE, answer.sentence)
    return _body(_ERROR, {"code": "NotFound", "message": _reader(incoming).say(FAILED)}, status=404)


def follows(incoming: Incoming) -> Json:
    """What stands in for an answer that takes its time. Of a card that was to be drawn anew nobody is told anything: it stays as it is."""
    if incoming.is_automatic:
        return shown(incoming, Answer())
    return _body(_SENTENCE, _reader(incoming).say("This takes a little longer. I will send you a message."))


def nothing(incoming: Incoming) -> Json:
    """What is said to the second delivery of a pressed button."""
    return _body(_SENTENCE, _reader(incoming).say("I am at it already."))


def _complaint(action: Action, reader: Reader) -> str | None:
    """What is wrong with a submitted form."""
    return " ".join(actions.complaints(action, reader).values()) or None if teams.SUBMITTED in action.data else None


def _reader(incoming: Incoming) -> Reader:
    return Reader(incoming.locale or "en", incoming.zone or "UTC", slash="")


def _body(kind: str, value: Any, *, status: int = 200) -> Json:  # noqa: ANN401 - a card, a text or an error
    return {"statusCode": status, "type": kind, "value": value}
