"""What every part of the bot works with, opened and closed in order: the tables, and the ways to Qualtrics."""

from __future__ import annotations

import asyncio
import os
import socket
import uuid
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial

from adapters.connections import Connections
from adapters.exports import Exports
from adapters.readings import Readings
from adapters.request_log import RequestLog
from adapters.settings import Settings
from bot import actions
from bot.errors import UserError
from bot.model import Integration
from bot.syncing.jobs import Jobs
from bot.syncing.refreshing import Refresher
from bot.syncing.sync import Synchronisation
from store import migrations
from store.gates import SqlGates, by
from store.unit_of_work import SqlStore

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Core:
    """What needs no chat."""

    settings: Settings
    store: SqlStore
    clock: Clock
    #: This process among all workers of all replicas.
    owner: str
    gates: SqlGates
    connections: Connections
    request_log: RequestLog
    jobs: Jobs
    refresher: Refresher

    @property
    def handle(self) -> actions.Handle:
        """What answers people, in whatever chat."""
        return partial(
            actions.handle,
            reach=self.settings.reach,
            retry=self.jobs.retry,
            sends_per_minute=self.settings.sends_per_minute,
            files=None if self.exports is None else self.exports.link,
            links=self.settings.links.templates(),
            problem_share=self.settings.problem_share,
        )

    def readings(self) -> Readings:
        """Of the people in one chat."""
        schedule = self.settings.schedule
        every, retry = timedelta(seconds=schedule.directory), timedelta(seconds=schedule.retry)
        return Readings(store=self.store, owner=self.owner, clock=self.clock, every=every, retry=retry)

    @property
    def exports(self) -> Exports | None:
        """The way to files, where browsers can reach this process."""
        url, keyring = self.settings.public_url, self.settings.keyring
        return None if url is None else Exports(store=self.store, clock=self.clock, keyring=keyring, public_url=url)


@asynccontextmanager
async def open_core(settings: Settings, clock: Clock = utc_now) -> AsyncGenerator[Core]:
    """Open the tables. Raises UserError when the database's schema is not this version's."""
    url = settings.database_url.get_secret_value()
    if not await asyncio.to_thread(migrations.is_current, url):
        raise UserError("The database is not at this version's schema. Run `surveybot db upgrade`, then start again.")
    async with AsyncExitStack() as stack:
        store, gates, owner = SqlStore(url, settings.keyring), SqlGates(url, now=None if clock is utc_now else by(clock)), _owner()
        stack.push_async_callback(store.close)
        stack.push_async_callback(gates.close)
        request_log = RequestLog(store, clock)
        await stack.enter_async_context(request_log.written())
        connections = Connections(store, settings, request_log, gates)
        stack.push_async_callback(connections.aclose)
        jobs = Jobs(
            store=store,
            source=connections.source,
            owner=owner,
            clock=clock,
            cap=settings.sync_jobs,
            retry=timedelta(seconds=settings.schedule.retry),
        )

        async def synchronise(integration: Integration) -> Synchronisation:
            source = await connections.source(integration)
            return Synchronisation(source=source, store=store, integration_id=integration.integration_id, clock=clock)

        yield Core(
            settings=settings,
            store=store,
            clock=clock,
            owner=owner,
            gates=gates,
            connections=connections,
            request_log=request_log,
            jobs=jobs,
            refresher=Refresher(store=store, synchronise=synchronise, owner=owner, clock=clock),
        )


def _owner() -> str:
    return f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"
