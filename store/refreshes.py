"""What Qualtrics hinted at, one row a survey, however many hints came."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, case, delete, select, update

from bot.ports.records import Refresh
from store import tables
from store.presence import is_there
from store.statements import upsert

_REFRESHES = tables.refreshes
_KEY = ("integration_id", "survey_id")


@dataclass(frozen=True, slots=True)
class SqlRefreshes:
    connection: Connection

    def ask(self, integration_id: str, survey_id: str, now: datetime) -> None:
        row = {"integration_id": integration_id, "survey_id": survey_id, "hints": 1, "first_at": now, "last_at": now}
        if is_there(self.connection, integration_id):
            upsert(self.connection, _REFRESHES, _KEY, [row], _again)

    def all(self, limit: int) -> Sequence[Refresh]:
        longest = select(_REFRESHES).order_by(_REFRESHES.c.first_at, *(_REFRESHES.c[name] for name in _KEY)).limit(limit)
        return [Refresh(**row) for row in self.connection.execute(longest).mappings()]

    def done(self, refresh: Refresh) -> None:
        """Where it was asked for again, the hints that are left count from the newest of them, so that steady hints cannot hurry it."""
        row = _REFRESHES.c
        same = and_(row.integration_id == refresh.integration_id, row.survey_id == refresh.survey_id, row.first_at == refresh.first_at)
        if not self.connection.execute(delete(_REFRESHES).where(same, row.hints == refresh.hints)).rowcount:
            self.connection.execute(update(_REFRESHES).where(same).values(hints=row.hints - refresh.hints, first_at=row.last_at))


def _again(proposed: Any) -> dict[str, ColumnElement[Any]]:  # noqa: ANN401 - SQLAlchemy's `excluded` is dynamic
    """Replicas' clocks differ: the newest hint never goes back."""
    row = _REFRESHES.c
    newest = case((proposed.last_at > row.last_at, proposed.last_at), else_=row.last_at)
    return {"hints": row.hints + 1, "first_at": row.first_at, "last_at": newest}
