"""Integrations, the Qualtrics accounts they see, and the log of their synchronisation runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, func, insert, select, update

from bot.model import Integration, User
from bot.ports import Absorbed, Run
from store import tables
from store.statements import upsert

#: How long runs are kept.
_MEMORY = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class SqlIntegrations:
    connection: Connection

    def ensure(self, integration_id: str, name: str) -> Integration:
        """A changed name is taken over; the baseline stays."""
        upsert(self.connection, tables.integrations, ("integration_id",), [{"integration_id": integration_id, "name": name}])
        return next(i for i in self.all() if i.integration_id == integration_id)

    def all(self) -> Sequence[Integration]:
        rows = self.connection.execute(select(tables.integrations).order_by(tables.integrations.c.integration_id))
        return [Integration(**row) for row in rows.mappings()]

    def set_baseline(self, integration_id: str, at: datetime) -> None:
        table = tables.integrations
        self.connection.execute(update(table).where(table.c.integration_id == integration_id).values(baseline_at=at))


@dataclass(frozen=True, slots=True)
class SqlUsers:
    connection: Connection

    def save(self, integration_id: str, users: Sequence[User]) -> Absorbed:
        rows = [{"integration_id": integration_id, **asdict(user)} for user in users]
        return Absorbed(seen=len(rows), changed=upsert(self.connection, tables.users, ("integration_id", "user_id"), rows))


@dataclass(frozen=True, slots=True)
class SqlRuns:
    connection: Connection

    def start(self, run: Run) -> int:
        return self.connection.execute(insert(tables.runs).values(asdict(run)).returning(tables.runs.c.run_id)).scalar_one()

    def finish(self, run_id: int, run: Run) -> None:
        """Runs that began long before this one are forgotten."""
        self.connection.execute(update(tables.runs).where(tables.runs.c.run_id == run_id).values(asdict(run)))
        self.connection.execute(delete(tables.runs).where(tables.runs.c.started_at < run.started_at - _MEMORY))

    def latest(self, integration_id: str) -> Sequence[Run]:
        table = tables.runs
        newest = select(func.max(table.c.run_id)).where(table.c.integration_id == integration_id).group_by(table.c.kind)
        wanted = [column for column in table.c if column.name != "run_id"]
        rows = self.connection.execute(select(*wanted).where(table.c.run_id.in_(newest)).order_by(table.c.kind))
        return [Run(**row) for row in rows.mappings()]
