"""Who is in the tenant, as the rosters of conversations with the bot tell it, and where they are reached."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from functools import partial
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from adapters.teams.connector import Connector
from adapters.teams.errors import translated
from adapters.teams.patience import patiently
from adapters.teams.registration import Registration
from adapters.teams.wire import Account, Incoming
from bot.channels import succession
from bot.errors import Forbidden, Gone, Rejected
from bot.messages import Address, Conversation, Member, MemberKind
from bot.ports import Store, UnitOfWork
from bot.subscriptions import Paused


class TeamsDirectory:
    def __init__(self, connector: Connector, registration: Registration, store: Store, clock: Callable[[], datetime]) -> None:
        self._connector = connector
        self._registration = registration
        self._store = store
        self._clock = clock
        #: Entra object ids of whoever is new, or was away, when no roster was read of them: their address is asked for.
        self._returned = set[str]()

    def heard_at(self, incoming: Incoming) -> Address:
        """Where an activity came from, its thread included, which is not kept: to answer there."""
        return Address(
            workspace_id=self._registration.tenant_id,
            conversation_id=incoming.conversation.id,
            user_id=None,
            service_url=incoming.service_url,
        )

    def note(self, uow: UnitOfWork, incoming: Incoming) -> bool:
        """Remember where an activity came from. True where the conversation is new, or comes back to life."""
        user_id = incoming.sender.aad_object_id if incoming.is_personal else None
        is_new = uow.addresses.save(replace(self.heard_at(incoming), conversation_id=incoming.conversation_id, user_id=user_id))
        if is_new and user_id:
            self._returned.add(user_id)
        return is_new

    def forget(self, uow: UnitOfWork, conversation_id: str, why: Paused, now: datetime) -> None:
        """The bot was removed, or the place was: nothing is sent there until it is heard from again.

        Of a team that is left only this one channel is known; the others are by posts that fail.
        """
        place = Conversation(workspace_id=self._registration.tenant_id, channel_id=conversation_id)
        uow.addresses.close(place.workspace_id, place.channel_id)
        succession.lost(why, place, now)(uow)

    async def sender(self, incoming: Incoming) -> Member:
        """Return who sent an activity, asking the roster for somebody who is not stored, was away or taken to have left, or has no address.

        Language and zone are what their client says now. Raises Gone for somebody without an account in Entra.
        """
        user_id = incoming.sender.aad_object_id
        if not user_id:
            raise Gone("an activity of nobody")
        known = await self._store.read(lambda uow: uow.members.get(self._registration.tenant_id, user_id))
        account = Account(aad_object_id=user_id)
        is_told = known is None or known.kind is MemberKind.DEACTIVATED or known.email is None or user_id in self._returned
        if is_told:
            look_up = partial(self._connector.member, incoming.service_url, incoming.conversation_id, incoming.sender.id)
            account = account_of(await patiently(look_up))
        member = member_of(account, self._registration.tenant_id, known, zone=incoming.zone, locale=incoming.locale)
        if member.user_id != user_id:
            raise Gone("the roster tells of somebody else")
        if member != known:
            await self._store.write(partial(self._take_over if is_told else _kept, [member]))
        self._returned.discard(user_id)
        return member

    async def shared_place(self, incoming: Incoming, member: Member, remembered: str | None) -> Conversation | None:
        """Return where somebody asks, where others are too, or where what they were shown `remembers` that they did.

        The latter only as long as both they and the bot are there: whatever comes back with a button can be of anybody's making.
        """
        if not incoming.is_personal:
            return Conversation(workspace_id=member.workspace_id, channel_id=incoming.conversation_id)
        if remembered is None:
            return None
        address = await self._store.read(lambda uow: uow.addresses.get(member.workspace_id, remembered))
        if address is None or address.is_closed or address.user_id is not None:
            return None
        try:
            told = account_of(await self._connector.member(address.service_url, remembered, member.user_id))
        except (Forbidden, Gone, Rejected):
            return None
        is_there = member.user_id in {told.aad_object_id, told.object_id}
        return Conversation(workspace_id=member.workspace_id, channel_id=remembered) if is_there else None

    async def meet(self, incoming: Incoming) -> None:
        """Look up who was added to a team or group that the bot is in. Bots are in no roster, nor is who has left it again."""
        for party in incoming.members_added or ():
            look_up = partial(self._connector.member, incoming.service_url, incoming.conversation_id, party.id)
            with suppress(Gone):
                if not party.is_bot:
                    await self._keep([account_of(await patiently(look_up))])

    async def absorb(self, incoming: Incoming) -> int:
        """Read the roster of a team or group that the bot was added to, page by page. Returns how many people are in it."""
        return await self.read_roster(incoming.service_url, incoming.conversation_id)

    async def meet_in_chat(self, conversation_id: str) -> None:
        """Read who is in a chat that nothing was heard from."""
        tenant_id = self._registration.tenant_id
        heard_at = await self._store.read(lambda uow: uow.addresses.service_url(tenant_id))
        await self.read_roster(heard_at or self._registration.cloud.service_url, conversation_id)

    async def read_roster(self, service_url: str, conversation_id: str, turn: Callable[[], Awaitable[None]] | None = None) -> int:
        """Read who is in a conversation, page by page, each in its `turn`. Returns how many."""
        seen, after = 0, None
        while True:
            if turn is not None:
                await turn()
            page, after = await patiently(partial(self._connector.members, service_url, conversation_id, after))
            accounts = [account_of(told) for told in page]
            await self._keep(accounts, is_reading=turn is not None)
            seen += len(accounts)
            if not after:
                return seen

    async def _keep(self, accounts: Sequence[Account], *, is_reading: bool = False) -> None:
        """Of everybody (`is_reading`): whose address somebody has now will be told of as well."""
        people = {user_id: account for account in accounts if (user_id := account.aad_object_id or account.object_id)}
        tenant_id = self._registration.tenant_id

        def keep(uow: UnitOfWork) -> None:
            members = [member_of(account, tenant_id, uow.members.get(tenant_id, user_id)) for user_id, account in people.items()]
            (self._save if is_reading else self._take_over)(members, uow)

        await self._store.write(keep)

    def _take_over(self, members: Sequence[Member], uow: UnitOfWork) -> None:
        """Keep what Teams has just told of some. Who had a member's address before has another by now, which no roster has told yet."""
        self._save(members, uow)
        owners = [member for member in members if member.kind is MemberKind.MEMBER]
        uow.members.disown(self._registration.tenant_id, owners)

    def _save(self, members: Sequence[Member], uow: UnitOfWork) -> None:
        """Keep what Teams has just told."""
        uow.members.save(members)
        uow.members.seen(self._registration.tenant_id, [member.user_id for member in members], self._clock())


