"""The process that is killed: it opens the store, synchronises once with the real client, and ends."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from functools import partial

from adapters.qualtrics.client import QualtricsClient
from adapters.qualtrics.credentials import ApiToken
from bot.ports import UnitOfWork
from bot.ports.records import Outcome
from bot.syncing.sync import Kind, Synchronisation
from store.encryption import Keyring
from store.unit_of_work import SqlStore
from tests.benchmarks.simulated import TOKEN
from tests.conftest import KEY

#: Lists read at the same time; so many pages may be lost by a kill.
READERS = 3


def synchronise(api_url: str, database_url: str, *, is_naive: bool) -> None:
    asyncio.run(_synchronise(api_url, database_url, is_naive=is_naive))


async def _synchronise(api_url: str, database_url: str, *, is_naive: bool) -> None:
    store = SqlStore(database_url, Keyring.parse(KEY))
    if is_naive:
        await store.write(_forget)
    async with QualtricsClient(api_url, ApiToken(TOKEN)) as source:
        clock = partial(datetime.now, UTC)
        run = await Synchronisation(source=source, store=store, integration_id="main", clock=clock, parallel=READERS).run(Kind.FULL)
    await store.close()
    assert run.outcome is Outcome.OK, run


def _forget(uow: UnitOfWork) -> None:
    """What a bot without positions knows after it was killed."""
    uow.positions.clear_all("main", "")
