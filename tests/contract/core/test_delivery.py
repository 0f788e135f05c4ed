"""Delivery over a real database: each message once, the truth at send time, and every outcome kept with its reason."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TypeVar

import pytest

from bot.delivery import LONGEST_BACKOFF, PAUSE, Again, Ended, after_error
from bot.errors import Ambiguous, Gone, Malformed, Rejected, SurveybotError, Throttled, Unauthorized, Unavailable
from bot.messages import DeliveryState, MemberKind, Unreachable
from bot.page import PrivatePage, Respond
from bot.ports import Store, UnitOfWork
from tests.contract.core.conftest import Life
from tests.unit.core.examples import DAY, NOW

ANA = "ana@acme.example"
T = TypeVar("T")


async def sent_to(life: Life, *names: str, join: bool = True) -> None:
    """A survey sent to people after the baseline, in the outbox."""
    await life.baseline()
    if join:
        await life.join(*names)
    life.source.survey()
    life.source.send("EMD_1", {f"CID_{name}": f"{name}@acme.example" for name in names})
    await life.sync()


async def outcomes(life: Life) -> list[tuple[DeliveryState, str | None]]:
    return [(delivery.state, delivery.reason) for delivery in await life.deliveries()]


async def test_each_person_gets_one_message_with_their_own_link(life: Life) -> None:
    await sent_to(life, "ana", "ben")
    assert await life.deliver() == (2, None)
    assert await life.deliver() == (0, None)
    links: dict[str, str] = {}
    for user, page in life.channel.sent:
        assert isinstance(page, PrivatePage)
        (links[user],) = [element.link.url for element in page.elements if isinstance(element, Respond)]
    assert links == {name: f"https://acme.qualtrics.com/jfe/form/SV_1?Q_CHL=email&Q_DL=EMD_1_CID_{name}" for name in ("ana", "ben")}
    assert await outcomes(life) == [(DeliveryState.SENT, None)] * 2
    (first, _) = await life.deliveries()
    assert first.message is not None
    assert (first.message.workspace_id, first.message.channel_id, first.message.message_id) == ("T1", "Dana", "1")


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
    life.allow_guests = True
    await sent_to(life, "ana", join=False)
    await life.join("ana", kind=MemberKind.GUEST)
    await life.deliver()
    assert [user for user, _ in life.channel.sent] == ["ana"]


async def test_an_invitation_whose_link_is_not_known_fails_visibly(life: Life) -> None:
    await life.baseline()
    await life.join("ana")
    life.source.survey()
    life.source.send("EMD_1", {"CID_1": ANA})
    for table in (life.source.rows, life.source.addresses):
        entry = table["EMD_1"]["CID_1"]
        object.__setattr__(entry, "url", None)
    await life.sync()
    await life.deliver()
    assert await outcomes(life) == [(DeliveryState.FAILED, "Qualtrics has not told a personal link")]


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
    assert len(life.channel.sent) == sends
    ((found, _),) = await outcomes(life)
    assert found is state


async def test_a_failure_says_why(life: Life) -> None:
    await sent_to(life, "ana")
    life.channel.errors = [Rejected("invalid_blocks")]
    await life.deliver()
    assert await outcomes(life) == [(DeliveryState.FAILED, "Rejected: invalid_blocks")]


async def test_a_throttled_channel_pauses_everybody_and_loses_nobody(life: Life) -> None:
    await sent_to(life, "ana", "ben", "cleo")
    life.channel.errors = [Throttled("429", retry_after=30)]
    assert await life.deliver() == (0, NOW + timedelta(seconds=30))
    life.wait(seconds=29)
    assert await life.deliver() == (0, None)
    life.wait(seconds=1)
    assert await life.deliver() == (3, None)
    assert sorted(user for user, _ in life.channel.sent) == ["ana", "ben", "cleo"]


async def test_a_sender_that_died_before_the_call_is_replaced_and_one_that_died_in_it_is_not_repeated(life: Life) -> None:
    await sent_to(life, "ana", "ben")
    lease = timedelta(seconds=120)
    one, _ = await life.store.write(lambda uow: uow.outbox.claim(life.now, owner="dead", lease=lease, limit=2))
    assert await life.store.write(lambda uow: uow.outbox.begin_sending(one.delivery_id, owner="dead", lease_until=life.now + lease))
    assert await life.deliver() == (0, None)
    life.wait(seconds=121)
    assert await life.deliver() == (1, None)
    assert sorted(state for state, _ in await outcomes(life)) == [DeliveryState.SENT, DeliveryState.UNKNOWN]


@dataclass
class _FirstReadBreaks:
    """A store whose first message cannot be drawn."""

    store: Store
    broken: bool = False

    async def read(self, work: Callable[[UnitOfWork], T]) -> T:
        if not self.broken:
            self.broken = True
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
        await self.store.write(lambda uow: uow.outbox.claim(late, owner="other", lease=timedelta(seconds=120), limit=1))
        return await self.store.read(work)

    async def write(self, work: Callable[[UnitOfWork], T]) -> T:
        return await self.store.write(work)


async def test_a_claim_lost_to_another_worker_is_not_sent(life: Life) -> None:
    await sent_to(life, "ana")
    life.store = _Stolen(life)
    await life.deliver()
    assert life.channel.sent == []


async def test_a_message_that_cannot_be_drawn_does_not_hold_up_the_others(life: Life) -> None:
    await sent_to(life, "ana", "ben")
    life.store = _FirstReadBreaks(life.store)
    await life.deliver()
    assert len(life.channel.sent) == 1
    assert sorted(await outcomes(life)) == [(DeliveryState.FAILED, "could not be drawn: ValueError"), (DeliveryState.SENT, None)]


@pytest.mark.parametrize(
    ("error", "attempt", "expected"),
    [
        (Throttled("429"), 1, Again(at=NOW + PAUSE, reason="Throttled: 429", pauses_all=True)),
        (Throttled("429", retry_after=7), 9, Again(at=NOW + timedelta(seconds=7), reason="Throttled: 429", pauses_all=True)),
        (Unavailable("503"), 1, Again(at=NOW + timedelta(seconds=10), reason="Unavailable: 503")),
        (Unavailable("503"), 3, Again(at=NOW + timedelta(seconds=40), reason="Unavailable: 503")),
        (Unavailable("503"), 99, Again(at=NOW + LONGEST_BACKOFF, reason="Unavailable: 503")),
        (Unavailable("503", retry_after=3600), 1, Again(at=NOW + timedelta(hours=1), reason="Unavailable: 503")),
        (Ambiguous("lost"), 1, Ended(state=DeliveryState.UNKNOWN, reason="Ambiguous: lost")),
        (Malformed("what?"), 1, Ended(state=DeliveryState.FAILED, reason="Malformed: what?")),
        (Gone("away"), 1, Ended(state=DeliveryState.FAILED, reason="Gone: away")),
    ],
)
def test_the_retry_policy(error: SurveybotError, attempt: int, expected: Again | Ended) -> None:
    assert after_error(error, attempt, NOW) == expected


async def test_reminders_are_delivered_like_invitations(life: Life) -> None:
    await life.join("ana")
    life.source.survey()
    life.source.send("EMD_1", {"CID_1": ANA}, link_expires_at=NOW + 2 * DAY)
    await life.baseline()
    life.wait(hours=24)
    await life.remind()
    await life.deliver()
    ((user, page),) = life.channel.sent
    assert (user, page.title) == ("ana", "Survey closes soon")
