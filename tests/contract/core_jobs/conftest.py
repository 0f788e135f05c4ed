"""Three replicas of the bot over one database, and empty tenants whose looks a test can hold, break and count."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest

from bot.model import Contact, Directory, Distribution, HistoryEntry, Integration, LinkEntry, Survey, SurveyDetails, User
from bot.ports.records import Account, Batch, Run
from bot.schedule import Every, Schedule
from bot.syncing.jobs import Jobs
from store.encryption import Keyring
from store.unit_of_work import SqlStore
from tests.unit.core.examples import NOW, an_integration

MANUAL = Every.parse("manual")


@dataclass
class Tenants:
    """What Qualtrics does, by integration."""

    looks: Counter[str] = field(default_factory=Counter)
    looking: set[str] = field(default_factory=set)
    most_at_once: int = 0
    #: Looks wait until it is set.
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    #: Of the list of surveys, of the account, and of opening a source.
    errors: dict[str, Exception] = field(default_factory=dict)
    account_errors: dict[str, Exception] = field(default_factory=dict)
    source_errors: dict[str, Exception] = field(default_factory=dict)
    accounts: Counter[str] = field(default_factory=Counter)

    async def source(self, integration: Integration) -> EmptySource:
        if integration.integration_id in self.source_errors:
            raise self.source_errors[integration.integration_id]
        return EmptySource(self, integration.integration_id)

    async def look(self, name: str) -> None:
        assert name not in self.looking, "two looks at one integration at a time"
        self.looks[name] += 1
        self.looking.add(name)
        self.most_at_once = max(self.most_at_once, len(self.looking))
        try:
            await self.gate.wait()
            if name in self.errors:
                raise self.errors[name]
        finally:
            self.looking.discard(name)


@dataclass
class EmptySource:
    """A tenant without surveys."""

    tenants: Tenants
    name: str
    calls: int = 0

    async def account(self) -> Account:
        self.tenants.accounts[self.name] += 1
        if self.name in self.tenants.account_errors:
            raise self.tenants.account_errors[self.name]
        return Account(brand_id="acme", user_id="UR_1", datacenter="fra1")

    async def users(self, after: str | None = None) -> AsyncIterator[Batch[User]]:  # noqa: ARG002 - the port's signature
        yield Batch(())

    async def surveys(self, after: str | None = None) -> AsyncIterator[Batch[Survey]]:  # noqa: ARG002 - the port's signature
        self.calls += 1
        await self.tenants.look(self.name)
        yield Batch(())

    async def survey(self, survey_id: str) -> Survey:
        raise NotImplementedError

    async def survey_details(self, survey_id: str) -> SurveyDetails:
        raise NotImplementedError

    async def brand_host(self, survey_id: str) -> str | None:
        raise NotImplementedError

    def distributions(self, survey_id: str, after: str | None = None) -> AsyncIterator[Batch[Distribution]]:
        raise NotImplementedError

    def history(self, distribution_id: str, after: str | None = None) -> AsyncIterator[Batch[HistoryEntry]]:
        raise NotImplementedError

    def links(self, distribution_id: str, survey_id: str, after: str | None = None) -> AsyncIterator[Batch[LinkEntry]]:
        raise NotImplementedError

    async def directories(self) -> AsyncIterator[Batch[Directory]]:
        yield Batch(())

    async def contact(self, directory_id: str, contact_id: str) -> Contact:
        raise NotImplementedError


@dataclass
class World:
    """Time is in the test's hands; each replica's clock is off by a little."""

    stores: list[SqlStore]
    tenants: Tenants = field(default_factory=Tenants)
    now: datetime = NOW
    replicas: list[Jobs] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.tenants.gate.set()
        self.replicas = [self.replica(store, skew) for store, skew in zip(self.stores, (0, 20, -20), strict=True)]

    def replica(self, store: SqlStore, skew_seconds: float = 0, **values: Any) -> Jobs:
        def clock() -> datetime:
            return self.now + timedelta(seconds=skew_seconds)

        return Jobs(store=store, source=self.tenants.source, owner=f"replica {skew_seconds}", clock=clock, **values)

    @property
    def store(self) -> SqlStore:
        return self.stores[0]

    async def connect(self, *names: str, baseline_at: datetime | None = None, schedule: Schedule | None = None, **values: Any) -> None:
        for name in names:
            await self.store.write(
                lambda u, name=name: u.integrations.save(an_integration(name, schedule=schedule or Schedule(), **values))
            )
            if baseline_at is not None:
                await self.store.write(lambda u, name=name: u.integrations.set_baseline(name, baseline_at))

    async def tick(self) -> None:
        """All replicas at the same moment."""
        await asyncio.gather(*(replica.tick() for replica in self.replicas))

    def wait(self, **span: float) -> None:
        self.now += timedelta(**span)

    async def until_looking(self, *names: str) -> None:
        async with asyncio.timeout(60):
            while not self.tenants.looking >= set(names):
                await self.held()  # through the store, so that everything else goes on

    async def runs(self, name: str = "main") -> list[Run]:
        """The oldest first."""
        return list(reversed(await self.store.read(lambda u: u.runs.list(name, 1000))))

    async def told(self, name: str = "main") -> list[tuple[str, str, str | None]]:
        return [(run.kind, str(run.outcome), run.reason) for run in await self.runs(name)]

    async def held(self) -> list[str]:
        return sorted(await self.store.read(lambda u: u.leases.held("sync:")))


@pytest.fixture
async def world(database_url: str, keyring: Keyring) -> AsyncIterator[World]:
    async with AsyncExitStack() as stack:
        stores = [SqlStore(database_url, keyring) for _ in range(3)]
        for store in stores:
            stack.push_async_callback(store.close)
        yield World(stores)
