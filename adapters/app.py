"""The composition root: settings become a bot with everything it needs, opened and closed in order."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import uuid
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial

from slack_bolt.async_app import AsyncApp
from starlette.routing import Route

from adapters import integrations
from adapters.connections import Connections
from adapters.request_log import RequestLog
from adapters.settings import Settings
from adapters.slack.channel import SlackChannel
from adapters.slack.clients import Clients
from adapters.slack.directory import SlackDirectory
from adapters.slack.directory_reader import DirectoryReader
from adapters.slack.inbound import routes, slack_app
from adapters.slack.oauth import INSTALL_PATH
from adapters.slack.pacing import SlackPace
from adapters.slack.scopes import missing
from adapters.slack.socket_mode import SocketMode, connected
from adapters.slack_access import open_access, told
from bot import actions, delivery, living, reminders, rules, settling
from bot.errors import SurveybotError, UserError
from bot.jobs import Jobs
from bot.model import Integration
from bot.ports import Store
from bot.refreshing import Refresher
from bot.sync import Synchronisation
from store import migrations
from store.gates import SqlGates, by
from store.unit_of_work import SqlStore

Clock = Callable[[], datetime]
log = logging.getLogger(__name__)


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Core:
    """What needs no chat: the tables, and the ways to Qualtrics."""

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


@dataclass(slots=True, kw_only=True)
class Bot:
    """A whole bot: what the scheduler and the web can ask of it."""

    core: Core
    clients: Clients
    directory: SlackDirectory
    directory_reader: DirectoryReader
    slack: AsyncApp
    #: What Slack, and whoever installs the app, call.
    slack_routes: Sequence[Route]
    #: None = Slack calls.
    socket: SocketMode | None
    sender: delivery.Sender
    editor: living.Editor

    async def renew_tokens(self) -> None:
        """Renew what soon ends, so that nobody who clicks waits for it. What cannot be renewed is logged there."""
        for workspace_id in await self.clients.workspaces():
            with suppress(SurveybotError):
                await self.clients.of(workspace_id)

    async def remind(self) -> None:
        """Put into the outbox who is due, and again those who could not be reached until now."""
        now = self.core.clock()
        await reminders.remind_due(self.core.store, now)
        kinds = rules.reachable_kinds(allow_guests=self.sender.allow_guests)
        await self.core.store.write(lambda uow: uow.outbox.reopen_reachable(kinds, now))

    async def deliver(self) -> None:
        """Send what is due until nothing is left, or what is left must wait."""
        await delivery.deliver_due(self.sender)

    async def settle(self) -> None:
        """Find out about messages whose answer was lost."""
        await settling.settle_lost(self.sender)

    async def edit(self) -> None:
        """Bring sent messages up to date."""
        await living.edit_due(self.editor)


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


@asynccontextmanager
async def open_bot(settings: Settings, clock: Clock = utc_now) -> AsyncGenerator[Bot]:
    """Open a whole bot, and apply the file of integrations if there is one.

    Raises UserError (schema, or what is wrong with the file), Unauthorized or Unavailable (Slack does not know us, or does not answer).
    """
    slack = settings.slack
    async with AsyncExitStack() as stack:
        core = await stack.enter_async_context(open_core(settings, clock))
        if settings.integrations_file is not None:
            await integrations.apply(core.store, integrations.read(settings.integrations_file))
        await _tell_missing_scopes(core.store)
        access = await stack.enter_async_context(open_access(slack, core.store, clock, core.owner))
        clients = access.clients
        directory = SlackDirectory(clients, core.store, clock)
        pace = SlackPace(core.gates, clock, sends_per_minute=slack.sends_per_minute)
        channel = SlackChannel(clients, core.store, pace)
        app = slack_app(
            clients=clients,
            signing_secret=None if slack.app_token else told(slack.signing_secret),
            store=core.store,
            directory=directory,
            channel=channel,
            keyring=settings.keyring,
            clock=clock,
            handle=partial(actions.handle, allow_guests=slack.allow_guests, retry=core.jobs.retry, sends_per_minute=slack.sends_per_minute),
        )
        sender = delivery.Sender(store=core.store, channel=channel, clock=clock, owner=core.owner, allow_guests=slack.allow_guests)
        socket_mode = await stack.enter_async_context(connected(app, told(slack.app_token), slack.api_url)) if slack.app_token else None
        yield Bot(
            core=core,
            clients=clients,
            directory=directory,
            directory_reader=_directory_reader(core, clients, pace),
            slack=app,
            slack_routes=[*access.routes, *([] if slack.app_token else routes(app))],
            socket=socket_mode,
            sender=sender,
            editor=living.Editor(store=core.store, channel=channel, clock=clock),
        )


def _directory_reader(core: Core, clients: Clients, pace: SlackPace) -> DirectoryReader:
    schedule = core.settings.schedule
    return DirectoryReader(
        clients=clients,
        store=core.store,
        pace=pace,
        owner=core.owner,
        clock=core.clock,
        every=timedelta(seconds=schedule.directory),
        retry=timedelta(seconds=schedule.retry),
    )


async def _tell_missing_scopes(store: Store) -> None:
    """An update of Surveybot may need more than was granted when it was installed."""
    for it in await store.read(lambda uow: uow.installations.all()):
        if it.revoked_at is None and (lacking := missing(it.scopes)):
            again = f"{INSTALL_PATH}?team={it.workspace_id}"
            log.warning("slack.scopes_missing", extra={"workspace": it.workspace_id, "scopes": lacking, "install_again": again})


def _owner() -> str:
    return f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"
