"""Sending at the platform's pace, in virtual time: nobody twice, nobody forgotten, nobody starved, and no second burst of refusals.

The clock is the event loop's, and jumps to whatever comes next; the sender, the pacing and the arithmetic of the gates are the real
ones, over a real database. Slack is simulated in memory: it refuses what is above its limits (reference slack.md 3), as it counts them,
with `Retry-After`.
"""

from __future__ import annotations

import asyncio
import random
import selectors
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import pytest

from adapters.slack import pacing
from adapters.slack.pacing import SlackPace
from bot.delivering.delivery import Sender, deliver_due
from bot.errors import Throttled
from bot.events import Event, EventKind
from bot.messages import Conversation, DeliveryState, Member, MemberKind, MessageRef, Readership
from bot.model import HistoryEntry, LinkEntry
from bot.page import Page, PrivatePage
from bot.ports import UnitOfWork
from bot.ports.records import MailedRow
from store.encryption import Keyring
from store.engine import connect
from store.gates import Limit, SqlGates, by
from store.unit_of_work import SqlStore
from tests.unit.core.examples import NOW, a_distribution, a_survey, an_integration

T = TypeVar("T")
#: What Slack lets through in a workspace in any 60 seconds, and the setting's default.
ALLOWED = 180


class _Jumping(selectors.DefaultSelector):
    """Instead of waiting it moves the clock: nothing in these tests comes from outside."""

    now = 0.0

    def select(self, timeout: float | None = None) -> list[Any]:
        found = super().select(0)
        if not found and timeout:
            self.now += timeout
        return found


class _VirtualLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._jumping = _Jumping()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.now

    def clock(self) -> datetime:
        return NOW + timedelta(seconds=self._jumping.now)


class _Store(SqlStore):
    """Without threads, for which virtual time would not wait, and without waiting for the disk."""

    def __init__(self, url: str, keyring: Keyring) -> None:
        super().__init__(url, keyring)
        self._writing = connect(url, read_only=False, connections=1, durable=False)

    async def read(self, work: Callable[[UnitOfWork], T]) -> T:
        return self._run(self._reading, work)

    async def write(self, work: Callable[[UnitOfWork], T]) -> T:
        return self._run(self._writing, work)


class _Gates(SqlGates):
    async def _run(self, limits: Sequence[Limit], work: Callable[..., T]) -> T:
        return self._transaction({limit.name: limit for limit in limits}, work)


@dataclass
class _Slack:
    """One workspace's limits, as Slack counts: messages in the last 60 seconds, and in the last second into one conversation."""

    clock: Callable[[], datetime]
    chance: random.Random
    #: From when to when it refuses everything, as in a bad moment of its own.
    closed: tuple[datetime, datetime] | None = None
    sent: list[tuple[datetime, str]] = field(default_factory=list)
    refused_at: list[datetime] = field(default_factory=list)
    _minute: deque[datetime] = field(default_factory=deque)
    _last: dict[str, datetime] = field(default_factory=dict)

    async def post(self, user_id: str) -> None:
        await asyncio.sleep(self.chance.uniform(0.05, 0.5))
        now = self.clock()
        while self._minute and self._minute[0] <= now - timedelta(seconds=60):
            self._minute.popleft()
        is_burst = now - self._last.get(user_id, NOW - timedelta(days=1)) < timedelta(seconds=0.4)
        if is_burst or len(self._minute) >= ALLOWED or (self.closed and self.closed[0] <= now < self.closed[1]):
            self.refused_at.append(now)
            raise Throttled("429", retry_after=30)
        self._minute.append(now)
        self._last[user_id] = now
        self.sent.append((now, user_id))
        await asyncio.sleep(self.chance.uniform(0.05, 1.5))