def _kept(members: Sequence[Member], uow: UnitOfWork) -> None:
    uow.members.save(members)


def member_of(
    account: Account, tenant_id: str, known: Member | None = None, *, zone: str | None = None, locale: str | None = None
) -> Member:
    """What an account or a client does not tell is taken from `known`.

    An address counts because it was given by the one tenant that is served, whose administrators set it.
    """
    told = (account.email or account.user_principal_name or "").strip().lower()
    is_told = bool(account.email or account.user_principal_name or account.user_role)
    return Member(
        workspace_id=tenant_id,
        user_id=account.aad_object_id or account.object_id or "",
        kind=known.kind if known and not is_told and known.kind is not MemberKind.DEACTIVATED else kind_of(account, tenant_id),
        email=told or (known.email if known else None),
        zone=_zone(zone) or (known.zone if known else "UTC"),
        locale=locale or (known.locale if known else "en"),
    )


def kind_of(account: Account, tenant_id: str) -> MemberKind:
    if account.tenant_id not in {None, tenant_id}:
        return MemberKind.STRANGER
    if (account.user_role or "").lower() in {"guest", "anonymous"} or "#EXT#" in (account.user_principal_name or "").upper():
        return MemberKind.GUEST
    return MemberKind.MEMBER


def account_of(told: object) -> Account:
    with translated("roster", repeatable=True):
        return msgspec.convert(told, Account)


def _zone(name: str | None) -> str | None:
    try:
        return ZoneInfo(name).key if name else None
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None
