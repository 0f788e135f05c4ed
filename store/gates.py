"""Shared limits: how often all processes together may call, one row a limit (generic cell rate algorithm, reference performance.md 4.1).

A limit of L a minute is paced at 97 %: a call every T = 60 / (0.97 L) seconds. Who comes late may catch up: calls may come up to 0.6 s
before their time. So the call after L others comes at the earliest L T - 0.6 s = 60 / 0.97 - 0.6 = 61.25 s after the first of them, for any
L: no 60 seconds hold more than L, also at the other end as long as travelling times differ by less than 1.25 s. And whoever asks again
within 0.6 s of the time he was told loses nothing of the 97 %.

All instants are microseconds since 1970 by the database's clock; no clock of a process matters.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from math import ceil
from typing import Any, TypeVar

from sqlalchemy import BigInteger, ColumnElement, Connection, RowMapping, bindparam, literal_column, select, update

from bot.ports.records import Throttle
from store import tables
from store.engine import connect, translated
from store.statements import add

T = TypeVar("T")

_SECOND = 1_000_000
_MINUTE = 60 * _SECOND
_PACE = 0.97
_EARLY = 600_000
#: No closing is longer: then one call asks whether it still holds.
_LONGEST_CLOSING = 60 * _MINUTE
_LEAST_SHARE = 1 / 16
_RECOVERED_A_MINUTE = 0.05

_GATES = tables.gates
#: SQLite tells milliseconds, by `BEGIN IMMEDIATE` only after all earlier writers are done.
_NOW = {
    "sqlite": "CAST(round((julianday('now') - 2440587.5) * 86400000) AS INTEGER) * 1000",
    "postgresql": "CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS BIGINT)",
}
_NEW = {"arrival": 0, "closed_until": 0, "share": 1.0, "slowed_at": 0}
_CHARGE = update(_GATES).where(_GATES.c.name == bindparam("gate")).values(arrival=bindparam("next"))


@dataclass(frozen=True, slots=True)
class Limit:
    """So many calls in any 60 seconds by all who use this name. `per_minute` is above 0; 7.5 is 15 in any two minutes."""

    name: str
    per_minute: float

    @property
    def seconds_per_call(self) -> float:
        return 60 / (self.per_minute * _PACE)

    @property
    def burst(self) -> float:
        """How many calls may come at once after a pause; at least 1."""
        return 1 + _EARLY / _SECOND / self.seconds_per_call


@dataclass(frozen=True, slots=True)
class Taken:
    #: Seconds since 1970 by the database's clock.
    at: float


@dataclass(frozen=True, slots=True)
class Closing:
    """What is left of the quiet that a refusal brought."""

    limit: Limit
    seconds: float
    #: Its end, in seconds since 1970 by the database's clock.
    until: float


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing was taken; ask again in so many seconds."""

    seconds: float
    #: The longest of those among the limits; None = calls are only paced.
    closing: Closing | None


def by(clock: Callable[[], datetime]) -> ColumnElement[int]:
    """A clock of this process in place of the database's: for whoever wants time to jump."""
    return bindparam("now", callable_=lambda: round(clock().timestamp() * _SECOND), type_=BigInteger)


class SqlGates:
    """All limits of a database that `store.migrations.upgrade` brought up to date. Connects at first use.

    It has its own connection and thread, so that no call waits behind the store's transactions of this process. What it writes need not
    survive a power cut. Whoever is cancelled while asking may have taken a call nobody makes: too few calls, never too many.
    """

    def __init__(self, url: str, *, now: ColumnElement[int] | None = None) -> None:
        """`now` stands in for the database's clock. Raises ValueError as `store.engine.connect`."""
        self._engine = connect(url, read_only=False, connections=1, durable=False)
        self._thread = ThreadPoolExecutor(1, "gates")
        clock = literal_column(_NOW[self._engine.dialect.name], BigInteger) if now is None else now
        locked = select(_GATES).where(_GATES.c.name.in_(bindparam("names", expanding=True))).order_by(_GATES.c.name).with_for_update()
        # Outside of the CTE the clock is read when the rows are locked; inside it would be read before the wait for them.
        rows = locked.cte("locked")
        self._lock = select(rows, clock.label("now"))

    async def take(self, limits: Sequence[Limit]) -> Taken | Wait:
        """Take one call of every limit, or none of any. At least one limit; their names differ. Raises Unavailable."""
        return await self._run(limits, _take)

    async def slow(self, limit: Limit, taken_at: float, retry_after: float) -> None:
        """Close a limit for everybody for `retry_after` seconds (an hour at most), and use half as much of it as now.

        To be told when a call taken at `taken_at` was refused. The refusals of calls taken before the last halving do not halve again. The
        share is never less than a sixteenth; it grows by 5 % of the limit with each minute that it is open and nobody is refused.
        """
        await self._run([limit], partial(_slow, taken_at=round(taken_at * _SECOND), wait=round(retry_after * _SECOND)))

    async def close(self) -> None:
        """Let begun work end, then disconnect. The gates cannot be used again."""
        await asyncio.to_thread(self._thread.shutdown)
        self._engine.dispose()

    async def _run(self, limits: Sequence[Limit], work: Callable[[Connection, int, Sequence[_Gate]], T]) -> T:
        by_name = {limit.name: limit for limit in limits}
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._transaction, by_name, work)

    def _transaction(self, limits: Mapping[str, Limit], work: Callable[[Connection, int, Sequence[_Gate]], T]) -> T:
        """Rows are locked in the order of their names, and added in a transaction of its own that locks nothing else: no deadlock."""
        while True:
            with translated(), self._engine.begin() as connection:
                rows = connection.execute(self._lock, {"names": list(limits)}).mappings().all()
                if len(rows) == len(limits):
                    return work(connection, max(row["now"] for row in rows), [_gate(limits, row) for row in rows])
            with translated(), self._engine.begin() as connection:
                add(connection, _GATES, [{"name": name, **_NEW} for name in sorted(limits)])


