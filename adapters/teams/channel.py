"""Messages to one person's personal chat with the bot, and to channels: paced, sent once, a private page to nobody but its owner."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime
from typing import Any

from adapters.privacy import check_reader
from adapters.teams.connector import Connector
from adapters.teams.directory import account_of, kind_of
from adapters.teams.pacing import TeamsPace
from adapters.teams.registration import Registration
from bot.errors import Forbidden, Gone, Rejected, ShutOut, Throttled, Unavailable, loggable
from bot.messages import Address, Conversation, Member, MemberKind, MessageRef, Readership
from bot.page import AnyPage, Form, Page, PrivatePage
from bot.ports import Store
from cards import teams

#: Pages of a roster a look: more people than a team has room for
#: (https://learn.microsoft.com/en-us/microsoftteams/limits-specifications-teams).
_PAGES = 60

log = logging.getLogger(__name__)


class TeamsChannel:
    """`bot.ports.Channel` for the tenant that is served."""

    def __init__(
        self, connector: Connector, registration: Registration, store: Store, pace: TeamsPace, *, allow_guests_in_channels: bool = False
    ) -> None:
        self._connector = connector
        self._registration = registration
        self._store = store
        self._pace = pace
        self._allow_guests_in_channels = allow_guests_in_channels

    async def turn(self, member: Member) -> None:  # noqa: ARG002 - one tenant has one pace
        """See `bot.ports.Channel`."""
        await self._pace.turn()

    async def edit_turn(self, member: Member) -> None:  # noqa: ARG002 - as above
        """See `bot.ports.Channel`."""
        await self._pace.edit_turn()

    async def send(self, member: Member, page: AnyPage, key: str | None = None) -> MessageRef:  # noqa: ARG002 - see `find`
        """See `bot.ports.Channel`. Rejected, too, is a page that is not for this member to see, or that Teams cannot show."""
        card = await self._card(member, page)
        address = await self._address(member)
        try:
            return await self._send(address, card)
        except ShutOut:
            await self._remember(replace(address, is_closed=True))
            raise
        except Gone:  # not sent: the chat was deleted, and is made anew once
            await self._remember(replace(address, is_closed=True))
            return await self._send(await self._opened(member), card)

    async def post(self, conversation: Conversation, page: Page, key: str) -> MessageRef:  # noqa: ARG002 - see `find`
        """See `bot.ports.Channel`. In a channel it begins a thread of its own. Rejected: as with `send`."""
        self._check_tenant(conversation.workspace_id)
        card, address = _card(page), await self._shared(conversation)
        await self._pace.turn()
        try:
            return await self._send(address, card)
        except ShutOut:
            await self._remember(replace(address, is_closed=True))
            raise

    async def readership(self, conversation: Conversation) -> Readership:
        """See `bot.ports.Channel`. Rosters of shared channels and chats tell of people of other tenants, too."""
        self._check_tenant(conversation.workspace_id)
        address, after, has_guests = await self._shared(conversation), None, False
        try:
            for _ in range(_PAGES):
                await self._pace.people_turn()
                async with self._called():
                    page, after = await self._connector.members(address.service_url, address.conversation_id, after)
                kinds = {kind_of(account_of(told), conversation.workspace_id) for told in page}
                if MemberKind.STRANGER in kinds:
                    return Readership.OUTSIDERS
                has_guests = has_guests or MemberKind.GUEST in kinds
                if not after:
                    return Readership.GUESTS if has_guests and not self._allow_guests_in_channels else Readership.MEMBERS
        except (Forbidden, Rejected):
            pass
        return Readership.UNKNOWN

    async def reply(self, place: Address, page: Page | Form, *, only_for: str | None = None) -> None:
        """Say something in the place where a message came from, to everybody there or to one person's eyes (`29:...`). Raises as `send`."""
        if isinstance(page, PrivatePage):
            raise TypeError("a private page is not shown where others look on")
        card = _card(page)
        await self._pace.turn()
        async with self._called():
            await self._connector.send(place.service_url, place.conversation_id, card, only_for=only_for)

    async def find(self, member: Member, key: str, since: datetime) -> MessageRef | None:  # noqa: ARG002 - the port's
        """See `bot.ports.Channel`. A bot cannot read its chats: what is lost stays unknown."""
        raise Forbidden("the Bot Connector lists no messages")

    async def edit(self, message: MessageRef, member: Member, page: AnyPage, key: str) -> None:  # noqa: ARG002 - as above
        """See `bot.ports.Channel`."""
        card = await self._card(member, page)
        address = await self._address(member)
        if address.conversation_id != message.channel_id:
            raise Gone("a message of another conversation")
        async with self._called():
            await self._connector.replace(address.service_url, message.channel_id, message.message_id, card)

    async def _card(self, member: Member, page: AnyPage) -> dict[str, Any]:
        self._check_tenant(member.workspace_id)
        await check_reader(self._store, member, page)
        return _card(page)

    def _check_tenant(self, workspace_id: str) -> None:
        if workspace_id != self._registration.tenant_id:
            raise Rejected("another tenant")

    async def _send(self, address: Address, card: dict[str, Any]) -> MessageRef:
        async with self._called():
            activity_id = await self._connector.send(address.service_url, address.conversation_id, card)
        return MessageRef(workspace_id=address.workspace_id, channel_id=address.conversation_id, message_id=activity_id)

    @asynccontextmanager
    async def _called(self) -> AsyncGenerator[None]:
        """A 429 closes the tenant for everybody."""
        self._pace.check()
        try:
            yield
        except Throttled as error:
            await self._pace.refused(error.retry_after)
            raise

    async def _address(self, member: Member) -> Address:
        """Raise ShutOut for somebody who has removed the bot."""
        known = await self._store.read(lambda uow: uow.addresses.personal(member.workspace_id, member.user_id))
        if known is None:
            return await self._opened(member)
        if known.is_closed:
            raise ShutOut("the person has removed or blocked the bot")
        return known

    async def _shared(self, conversation: Conversation) -> Address:
        """Raise ShutOut where the bot was removed."""
        workspace_id, channel_id = conversation.workspace_id, conversation.channel_id
        known = await self._store.read(lambda uow: uow.addresses.get(workspace_id, channel_id))
        if known is None:
            service_url = await self._service_url(workspace_id)
            return Address(workspace_id=workspace_id, conversation_id=channel_id, user_id=None, service_url=service_url)
        if known.is_closed:
            raise ShutOut("the bot was removed from the conversation")
        return known

    async def _opened(self, member: Member) -> Address:
        """Ask for the personal chat. Raises ShutOut for somebody who has never added the bot."""
        service_url = await self._service_url(member.workspace_id)
        # Until there is a chat, the person stands for it.
        unopened = Address(
            workspace_id=member.workspace_id, conversation_id=member.user_id, user_id=member.user_id, service_url=service_url
        )
        try:
            async with self._called():
                conversation_id = await self._connector.open_chat(service_url, member.user_id)
        except ShutOut:
            await self._remember(replace(unopened, is_closed=True))
            raise
        address = replace(unopened, conversation_id=conversation_id)
        await self._remember(address)
        return address

    async def _service_url(self, workspace_id: str) -> str:
        """Where any of the tenant's conversations was heard from."""
        heard_at = await self._store.read(lambda uow: uow.addresses.service_url(workspace_id))
        return heard_at or self._registration.cloud.service_url

    async def _remember(self, address: Address) -> None:
        """What was sent is sent: a failure here must not look like one of sending."""
        try:
            await self._store.write(lambda uow: uow.addresses.save(address))
        except Unavailable as error:
            log.warning("teams.address_not_kept", extra={"conversation": address.conversation_id, **loggable(error)})


def _card(page: AnyPage) -> dict[str, Any]:
    try:
        return teams.message(page)
    except ValueError as error:
        raise Rejected("a link of the page is longer than browsers take") from error
