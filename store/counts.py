"""How counts were at earlier times."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time

from sqlalchemy import Connection, delete, select

from bot.model import Distribution, DistributionStats
from bot.trend import MEMORY
from store import post_tables, tables
from store.statements import chunks, upsert
from store.surveys import packed, stats_of, unpacked

_COUNTS = post_tables.day_counts

_KEY = ("integration_id", "survey_id", "distribution_id", "day")


@dataclass(frozen=True, slots=True)
class SqlCounts:
    connection: Connection

    def keep(self, integration_id: str, distributions: Sequence[Distribution], now: datetime) -> int:
        self.connection.execute(delete(_COUNTS).where(_COUNTS.c.day < now - MEMORY))
        stored = self._stored(integration_id, [each.distribution_id for each in distributions])
        changed = [each for each in distributions if each.stats != stored.get(each.distribution_id, DistributionStats())]
        of_today = {"integration_id": integration_id, "day": datetime.combine(now.astimezone(UTC), time(), UTC)}
        rows = [
            of_today | {"survey_id": each.survey_id, "distribution_id": each.distribution_id, "stats": packed(each.stats)}
            for each in changed
        ]
        return upsert(self.connection, _COUNTS, _KEY, rows)

    def of_survey(self, integration_id: str, survey_id: str) -> Mapping[str, Sequence[tuple[date, DistributionStats]]]:
        of_it = select(_COUNTS).where(_COUNTS.c.integration_id == integration_id, _COUNTS.c.survey_id == survey_id)
        found: dict[str, list[tuple[date, DistributionStats]]] = {}
        for row in self.connection.execute(of_it.order_by(_COUNTS.c.distribution_id, _COUNTS.c.day)).mappings():
            found.setdefault(row["distribution_id"], []).append((row["day"].date(), unpacked(row["stats"]) or DistributionStats()))
        return found

    def _stored(self, integration_id: str, distribution_ids: Sequence[str]) -> Mapping[str, DistributionStats]:
        known = select(tables.distributions).where(tables.distributions.c.integration_id == integration_id)
        ids = tables.distributions.c.distribution_id
        found = (self.connection.execute(known.where(ids.in_(chunk))).mappings() for chunk in chunks(distribution_ids))
        return {row["distribution_id"]: stats_of(row) for rows in found for row in rows}
