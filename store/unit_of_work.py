"""The two ways into the database: a read sees one snapshot, a write is one transaction in the one writer thread of this process."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy import Connection, Engine

from bot.ports import UnitOfWork
from store.addresses import SqlAddresses
from store.app_offers import SqlAppOffers
from store.counts import SqlCounts
from store.encryption import Keyring
from store.engine import connect, translated
from store.figures import SqlFigures
from store.grants import SqlGrants
from store.installations import SqlInstallations, SqlOAuthStates
from store.integrations import SqlIntegrations, SqlUsers
from store.invitations import SqlInvitations
from store.leases import SqlLeases
from store.lists import SqlLists
from store.looks import SqlPictures, SqlPositions
from store.outbox import SqlInbox, SqlOutbox
from store.people import SqlDirectoryReadings, SqlMembers, SqlPeople
from store.pools import SqlPools
from store.posts import SqlPosts
from store.preferences import SqlPreferences
from store.refreshes import SqlRefreshes
from store.requests import SqlRequests
from store.runs import SqlRuns
from store.sent import SqlSent
from store.standings import SqlStandings
from store.subscriptions import SqlSubscriptions
from store.surveys import SqlDistributions, SqlSurveys
from store.tellings import SqlTellings

T = TypeVar("T")

_READERS = 4


@dataclass(frozen=True, slots=True)
class SqlUnitOfWork:
    """All tables, over one connection in one transaction."""

    integrations: SqlIntegrations
    users: SqlUsers
    grants: SqlGrants
    lists: SqlLists
    installations: SqlInstallations
    oauth_states: SqlOAuthStates
    surveys: SqlSurveys
    distributions: SqlDistributions
    people: SqlPeople
    preferences: SqlPreferences
    invitations: SqlInvitations
    outbox: SqlOutbox
    sent: SqlSent
    members: SqlMembers
    addresses: SqlAddresses
    app_offers: SqlAppOffers
    directory_readings: SqlDirectoryReadings
    subscriptions: SqlSubscriptions
    posts: SqlPosts
    counts: SqlCounts
    pools: SqlPools
    tellings: SqlTellings
    standings: SqlStandings
    inbox: SqlInbox
    runs: SqlRuns
    positions: SqlPositions
    pictures: SqlPictures
    leases: SqlLeases
    refreshes: SqlRefreshes
    requests: SqlRequests
    figures: SqlFigures

    @classmethod
    def over(cls, connection: Connection, keyring: Keyring) -> SqlUnitOfWork:
        return cls(
            integrations=SqlIntegrations(connection, keyring),
            users=SqlUsers(connection),
            grants=SqlGrants(connection),
            lists=SqlLists(connection),
            installations=SqlInstallations(connection, keyring),
            oauth_states=SqlOAuthStates(connection),
            surveys=SqlSurveys(connection),
            distributions=SqlDistributions(connection),
            people=SqlPeople(connection),
            preferences=SqlPreferences(connection),
            invitations=SqlInvitations(connection, keyring),
            outbox=SqlOutbox(connection),
            sent=SqlSent(connection),
            members=SqlMembers(connection),
            addresses=SqlAddresses(connection),
            app_offers=SqlAppOffers(connection),
            directory_readings=SqlDirectoryReadings(connection),
            subscriptions=SqlSubscriptions(connection),
            posts=SqlPosts(connection),
            counts=SqlCounts(connection),
            pools=SqlPools(connection),
            tellings=SqlTellings(connection),
            standings=SqlStandings(connection),
            inbox=SqlInbox(connection),
            runs=SqlRuns(connection),
            positions=SqlPositions(connection),
            pictures=SqlPictures(connection),
            leases=SqlLeases(connection),
            refreshes=SqlRefreshes(connection),
            requests=SqlRequests(connection),
            figures=SqlFigures(connection),
        )


class SqlStore:
    """A store over a database that `store.migrations.upgrade` brought up to date. Connects at first use.

    A caller that is cancelled while waiting does not stop work that has begun: it runs to its end and commits.
    """

    def __init__(self, url: str, keyring: Keyring) -> None:
        """Raises ValueError for a URL that names neither a SQLite file nor PostgreSQL."""
        self._keyring = keyring
        self._writing = connect(url, read_only=False, connections=1)
        self._reading = connect(url, read_only=True, connections=_READERS)
        self._writer = ThreadPoolExecutor(1, "store-writer")
        self._readers = ThreadPoolExecutor(_READERS, "store-reader")

    async def read(self, work: Callable[[UnitOfWork], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._readers, self._run, self._reading, work)

    async def write(self, work: Callable[[UnitOfWork], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._writer, self._run, self._writing, work)

    async def close(self) -> None:
        """Let begun work end, then disconnect. The store cannot be used again."""
        await asyncio.to_thread(self._close)

    def _run(self, engine: Engine, work: Callable[[UnitOfWork], T]) -> T:
        with translated(), engine.begin() as connection:
            return work(SqlUnitOfWork.over(connection, self._keyring))

    def _close(self) -> None:
        for pool in (self._writer, self._readers):
            pool.shutdown()
        for engine in (self._writing, self._reading):
            engine.dispose()
