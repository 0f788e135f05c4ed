"""Delivery over a real database: each message once, the truth at send time, and every outcome kept with its reason."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TypeVar

import pytest
from sqlalchemy import text

from bot.delivering.outcomes import BROKEN_PAUSE, LONGEST_BACKOFF, PAUSE, SETTLING, Again, Ended, Lost, after_error
from bot.errors import Ambiguous, Forbidden, Gone, Malformed, Rejected, SurveybotError, Throttled, Unauthorized, Unavailable
from bot.messages import DeliveryState, Member, MemberKind, MessageRef, Platform, Reach, Unreachable
from bot.page import Page, PrivatePage, Respond
from bot.ports import Store, UnitOfWork
from store.encryption import Keyring
from store.engine import connect
from store.unit_of_work import SqlStore
from tests.contract.core.conftest import Life, RecordingChannel
from tests.unit.core.examples import DAY, NOW

ANA = "ana@acme.example"
T = TypeVar("T")


async def sent_to(life: Life, *names: str, join: bool = True) -> None:
    """A survey sent to people after the baseline, in the outbox."""
    await life.long_ago()
    if join:
        await life.join(*names)
    life.source.put()
    life.source.send("EMD_1", {f"CID_{name}": f"{name}@acme.example" for name in names})
    await life.sync()


async def outcomes(life: Life) -> list[tuple[DeliveryState, str | None]]:
    return [(delivery.state, delivery.reason) for delivery in await life.deliveries()]


async def test_each_person_gets_one_message_with_their_own_link(life: Life) -> None:
    await sent_to(life, "ana", "ben")
    assert await life.deliver() == 2
    assert await life.deliver() == 0
    links: dict[str, str] = {}
    for user, page in life.channel.sent:
        assert isinstance(page, PrivatePage)
        (links[user],) = [element.link.url for element in page.elements if isinstance(element, Respond)]
    assert links == {name: f"https://acme.qualtrics.com/jfe/form/SV_1?Q_CHL=email&Q_DL=EMD_1_CID_{name}" for name in ("ana", "ben")}
    assert await outcomes(life) == [(DeliveryState.SENT, None)] * 2
    messages = [MessageRef(workspace_id="T1", channel_id=f"D{user}", message_id=str(number)) for number, user in enumerate(links, 1)]
    assert {delivery.message for delivery in await life.deliveries()} == set(messages)


@pytest.mark.parametrize(
    ("status", "reason"),
    [("SurveyFinished", "the survey is answered for this person"), ("SessionExpired", "the survey is expired for this person")],
)
async def test_whoever_is_done_before_the_message_leaves_gets_none(life: Life, status: str, reason: str) -> None:
    await sent_to(life, "ana")
    life.source.move("EMD_1", "CID_ana", status)
    await life.sync()
    await life.deliver()
    assert life.channel.sent == []
    assert await outcomes(life) == [(DeliveryState.SKIPPED, reason)]


async def test_a_message_that_comes_too_late_is_not_sent(life: Life) -> None:
    await sent_to(life, "ana")
    life.wait(days=8)
    await life.deliver()
    assert await outcomes(life) == [(DeliveryState.SKIPPED, "the survey is expired for this person")]


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        (None, Unreachable.NO_ACCOUNT),
        (MemberKind.GUEST, Unreachable.GUEST),
        (MemberKind.DEACTIVATED, Unreachable.DEACTIVATED),
        (MemberKind.STRANGER, Unreachable.STRANGER),
    ],
)
async def test_who_cannot_be_reached_is_kept_with_the_reason(life: Life, kind: MemberKind | None, reason: Unreachable) -> None:
    await sent_to(life, "ana", join=False)
    if kind is not None:
        await life.join("ana", kind=kind)
    await life.deliver()
    assert await outcomes(life) == [(DeliveryState.UNREACHABLE, reason)]
    assert await life.store.read(lambda uow: uow.outbox.reasons()) == {reason: 1}


async def test_guests_are_written_to_where_the_settings_allow_it(life: Life) -> None:
    life.reach = Reach(guests=frozenset({Platform.SLACK}))
    await sent_to(life, "ana", join=False)
    await life.join("ana", kind=MemberKind.GUEST)
    await life.deliver()
    assert [user for user, _ in life.channel.sent] == ["ana"]


async def test_an_invitation_waits_until_its_link_is_known(life: Life) -> None:
    await life.long_ago()
    await life.join("ana")
    life.source.put()
    life.source.send("EMD_1", {"CID_1": ANA})
    known = life.source.rows["EMD_1"]["CID_1"]
    life.source.rows["EMD_1"]["CID_1"] = replace(known, url=None)
    life.source.addresses["EMD_1"]["CID_1"] = replace(life.source.addresses["EMD_1"]["CID_1"], url=None)
    await life.sync()
    await life.deliver()
    assert await outcomes(life) == [(DeliveryState.READY, "Qualtrics has not told a personal link")]
    life.source.rows["EMD_1"]["CID_1"] = replace(known, status="Opened")
    life.source.move("EMD_1", "CID_1", "Opened")
    await life.sync()
    await life.deliver()
    assert life.channel.sent == []
    life.wait(minutes=5)
    await life.deliver()
    assert [user for user, _ in life.channel.sent] == ["ana"]


async def test_a_survey_that_was_paused_when_its_message_was_due_is_told_when_it_comes_back(life: Life) -> None:
    await sent_to(life, "ana")
    life.source.put(is_active=False)
    await life.sync()
    await life.deliver()
    assert await outcomes(life) == [(DeliveryState.SKIPPED, "the survey is closed for this person")]
    life.source.put()
    await life.sync()
    await life.deliver()
    assert [user for user, _ in life.channel.sent] == ["ana"]


async def test_a_survey_whose_details_may_not_be_read_is_told_when_it_comes_back_too(life: Life) -> None:
    life.source.errors["details SV_1"] = Forbidden("HTTP 403")
    await sent_to(life, "ana")
    life.source.put(is_active=False)
    await life.sync()
    await life.deliver()
    assert [state for state, _ in await outcomes(life)] == [DeliveryState.SKIPPED]
    life.source.put()
    await life.sync()
    await life.deliver()
    assert [user for user, _ in life.channel.sent] == ["ana"]


async def test_a_survey_that_had_ended_when_its_message_was_due_is_told_when_it_is_prolonged(life: Life) -> None:
    await sent_to(life, "ana")
    life.source.put(ends_at=life.now + timedelta(hours=1), last_modified=life.now)
    await life.sync()
    life.wait(hours=2)
    await life.deliver()
    assert [state for state, _ in await outcomes(life)] == [DeliveryState.SKIPPED]
    life.source.put(ends_at=life.now + timedelta(days=9), last_modified=life.now)
    await life.sync()
    await life.deliver()
    assert [user for user, _ in life.channel.sent] == ["ana"]


async def test_somebody_who_joins_the_chat_later_is_told_then(life: Life) -> None:
    await sent_to(life, "ana", join=False)
    await life.deliver()
    await life.join("ana")
    assert await life.store.write(lambda uow: uow.outbox.reopen_reachable(Reach(), life.now)) == 1
    await life.deliver()
    assert [user for user, _ in life.channel.sent] == ["ana"]


async def test_a_reminder_whose_deadline_moved_away_is_not_sent(life: Life) -> None:
    await life.join("ana")
    life.source.put()
    life.source.send("EMD_1", {"CID_1": ANA}, link_expires_at=NOW + 2 * DAY)
    await life.baseline()
    life.wait(hours=24)
    await life.remind()
    life.source.send("EMD_1", {"CID_1": ANA}, link_expires_at=NOW + 20 * DAY)
    await life.sync()
    await life.deliver()
    assert await outcomes(life) == [(DeliveryState.SKIPPED, "the survey no longer closes soon")]


async def test_a_wrong_encryption_key_holds_messages_up_and_loses_none(life: Life, database_url: str) -> None:
    await sent_to(life, "ana")
    right, life.store = life.store, SqlStore(database_url, Keyring.parse("other:" + base64.b64encode(bytes(32)).decode()))
    sender = life.sender
    await life.deliver(sender)
    await life.store.close()  # type: ignore[attr-defined]
    assert (life.channel.sent, sender.paused) == ([], {})
    life.store = right
    life.wait(minutes=10)
    await life.deliver()
    assert [user for user, _ in life.channel.sent] == ["ana"]


async def test_of_two_troubles_at_a_time_the_longer_pause_holds(life: Life) -> None:
    await sent_to(life, "ana", "ben")
    life.in_flight, life.channel.errors = 2, [Unauthorized("401"), Throttled("429", retry_after=1)]
    sender = life.sender
    await life.deliver(sender)
    assert (life.channel.errors, sender.paused) == ([], {"T1": NOW + BROKEN_PAUSE})


async def test_a_link_that_does_not_open_holds_up_nobody_else(life: Life, database_url: str) -> None:
    """A key was lost: some links were read since, and others will be read again."""
    await sent_to(life, "ana", "ben")
    engine = connect(database_url, read_only=False, connections=1)

    with engine.begin() as connection:
        good = connection.execute(text("SELECT link FROM invitations WHERE contact_id = 'CID_ana'")).scalar_one()
        connection.execute(text("UPDATE invitations SET link = :bad WHERE contact_id = 'CID_ana'"), {"bad": b"\x04lost damaged"})
    sender = life.sender
    await life.deliver(sender)
    assert ([user for user, _ in life.channel.sent], sender.paused) == (["ben"], {})
    with engine.begin() as connection:
        connection.execute(text("UPDATE invitations SET link = :good WHERE contact_id = 'CID_ana'"), {"good": good})
    engine.dispose()
    life.wait(minutes=10)
    await life.deliver(sender)
    assert [user for user, _ in life.channel.sent] == ["ben", "ana"]


@pytest.mark.parametrize(
    ("error", "state", "sends"),
    [
        (Ambiguous("the answer was lost"), DeliveryState.UNKNOWN, 0),
        (Gone("channel_not_found"), DeliveryState.FAILED, 0),
        (Rejected("invalid_blocks"), DeliveryState.FAILED, 0),
        (Unavailable("connection refused"), DeliveryState.SENT, 1),
        (Throttled("429", retry_after=20), DeliveryState.SENT, 1),
        (Unauthorized("token_revoked"), DeliveryState.SENT, 1),
        (ValueError("a bug"), DeliveryState.UNKNOWN, 0),
    ],
)
async def test_every_failure_ends_as_the_retry_policy_says(life: Life, error: Exception, state: DeliveryState, sends: int) -> None:
    await sent_to(life, "ana")
    life.channel.errors = [error]
    for _ in range(4):
        await life.deliver()
        life.wait(minutes=10)
        await life.settle()
    assert len(life.channel.sent) == sends
    ((found, _),) = await outcomes(life)
    assert found is state


async def test_rows_another_worker_took_over_and_sent_are_not_put_back(life: Life) -> None:
    """The first worker is throttled after its lease has lapsed; the second has sent everything meanwhile."""
    await sent_to(life, "ana", "ben", "cleo")
    other = Life(life.store, now=NOW + timedelta(minutes=3))
    tried: list[str] = []

    class SlowlyThrottled(RecordingChannel):
        async def send(self, member: Member, page: Page | PrivatePage, key: str | None = None) -> MessageRef:  # noqa: ARG002 - the protocol's
            tried.append(member.user_id)
            await other.deliver()
            await other.settle()
            raise Throttled("429")

    life.channel = SlowlyThrottled()
    await life.deliver()
    life.channel = RecordingChannel()
    life.wait(minutes=10)
    await life.deliver()
    sent = [user for user, _ in [*other.channel.sent, *life.channel.sent]]
    assert (len(tried), sorted(tried + sent)) == (1, ["ana", "ben", "cleo"])
    assert sorted(state for state, _ in await outcomes(life)) == [DeliveryState.SENT, DeliveryState.SENT, DeliveryState.UNKNOWN]


async def test_stopping_in_the_middle_of_a_call_waits_for_what_becomes_of_it(life: Life) -> None:
    await sent_to(life, "ana")
    begun, go_on = asyncio.Event(), asyncio.Event()

    class SlowChannel(RecordingChannel):
        async def send(self, member: Member, page: Page | PrivatePage, key: str | None = None) -> MessageRef:
            begun.set()
            await go_on.wait()
            return await super().send(member, page, key)

    life.channel = SlowChannel()
    delivering = asyncio.create_task(life.deliver())
    await begun.wait()
    delivering.cancel()
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await delivering
    assert await outcomes(life) == [(DeliveryState.SENT, None)]


async def test_one_poisoned_message_does_not_hold_up_the_others(life: Life) -> None:
    """Refusing one recipient's message as unauthorised pauses everybody, but not for ever."""
    await sent_to(life, "ana", "ben")

    class PoisonedAna(RecordingChannel):
        async def send(self, member: Member, page: Page | PrivatePage, key: str | None = None) -> MessageRef:
            if member.user_id == "ana":
                raise Unauthorized("not this one")
            return await super().send(member, page, key)

    life.channel = PoisonedAna()
    for _ in range(4):
        await life.deliver()
        life.wait(minutes=5)
    assert [user for user, _ in life.channel.sent] == ["ben"]


