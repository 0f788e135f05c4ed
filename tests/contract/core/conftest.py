"""A tenant with one survey, and the steps of the bot's life over a real database."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import pytest

from bot import reminders
from bot.delivery import Sender, deliver_due
from bot.messages import Delivery, Member, MemberKind, MessageRef
from bot.model import Integration
from bot.page import Page, PrivatePage
from bot.ports import Store
from bot.records import Run
from bot.sync import Kind, Progress, Synchronisation
from tests.contract.core.scripted import ScriptedSource
from tests.unit.core.examples import NOW, an_integration


@dataclass
class RecordingChannel:
    """A chat that keeps what it was given; `errors` are raised first, one a send."""

    sent: list[tuple[str, Page | PrivatePage]] = field(default_factory=list)
    errors: list[Exception] = field(default_factory=list)

    async def turn(self, member: Member) -> None:
        """No pace of its own."""

    async def send(self, member: Member, page: Page | PrivatePage) -> MessageRef:
        if self.errors:
            raise self.errors.pop(0)
        self.sent.append((member.user_id, page))
        return MessageRef(workspace_id=member.workspace_id, channel_id=f"D{member.user_id}", message_id=str(len(self.sent)))


@dataclass
class Life:
    """One bot over one store, with time in the test's hands."""

    store: Store
    source: ScriptedSource = field(default_factory=ScriptedSource)
    channel: RecordingChannel = field(default_factory=RecordingChannel)
    now: datetime = NOW
    allow_guests: bool = False
    settings: Integration = field(default_factory=an_integration)
    parallel: int = 8
    on_progress: Callable[[Progress], None] = field(default=lambda _: None)

    def clock(self) -> datetime:
        return self.now

    async def sync(self, kind: Kind = Kind.INCREMENTAL, integration_id: str = "main") -> Run:
        await self.store.write(lambda uow: uow.integrations.save(replace(self.settings, integration_id=integration_id)))
        return await self.synchronisation(integration_id).run(kind)

    def synchronisation(self, integration_id: str = "main") -> Synchronisation:
        return Synchronisation(
            source=self.source,
            store=self.store,
            integration_id=integration_id,
            clock=self.clock,
            parallel=self.parallel,
            on_progress=self.on_progress,
        )

    async def baseline(self) -> None:
        assert (await self.sync(Kind.FULL)).told == 0

    async def long_ago(self) -> None:
        """A baseline of an empty tenant, so long ago that everything the examples send came after it."""
        self.now = NOW - timedelta(days=60)
        await self.baseline()
        self.now = NOW

    async def remind(self) -> int:
        return await reminders.remind_due(self.store, self.now)

    async def deliver(self, limit: int = 20) -> tuple[int, datetime | None]:
        sender = Sender(store=self.store, channel=self.channel, clock=self.clock, owner="test", allow_guests=self.allow_guests)
        return await deliver_due(sender, limit=limit)

    async def join(self, *names: str, kind: MemberKind = MemberKind.MEMBER) -> None:
        """Let people appear in the chat's directory."""
        members = [Member(workspace_id="T1", user_id=name, kind=kind, email=f"{name}@acme.example") for name in names]
        await self.store.write(lambda uow: uow.members.save(members))

    async def deliveries(self) -> list[Delivery]:
        return sorted(await self.store.read(lambda uow: uow.outbox.list(1000)), key=lambda delivery: delivery.delivery_id)

    async def told(self) -> list[tuple[str, str, str]]:
        """Kind, survey and e-mail address of everything in the outbox."""
        found = await self.deliveries()
        emails = {d.person_id: await self.store.read(lambda uow, d=d: uow.people.email(d.person_id)) for d in found}
        return [(str(d.kind), d.survey_id, str(emails[d.person_id])) for d in found]

    def wait(self, **span: float) -> None:
        self.now += timedelta(**span)


@pytest.fixture
async def life(store: Store) -> Life:
    return Life(store)