@dataclass
class _Channel:
    """What `SlackChannel` does, without HTTP."""

    slacks: dict[str, _Slack]
    pace: SlackPace

    async def turn(self, member: Member) -> None:
        await self.pace.turn(pacing.SEND, member.workspace_id, member.user_id)

    edit_turn = turn

    async def send(self, member: Member, page: Page | PrivatePage, key: str | None = None) -> MessageRef:  # noqa: ARG002 - the protocol's
        self.pace.check(pacing.SEND, member.workspace_id)
        try:
            await self.slacks[member.workspace_id].post(member.user_id)
        except Throttled as error:
            await self.pace.refused(pacing.SEND, member.workspace_id, error.retry_after)
            raise
        return MessageRef(workspace_id=member.workspace_id, channel_id=f"D{member.user_id}", message_id="1")

    async def post(self, conversation: Conversation, page: Page, key: str) -> MessageRef:
        raise NotImplementedError

    async def readership(self, conversation: Conversation) -> Readership:
        raise NotImplementedError

    async def find(self, member: Member, key: str, since: datetime) -> MessageRef | None:
        raise NotImplementedError

    async def edit(self, message: MessageRef, member: Member, page: Page | PrivatePage, key: str) -> None:
        raise NotImplementedError


@dataclass
class Drain:
    """What became of a queue: minutes by workspace, and the states in the end."""

    slacks: dict[str, _Slack]
    states: dict[DeliveryState, int]

    def minutes(self, workspace_id: str = "T1") -> float:
        return (self.slacks[workspace_id].sent[-1][0] - NOW).total_seconds() / 60

    def sent(self, workspace_id: str = "T1") -> list[str]:
        return [user_id for _, user_id in self.slacks[workspace_id].sent]


@dataclass
class Queue:
    """So many people, told of one survey in one workspace."""

    people: int
    survey_id: str = "SV_1"
    workspace_id: str = "T1"
    kind: EventKind = EventKind.SURVEY_INVITED
    closes_in: timedelta = timedelta(days=7)

    def names(self) -> list[str]:
        return [f"{self.survey_id}-{number}" for number in range(self.people)]


Draining = Callable[..., Drain]


@pytest.fixture
def drain(tmp_path: Path, migrated_sqlite: bytes, keyring: Keyring) -> Draining:
    """SQLite alone: on PostgreSQL the gates are tested by themselves."""

    def run(*queues: Queue, senders: int = 3, closed: tuple[float, float] | None = None) -> Drain:
        path = tmp_path / "surveybot.db"
        path.write_bytes(migrated_sqlite)
        with asyncio.Runner(loop_factory=_VirtualLoop) as runner:
            return runner.run(_drained(f"sqlite:///{path}", keyring, queues, senders, closed))

    return run


async def _drained(url: str, keyring: Keyring, queues: Sequence[Queue], senders: int, closed: tuple[float, float] | None) -> Drain:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, _VirtualLoop)
    clock, seed = loop.clock, random.SystemRandom().getrandbits(32)
    print(f"seed {seed}")
    span = None if closed is None else (NOW + timedelta(minutes=closed[0]), NOW + timedelta(minutes=closed[1]))
    slacks = {it: _Slack(clock, random.Random(seed), span if it == "T1" else None) for it in {queue.workspace_id for queue in queues}}
    store = _Store(url, keyring)
    await store.write(lambda uow: [_fill(uow, queue) for queue in queues])
    gates = [_Gates(url, now=by(clock)) for _ in range(senders)]
    workers = [
        Sender(store=store, channel=_Channel(slacks, SlackPace(it, clock, sends_per_minute=ALLOWED)), clock=clock, owner=f"worker {number}")
        for number, it in enumerate(gates)
    ]

    async def work(worker: Sender) -> None:
        while await store.read(lambda uow: uow.outbox.oldest_due()):
            await deliver_due(worker)
            await asyncio.sleep(2)

    await asyncio.gather(*(work(worker) for worker in workers))
    states = await store.read(lambda uow: uow.outbox.counts())
    for it in (store, *gates):
        await it.close()
    return Drain(slacks, dict(states))


