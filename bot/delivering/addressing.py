"""Whom a message is for: the account to write to now, and the one that was written to."""

from __future__ import annotations

from bot import rules
from bot.errors import Gone
from bot.messages import ChatAccount, Delivery, Member, Place, Reach, Unreachable
from bot.ports import UnitOfWork


def addressee(uow: UnitOfWork, person_id: int, reach: Reach) -> Member | Unreachable:
    """The account to write to now, or why there is none."""
    return rules.addressee(_accounts(uow, person_id), uow.preferences.get(person_id).place, reach)


def tried(uow: UnitOfWork, delivery: Delivery, reach: Reach) -> Member | Unreachable:
    """The account that was written to, as long as it may be."""
    theirs = [it for it in _accounts(uow, delivery.person_id) if it.member.workspace_id == delivery.workspace_id]
    return rules.addressee(theirs, Place.AUTOMATIC, reach)


def reader_of(uow: UnitOfWork, delivery: Delivery) -> Member:
    """Whose message it is, wherever they are written to by now. Raises Gone when there is nobody (any more) to show it to."""
    theirs = [it.member for it in _accounts(uow, delivery.person_id) if it.member.workspace_id == delivery.workspace_id]
    if not theirs:
        raise Gone("no chat account with this e-mail address")
    channel_id = delivery.message.channel_id if delivery.message else None
    member = max(theirs, key=lambda it: it.dm_channel_id == channel_id)
    if member.kind not in rules.reachable_kinds(allow_guests=True):
        raise Gone(f"the account is {member.kind} now")
    return member


def _accounts(uow: UnitOfWork, person_id: int) -> list[ChatAccount]:
    email = uow.people.email(person_id)
    return list(uow.members.accounts(email)) if email else []
