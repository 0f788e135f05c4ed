"""Numbers about what is stored of an integration, for whoever watches over it (FEATURES B6, B7, B10)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection, func, select

from bot.ports.records import Gaps, Throttle
from store import tables
from store.gates import throttle

_SURVEYS = tables.surveys
_DISTRIBUTIONS = tables.distributions


@dataclass(frozen=True, slots=True)
class SqlFigures:
    connection: Connection

    def clock(self) -> datetime:
        """SQLite's is this machine's, without a zone."""
        at = self.connection.execute(select(func.current_timestamp())).scalar_one()
        return at if at.tzinfo else at.replace(tzinfo=UTC)

    def surveys(self, integration_id: str) -> int:
        counted = select(func.count()).select_from(_SURVEYS).where(_SURVEYS.c.integration_id == integration_id)
        return self.connection.execute(counted).scalar_one()

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
