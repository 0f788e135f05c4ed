"""The composition root: settings become a bot with everything it needs, opened and closed in order."""

from __future__ import annotations

import asyncio
import os
import socket
import uuid
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial

from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from adapters.qualtrics.client import QualtricsClient
from adapters.settings import Settings
from adapters.slack.channel import SlackChannel, make_client
from adapters.slack.directory import SlackDirectory, workspace_of
from adapters.slack.inbound import slack_app
from bot import actions, delivery, reminders, rules
from bot.errors import UserError
from bot.ports import Run
from bot.sync import Kind, Progress, Synchronisation
from store import migrations
from store.unit_of_work import SqlStore

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(slots=True, kw_only=True)
class Core:
    """What needs no chat: the tables, and the way to Qualtrics."""

    settings: Settings
    store: SqlStore
    source: QualtricsClient
    clock: Clock
    _syncing: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def sync(self, kind: Kind, on_progress: Callable[[Progress], None] = lambda _: None) -> Run | None:
        """Run a synchronisation; None when another is under way, or an incremental one has no full one to build on (FEATURES B2)."""
        if self._syncing.locked():
            return None
        async with self._syncing:
            qualtrics = self.settings.qualtrics
            if kind is Kind.INCREMENTAL and not await self._has_baseline():
                return None
            return await Synchronisation(
                source=self.source,
                store=self.store,
                integration_id=qualtrics.integration_id,
                name=qualtrics.name,
                clock=self.clock,
                on_progress=on_progress,
            ).run(kind)

    async def _has_baseline(self) -> bool:
        integrations = await self.store.read(lambda uow: uow.integrations.all())
        return any(i.integration_id == self.settings.qualtrics.integration_id and i.baseline_at for i in integrations)


@dataclass(slots=True, kw_only=True)
class Bot:
    """A whole bot: what the scheduler and the web can ask of it."""

    core: Core
    directory: SlackDirectory
    slack: AsyncApp
    sender: delivery.Sender
    _paused_until: datetime | None = None

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
    """Open the tables and a client of Qualtrics. Raises UserError when the database's schema is not this version's."""
    url = settings.database_url.get_secret_value()
    if not await asyncio.to_thread(migrations.is_current, url):
        raise UserError("The database is not at this version's schema. Run `surveybot db upgrade`, then start again.")
    qualtrics = settings.qualtrics
    store = SqlStore(url, settings.keyring)
    source = QualtricsClient(
        base_url=qualtrics.base_url,
        token=qualtrics.api_token.get_secret_value(),
        timeout_seconds=qualtrics.timeout_seconds,
        connect_timeout_seconds=qualtrics.connect_timeout_seconds,
    )
    try:
        yield Core(settings=settings, store=store, source=source, clock=clock)
    finally:
        await source.aclose()
        await store.close()


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
    """Open a whole bot. Raises UserError (schema), Unauthorized or Unavailable (Slack does not know us, or does not answer)."""
    async with open_core(settings, clock) as core, open_slack(settings) as client:
        slack = settings.slack
        workspace_id = await workspace_of(client)
        directory = SlackDirectory(client, workspace_id, core.store)
        channel = SlackChannel(client, workspace_id, core.store, clock, sends_per_second=slack.sends_per_second)
        app = slack_app(
            client=client,
            signing_secret=slack.signing_secret.get_secret_value(),
            store=core.store,
            directory=directory,
            channel=channel,
            clock=clock,
            handle=partial(actions.handle, allow_guests=slack.allow_guests),
        )
        sender = delivery.Sender(store=core.store, channel=channel, clock=clock, owner=_owner(), allow_guests=slack.allow_guests)
        yield Bot(core=core, directory=directory, slack=app, sender=sender)


def _owner() -> str:
    """Name this process among all workers of all replicas."""
    return f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"
