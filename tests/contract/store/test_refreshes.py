"""Hints are one row a survey, and none is lost while its survey is being read."""

from __future__ import annotations

import asyncio
import threading
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from bot.ports import UnitOfWork
from bot.ports.records import Refresh
from store.encryption import Keyring
from store.unit_of_work import SqlStore
from tests.contract.store.examples import DAY, NOW
from tests.unit.core.examples import an_integration

SECOND = timedelta(seconds=1)


@pytest.fixture(autouse=True)
async def _integrations(store: SqlStore) -> None:
    for integration_id in ("main", "branch"):
        await store.write(lambda u, name=integration_id: u.integrations.save(an_integration(name)))


async def ask(store: SqlStore, *seconds: int, survey_id: str = "SV_1", integration_id: str = "main") -> None:
    for second in seconds:
        await store.write(lambda u, at=NOW + second * SECOND: u.refreshes.ask(integration_id, survey_id, at))


async def all_of(store: SqlStore, limit: int = 100) -> list[Refresh]:
    return list(await store.read(lambda u: u.refreshes.all(limit)))


def hinted(hints: int, first: int, last: int, *, survey_id: str = "SV_1", integration_id: str = "main") -> Refresh:
    return Refresh(
        integration_id=integration_id, survey_id=survey_id, hints=hints, first_at=NOW + first * SECOND, last_at=NOW + last * SECOND
    )


async def test_many_hints_are_one_row_that_tells_the_first_and_the_newest(store: SqlStore) -> None:
    await ask(store, 3, 9, 5)
    assert await all_of(store) == [hinted(3, 3, 9)]


async def test_hints_that_come_at_the_same_time_are_all_counted(store: SqlStore) -> None:
    await asyncio.gather(*(ask(store, second) for second in range(30)))
    (row,) = await all_of(store)
    assert (row.hints, row.last_at) == (30, NOW + 29 * SECOND)


async def test_the_longest_waiting_come_first_and_surveys_and_integrations_are_kept_apart(store: SqlStore) -> None:
    await ask(store, 2)
    await ask(store, 1, survey_id="SV_2")
    await ask(store, 0, integration_id="branch")
    expected = [hinted(1, 0, 0, integration_id="branch"), hinted(1, 1, 1, survey_id="SV_2"), hinted(1, 2, 2)]
    assert await all_of(store) == expected
    assert await all_of(store, limit=2) == expected[:2]


async def test_what_is_done_is_gone_and_others_stay(store: SqlStore) -> None:
    await ask(store, 0, 1)
    await ask(store, 0, survey_id="SV_2")
    await ask(store, 0, integration_id="branch")
    await store.write(lambda u: u.refreshes.done(hinted(2, 0, 1)))
    assert await all_of(store) == [hinted(1, 0, 0, integration_id="branch"), hinted(1, 0, 0, survey_id="SV_2")]


async def test_hints_that_came_meanwhile_stay_and_count_from_the_newest(store: SqlStore) -> None:
    await ask(store, 0, 1)
    (seen,) = await all_of(store)
    await ask(store, 5, 8)
    await store.write(lambda u: u.refreshes.done(seen))
    assert await all_of(store) == [hinted(2, 8, 8)]
    await store.write(lambda u: u.refreshes.done(hinted(2, 8, 8)))
    assert await all_of(store) == []


async def test_what_was_done_by_another_process_is_not_done_twice(store: SqlStore) -> None:
    await ask(store, 0)
    (seen,) = await all_of(store)
    await store.write(lambda u: u.refreshes.done(seen))
    await ask(store, 7)
    await store.write(lambda u: u.refreshes.done(seen))
    assert await all_of(store) == [hinted(1, 7, 7)]


async def test_hints_go_with_their_integration(store: SqlStore) -> None:
    await ask(store, 0)
    await ask(store, 0, integration_id="branch")
    await store.write(lambda u: u.integrations.set_baseline("main", NOW - DAY))
    while await store.write(lambda u: u.integrations.remove("main", 100)):
        pass
    assert await all_of(store) == [hinted(1, 0, 0, integration_id="branch")]


async def test_of_an_integration_that_is_gone_nothing_is_asked(store: SqlStore) -> None:
    await ask(store, 0, integration_id="removed")
    assert await all_of(store) == []


async def test_a_hint_that_is_being_stored_while_its_integration_is_removed_goes_with_it(
    store: SqlStore, database_url: str, keyring: Keyring
) -> None:
    """Neither of them fails, whichever comes first."""
    asked, ends = threading.Event(), threading.Event()

    def slow(uow: UnitOfWork) -> None:
        uow.refreshes.ask("main", "SV_1", NOW)
        asked.set()
        ends.wait(20)

    other = SqlStore(database_url, keyring)
    asking = asyncio.create_task(store.write(slow))
    await asyncio.to_thread(asked.wait, 20)
    removing = asyncio.create_task(other.write(lambda u: u.integrations.remove("main", 100)))
    if database_url.startswith("postgresql"):
        async with asyncio.timeout(60):
            while not await store.read(_waits):
                pass
    ends.set()
    await asyncio.gather(asking, removing)
    await other.close()
    assert await store.read(lambda u: u.integrations.get("main")) is None
    assert await all_of(store) == []


def _waits(uow: Any) -> bool:
    """Somebody waits for a lock."""
    return bool(uow.refreshes.connection.execute(text("SELECT count(*) FROM pg_locks WHERE NOT granted")).scalar())