async def test_a_failure_says_why(life: Life) -> None:
    await sent_to(life, "ana")
    life.channel.errors = [Rejected("invalid_blocks")]
    await life.deliver()
    assert await outcomes(life) == [(DeliveryState.FAILED, "Rejected: invalid_blocks")]


async def test_a_throttled_channel_pauses_everybody_and_loses_nobody(life: Life) -> None:
    await sent_to(life, "ana", "ben", "cleo")
    life.channel.errors = [Throttled("429", retry_after=30)]
    sender = life.sender
    assert await life.deliver(sender) == 0
    life.wait(seconds=29)
    assert await life.deliver(sender) == 0
    life.wait(seconds=1)
    assert await life.deliver(sender) == 3
    assert sorted(user for user, _ in life.channel.sent) == ["ana", "ben", "cleo"]


async def test_a_sender_that_died_before_the_call_is_replaced_and_one_that_died_in_it_is_not_repeated(life: Life) -> None:
    await sent_to(life, "ana", "ben")
    lease = timedelta(seconds=120)
    (queue,) = await life.store.read(lambda uow: uow.outbox.queues(life.now))
    one, _ = await life.store.write(lambda uow: uow.outbox.claim(queue, life.now, owner="dead", lease=lease, limit=2))
    assert await life.store.write(lambda uow: uow.outbox.begin_sending(one.delivery_id, owner="dead", lease_until=life.now + lease))
    assert await life.deliver() == await life.settle() == 0
    life.wait(seconds=121)
    assert await life.deliver() == await life.settle() == 1
    assert sorted(state for state, _ in await outcomes(life)) == [DeliveryState.SENT, DeliveryState.UNKNOWN]


