"""Numbers about what is stored of an integration, for whoever watches over it (FEATURES B6, B7, B10)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import ColumnElement, Connection, Select, func, or_, select

from bot import rules
from bot.ports.records import Gaps, Throttle
from store import tables
from store.gates import throttle

_SURVEYS = tables.surveys
_DISTRIBUTIONS = tables.distributions
_INVITATIONS = tables.invitations


@dataclass(frozen=True, slots=True)
class SqlFigures:
    connection: Connection

    def clock(self) -> datetime:
        """SQLite's is this machine's, without a zone."""
        at = self.connection.execute(select(func.current_timestamp())).scalar_one()
        return at if at.tzinfo else at.replace(tzinfo=UTC)

    def surveys(self, integration_id: str) -> int:
        return self._one(select(func.count()).select_from(_SURVEYS).where(_SURVEYS.c.integration_id == integration_id))

    def open_invitations(self, integration_id: str, now: datetime) -> int:
        """As `rules.participation` would find them, row by row; it looks at every invitation of the integration."""
        expires_at = func.coalesce(_INVITATIONS.c.link_expires_at, _DISTRIBUTIONS.c.link_expires_at)
        counted = (
            select(func.count())
            .select_from(_INVITATIONS)
            .join(_DISTRIBUTIONS, _DISTRIBUTIONS.c.key == _INVITATIONS.c.distribution_key)
            .join(_SURVEYS, _SURVEYS.c.key == _DISTRIBUTIONS.c.survey_key)
        )
        can_be_answered = (
            _SURVEYS.c.is_active,
            _SURVEYS.c.is_deleted.is_not(True),
            ~_DISTRIBUTIONS.c.is_deleted,
            _is_ahead(_SURVEYS.c.ends_at, now),
            _is_ahead(expires_at, now),
        )
        waits = (_INVITATIONS.c.mailed, _INVITATIONS.c.status.in_(rules.OPEN))
        return self._one(counted.where(_DISTRIBUTIONS.c.integration_id == integration_id, *can_be_answered, *waits))

    def throttles(self, gates: Collection[str], now: datetime) -> Mapping[str, Throttle]:
        rows = self.connection.execute(select(tables.gates).where(tables.gates.c.name.in_(gates))).mappings()
        return {row["name"]: throttle(row, now) for row in rows}

    def gaps(self, integration_id: str) -> Gaps:
        lacking = (
            select(func.count(), func.coalesce(func.sum(_DISTRIBUTIONS.c.rows_missing), 0))
            .where(_DISTRIBUTIONS.c.integration_id == integration_id)
            .where(_DISTRIBUTIONS.c.rows_missing > 0, ~_DISTRIBUTIONS.c.is_deleted)
        )
        distributions, rows = self.connection.execute(lacking).one()
        return Gaps(distributions=distributions, rows=rows)

    def _one(self, counted: Select[int]) -> int:
        return self.connection.execute(counted).scalar_one()


def _is_ahead(at: ColumnElement[datetime], now: datetime) -> ColumnElement[bool]:
    """Nothing known is never."""
    return or_(at.is_(None), at > now)
