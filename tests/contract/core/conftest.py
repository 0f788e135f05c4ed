"""A tenant with one survey, the steps of the bot's life over a real database, and what channels are told meanwhile."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import pytest

from bot.channels.announcing import announce_due
from bot.channels.posting import Poster, post_due
from bot.deep_links import DeepLinks
from bot.delivering import living, reminders
from bot.delivering.delivery import Sender, deliver_due
from bot.delivering.settling import settle_lost
from bot.errors import Forbidden
from bot.messages import Conversation, Delivery, DeliveryState, Member, MemberKind, MessageRef, Reach, Readership
from bot.model import Integration, User
from bot.page import Facts, Page, PrivatePage
from bot.ports import Store
from bot.ports.records import Run
from bot.posts import PostKind
from bot.subscriptions import Feature, Subscription
from bot.syncing.refreshing import Refresher
from bot.syncing.sync import Kind, Progress, Synchronisation
from tests.contract.core.scripted import ScriptedSource
from tests.unit.core.examples import DAY, NOW, an_integration


async def _nothing() -> None: ...


@dataclass
class RecordingChannel:
    """A chat that keeps what it was given; `errors` are raised first, one a send."""

    sent: list[tuple[str, Page | PrivatePage]] = field(default_factory=list)
    errors: list[Exception] = field(default_factory=list)
    #: What is found out by a failed send.
    before_error: Callable[[], Awaitable[None]] = field(default=_nothing)
    #: What each message shows now, by its id.
    shows: dict[str, Page | PrivatePage] = field(default_factory=dict)
    #: The ids of the messages that were edited, in order.
    edited: list[str] = field(default_factory=list)
    edit_errors: list[Exception] = field(default_factory=list)
    #: What was said in shared places.
    posted: list[tuple[str, Page]] = field(default_factory=list)
    post_errors: list[Exception] = field(default_factory=list)
    #: What the next looks at a shared place find; afterwards members alone read there.
    readerships: list[Readership | Exception] = field(default_factory=list)
    looks: int = 0
    #: What happens while a place is looked at.
    during_look: Callable[[Conversation], Awaitable[None]] | None = None
    #: By the key they carry.
    messages: dict[str, MessageRef] = field(default_factory=dict)
    #: Whether the bot may read the conversation.
    is_readable: bool = False

    async def turn(self, member: Member) -> None:
        """No pace of its own."""

    async def edit_turn(self, member: Member) -> None:
        """No pace of its own."""

    async def send(self, member: Member, page: Page | PrivatePage, key: str | None = None) -> MessageRef:
        if self.errors:
            await self.before_error()
            raise self.errors.pop(0)
        return self.take(member, page, key)

    def take(self, member: Member, page: Page | PrivatePage, key: str | None) -> MessageRef:
        self.sent.append((member.user_id, page))
        message = MessageRef(workspace_id=member.workspace_id, channel_id=f"D{member.user_id}", message_id=str(len(self.sent)))
        self.shows[message.message_id] = page
        if key is not None:
            self.messages[key] = message
        return message

    async def post(self, conversation: Conversation, page: Page, key: str) -> MessageRef:
        if self.post_errors:
            raise self.post_errors.pop(0)
        self.posted.append((conversation.channel_id, page))
        return MessageRef(workspace_id=conversation.workspace_id, channel_id=conversation.channel_id, message_id=key)

    async def readership(self, conversation: Conversation) -> Readership:
        self.looks += 1
        if self.during_look is not None:
            await self.during_look(conversation)
        found = self.readerships.pop(0) if self.readerships else Readership.MEMBERS
        if isinstance(found, Exception):
            raise found
        return found

    async def find(self, member: Member, key: str, since: datetime) -> MessageRef | None:  # noqa: ARG002 - the protocol's
        if not self.is_readable:
            raise Forbidden("missing_scope")
        return self.messages.get(key)

    async def edit(self, message: MessageRef, member: Member, page: Page | PrivatePage, key: str) -> None:  # noqa: ARG002 - as above
        if self.edit_errors:
            raise self.edit_errors.pop(0)
        self.edited.append(message.message_id)
        self.shows[message.message_id] = page


@dataclass
class Life:
    """One bot over one store, with time in the test's hands."""

    store: Store
    source: ScriptedSource = field(default_factory=ScriptedSource)
    channel: RecordingChannel = field(default_factory=RecordingChannel)
    now: datetime = NOW
    reach: Reach = field(default_factory=Reach)
    #: One after the other, unless a test wants it otherwise.
    in_flight: int = 1
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

    @property
    def sender(self) -> Sender:
        """A new process, as it were: it remembers no pause."""
        return Sender(store=self.store, channel=self.channel, clock=self.clock, owner="test", reach=self.reach, in_flight=self.in_flight)

    async def deliver(self, sender: Sender | None = None) -> int:
        return await deliver_due(sender or self.sender)

    async def settle(self) -> int:
        return await settle_lost(self.sender)

    async def edit(self) -> int:
        return await living.edit_due(living.Editor(store=self.store, channel=self.channel, clock=self.clock))

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