@dataclass
class _FirstDrawingBreaks:
    """A store whose first message cannot be drawn. What waits is read twice before that."""

    store: Store
    reads: int = 0

    async def read(self, work: Callable[[UnitOfWork], T]) -> T:
        self.reads += 1
        if self.reads == 3:
            raise ValueError("a bug")
        return await self.store.read(work)

    async def write(self, work: Callable[[UnitOfWork], T]) -> T:
        return await self.store.write(work)


@dataclass
class _Stolen:
    """A store with which, while a worker draws, its lease lapses and another one takes over."""

    life: Life
    store: Store = field(init=False)

    def __post_init__(self) -> None:
        self.store = self.life.store

    async def read(self, work: Callable[[UnitOfWork], T]) -> T:
        late = self.life.now + timedelta(seconds=121)
        await self.store.write(lambda uow: _steal(uow, late))
        return await self.store.read(work)

    async def write(self, work: Callable[[UnitOfWork], T]) -> T:
        return await self.store.write(work)


def _steal(uow: UnitOfWork, late: datetime) -> None:
    if uow.outbox.lapse(late):
        (queue,) = uow.outbox.queues(late)
        uow.outbox.claim(queue, late, owner="other", lease=timedelta(seconds=120), limit=1)


async def test_a_claim_lost_to_another_worker_is_not_sent(life: Life) -> None:
    await sent_to(life, "ana")
    life.store = _Stolen(life)
    await life.deliver()
    assert life.channel.sent == []


