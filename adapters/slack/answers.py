"""Answers what one person asks in Slack: who asks, where it will be seen, the page, and a polite sentence when that fails."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import Any
from uuid import uuid4

import stamina
from slack_sdk.web.async_client import AsyncWebClient

from adapters.slack import places
from adapters.slack.clients import Clients
from adapters.slack.directory import SlackDirectory
from adapters.slack.origins import Origins
from adapters.slack.places import Home, Modal, Place, PrivateReply, Reply
from adapters.visits import Visits
from bot import actions, pages
from bot.channels.looking import SUBSCRIBING, looked
from bot.errors import Gone, Rejected, Superseded, SurveybotError, UserError, loggable
from bot.messages import Conversation, Member, Request, Surface
from bot.page import Action, AnyPage, Form, Page, PrivatePage
from bot.pages.reader import Reader
from bot.ports import Channel, Store, UnitOfWork

#: Until it is known who reads.
_ANYBODY = Reader("en", "UTC")
#: How long a submitted form waits for its page, and for the language of a complaint. Slack waits three seconds in all.
_PATIENCE_SECONDS = 1.2

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """A command, a pressed button, a submitted form, or the Home tab being opened."""

    workspace_id: str
    user_id: str
    action: Action
    #: Not yet known to be private, unless it is the Home tab.
    place: Home | Modal | Reply
    #: What a window can be opened with, for three seconds.
    trigger_id: str | None = None
    #: What the window carries that this happened in.
    carried: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    clients: Clients
    store: Store
    directory: SlackDirectory
    channel: Channel
    clock: Callable[[], datetime]
    handle: actions.Handle
    origins: Origins
    visits: Visits
    #: Threads that draw keep the event loop from acknowledging: in a rush answers queue here, acknowledgements do not.
    drawing: asyncio.Semaphore = field(default_factory=partial(asyncio.Semaphore, 2))
    #: Of a session's 100 connections. Whoever waited for one of those, in a rush, would be told that Slack cannot be reached.
    showing: asyncio.Semaphore = field(default_factory=partial(asyncio.Semaphore, 64))

    async def answer(self, ask: Ask) -> None:
        """Answer; whatever fails is logged, and said in one sentence. Raises when not even that can be shown."""
        client, place, asker = self.clients.without_access, ask.place, self._asker(ask)
        try:
            client = await self.clients.of(ask.workspace_id)
            place = await _opened(client, ask)
            page = await self._page(asker)
            if isinstance(place, Modal):
                await places.fill(client, place, self._filled(asker, page))
            else:
                shown = pages.instead_of_form(page, ask.action, asker.reader) if isinstance(page, Form) else page
                async with self.showing:
                    await places.show(client, self.store, asker.place, shown, asker.member)
        except Superseded:
            log.info("slack.superseded", extra={"user": ask.user_id, "verb": ask.action.verb})
        except Exception as error:  # noqa: BLE001 - there is somebody waiting, whatever it was
            async with self.showing:
                await places.show(client, self.store, place, _apology(error, ask, asker.reader))
        else:
            await self.visits.came_by(asker.member)

    async def submitted(self, ask: Ask, ack: Callable[..., Awaitable[object]]) -> None:
        """Answer a submitted form within Slack's three seconds; what takes longer is shown later, where it says so until then."""
        if complaints := await self._complaints(ask):
            await ack(response_action="errors", errors=complaints)
            return
        async with asyncio.TaskGroup() as group:
            work = group.create_task(self._window(ask))
            done, _ = await asyncio.wait({work}, timeout=_PATIENCE_SECONDS)
            loading = {**places.window(pages.loading(_ANYBODY)), "external_id": uuid4().hex}
            await ack(response_action="update", view=await work if done else loading)
        if not done:
            await self._fill(ask.workspace_id, Modal(external_id=loading["external_id"]), await work)
        if ask.action.data.get(actions.CAME_FROM) == Surface.HOME:
            await self.answer(replace(ask, action=Action(verb="home.show"), place=Home(user_id=ask.user_id)))

    async def _fill(self, workspace_id: str, modal: Modal, view: dict[str, Any]) -> None:
        """Fill a window that an acknowledgement asked for: Slack may not have drawn it yet. Who closed it meanwhile is left alone."""
        with suppress(Superseded):
            async for attempt in stamina.retry_context(on=Superseded, attempts=6, wait_initial=0.1, wait_max=1.0):
                with attempt:
                    await places.fill(await self.clients.of(workspace_id), modal, view)

    async def _window(self, ask: Ask) -> dict[str, Any]:
        asker = self._asker(ask)
        try:
            return self._filled(asker, await self._page(asker))
        except Exception as error:  # noqa: BLE001 - as above
            return places.window(_apology(error, ask, asker.reader))

    def _filled(self, asker: _Asker, page: AnyPage) -> dict[str, Any]:
        return places.window(page, self.origins.seal(asker.conversation, asker.ask.user_id))

    async def _complaints(self, ask: Ask) -> Mapping[str, str]:
        """What is wrong with a submitted form, by field; in the person's language if that is known soon enough."""
        found = actions.complaints(ask.action, _ANYBODY)
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                return found and actions.complaints(ask.action, Reader.of(await self.directory.member(ask.workspace_id, ask.user_id)))
        except (TimeoutError, SurveybotError):
            return found

    async def _page(self, asker: _Asker) -> AnyPage:
        """Whoever is known is read together with their page; about others Slack is asked first."""
        try:
            return await self._answered(asker)
        except _Unmet:
            await self._meet(asker)
            return await self._answered(asker)

    async def _answered(self, asker: _Asker) -> AnyPage:
        if asker.action.verb == "survey.handover":
            await self._hand_over(await self.store.read(asker.found))
        if asker.action.verb in SUBSCRIBING:
            return await self._draw(await looked(self.channel, self.store, await self.store.read(asker.found)))
        return await self._draw(asker)

    async def _meet(self, asker: _Asker) -> None:
        member = await self.directory.member(asker.ask.workspace_id, asker.ask.user_id)
        if asker.may_be_in_dm:
            with suppress(Gone, Rejected):  # the bot cannot talk to this person, so it is somebody else's conversation
                await self.directory.dm_channel(member)
        asker.is_met = True

    async def _hand_over(self, asked: Request) -> None:
        action = Action(verb="survey.show", data=asked.action.data)
        page = await self._draw(Request(member=asked.member, action=action, surface=Surface.PRIVATE))
        if isinstance(page, PrivatePage):  # else there is nothing of theirs to hand over, and the answer will say so
            await self.channel.turn(asked.member)
            await self.channel.send(asked.member, page)

    async def _draw(self, asking: actions.Asking) -> AnyPage:
        async with self.drawing:
            return await self.handle(self.store, asking, self.clock())

    def _asker(self, ask: Ask) -> _Asker:
        return _Asker(ask=ask, place=ask.place, conversation=self._conversation(ask))

    def _conversation(self, ask: Ask) -> Conversation | None:
        """Where they ask, where others are too. A direct message of two people is none: the bot is never in it."""
        match ask.place:
            case Reply(channel_id=channel_id) if not channel_id.startswith("D"):
                return Conversation(workspace_id=ask.workspace_id, channel_id=channel_id)
            case Modal():
                return self.origins.open(ask.carried, ask.workspace_id, ask.user_id)
            case _:
                return None


