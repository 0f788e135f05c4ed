"""Answers what one person asks in Slack: who asks, where it will be seen, the page, and a polite sentence when that fails."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

from adapters.slack import places
from adapters.slack.clients import Clients
from adapters.slack.directory import SlackDirectory
from adapters.slack.places import Home, Place, PrivateReply, Reply
from bot.errors import Gone, Rejected, UserError, loggable
from bot.messages import Member, Request, Surface
from bot.page import Action, Button, Buttons, Page, PrivatePage, Text
from bot.pages.reader import Reader
from bot.ports import Channel, Store

Handle = Callable[[Store, Request, datetime], Awaitable[Page | PrivatePage]]

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """A command, a pressed button, or the Home tab being opened."""

    workspace_id: str
    user_id: str
    action: Action
    #: Not yet known to be private, unless it is the Home tab.
    place: Home | Reply


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    clients: Clients
    store: Store
    directory: SlackDirectory
    channel: Channel
    clock: Callable[[], datetime]
    handle: Handle

    async def answer(self, ask: Ask) -> None:
        """Answer; whatever fails is logged, and said in one sentence. Raises when not even that can be shown."""
        client, reader = await self.clients.of(ask.workspace_id), Reader("en", "UTC")
        try:
            member = await self.directory.member(ask.workspace_id, ask.user_id)
            reader = Reader.of(member)
            place = await self._place(member, ask.place)
            page = await self._page(member, ask.action, places.surface(place))
            await places.show(client, self.store, place, page, member)
        except UserError as error:
            await places.show(client, self.store, ask.place, _sentence(str(error), reader))
        except Exception as error:  # noqa: BLE001 - there is somebody waiting, whatever it was
            log.error("slack.answer_failed", extra={"user": ask.user_id, "verb": ask.action.verb, **loggable(error)})  # noqa: TRY400 - a traceback quotes data
            text = reader.say("Something went wrong on my side. Please try again in a few minutes.")
            await places.show(client, self.store, ask.place, _sentence(text, reader))

    async def _page(self, member: Member, action: Action, surface: Surface) -> Page | PrivatePage:
        if action.verb == "survey.handover":
            await self._hand_over(member, Action(verb="survey.show", data=action.data))
        return await self._draw(member, action, surface)

    async def _hand_over(self, member: Member, action: Action) -> None:
        page = await self._draw(member, action, Surface.PRIVATE)
        if isinstance(page, PrivatePage):  # else there is nothing of theirs to hand over, and the answer will say so
            await self.channel.turn(member)
            await self.channel.send(member, page)

    async def _draw(self, member: Member, action: Action, surface: Surface) -> Page | PrivatePage:
        return await self.handle(self.store, Request(member=member, action=action, surface=surface), self.clock())

    async def _place(self, member: Member, place: Home | Reply) -> Place:
        if isinstance(place, Reply) and await self._is_dm(member, place.channel_id):
            return PrivateReply(reply=place)
        return place

    async def _is_dm(self, member: Member, channel_id: str) -> bool:
        """A `D...` id alone proves nothing: two people's direct message has one, too."""
        if not channel_id.startswith("D"):
            return False
        try:
            return channel_id == await self.directory.dm_channel(member)
        except (Gone, Rejected):  # the bot cannot talk to this person, so it is somebody else's conversation
            return False


def _sentence(text: str, reader: Reader) -> Page:
    button = Button(label=reader.say("My active surveys"), action=Action(verb="surveys.list"))
    return Page(title=reader.say("That did not work"), elements=(Text((text,)), Buttons((button,))), zone=reader.zone)