async def test_a_message_that_cannot_be_drawn_does_not_hold_up_the_others(life: Life) -> None:
    await sent_to(life, "ana", "ben")
    life.store = _FirstDrawingBreaks(life.store)
    await life.deliver()
    assert len(life.channel.sent) == 1
    assert sorted(await outcomes(life)) == [(DeliveryState.FAILED, "could not be drawn: ValueError"), (DeliveryState.SENT, None)]


SECONDS = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("error", "attempt", "expected"),
    [
        (Throttled("429"), 1, Again(at=NOW + PAUSE, reason="Throttled: 429", pause_until=NOW + PAUSE)),
        (Throttled("429", retry_after=7), 9, Again(at=NOW + 7 * SECONDS, reason="Throttled: 429", pause_until=NOW + 7 * SECONDS)),
        (Unavailable("503"), 1, Again(at=NOW + 20 * SECONDS, reason="Unavailable: 503", pause_until=NOW + 10 * SECONDS)),
        (Unavailable("503"), 3, Again(at=NOW + 80 * SECONDS, reason="Unavailable: 503", pause_until=NOW + 40 * SECONDS)),
        (Unavailable("503"), 99, Again(at=NOW + 2 * LONGEST_BACKOFF, reason="Unavailable: 503", pause_until=NOW + LONGEST_BACKOFF)),
        (
            Unavailable("503", retry_after=3600),
            1,
            Again(at=NOW + 3610 * SECONDS, reason="Unavailable: 503", pause_until=NOW + 3600 * SECONDS),
        ),
        (Unauthorized("401"), 1, Again(at=NOW + 2 * BROKEN_PAUSE, reason="Unauthorized: 401", pause_until=NOW + BROKEN_PAUSE)),
        (Ambiguous("lost"), 1, Lost(until=NOW + SETTLING, reason="Ambiguous: lost", pause_until=NOW + PAUSE)),
        (Forbidden("not this one"), 1, Ended(state=DeliveryState.FAILED, reason="Forbidden: not this one")),
        (Malformed("what?"), 1, Ended(state=DeliveryState.FAILED, reason="Malformed: what?")),
        (Gone("away"), 1, Ended(state=DeliveryState.FAILED, reason="Gone: away")),
    ],
)
def test_the_retry_policy(error: SurveybotError, attempt: int, expected: Again | Ended) -> None:
    assert after_error(error, attempt, NOW) == expected


async def test_reminders_are_delivered_like_invitations(life: Life) -> None:
    await life.join("ana")
    life.source.put()
    life.source.send("EMD_1", {"CID_1": ANA}, link_expires_at=NOW + 2 * DAY)
    await life.baseline()
    life.wait(hours=24)
    await life.remind()
    await life.deliver()
    ((user, page),) = life.channel.sent
    assert (user, page.title) == ("ana", "Survey closes soon")
