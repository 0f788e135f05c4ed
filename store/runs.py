"""The log of starts: what was decided, what it brought, and which run was cut off."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, Select, and_, delete, func, insert, or_, select, update

from bot.ports.records import Outcome, Run
from store import tables

_RUNS = tables.runs
_COLUMNS = [column for column in _RUNS.c if column.name != "run_id"]
#: How long runs are kept.
_MEMORY = timedelta(days=30)
_SUCCESSES = _RUNS.c.outcome.in_([Outcome.OK, Outcome.PARTIAL])
#: A veto of what was fetched made calls; one of the start did not.
_BEGUN = or_(
    _RUNS.c.outcome.is_(None),
    _RUNS.c.outcome.in_([Outcome.OK, Outcome.PARTIAL, Outcome.FAILED]),
    and_(_RUNS.c.outcome == Outcome.VETOED, _RUNS.c.calls > 0),
)


@dataclass(frozen=True, slots=True)
class SqlRuns:
    connection: Connection

    def start(self, run: Run) -> int:
        return self.connection.execute(insert(_RUNS).values(asdict(run)).returning(_RUNS.c.run_id)).scalar_one()

    def finish(self, run_id: int, run: Run) -> None:
        """Runs that began long before this one are forgotten."""
        self.connection.execute(update(_RUNS).where(_RUNS.c.run_id == run_id).values(asdict(run)))
        self.connection.execute(delete(_RUNS).where(_RUNS.c.started_at < run.started_at - _MEMORY))

    def unfinished(self, integration_id: str) -> tuple[int, Run] | None:
        newest = select(func.max(_RUNS.c.run_id)).where(_RUNS.c.integration_id == integration_id, _RUNS.c.outcome.is_(None))
        row = self.connection.execute(select(_RUNS).where(_RUNS.c.run_id == newest.scalar_subquery())).mappings().one_or_none()
        return None if row is None else (row["run_id"], Run(**{column.name: row[column] for column in _COLUMNS}))

    def latest(self, integration_id: str) -> Sequence[Run]:
        return self._runs(select(*_COLUMNS).where(_RUNS.c.run_id.in_(_newest(integration_id))).order_by(_RUNS.c.kind))

    def last_success(self, integration_id: str) -> Mapping[str, Run]:
        newest = select(*_COLUMNS).where(_RUNS.c.run_id.in_(_newest(integration_id, _SUCCESSES)))
        return {run.kind: run for run in self._runs(newest)}

    def last_start(self, integration_id: str) -> Mapping[str, datetime]:
        newest = select(_RUNS.c.kind, _RUNS.c.started_at).where(_RUNS.c.run_id.in_(_newest(integration_id, _BEGUN)))
        return dict(self.connection.execute(newest).all())

    def list(self, integration_id: str, limit: int) -> Sequence[Run]:
        theirs = select(*_COLUMNS).where(_RUNS.c.integration_id == integration_id)
        return self._runs(theirs.order_by(_RUNS.c.run_id.desc()).limit(limit))

    def _runs(self, query: Select[tuple[object, ...]]) -> Sequence[Run]:
        return [Run(**row) for row in self.connection.execute(query).mappings()]


def _newest(integration_id: str, *which: ColumnElement[bool]) -> Select[tuple[int]]:
    """The number of the newest run of each kind."""
    return select(func.max(_RUNS.c.run_id)).where(_RUNS.c.integration_id == integration_id, *which).group_by(_RUNS.c.kind)