class _Unmet(Exception):
    """Slack is to be asked who they are, or which conversation is theirs with the bot."""


@dataclass(slots=True, kw_only=True)
class _Asker:
    """Whoever asks, and where they will see the answer, as soon as they are found (`bot.actions.Asking`)."""

    ask: Ask
    #: Not yet known to be private, as in `Ask`.
    place: Place
    conversation: Conversation | None
    member: Member | None = None
    #: Slack has told what it knows.
    is_met: bool = False

    @property
    def action(self) -> Action:
        return self.ask.action

    @property
    def reader(self) -> Reader:
        return _ANYBODY if self.member is None else Reader.of(self.member)

    @property
    def may_be_in_dm(self) -> bool:
        """A `D...` id alone proves nothing: two people's direct message has one, too."""
        return isinstance(self.ask.place, Reply) and self.ask.place.channel_id.startswith("D")

    def found(self, uow: UnitOfWork) -> Request:
        """Raises _Unmet."""
        member = uow.members.get(self.ask.workspace_id, self.ask.user_id)
        if member is None or (self.may_be_in_dm and member.dm_channel_id is None and not self.is_met):
            raise _Unmet
        if isinstance(self.ask.place, Reply) and self.ask.place.channel_id == member.dm_channel_id:
            self.place = PrivateReply(reply=self.ask.place)
        self.member = member
        return Request(member=member, action=self.action, surface=places.surface(self.place), conversation=self.conversation)


async def _opened(client: AsyncWebClient, ask: Ask) -> Home | Modal | Reply:
    """Open the window for a form before anything is looked up: the tables may be slower than Slack's patience."""
    if ask.action.verb not in actions.FORMS or ask.trigger_id is None or isinstance(ask.place, Modal):
        return ask.place
    try:
        return await places.open_modal(client, ask.trigger_id, pages.loading(_ANYBODY))
    except SurveybotError as error:
        log.warning("slack.window_not_opened", extra={"user": ask.user_id, "verb": ask.action.verb, **loggable(error)})
        return ask.place


def _apology(error: Exception, ask: Ask, reader: Reader) -> Page:
    if not isinstance(error, UserError):
        log.error("slack.answer_failed", extra={"user": ask.user_id, "verb": ask.action.verb, **loggable(error)})
    return pages.apology(error, "Slack", reader)
