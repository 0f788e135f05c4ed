"""A synchronisation that is killed with SIGKILL at random moments and started again ends right, and costs hardly more calls.

The store then equals the tenant's truth, everybody was told once, and all starts together made at most 1.1 times the calls of an
undisturbed one (reference performance.md 7.8, row 3). The tenant is another process; so is each start of the bot.
"""

from __future__ import annotations

import asyncio
import random
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from multiprocessing import get_context
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest
from sqlalchemy import func, select

from bot.rules import OPEN
from store import tables
from store.encryption import Keyring
from store.engine import connect
from store.unit_of_work import SqlStore
from tests.benchmarks.simulated import Row, Shape, Simulated, simulated
from tests.kill.victim import synchronise
from tests.unit.core.examples import an_integration

KILLS = 10
#: Times KILLS is what the deep variant kills on each database.
DEEP_ROUNDS = 10
SHAPE = Shape(surveys=4, distributions=5, recipients=1000)
_PROCESSES = get_context("forkserver")
_PROCESSES.set_forkserver_preload(["tests.kill.victim"])
#: Nothing a test waits for takes longer.
_PATIENCE_SECONDS = 600.0


@dataclass(frozen=True)
class Tenant:
    """A simulated Qualtrics, what it holds, and the calls that reading all of it takes."""

    simulated: Simulated
    rows: set[Row]
    calls: int


@dataclass
class Bot:
    """A bot over one database, whose first synchronisation was long ago: so whoever was mailed is news."""

    simulated: Simulated
    database_url: str
    is_naive: bool = False

    def synchronise(self) -> int:
        """Run once, undisturbed; returns the calls it took."""
        process = self._start()
        process.join(_PATIENCE_SECONDS)
        assert process.exitcode == 0
        return self.simulated.calls()

    def synchronise_killed(self, kills: int, calls: int, chance: random.Random) -> int:
        """Kill it after random numbers of calls below `calls`, and a random moment later; then let it end. Returns all calls it took.

        The last of the calls is answered then only, so that it cannot end while a busy machine keeps us from killing it.
        """
        made = 0
        self.simulated.answers_at_most(calls - 1)
        for moment in sorted(chance.uniform(0, 0.9 * calls) for _ in range(kills)):
            process, deadline = self._start(), time.monotonic() + _PATIENCE_SECONDS
            while made < moment:
                assert time.monotonic() < deadline
                process.join(0.002)
                assert process.exitcode is None, "it ended before it was killed"
                made += self.simulated.calls()
            process.join(chance.uniform(0, 0.02))
            process.kill()
            process.join()
            assert process.exitcode == -signal.SIGKILL
            made += self.simulated.calls()
        self.simulated.answers_at_most(None)
        return made + self.synchronise()

    def _start(self) -> BaseProcess:
        arguments = {"is_naive": self.is_naive}
        process = _PROCESSES.Process(target=synchronise, args=(self.simulated.url, self.database_url), kwargs=arguments, daemon=True)
        process.start()
        return process


async def ready(simulated: Simulated, database_url: str, keyring: Keyring) -> Bot:
    store = SqlStore(database_url, keyring)
    await store.write(lambda uow: uow.integrations.save(an_integration()))
    await store.write(lambda uow: uow.integrations.set_baseline("main", datetime(2020, 1, 1, tzinfo=UTC)))
    await store.close()
    return Bot(simulated, database_url)


@pytest.fixture(scope="module")
def tenant(migrated_sqlite: bytes, keyring: Keyring, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tenant]:
    path = tmp_path_factory.mktemp("undisturbed") / "surveybot.db"
    path.write_bytes(migrated_sqlite)
    with simulated(SHAPE) as running:
        calls = asyncio.run(ready(running, f"sqlite:///{path}", keyring)).synchronise()
        yield Tenant(running, running.rows(), calls)


async def is_killed_and_ends_right(tenant: Tenant, database_url: str, keyring: Keyring, seed: int) -> None:
    print(f"seed {seed}")
    bot = await ready(tenant.simulated, database_url, keyring)
    calls = bot.synchronise_killed(KILLS, tenant.calls, random.Random(seed))
    assert stored(database_url) == tenant.rows
    people_asked = {(distribution // SHAPE.distributions, row[2]) for distribution, row in numbered(tenant.rows) if row[3] in OPEN}
    assert told(database_url) == len(people_asked)
    assert calls <= 1.1 * tenant.calls


async def test_ten_kills_change_nothing_and_cost_hardly_anything(tenant: Tenant, database_url: str, keyring: Keyring) -> None:
    await is_killed_and_ends_right(tenant, database_url, keyring, random.SystemRandom().getrandbits(32))


@pytest.mark.deep
@pytest.mark.parametrize("number", range(DEEP_ROUNDS))
async def test_a_hundred_kills_change_nothing_and_cost_hardly_anything(
    tenant: Tenant, database_url: str, keyring: Keyring, number: int
) -> None:
    await is_killed_and_ends_right(tenant, database_url, keyring, random.SystemRandom().getrandbits(32))


@pytest.mark.deep
async def test_the_control_without_positions_breaks_the_bound(
    tenant: Tenant, tmp_path: Path, migrated_sqlite: bytes, keyring: Keyring
) -> None:
    """So the bound is one that positions are needed for."""
    path = tmp_path / "surveybot.db"
    path.write_bytes(migrated_sqlite)
    bot = await ready(tenant.simulated, f"sqlite:///{path}", keyring)
    bot.is_naive = True
    assert bot.synchronise_killed(KILLS, tenant.calls, random.Random(7)) > 1.1 * tenant.calls


def numbered(rows: set[Row]) -> Iterator[tuple[int, Row]]:
    """Each row with the number of its distribution (adapters/sandbox/qualtrics/bulk.py)."""
    return ((int(row[0].removeprefix("EMD_")), row) for row in rows)


def stored(database_url: str) -> set[Row]:
    """Every invitation as it is stored."""
    rows, people, sent = tables.invitations, tables.people, tables.distributions
    columns = (sent.c.distribution_id, rows.c.contact_id, people.c.email, rows.c.status, rows.c.sent_at, rows.c.completed_at)
    query = select(*columns).join_from(rows, sent, sent.c.key == rows.c.distribution_key).join(people)
    engine = connect(database_url, read_only=True, connections=1)
    with engine.begin() as connection:
        found = {tuple(row) for row in connection.execute(query)}
    engine.dispose()
    return found


def told(database_url: str) -> int:
    engine = connect(database_url, read_only=True, connections=1)
    with engine.begin() as connection:
        number = connection.execute(select(func.count()).select_from(tables.outbox)).scalar_one()
    engine.dispose()
    return number