OLGA = User(user_id="UR_1", email="olga@acme.example", first_name="Olga", last_name="Berg")


@dataclass
class Channels:
    """A tenant whose surveys are Olga's, and what is said of them. Every Monday noon (NOW) is in working hours."""

    life: Life

    async def subscribe(self, *features: Feature, subject: str = "SV_1", creator: str = "olga", channel: str = "C1") -> Subscription:
        wish = Subscription(
            subscription_id=0,
            conversation=Conversation(workspace_id="T1", channel_id=channel),
            subject=subject,
            features=frozenset(features or Feature),
            creator_id=creator,
            created_at=self.life.now,
            zone="Europe/Berlin",
        )
        return await self.life.store.write(lambda uow: uow.subscriptions.add(wish))

    def send(self, survey_id: str = "SV_1", distribution_id: str = "EMD_1", days: float = 7, sent: int = 100) -> None:
        self.life.source.put(survey_id, name=f"Pulse {survey_id}")
        self.life.source.send(distribution_id, {}, survey_id, send_date=self.life.now, link_expires_at=self.life.now + timedelta(days=days))
        self.count(distribution_id, sent=sent)

    def count(self, distribution_id: str = "EMD_1", **counts: int) -> None:
        known = self.life.source.sent[distribution_id]
        self.life.source.sent[distribution_id] = replace(known, stats=replace(known.stats, **counts))

    async def look(self) -> list[str]:
        """Read Qualtrics, and say what there is to be said; returns the kinds of it."""
        await self.life.sync()
        return await self.tell()

    async def tell(self) -> list[str]:
        before = len(self.life.channel.posted)
        await announce_due(self.life.store, self.life.sender.reach, self.life.now)
        await post_due(self.poster)
        return [page.title for _, page in self.life.channel.posted[before:]]

    async def follow_hints(self) -> list[str]:
        """Look at the surveys that a look was asked for; returns them."""
        hints = await self.life.store.read(lambda uow: uow.refreshes.all(100))
        self.life.wait(seconds=5)

        async def synchronise(_: Integration) -> Synchronisation:
            return self.life.synchronisation()

        await Refresher(store=self.life.store, synchronise=synchronise, owner="test", clock=self.life.clock).refresh_due()
        return [hint.survey_id for hint in hints]

    @property
    def poster(self) -> Poster:
        return Poster(self.life.sender, DeepLinks())

    async def states(self, *kinds: PostKind) -> set[DeliveryState]:
        posts = await self.life.store.read(lambda uow: uow.posts.list(100))
        return {post.state for post in posts if not kinds or post.news.kind in kinds}

    def newest(self) -> Page:
        return self.life.channel.posted[-1][1]


@pytest.fixture
async def channels(life: Life) -> Channels:
    life.now = NOW - 30 * DAY
    life.source.user_list = (OLGA,)
    await life.baseline()
    await life.join("olga", "eve")
    life.now = NOW
    return Channels(life)


def facts(page: Page) -> Iterator[tuple[str, str]]:
    for element in page.elements:
        if isinstance(element, Facts):
            yield from ((name, "".join(str(part) for part in value)) for name, value in element.facts)