def _fill(uow: UnitOfWork, queue: Queue) -> None:
    if uow.integrations.get("main") is None:
        uow.integrations.save(an_integration("main"))
    distribution_id, closes_at = queue.survey_id.replace("SV", "EMD"), NOW + queue.closes_in
    uow.surveys.save("main", [a_survey(survey_id=queue.survey_id, details=None)], NOW)
    distribution = a_distribution(distribution_id=distribution_id, survey_id=queue.survey_id, link_expires_at=closes_at)
    uow.distributions.save("main", [distribution])
    emails = {name: f"{name}@acme.example" for name in queue.names()}
    people = uow.people.ids(list(emails.values()))
    links = [LinkEntry(contact_id=f"CID_{name}", email=it, url=f"https://q.example/{name}", expires_at=None) for name, it in emails.items()]
    uow.invitations.save_links("main", distribution_id, links, people)
    mailed = [HistoryEntry(contact_id=f"CID_{name}", status="Success", url=None, sent_at=NOW, completed_at=None) for name in emails]
    uow.invitations.save_history("main", distribution_id, [MailedRow(entry=entry, mailed=True, notice_at=None) for entry in mailed])
    uow.members.save([Member(workspace_id=queue.workspace_id, user_id=n, kind=MemberKind.MEMBER, email=it) for n, it in emails.items()])
    subject = {"integration_id": "main", "survey_id": queue.survey_id, "mark": "", "closes_at": closes_at}
    uow.outbox.add([Event(kind=queue.kind, person_id=person_id, **subject) for person_id in people.values()], NOW)  # type: ignore[arg-type]


def is_right(drained: Drain, *queues: Queue) -> bool:
    """Everybody got one message."""
    told = Counter(name for slack in drained.slacks.values() for _, name in slack.sent)
    return told == Counter(name for queue in queues for name in queue.names()) and drained.states.keys() == {DeliveryState.SENT}


def test_1600_people_are_told_at_the_allowed_rate_without_one_refusal(drain: Draining) -> None:
    """The case of https://github.com/slackapi/bolt-js/issues/1882, with three processes."""
    everybody = Queue(1600)
    drained = drain(everybody)
    assert is_right(drained, everybody)
    assert drained.slacks["T1"].refused_at == []
    assert drained.minutes() <= 1.1 * everybody.people / ALLOWED


@pytest.mark.deep
def test_10000_people_take_less_than_a_tenth_longer_than_they_must_also_after_a_refusal(drain: Draining) -> None:
    everybody = Queue(10_000)
    drained = drain(everybody, closed=(5, 5.2))
    assert is_right(drained, everybody)
    assert drained.minutes() <= 1.1 * everybody.people / ALLOWED
    assert max(drained.slacks["T1"].refused_at) - min(drained.slacks["T1"].refused_at) < timedelta(seconds=5)


def test_a_refusal_is_met_by_those_on_their_way_and_by_nobody_after_them(drain: Draining) -> None:
    everybody = Queue(150)
    drained = drain(everybody, closed=(0.3, 0.5))
    refused_at = drained.slacks["T1"].refused_at
    assert is_right(drained, everybody)
    assert 1 <= len(refused_at) <= 8
    assert max(refused_at) - min(refused_at) < timedelta(seconds=5)


def test_one_sender_with_a_slow_slack_uses_the_whole_limit(drain: Draining) -> None:
    everybody = Queue(200)
    drained = drain(everybody, senders=1)
    assert drained.minutes() <= 1.1 * everybody.people / ALLOWED


def test_a_large_survey_does_not_starve_a_small_one_and_what_is_urgent_goes_first(drain: Draining) -> None:
    large, small = Queue(120), Queue(10, "SV_2")
    urgent = Queue(20, "SV_3", kind=EventKind.SURVEY_CLOSING, closes_in=timedelta(hours=20))
    drained = drain(large, small, urgent, senders=1)
    assert is_right(drained, large, small, urgent)
    order = drained.sent()
    assert set(order[:20]) == set(urgent.names())
    assert max(order.index(name) for name in small.names()) < 20 + 40


def test_trouble_of_one_workspace_delays_no_other(drain: Draining) -> None:
    here, there = Queue(60), Queue(60, "SV_2", "T2")
    drained = drain(here, there, senders=2, closed=(0, 3))
    assert is_right(drained, here, there)
    assert drained.minutes("T2") <= 1.1 * 60 / ALLOWED + 0.1
    assert drained.minutes("T1") > 3
