"""Messages that were sent: what they show, and which of them are to be looked at."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, and_, bindparam, case, exists, func, null, or_, select, tuple_, update

from bot.messages import Delivery, DeliveryState, Showing, Shown
from store import tables
from store.outbox import delivery_of
from store.statements import chunks

_OUTBOX = tables.outbox
_IS_EDITABLE = and_(_OUTBOX.c.state == DeliveryState.SENT, _OUTBOX.c.message_id.is_not(None), _OUTBOX.c.edit_refused.is_(None))
#: Asked whenever somebody comes by: built once.
_NEWEST_OF_PERSON = (
    select(_OUTBOX)
    .where(_OUTBOX.c.person_id == bindparam("person"), _IS_EDITABLE)
    .order_by(_OUTBOX.c.finished_at.desc(), _OUTBOX.c.delivery_id.desc())
    .limit(bindparam("limit"))
)
_IS_LEAVING = _OUTBOX.c.state.in_((DeliveryState.CLAIMED, DeliveryState.SENDING))


@dataclass(frozen=True, slots=True)
class SqlSent:
    connection: Connection

    def outdate(self, survey_id: str, person_ids: Collection[int], right: Collection[Shown], at: datetime) -> int:
        is_wrong = or_(_OUTBOX.c.shown.is_(None), _OUTBOX.c.shown.not_in(right))
        affected = and_(_OUTBOX.c.survey_id == survey_id, or_(_IS_EDITABLE & is_wrong, _IS_LEAVING))
        return sum(self._look_at(affected & _OUTBOX.c.person_id.in_(chunk), at) for chunk in chunks(tuple(person_ids)))

    def look_at(self, delivery_ids: Collection[int], at: datetime) -> int:
        return sum(self._look_at(_IS_EDITABLE & _OUTBOX.c.delivery_id.in_(chunk), at) for chunk in chunks(tuple(delivery_ids)))

    def followed(self, delivery_id: int, at: datetime) -> int:
        last = _OUTBOX.alias("last")
        person, survey = (
            select(last.c[name]).where(last.c.delivery_id == delivery_id).scalar_subquery() for name in ("person_id", "survey_id")
        )
        others = and_(_OUTBOX.c.person_id == person, _OUTBOX.c.survey_id == survey, _OUTBOX.c.delivery_id != delivery_id)
        return self._look_at(_IS_EDITABLE & others, at)

    def of_person(self, person_id: int, limit: int) -> Sequence[Delivery]:
        newest = self.connection.execute(_NEWEST_OF_PERSON, {"person": person_id, "limit": limit})
        return [delivery_of(row) for row in newest.mappings()]

    def is_followed(self, delivery_id: int) -> bool:
        this, later = _OUTBOX.alias("this"), _OUTBOX.alias("later")
        is_later = tuple_(later.c.finished_at, later.c.delivery_id) > tuple_(this.c.finished_at, this.c.delivery_id)
        same = and_(later.c.person_id == this.c.person_id, later.c.survey_id == this.c.survey_id)
        is_there = and_(later.c.state == DeliveryState.SENT, later.c.edit_refused.is_(None))
        found = select(exists().where(this.c.delivery_id == delivery_id, same, is_there, is_later))
        return bool(self.connection.execute(found).scalar_one())

    def workspaces(self, now: datetime) -> Collection[str]:
        due = select(_OUTBOX.c.workspace_id).where(_OUTBOX.c.edit_at.is_not(None), _OUTBOX.c.edit_at <= now, _IS_EDITABLE)
        return self.connection.execute(due.distinct().order_by(_OUTBOX.c.workspace_id)).scalars().all()

    def claim(self, workspace_id: str, now: datetime, *, lease: timedelta, limit: int) -> Sequence[Delivery]:
        """As `SqlOutbox.claim`."""
        due = (_OUTBOX.c.edit_at.is_not(None), _OUTBOX.c.workspace_id == workspace_id, _OUTBOX.c.edit_at <= now, _IS_EDITABLE)
        one = select(_OUTBOX.c.delivery_id).where(*due).order_by(_OUTBOX.c.edit_at).limit(limit)
        chosen = one.with_for_update(skip_locked=True).cte("chosen")
        taken = update(_OUTBOX).where(_OUTBOX.c.delivery_id.in_(select(chosen.c.delivery_id))).values(edit_at=now + lease)
        return [delivery_of(row) for row in self.connection.execute(taken.returning(_OUTBOX)).mappings()]

    def settle(self, delivery: Delivery, showing: Showing | None) -> None:
        since = case((_OUTBOX.c.edit_at == delivery.edit_at, null()), else_=_OUTBOX.c.edit_at)
        one = update(_OUTBOX).where(_OUTBOX.c.delivery_id == delivery.delivery_id)
        shows = {} if showing is None else {"shown": showing.what, "fingerprint": showing.fingerprint}
        self.connection.execute(one.values(edit_at=since, **shows))

    def give_up(self, delivery: Delivery, reason: str) -> None:
        one = update(_OUTBOX).where(_OUTBOX.c.delivery_id == delivery.delivery_id)
        self.connection.execute(one.values(edit_refused=reason, edit_at=None))

    def waiting(self) -> int:
        return self.connection.execute(select(func.count()).where(_OUTBOX.c.edit_at.is_not(None))).scalar_one()

    def _look_at(self, where: ColumnElement[bool], at: datetime) -> int:
        later = or_(_OUTBOX.c.edit_at.is_(None), _OUTBOX.c.edit_at > at)
        return self.connection.execute(update(_OUTBOX).where(where, later).values(edit_at=at)).rowcount