@dataclass(frozen=True, slots=True, kw_only=True)
class _Gate:
    """A row, locked."""

    limit: Limit
    #: When the next call would come if all came at the limit's pace.
    arrival: int
    closed_until: int
    #: How much of the limit was used from `slowed_at` on.
    share: float
    slowed_at: int

    def share_at(self, now: int) -> float:
        """Quiet minutes begin when the gate opens again."""
        quiet_minutes = max(0, now - max(self.slowed_at, self.closed_until)) // _MINUTE
        return min(1.0, self.share + _RECOVERED_A_MINUTE * quiet_minutes)

    def closed_until_at(self, now: int) -> int:
        return _credible(self.closed_until, now, _LONGEST_CLOSING)

    def closing_at(self, now: int) -> Closing | None:
        until = self.closed_until_at(now)
        return Closing(self.limit, (until - now) / _SECOND, until / _SECOND) if until > now else None

    def arrival_at(self, now: int) -> int:
        """A gate that was closed opens without a burst."""
        arrival = _credible(self.arrival, now, self._interval(_LEAST_SHARE) + _MINUTE)
        return max(arrival, self.closed_until_at(now) + _EARLY)

    def opens_at(self, now: int) -> int:
        return self.arrival_at(now) - _EARLY

    def next_arrival(self, now: int) -> int:
        return max(self.arrival_at(now), now) + self._interval(self.share_at(now))

    def _interval(self, share: float) -> int:
        return ceil(self.limit.seconds_per_call / share * _SECOND)


def throttle(row: RowMapping, now: datetime) -> Throttle:
    """How far a limit is open, as far as this process's clock is right."""
    gate, at = _gate({row["name"]: Limit(row["name"], 1)}, row), round(now.timestamp() * _SECOND)
    return Throttle(share=gate.share_at(at), closed_seconds=max(0, gate.closed_until_at(at) - at) / _SECOND)


def _gate(limits: Mapping[str, Limit], row: RowMapping) -> _Gate:
    values = {name: row[name] for name in _NEW}
    return _Gate(limit=limits[row["name"]], **values)


def _credible(instant: int, now: int, longest: int) -> int:
    """Return an instant as it was stored, or now where it is so far ahead that the clock must have been set back since."""
    return instant if instant - now <= longest else now


def _take(connection: Connection, now: int, gates: Sequence[_Gate]) -> Taken | Wait:
    opens_at = max(gate.opens_at(now) for gate in gates)
    if opens_at > now:
        closed = max(gates, key=lambda gate: gate.closed_until_at(now))
        return Wait((opens_at - now) / _SECOND, closed.closing_at(now))
    connection.execute(_CHARGE, [{"gate": gate.limit.name, "next": gate.next_arrival(now)} for gate in gates])
    return Taken(now / _SECOND)


def _slow(connection: Connection, now: int, gates: Sequence[_Gate], *, taken_at: int, wait: int) -> None:
    (gate,) = gates
    values: dict[str, Any] = {"closed_until": max(gate.closed_until_at(now), now + min(wait, _LONGEST_CLOSING))}
    if taken_at > gate.slowed_at:
        values |= {"share": max(_LEAST_SHARE, gate.share_at(now) / 2), "slowed_at": now}
    connection.execute(update(_GATES).where(_GATES.c.name == gate.limit.name).values(values))
