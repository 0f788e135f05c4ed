"""A unit of work happens whole or not at all, readers see one moment, and a database that cannot answer says so."""

from __future__ import annotations

import asyncio
import threading
from typing import NoReturn

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from bot.errors import Unavailable
from bot.ports import Store, UnitOfWork
from store.encryption import Keyring
from store.engine import connect
from store.unit_of_work import SqlStore, SqlUnitOfWork
from tests.contract.store.examples import DAY, NOW, event, furnish
from tests.unit.core.examples import an_integration


def _as_the_port(store: SqlStore) -> Store:
    """Type-checked: the store is what the core asks for."""
    return store


async def test_an_exception_undoes_everything_and_reaches_the_caller(store: SqlStore) -> None:
    def work(u: UnitOfWork) -> NoReturn:
        furnish(u)
        person = u.people.ids(["ada@example.org"])["ada@example.org"]
        u.outbox.add([event(person)], NOW)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await _as_the_port(store).write(work)
    assert await store.read(lambda u: (u.integrations.all(), u.people.find("ada@example.org"), u.outbox.list(9))) == ([], None, [])


async def test_a_reader_sees_one_moment_while_a_writer_goes_on(store: SqlStore) -> None:
    await store.write(furnish)
    has_looked, has_changed = threading.Event(), threading.Event()

    def look_twice(u: UnitOfWork) -> bool:
        before = u.integrations.all()
        has_looked.set()
        assert has_changed.wait(30)
        return u.integrations.all() == before

    reading = asyncio.create_task(store.read(look_twice))
    assert await asyncio.to_thread(has_looked.wait, 30)
    await store.write(lambda u: u.integrations.set_baseline("main", NOW))
    has_changed.set()
    assert await reading
    assert (await store.read(lambda u: u.integrations.all()))[0].baseline_at == NOW


async def test_a_reader_cannot_write(store: SqlStore) -> None:
    with pytest.raises((Unavailable, DBAPIError)):
        await store.read(furnish)
    assert await store.read(lambda u: u.integrations.all()) == []


async def test_the_loop_runs_on_while_a_writer_works(store: SqlStore) -> None:
    is_free = threading.Event()
    writing = asyncio.create_task(store.write(lambda _: is_free.wait(30)))
    await asyncio.sleep(0)
    is_free.set()  # reached only because the loop was not held
    assert await writing


async def test_writers_of_one_process_come_one_after_the_other(store: SqlStore) -> None:
    await store.write(furnish)

    def raise_baseline(u: UnitOfWork) -> None:
        u.integrations.set_baseline("main", (u.integrations.all()[0].baseline_at or NOW) + DAY)

    await asyncio.gather(*(store.write(raise_baseline) for _ in range(20)))
    assert (await store.read(lambda u: u.integrations.all()))[0].baseline_at == NOW + 20 * DAY


@pytest.mark.parametrize("url", ["sqlite:////no/such/folder/surveybot.db", "postgresql://nobody@127.0.0.1:1/nothing"])
async def test_a_database_out_of_reach_is_unavailable_and_its_url_stays_secret(url: str, keyring: Keyring) -> None:
    store = SqlStore(url, keyring)
    for way in (store.read, store.write):
        with pytest.raises(Unavailable, match="the database cannot answer now"):
            await way(lambda u: u.integrations.all())
    await store.close()


async def test_a_writer_that_waits_too_long_for_another_process_is_unavailable_and_later_succeeds(
    database_url: str, keyring: Keyring
) -> None:
    limit = "?timeout=0.05" if database_url.startswith("sqlite") else "&options=-c%20lock_timeout%3D50ms"
    store, other = SqlStore(database_url + limit, keyring), connect(database_url, read_only=False, connections=1)
    with other.begin() as connection:
        SqlUnitOfWork.over(connection, keyring).integrations.save(an_integration("main"))
        with pytest.raises(Unavailable):
            await store.write(lambda u: u.integrations.save(an_integration("main")))
        assert await store.read(lambda u: u.integrations.all()) == []
    await store.write(lambda u: u.integrations.save(an_integration("main")))
    assert [it.integration_id for it in await store.read(lambda u: u.integrations.all())] == ["main"]
    await store.close()
    other.dispose()


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_a_connection_that_was_cut_is_replaced(store: SqlStore, database_url: str) -> None:
    await store.write(furnish)
    await store.read(lambda u: u.integrations.all())
    other = connect(database_url, read_only=False, connections=1)
    with other.begin() as connection:
        kill = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        assert len(connection.execute(text(kill)).all()) == 2
    other.dispose()
    assert len(await store.read(lambda u: u.integrations.all())) == 1
    await store.write(furnish)
