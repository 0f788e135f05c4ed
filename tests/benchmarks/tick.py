"""Reminders among a million invitations: the query for who is due, and the whole minute tick, against asking without the index.

- due: `invitations.due` inside an open transaction: the query and the making of 12 invitations of its rows.
- scan: the same question put to the tables without `notice_at`: open, closing within 24 hours, and the outbox knows of no reminder.
- tick: `reminders.remind_due` as the scheduler calls it: finds the 12, adds 12 deliveries, clears the notices, commits, on the
  thread of the writer. Empty: the same with nobody due, as most minutes are.
"""

from __future__ import annotations

import asyncio
import statistics
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from time import perf_counter
from typing import Any

from sqlalchemy import text

from bot.delivering.reminders import ROWS_PER_TRANSACTION, remind_due
from bot.messages import DeliveryState
from store.unit_of_work import SqlStore
from tests.benchmarks import million
from tests.benchmarks.databases import KINDS, Databases, keyring
from tests.benchmarks.measure import Figures, Goal, Line, fresh, medians

_SCAN = text(
    """
    SELECT i.contact_id FROM invitations i JOIN distributions d ON d.key = i.distribution_key JOIN surveys s ON s.key = i.survey_key
    WHERE i.mailed AND s.is_active AND i.status IN ('Success', 'Opened', 'SurveyStarted')
    AND coalesce(i.link_expires_at, d.link_expires_at) > :now AND coalesce(i.link_expires_at, d.link_expires_at) <= :now + 86400000
    AND NOT EXISTS (SELECT 1 FROM outbox WHERE event_key = 'survey.closing:' || s.survey_id || ':' || i.person_id || ':'
                    || (coalesce(i.link_expires_at, d.link_expires_at) / 1000))
    """
)
_AGAIN = (
    """
    UPDATE invitations SET notice_at = (SELECT link_expires_at - 86400000 FROM distributions WHERE key = 1)
    WHERE distribution_key = 1 AND status = 'Success' AND contact_id < 'CID_100000000000020'
    """,
    "DELETE FROM outbox WHERE created_at > :now",
)
_TICK = million.NOW + timedelta(minutes=1)


def lines(databases: Databases, *, quick: bool) -> Iterator[Line]:
    distributions, runs = (10, 1) if quick else (1000, 3)
    for kind in KINDS:
        taken = _measured(databases, kind, distributions, runs)
        due, scan = taken["due"], taken["scan"]
        goal = Goal(at_least=1000)
        yield Line(
            what="due notices: query", database=kind, figure=due, unit="ms", baseline=f"scan {scan:.0f} ms", ratio=scan / due, goal=goal
        )
        yield Line(what="due notices: query", database=kind, figure=due, unit="ms", goal=Goal(at_most=1))
        yield Line(what="minute tick, 12 due", database=kind, figure=taken["tick"], unit="ms", goal=Goal(at_most=10))
        yield Line(what="minute tick, nobody due", database=kind, figure=taken["empty"], unit="ms", goal=Goal(at_most=10))


def _measured(databases: Databases, kind: str, distributions: int, runs: int) -> Figures:
    with databases.new(kind) as url:
        fresh(million.fill, url, distributions)
        return medians(runs, {f"tick {kind}": lambda: fresh(_take, url)})[f"tick {kind}"]


def _take(url: str) -> Figures:
    return asyncio.run(_ticks(url))


async def _ticks(url: str) -> Figures:
    store = SqlStore(url, keyring())
    figures = await store.read(_queries)
    ticks: list[float] = []
    for _ in range(11):
        start = perf_counter()
        told = await remind_due(store, _TICK)
        ticks.append(perf_counter() - start)
        assert told == million.DUE, told
        ready = (await store.read(lambda uow: uow.outbox.counts()))[DeliveryState.READY]
        assert ready == million.DUE, ready
        start = perf_counter()
        assert await remind_due(store, _TICK) == 0
        figures.setdefault("empty", []).append(perf_counter() - start)
        await store.write(_again)
    await store.close()
    return {name: statistics.median(seconds) * 1000 for name, seconds in {**figures, "tick": ticks}.items()}


def _queries(uow: Any) -> dict[str, list[float]]:
    def due() -> Sequence[str]:
        return [invitation.contact_id for invitation in uow.invitations.due(million.NOW, ROWS_PER_TRANSACTION)]

    def scan() -> Sequence[str]:
        return uow.invitations.connection.execute(_SCAN, {"now": million.epoch_ms(million.NOW)}).scalars().all()

    assert len(due()) == million.DUE
    assert sorted(due()) == sorted(scan())
    return {"due": _timed(due, 21), "scan": _timed(scan, 3)}


def _timed(work: Callable[[], Sequence[str]], times: int) -> list[float]:
    taken: list[float] = []
    for _ in range(times):
        start = perf_counter()
        work()
        taken.append(perf_counter() - start)
    return taken


def _again(uow: Any) -> None:
    """Make the same people due once more."""
    for statement in _AGAIN:
        values = {"now": million.epoch_ms(million.NOW)} if ":now" in statement else {}
        uow.invitations.connection.execute(text(statement), values)
