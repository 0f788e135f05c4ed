"""How counts were at earlier times."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time

from sqlalchemy import Connection, delete, exists, or_, select

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
        self._forget(now - MEMORY)
        stored = self._stored(integration_id, distributions)
        changed = [each for each in distributions if each.stats != stored.get(each.distribution_id)]
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

    def _forget(self, before: datetime) -> None:
        later = _COUNTS.alias()
        same = (later.c[name] == _COUNTS.c[name] for name in _KEY[:-1])
        is_followed = exists().where(*same, later.c.day > _COUNTS.c.day, later.c.day < before)
        its = (tables.surveys.c[name] == _COUNTS.c[name] for name in ("integration_id", "survey_id"))
        is_over = exists().where(*its, or_(~tables.surveys.c.is_active, tables.surveys.c.ends_at < before))
        self.connection.execute(delete(_COUNTS).where(_COUNTS.c.day < before, or_(is_followed, is_over)))

    def _stored(self, integration_id: str, distributions: Sequence[Distribution]) -> Mapping[str, DistributionStats]:
        """Where they were remembered ever."""
        remembered = select(_COUNTS.c.distribution_id).where(_COUNTS.c.integration_id == integration_id)
        known = select(tables.distributions).where(tables.distributions.c.integration_id == integration_id)
        ids = tables.distributions.c.distribution_id
        stored: dict[str, DistributionStats] = {}
        for some in chunks(distributions):
            surveys = {each.survey_id for each in some}
            both = ids.in_([each.distribution_id for each in some]), ids.in_(remembered.where(_COUNTS.c.survey_id.in_(surveys)))
            stored |= {row["distribution_id"]: stats_of(row) for row in self.connection.execute(known.where(*both)).mappings()}
        return stored
