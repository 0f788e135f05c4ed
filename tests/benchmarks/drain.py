"""The outbox: how fast deliveries are drawn and settled when sending takes no time.

For each delivery: claim (8 at a time), draw the card in a read, mark as sending, send to a channel that only counts, record as sent.
The baseline is what Slack can take from one bot at most: 600 messages a minute (reference performance.md 8, G13).
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from time import perf_counter

from bot.delivering.delivery import Sender, deliver_due
from bot.events import Event, EventKind
from bot.messages import Conversation, DeliveryState, Member, MemberKind, MessageRef, Readership
from bot.model import Distribution, HistoryEntry, LinkEntry, LinkType, Survey
from bot.page import Page, PrivatePage
from bot.ports import UnitOfWork
from bot.ports.records import MailedRow
from store.unit_of_work import SqlStore
from tests.benchmarks.databases import KINDS, Databases, keyring
from tests.benchmarks.measure import Figures, Goal, Line, fresh, medians
from tests.unit.core.examples import an_integration

_SLACK_PER_S = 600 / 60
_NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
_DISTRIBUTION = Distribution(
    distribution_id="EMD_1",
    survey_id="SV_1",
    parent_id=None,
    owner_id="UR_1",
    request_type="Invite",
    request_status="Done",
    send_date=_NOW,
    sender_name="People team",
    link_type=LinkType.INDIVIDUAL,
    link_expires_at=_NOW + timedelta(days=7),
)


def lines(databases: Databases, *, quick: bool) -> Iterator[Line]:
    deliveries, runs = (50, 1) if quick else (2000, 3)
    taken = medians(runs, {f"drain {kind}": partial(_on_new, databases, kind, deliveries) for kind in KINDS})
    for kind in KINDS:
        rate = taken[f"drain {kind}"]["rate"]
        baseline = f"Slack's limit {_SLACK_PER_S:g}"
        ratio = rate / _SLACK_PER_S
        yield Line(
            what="outbox drain", database=kind, figure=rate, unit="messages/s", baseline=baseline, ratio=ratio, goal=Goal(at_least=20)
        )


def _on_new(databases: Databases, kind: str, deliveries: int) -> Figures:
    with databases.new(kind) as url:
        return fresh(_take, url, deliveries)


def _take(url: str, deliveries: int) -> Figures:
    return asyncio.run(_drained(url, deliveries))


@dataclass(slots=True)
class _Counting:
    """A channel that takes everything at once."""

    sent: list[str] = field(default_factory=list[str])

    async def turn(self, member: Member) -> None:
        """No pace to keep."""

    edit_turn = turn

    async def post(self, conversation: Conversation, page: Page, key: str) -> MessageRef:
        raise NotImplementedError

    async def readership(self, conversation: Conversation) -> Readership:
        raise NotImplementedError

    async def find(self, member: Member, key: str, since: datetime) -> MessageRef | None:
        raise NotImplementedError

    async def edit(self, message: MessageRef, member: Member, page: Page | PrivatePage, key: str) -> None:
        raise NotImplementedError

    async def send(self, member: Member, page: Page | PrivatePage, key: str | None = None) -> MessageRef:  # noqa: ARG002 - the protocol's
        assert isinstance(page, PrivatePage)
        self.sent.append(member.user_id)
        return MessageRef(workspace_id=member.workspace_id, channel_id="D1", message_id=str(len(self.sent)))


async def _drained(url: str, deliveries: int) -> Figures:
    store, channel = SqlStore(url, keyring()), _Counting()
    await store.write(lambda uow: _enqueue(uow, deliveries))
    sender = Sender(store=store, channel=channel, clock=lambda: _NOW, owner="bench")
    start = perf_counter()
    assert await deliver_due(sender) == deliveries
    elapsed = perf_counter() - start
    assert sorted(channel.sent) == sorted(f"U{number}" for number in range(deliveries))
    assert await store.read(lambda uow: uow.outbox.counts()) == {DeliveryState.SENT: deliveries}
    await store.close()
    return {"rate": deliveries / elapsed}


def _enqueue(uow: UnitOfWork, deliveries: int) -> None:
    """Put a message to each of so many people into the outbox."""
    uow.integrations.save(an_integration("main"))
    survey = Survey(survey_id="SV_1", name="Engagement", owner_id="UR_1", is_active=True, last_modified=_NOW)
    uow.surveys.save("main", [survey], _NOW)
    uow.distributions.save("main", [_DISTRIBUTION])
    numbers = range(deliveries)
    people = uow.people.ids([_email(number) for number in numbers])
    uow.invitations.save_links("main", "EMD_1", [_link(number) for number in numbers], people)
    uow.invitations.save_history("main", "EMD_1", [_history(number) for number in numbers])
    members = (Member(workspace_id="T1", user_id=f"U{number}", kind=MemberKind.MEMBER, email=_email(number)) for number in numbers)
    uow.members.save(list(members))
    events = [_event(person_id) for person_id in people.values()]
    assert uow.outbox.add(events, _NOW) == deliveries


def _event(person_id: int) -> Event:
    return Event(kind=EventKind.SURVEY_INVITED, integration_id="main", survey_id="SV_1", person_id=person_id, mark="")


def _email(number: int) -> str:
    return f"person{number}@example.com"


def _link(number: int) -> LinkEntry:
    return LinkEntry(contact_id=f"CID_{number}", email=_email(number), url=f"https://acme.qualtrics.com/{number}", expires_at=None)


def _history(number: int) -> MailedRow:
    entry = HistoryEntry(contact_id=f"CID_{number}", status="Success", url=None, sent_at=_NOW, completed_at=None)
    return MailedRow(entry=entry, mailed=True, notice_at=_NOW + timedelta(days=6))
