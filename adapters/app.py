"""The composition root: settings become a bot with everything it needs, opened and closed in order."""

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

from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from adapters import integrations
from adapters.connections import Connections
from adapters.request_log import RequestLog
from adapters.settings import Settings
from adapters.slack.channel import SlackChannel
from adapters.slack.clients import Clients, OneWorkspace, make_client
from adapters.slack.directory import SlackDirectory, workspace_of
from adapters.slack.inbound import slack_app
from bot import actions, delivery, reminders, rules
from bot.errors import UserError
from bot.jobs import Jobs
from bot.model import Integration
from bot.refreshing import Refresher
from bot.sync import Synchronisation
from store import migrations
from store.gates import SqlGates
from store.unit_of_work import SqlStore

Clock = Callable[[], datetime]


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
    slack: AsyncApp
    sender: delivery.Sender
    _paused_until: datetime | None = None

    async def refresh_directories(self) -> None:
        """Read who is there, in each workspace."""
        for workspace_id in await self.clients.workspaces():
            await self.directory.refresh(workspace_id)

    async def remind(self) -> None:
        """Put into the outbox who is due, and again those who could not be reached until now."""
        now = self.core.clock()
        await reminders.remind_due(self.core.store, now)
        kinds = rules.reachable_kinds(allow_guests=self.sender.allow_guests)
        await self.core.store.write(lambda uow: uow.outbox.reopen_reachable(kinds, now))

    async def deliver(self) -> None:
        """Send what is due until nothing is left or the platform asks for a pause."""
        if self._paused_until is not None and self.core.clock() < self._paused_until:
            return
        settled = 1
        while settled:
            settled, self._paused_until = await delivery.deliver_due(self.sender)
            if self._paused_until is not None:
                return


@asynccontextmanager
async def open_core(settings: Settings, clock: Clock = utc_now) -> AsyncGenerator[Core]:
    """Open the tables. Raises UserError when the database's schema is not this version's."""
    url = settings.database_url.get_secret_value()
    if not await asyncio.to_thread(migrations.is_current, url):
        raise UserError("The database is not at this version's schema. Run `surveybot db upgrade`, then start again.")
    async with AsyncExitStack() as stack:
        store, gates, owner = SqlStore(url, settings.keyring), SqlGates(url), _owner()
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
            connections=connections,
            request_log=request_log,
            jobs=jobs,
            refresher=Refresher(store=store, synchronise=synchronise, owner=owner, clock=clock),
        )


@asynccontextmanager
async def open_slack(settings: Settings) -> AsyncGenerator[AsyncWebClient]:
    client = make_client(settings.slack.bot_token.get_secret_value(), settings.slack.api_url)
    try:
        yield client
    finally:
        if client.session is not None:
            await client.session.close()


@asynccontextmanager
async def open_bot(settings: Settings, clock: Clock = utc_now) -> AsyncGenerator[Bot]:
    """Open a whole bot, and apply the file of integrations if there is one.

    Raises UserError (schema, or what is wrong with the file), Unauthorized or Unavailable (Slack does not know us, or does not answer).
    """
    async with open_core(settings, clock) as core, open_slack(settings) as client:
        if settings.integrations_file is not None:
            await integrations.apply(core.store, integrations.read(settings.integrations_file))
        slack = settings.slack
        workspace_id = await workspace_of(client)
        clients = OneWorkspace(workspace_id, client)
        directory = SlackDirectory(clients, core.store)
        channel = SlackChannel(clients, core.store, clock, sends_per_second=slack.sends_per_second)
        app = slack_app(
            clients=clients,
            workspace_id=workspace_id,
            signing_secret=slack.signing_secret.get_secret_value(),
            store=core.store,
            directory=directory,
            channel=channel,
            clock=clock,
            handle=partial(actions.handle, allow_guests=slack.allow_guests),
        )
        sender = delivery.Sender(store=core.store, channel=channel, clock=clock, owner=core.owner, allow_guests=slack.allow_guests)
        yield Bot(core=core, clients=clients, directory=directory, slack=app, sender=sender)


def _owner() -> str:
    return f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"
