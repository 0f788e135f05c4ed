"""Who was given the app without adding it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, exists, func, or_, select, update

from bot.installations import Offered
from bot.messages import DeliveryState, Unreachable
from store import tables
from store.statements import upsert

_OFFERS = tables.app_offers
_OUTBOX = tables.outbox
_PEOPLE = tables.people
_MEMBERS = tables.members
_ADDRESSES = tables.addresses


@dataclass(frozen=True, slots=True)
class SqlAppOffers:
    connection: Connection

    def claim(self, workspace_id: str, domains: Collection[str], now: datetime, until: datetime, limit: int) -> Mapping[int, str]:
        waits = exists().where(
            _OUTBOX.c.person_id == _PEOPLE.c.person_id,
            _OUTBOX.c.state == DeliveryState.UNREACHABLE,
            _OUTBOX.c.reason.in_((Unreachable.NO_ACCOUNT, Unreachable.SHUT_OUT)),
        )
        had_it = exists().where(
            _MEMBERS.c.email == _PEOPLE.c.email,
            _MEMBERS.c.workspace_id == workspace_id,
            _ADDRESSES.c.workspace_id == workspace_id,
            _ADDRESSES.c.user_id == _MEMBERS.c.user_id,
            _ADDRESSES.c.conversation_id != _ADDRESSES.c.user_id,  # which stands for a chat that there never was
        )
        rests = exists().where(_OFFERS.c.person_id == _PEOPLE.c.person_id, or_(_OFFERS.c.due_at.is_(None), _OFFERS.c.due_at > now))
        counts = or_(*(_PEOPLE.c.email.endswith(f"@{domain}", autoescape=True) for domain in domains))
        theirs = select(_PEOPLE.c.person_id, _PEOPLE.c.email).where(counts, waits, ~had_it, ~rests).order_by(_PEOPLE.c.person_id)
        found = {row.person_id: row.email for row in self.connection.execute(theirs.limit(limit)).all()}
        rows = [{"person_id": person_id, "asked_at": now, "due_at": until, "outcome": None} for person_id in found]
        upsert(self.connection, _OFFERS, ("person_id",), rows)
        return found

    def record(self, person_id: int, outcome: Offered | None, due_at: datetime | None) -> None:
        one = update(_OFFERS).where(_OFFERS.c.person_id == person_id)
        self.connection.execute(one.values(outcome=outcome, due_at=due_at))

    def counts(self) -> Mapping[Offered, int]:
        known = select(_OFFERS.c.outcome, func.count()).where(_OFFERS.c.outcome.is_not(None)).group_by(_OFFERS.c.outcome)
        return dict(self.connection.execute(known).all())
