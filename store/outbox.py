"""The outbox: what is to be said, by whom it is held, and what became of it. And the inbox: what was heard already."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, RowMapping, and_, delete, exists, func, literal, or_, select, update

from bot.events import Event, EventKind
from bot.messages import Delivery, DeliveryState, MemberKind, MessageRef, Unreachable
from store import tables
from store.statements import Row, add, chunks

_OUTBOX = tables.outbox
_INBOX = tables.inbox
_REASONED = (DeliveryState.UNREACHABLE, DeliveryState.FAILED, DeliveryState.UNKNOWN)
#: Somebody was told, or may have been.
_TOLD = (DeliveryState.SENDING, DeliveryState.SENT, DeliveryState.UNKNOWN)
_LOST = "the sender stopped in the middle of a call"
_MEMORY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class SqlOutbox:
    connection: Connection

    def add(self, events: Sequence[Event], now: datetime) -> int:
        known = self._states([event.key for event in events])
        rows = [_row(event, now) for event in events if event.key not in known]
        skipped = [key for key, state in known.items() if state is DeliveryState.SKIPPED]
        return add(self.connection, _OUTBOX, rows) + self._reopen(DeliveryState.SKIPPED, now, _OUTBOX.c.event_key, skipped)

    def last_told(self, kind: EventKind, survey_id: str, person_ids: Collection[int]) -> Mapping[int, datetime]:
        newest = select(_OUTBOX.c.person_id, func.max(_OUTBOX.c.created_at)).group_by(_OUTBOX.c.person_id)
        theirs = newest.where(_OUTBOX.c.kind == kind, _OUTBOX.c.survey_id == survey_id)
        found = (self.connection.execute(theirs.where(_OUTBOX.c.person_id.in_(chunk))) for chunk in chunks(tuple(person_ids)))
        return {person_id: at for rows in found for person_id, at in rows}

    def reopen_reachable(self, kinds: Collection[MemberKind], now: datetime) -> int:
        reachable = (
            select(_OUTBOX.c.delivery_id)
            .join(tables.people, tables.people.c.person_id == _OUTBOX.c.person_id)
            .join(tables.members, tables.members.c.email == tables.people.c.email)
            .where(_OUTBOX.c.state == DeliveryState.UNREACHABLE, tables.members.c.kind.in_(kinds))
            .where(_OUTBOX.c.reason.is_distinct_from(Unreachable.OPTED_OUT))
            .distinct()
        )
        found = self.connection.execute(reachable).scalars().all()
        return self._reopen(DeliveryState.UNREACHABLE, now, _OUTBOX.c.delivery_id, found)

    def reopen_opted_out(self, person_id: int, kinds: Collection[EventKind], survey_ids: Collection[str], now: datetime) -> int:
        later = _OUTBOX.alias("later")
        told = exists().where(
            later.c.person_id == _OUTBOX.c.person_id,
            later.c.survey_id == _OUTBOX.c.survey_id,
            later.c.delivery_id > _OUTBOX.c.delivery_id,
            later.c.state.in_(_TOLD),
        )
        mine = select(_OUTBOX.c.delivery_id).where(
            _OUTBOX.c.person_id == person_id, _OUTBOX.c.kind.in_(kinds), _OUTBOX.c.reason == Unreachable.OPTED_OUT, ~told
        )
        pieces = (self.connection.execute(mine.where(_OUTBOX.c.survey_id.in_(chunk))) for chunk in chunks(tuple(survey_ids)))
        found = [delivery_id for rows in pieces for delivery_id in rows.scalars()]
        return self._reopen(DeliveryState.UNREACHABLE, now, _OUTBOX.c.delivery_id, found)

    def claim(self, now: datetime, *, owner: str, lease: timedelta, limit: int) -> Sequence[Delivery]:
        """SKIP LOCKED lets PostgreSQL's workers pass each other; SQLite has one writer and gets the same statement without it.

        The rows are chosen in a WITH, which runs once and so keeps to the limit
        (https://www.postgresql.org/docs/current/queries-with.html).
        """
        is_free = or_(_OUTBOX.c.state == DeliveryState.READY, and_(_OUTBOX.c.state == DeliveryState.CLAIMED, _OUTBOX.c.lease_until < now))
        chosen = (
            select(_OUTBOX.c.delivery_id)
            .where(_OUTBOX.c.finished_at.is_(None), _OUTBOX.c.due_at <= now, is_free)
            .order_by(_OUTBOX.c.due_at)
            .limit(limit)
            .with_for_update(skip_locked=True)
            .cte("chosen")
        )
        claim = (
            update(_OUTBOX)
            .where(_OUTBOX.c.delivery_id.in_(select(chosen.c.delivery_id)))
            .values(state=DeliveryState.CLAIMED, lease_owner=owner, lease_until=now + lease)
            .returning(_OUTBOX)
        )
        claimed = [_delivery(row) for row in self.connection.execute(claim).mappings()]
        return sorted(claimed, key=lambda delivery: (delivery.due_at, delivery.delivery_id))

    def begin_sending(self, delivery_id: int, *, owner: str, lease_until: datetime) -> bool:
        held = update(_OUTBOX).where(
            _OUTBOX.c.delivery_id == delivery_id, _OUTBOX.c.state == DeliveryState.CLAIMED, _OUTBOX.c.lease_owner == owner
        )
        sending = held.values(state=DeliveryState.SENDING, attempt=_OUTBOX.c.attempt + 1, lease_until=lease_until)
        return self.connection.execute(sending).rowcount == 1

    def finish(
        self,
        delivery_id: int,
        state: DeliveryState,
        now: datetime,
        *,
        owner: str,
        reason: str | None = None,
        message: MessageRef | None = None,
    ) -> bool:
        where = {} if message is None else {name: getattr(message, name) for name in ("workspace_id", "channel_id", "message_id")}
        came_back = (_OUTBOX.c.state == DeliveryState.UNKNOWN) & (literal(state) == DeliveryState.SENT)
        one = update(_OUTBOX).where(*_held(delivery_id, owner), or_(_OUTBOX.c.finished_at.is_(None), came_back))
        return self.connection.execute(one.values(state=state, finished_at=now, reason=reason, **where)).rowcount == 1

    def retry(self, delivery_id: int, due_at: datetime, reason: str, *, owner: str) -> bool:
        one = update(_OUTBOX).where(*_held(delivery_id, owner), _OUTBOX.c.finished_at.is_(None))
        return self.connection.execute(one.values(**_ready(due_at), reason=reason)).rowcount == 1

    def abandon_lapsed(self, now: datetime) -> int:
        lapsed = (_OUTBOX.c.finished_at.is_(None), _OUTBOX.c.state == DeliveryState.SENDING, _OUTBOX.c.lease_until < now)
        lost = {"state": DeliveryState.UNKNOWN, "finished_at": now, "reason": _LOST}
        return self.connection.execute(update(_OUTBOX).where(*lapsed).values(**lost)).rowcount

    def counts(self) -> Mapping[DeliveryState, int]:
        return dict(self.connection.execute(select(_OUTBOX.c.state, func.count()).group_by(_OUTBOX.c.state)).all())

    def oldest_due(self) -> datetime | None:
        return self.connection.execute(select(func.min(_OUTBOX.c.due_at)).where(_OUTBOX.c.finished_at.is_(None))).scalar_one()

    def reasons(self) -> Mapping[str, int]:
        """A delivery without a reason counts under its state."""
        reason = func.coalesce(_OUTBOX.c.reason, _OUTBOX.c.state)
        ended = select(reason, func.count()).where(_OUTBOX.c.state.in_(_REASONED)).group_by(reason)
        return dict(self.connection.execute(ended).all())

    def list(self, limit: int) -> Sequence[Delivery]:
        newest = select(_OUTBOX).order_by(_OUTBOX.c.delivery_id.desc()).limit(limit)
        return [_delivery(row) for row in self.connection.execute(newest).mappings()]

    def _states(self, keys: Sequence[str]) -> Mapping[str, DeliveryState]:
        states = select(_OUTBOX.c.event_key, _OUTBOX.c.state)
        found = (self.connection.execute(states.where(_OUTBOX.c.event_key.in_(chunk))) for chunk in chunks(keys))
        return {key: state for rows in found for key, state in rows}

    def _reopen(self, state: DeliveryState, now: datetime, column: ColumnElement[Any], values: Sequence[Any]) -> int:
        """Those alone that still are in this state: another process may have opened them, and sent, since they were found."""
        again = update(_OUTBOX).where(_OUTBOX.c.state == state).values(**_ready(now), finished_at=None, reason=None)
        return sum(self.connection.execute(again.where(column.in_(chunk))).rowcount for chunk in chunks(values))


@dataclass(frozen=True, slots=True)
class SqlInbox:
    connection: Connection

    def first_time(self, key: str, now: datetime) -> bool:
        self.connection.execute(delete(_INBOX).where(_INBOX.c.seen_at < now - _MEMORY))
        return bool(add(self.connection, _INBOX, [{"key": key, "seen_at": now}]))


def _row(event: Event, now: datetime) -> Row:
    return {
        "event_key": event.key,
        "kind": event.kind,
        "integration_id": event.integration_id,
        "survey_id": event.survey_id,
        "person_id": event.person_id,
        "attempt": 0,
        "created_at": now,
        **_ready(now),
    }


def _ready(due_at: datetime) -> dict[str, Any]:
    return {"state": DeliveryState.READY, "due_at": due_at, "lease_owner": None, "lease_until": None}


def _held(delivery_id: int, owner: str) -> tuple[ColumnElement[bool], ...]:
    return (_OUTBOX.c.delivery_id == delivery_id, _OUTBOX.c.lease_owner == owner)


def _delivery(row: RowMapping) -> Delivery:
    return Delivery(
        delivery_id=row["delivery_id"],
        kind=row["kind"],
        integration_id=row["integration_id"],
        survey_id=row["survey_id"],
        person_id=row["person_id"],
        state=row["state"],
        due_at=row["due_at"],
        attempt=row["attempt"],
        created_at=row["created_at"],
        reason=row["reason"],
        message=_message(row),
    )


def _message(row: RowMapping) -> MessageRef | None:
    if row["message_id"] is None:
        return None
    return MessageRef(workspace_id=row["workspace_id"], channel_id=row["channel_id"], message_id=row["message_id"])
