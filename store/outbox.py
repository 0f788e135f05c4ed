"""The outbox: what is to be said, by whom it is held, and what became of it. And the inbox: what was heard already."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, RowMapping, Select, and_, case, delete, exists, false, func, literal, or_, select, update

from bot.events import Event, EventKind
from bot.messages import Delivery, DeliveryState, MemberKind, MessageRef, Platform, Queue, Reach, Showing, Unreachable
from store import tables
from store.addresses import IS_OPEN
from store.statements import Row, add, chunks

_OUTBOX = tables.outbox
_INBOX = tables.inbox
_PEOPLE = tables.people
_MEMBERS = tables.members
_REASONED = (DeliveryState.UNREACHABLE, DeliveryState.FAILED, DeliveryState.UNKNOWN)
#: Somebody was told, or may have been.
TOLD = (DeliveryState.SENDING, DeliveryState.SENT, DeliveryState.UNKNOWN)
UNHELD = {"state": DeliveryState.READY, "lease_owner": None, "lease_until": None}
_IS_LEASED = and_(_OUTBOX.c.finished_at.is_(None), _OUTBOX.c.lease_until.is_not(None))
_IS_SLACKS = func.substr(_MEMBERS.c.workspace_id, 1, 1).in_(("T", "E"))
#: Where `rules.addressee` will most likely find a person's account; whoever draws the message knows better.
_WORKSPACE = (
    select(_MEMBERS.c.workspace_id)
    .where(_MEMBERS.c.email == _PEOPLE.c.email)
    .order_by(
        case((_MEMBERS.c.kind == MemberKind.MEMBER, 0), else_=1),
        func.coalesce(_MEMBERS.c.used_at, 0).desc(),
        case((_IS_SLACKS, 0), else_=1),
        _MEMBERS.c.workspace_id,
    )
    .limit(1)
    .correlate(_PEOPLE)
    .scalar_subquery()
)
_MEMORY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class SqlOutbox:
    connection: Connection

    def add(self, events: Sequence[Event], now: datetime) -> int:
        known = self._states([event.key for event in events])
        new = [event for event in events if event.key not in known]
        workspaces = self._workspaces([event.person_id for event in new])
        rows = [_row(event, now, workspaces.get(event.person_id)) for event in new]
        skipped = [key for key, state in known.items() if state is DeliveryState.SKIPPED]
        return add(self.connection, _OUTBOX, rows) + self._reopen(DeliveryState.SKIPPED, now, _OUTBOX.c.event_key, skipped)

    def last_told(self, kind: EventKind, survey_id: str, person_ids: Collection[int]) -> Mapping[int, datetime]:
        newest = select(_OUTBOX.c.person_id, func.max(_OUTBOX.c.created_at)).group_by(_OUTBOX.c.person_id)
        theirs = newest.where(_OUTBOX.c.kind == kind, _OUTBOX.c.survey_id == survey_id)
        found = (self.connection.execute(theirs.where(_OUTBOX.c.person_id.in_(chunk))) for chunk in chunks(tuple(person_ids)))
        return {person_id: at for rows in found for person_id, at in rows}

    def reopen_reachable(self, reach: Reach, now: datetime) -> int:
        reachable = (
            select(_OUTBOX.c.delivery_id)
            .join(_PEOPLE, _PEOPLE.c.person_id == _OUTBOX.c.person_id)
            .join(_MEMBERS, _MEMBERS.c.email == _PEOPLE.c.email)
            .where(_OUTBOX.c.state == DeliveryState.UNREACHABLE, _within(reach))
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
            later.c.state.in_(TOLD),
        )
        mine = select(_OUTBOX.c.delivery_id).where(
            _OUTBOX.c.person_id == person_id, _OUTBOX.c.kind.in_(kinds), _OUTBOX.c.reason == Unreachable.OPTED_OUT, ~told
        )
        pieces = (self.connection.execute(mine.where(_OUTBOX.c.survey_id.in_(chunk))) for chunk in chunks(tuple(survey_ids)))
        found = [delivery_id for rows in pieces for delivery_id in rows.scalars()]
        return self._reopen(DeliveryState.UNREACHABLE, now, _OUTBOX.c.delivery_id, found)

    def queues(self, now: datetime) -> Sequence[Queue]:
        """In the order of the index `ix_outbox_open`, which has all of it."""
        names = (_OUTBOX.c.workspace_id, _OUTBOX.c.survey_id, _OUTBOX.c.kind)
        due = select(*names, func.count(), func.min(_OUTBOX.c.closes_at)).where(_OUTBOX.c.finished_at.is_(None), _OUTBOX.c.due_at <= now)
        found = self.connection.execute(due.group_by(*names).order_by(*names)).all()
        return [
            Queue(workspace_id=workspace_id, survey_id=survey_id, kind=kind, due=number, closes_at=closes_at)
            for workspace_id, survey_id, kind, number, closes_at in found
        ]

    def claim(self, queue: Queue, now: datetime, *, owner: str, lease: timedelta, limit: int) -> Sequence[Delivery]:
        """SKIP LOCKED lets PostgreSQL's workers pass each other; SQLite has one writer and gets the same statement without it.

        The rows are chosen in a WITH, which runs once and so keeps to the limit
        (https://www.postgresql.org/docs/current/queries-with.html).
        """
        workspace = _OUTBOX.c.workspace_id
        waits = (
            _OUTBOX.c.finished_at.is_(None),
            workspace.is_(None) if queue.workspace_id is None else workspace == queue.workspace_id,
            _OUTBOX.c.survey_id == queue.survey_id,
            _OUTBOX.c.kind == queue.kind,
            _OUTBOX.c.due_at <= now,
            _OUTBOX.c.state == DeliveryState.READY,
        )
        chosen = select(_OUTBOX.c.delivery_id).where(*waits).order_by(_OUTBOX.c.due_at).limit(limit)
        held = {"state": DeliveryState.CLAIMED, "lease_owner": owner, "lease_until": now + lease}
        claimed = self._take(chosen, **held)
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
        showing: Showing | None = None,
    ) -> bool:
        where = {} if message is None else asdict(message)
        shows = {} if showing is None else {"shown": showing.what, "fingerprint": showing.fingerprint}
        looked_at = {} if state is DeliveryState.SENT else {"edit_at": None}
        came_back = (_OUTBOX.c.state == DeliveryState.UNKNOWN) & (literal(state) == DeliveryState.SENT)
        one = update(_OUTBOX).where(*_held(delivery_id, owner), or_(_OUTBOX.c.finished_at.is_(None), came_back))
        ended = one.values(state=state, finished_at=now, reason=reason, **where, **shows, **looked_at)
        return self.connection.execute(ended).rowcount == 1

    def retry(self, delivery_id: int, due_at: datetime, reason: str, *, owner: str) -> bool:
        return self._put_back(delivery_id, owner, **_ready(due_at), reason=reason)

    def move(self, delivery_id: int, workspace_id: str, *, owner: str) -> bool:
        return self._put_back(delivery_id, owner, **UNHELD, workspace_id=workspace_id)

    def doubt(self, delivery_id: int, until: datetime, reason: str, *, owner: str) -> bool:
        return self._put_back(delivery_id, owner, lease_until=until, reason=reason)

    def release(self, owner: str) -> int:
        """By the index `ix_outbox_leased`."""
        claimed = (_IS_LEASED, _OUTBOX.c.state == DeliveryState.CLAIMED, _OUTBOX.c.lease_owner == owner)
        return self.connection.execute(update(_OUTBOX).where(*claimed).values(**UNHELD)).rowcount

    def lapse(self, now: datetime) -> int:
        lapsed = (_IS_LEASED, _OUTBOX.c.lease_until < now, _OUTBOX.c.state == DeliveryState.CLAIMED)
        return self.connection.execute(update(_OUTBOX).where(*lapsed).values(**UNHELD)).rowcount

    def claim_lost(self, now: datetime, *, lease: timedelta, limit: int) -> Sequence[Delivery]:
        lost = (_IS_LEASED, _OUTBOX.c.lease_until < now, _OUTBOX.c.state == DeliveryState.SENDING)
        chosen = select(_OUTBOX.c.delivery_id).where(*lost).order_by(_OUTBOX.c.lease_until).limit(limit)
        return self._take(chosen, lease_until=now + lease)

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
        return [delivery_of(row) for row in self.connection.execute(newest).mappings()]

    def _take(self, chosen: Select[int], **held: Any) -> list[Delivery]:  # noqa: ANN401 - values of any column
        one = chosen.with_for_update(skip_locked=True).cte("chosen")
        taken = update(_OUTBOX).where(_OUTBOX.c.delivery_id.in_(select(one.c.delivery_id))).values(**held).returning(_OUTBOX)
        return [delivery_of(row) for row in self.connection.execute(taken).mappings()]

    def _put_back(self, delivery_id: int, owner: str, **values: Any) -> bool:  # noqa: ANN401 - as above
        one = update(_OUTBOX).where(*_held(delivery_id, owner), _OUTBOX.c.finished_at.is_(None))
        return self.connection.execute(one.values(**values)).rowcount == 1

    def _workspaces(self, person_ids: Sequence[int]) -> Mapping[int, str]:
        """Where these people seem to have their account; whoever has none is missing."""
        theirs = select(_PEOPLE.c.person_id, _WORKSPACE)
        found = (self.connection.execute(theirs.where(_PEOPLE.c.person_id.in_(chunk))) for chunk in chunks(person_ids))
        return {person_id: workspace_id for rows in found for person_id, workspace_id in rows if workspace_id is not None}

    def _states(self, keys: Sequence[str]) -> Mapping[str, DeliveryState]:
        states = select(_OUTBOX.c.event_key, _OUTBOX.c.state)
        found = (self.connection.execute(states.where(_OUTBOX.c.event_key.in_(chunk))) for chunk in chunks(keys))
        return {key: state for rows in found for key, state in rows}

    def _reopen(self, state: DeliveryState, now: datetime, column: ColumnElement[Any], values: Sequence[Any]) -> int:
        """Those alone that still are in this state: another process may have opened them, and sent, since they were found."""
        theirs = select(_WORKSPACE).where(_PEOPLE.c.person_id == _OUTBOX.c.person_id)
        opened = {**_ready(now), "finished_at": None, "reason": None, "workspace_id": theirs.scalar_subquery()}
        again = update(_OUTBOX).where(_OUTBOX.c.state == state).values(**opened)
        return sum(self.connection.execute(again.where(column.in_(chunk))).rowcount for chunk in chunks(values))


@dataclass(frozen=True, slots=True)
class SqlInbox:
    connection: Connection

    def first_time(self, key: str, now: datetime) -> bool:
        self.connection.execute(delete(_INBOX).where(_INBOX.c.seen_at < now - _MEMORY))
        return bool(add(self.connection, _INBOX, [{"key": key, "seen_at": now}]))


def _row(event: Event, now: datetime, workspace_id: str | None) -> Row:
    return {
        "event_key": event.key,
        "kind": event.kind,
        "integration_id": event.integration_id,
        "survey_id": event.survey_id,
        "person_id": event.person_id,
        "attempt": 0,
        "created_at": now,
        "workspace_id": workspace_id,
        "closes_at": event.closes_at,
        **_ready(now),
    }


def _within(reach: Reach) -> ColumnElement[bool]:
    """As `rules.addressee`, for each member of a join."""
    where = {Platform.SLACK: _IS_SLACKS, Platform.TEAMS: _MEMBERS.c.workspace_id == reach.tenant_id}
    is_member, is_either = (_MEMBERS.c.kind.in_(kinds) for kinds in ((MemberKind.MEMBER,), (MemberKind.MEMBER, MemberKind.GUEST)))
    ways = [and_(where[platform], is_either if platform in reach.guests else is_member) for platform in sorted(reach.platforms)]
    return and_(or_(false(), *ways), IS_OPEN.is_distinct_from(false()))


def _ready(due_at: datetime) -> dict[str, Any]:
    return {**UNHELD, "due_at": due_at}


def _held(delivery_id: int, owner: str) -> tuple[ColumnElement[bool], ...]:
    return (_OUTBOX.c.delivery_id == delivery_id, _OUTBOX.c.lease_owner == owner)


def delivery_of(row: RowMapping) -> Delivery:
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
        workspace_id=row["workspace_id"],
        owner=row["lease_owner"] if row["finished_at"] is None else None,
        reason=row["reason"],
        message=message_of(row),
        showing=None if row["shown"] is None else Showing(row["shown"], row["fingerprint"]),
        edit_at=row["edit_at"],
    )


def message_of(row: RowMapping) -> MessageRef | None:
    if row["message_id"] is None:
        return None
    return MessageRef(workspace_id=row["workspace_id"], channel_id=row["channel_id"], message_id=row["message_id"])
