"""Leases: who may do what only one process at a time may do, by the database's own clock."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, func, literal_column, select, update
from sqlalchemy.dialects import postgresql, sqlite

from bot.ports.records import Lease
from store import tables
from store.columns import Instant

_LEASES = tables.leases
_INSERT = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}
#: Milliseconds since 1970, now: a transaction that waited for a lock must not go by when it began.
_CLOCK = {
    "sqlite": "CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)",
    "postgresql": "CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)",
}


@dataclass(frozen=True, slots=True)
class SqlLeases:
    connection: Connection

    def take(self, name: str, owner: str, ttl: timedelta, *, group: str = "", at_most: int | None = None) -> Lease:
        if at_most is not None:
            self._queue(group)
            held = self.held(group)
            if name not in held and len(held) >= at_most:
                return Lease.FULL
        now = self._now()
        statement = _INSERT[self.connection.dialect.name](_LEASES).values(name=name, owner=owner, held_until=now + ttl)
        taken = statement.on_conflict_do_update(
            index_elements=("name",),
            set_={"owner": statement.excluded.owner, "held_until": statement.excluded.held_until},
            where=(_LEASES.c.owner == owner) | (_LEASES.c.held_until <= now),
        )
        return Lease.TAKEN if self.connection.execute(taken.returning(_LEASES.c.name)).first() else Lease.HELD

    def renew(self, name: str, owner: str, ttl: timedelta) -> bool:
        mine = update(_LEASES).where(_LEASES.c.name == name, _LEASES.c.owner == owner)
        return self.connection.execute(mine.values(held_until=self._now() + ttl)).rowcount == 1

    def release(self, name: str, owner: str) -> None:
        self.connection.execute(delete(_LEASES).where(_LEASES.c.name == name, _LEASES.c.owner == owner))

    def held(self, prefix: str) -> Collection[str]:
        theirs = select(_LEASES.c.name).where(_LEASES.c.name.startswith(prefix, autoescape=True), _LEASES.c.held_until > self._now())
        return self.connection.execute(theirs).scalars().all()

    def _queue(self, group: str) -> None:
        """Two that count at the same moment would both find room. Writers to SQLite are alone anyway."""
        if self.connection.dialect.name == "postgresql":
            self.connection.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"leases:{group}", 0))))

    def _now(self) -> datetime:
        clock = literal_column(_CLOCK[self.connection.dialect.name], Instant)
        return self.connection.execute(select(clock)).scalar_one()
