"""Delivery: claim what is due, draw it at send time, send it outside any transaction, record what became of it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot import pages, rules
from bot.errors import Ambiguous, SurveybotError, Throttled, Unauthorized, Unavailable, loggable
from bot.events import EventKind
from bot.messages import Delivery, DeliveryState, Member, MessageRef, Unreachable
from bot.model import PersonalLink
from bot.page import PrivatePage
from bot.pages import Reader
from bot.ports import Channel, Store, UnitOfWork
from bot.rules import Participation, State

#: A claim lives longer than a send can take: HTTP time-out 10 s and 60 s for a provider that accepts late (reference performance.md 7.1).
LEASE = timedelta(seconds=120)
#: Without a `Retry-After`, a throttled sender pauses this long.
PAUSE = timedelta(seconds=30)
#: With broken credentials nothing gets better quickly.
BROKEN_PAUSE = timedelta(minutes=5)
LONGEST_BACKOFF = timedelta(minutes=15)

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """The delivery is over."""

    state: DeliveryState
    reason: str | None = None
    message: MessageRef | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Again:
    """Nothing was sent; try once more at `at`. `pauses_all`: no other send of this channel is worth trying before that."""

    at: datetime
    reason: str
    pauses_all: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """A message, drawn for its one reader."""

    member: Member
    page: PrivatePage


Outcome = Ended | Again


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """One worker's way to send. `owner` is unique among all workers of all processes."""

    store: Store
    channel: Channel
    clock: Callable[[], datetime]
    owner: str
    allow_guests: bool = False


async def deliver_due(sender: Sender, *, limit: int = 20) -> tuple[int, datetime | None]:
    """Send up to `limit` due deliveries. Returns how many were settled, and until when to pause (None = go on)."""
    now = sender.clock()
    for done, delivery in enumerate(claimed := await sender.store.write(lambda uow: _claim(uow, sender.owner, now, limit))):
        outcome = await _deliver(sender, delivery)
        if isinstance(outcome, Again) and outcome.pauses_all:
            await _put_back(sender, claimed[done + 1 :], outcome)
            return done, outcome.at
    return len(claimed), None


def after_error(error: SurveybotError, attempt: int, now: datetime) -> Outcome:
    """The whole retry policy. `attempt` counts from 1; what is repeated was certainly not sent (reference performance.md 7.3)."""
    reason = f"{type(error).__name__}: {error}"
    match error:
        case Throttled():
            pause = timedelta(seconds=error.retry_after) if error.retry_after is not None else PAUSE
            return Again(at=now + pause, reason=reason, pauses_all=True)
        case Unavailable():
            backoff = min(timedelta(seconds=5) * 2 ** min(attempt, 10), LONGEST_BACKOFF)
            return Again(at=now + max(backoff, timedelta(seconds=error.retry_after or 0)), reason=reason)
        case Unauthorized():
            return Again(at=now + BROKEN_PAUSE, reason=reason, pauses_all=True)
        case Ambiguous():
            return Ended(state=DeliveryState.UNKNOWN, reason=reason)
        case _:
            return Ended(state=DeliveryState.FAILED, reason=reason)


def prepare(uow: UnitOfWork, delivery: Delivery, now: datetime, *, allow_guests: bool) -> Ready | Ended:
    """Draw a delivery as things stand now, or end it: answered or closed meanwhile, nobody to write to, no link to give."""
    survey = uow.surveys.get(delivery.integration_id, [delivery.survey_id]).get(delivery.survey_id)
    invitations = uow.invitations.of_people(delivery.survey_id, [delivery.person_id]).get(delivery.person_id, ())
    asked = rules.participation(survey, invitations, now) if survey else None
    if asked is None or asked.state is not State.OPEN:
        return Ended(state=DeliveryState.SKIPPED, reason=f"the survey is {asked.state if asked else 'gone'} for this person")
    email = uow.people.email(delivery.person_id)
    member = rules.addressee(uow.members.by_email(email) if email else (), allow_guests=allow_guests)
    if isinstance(member, Unreachable):
        return Ended(state=DeliveryState.UNREACHABLE, reason=member)
    link = uow.invitations.link(asked.invitation)
    if link is None:
        return Ended(state=DeliveryState.FAILED, reason="Qualtrics has not told a personal link")
    return Ready(member=member, page=_DRAW[delivery.kind](asked, link, Reader.of(member)))


_DRAW: dict[EventKind, Callable[[Participation, PersonalLink, Reader], PrivatePage]] = {
    EventKind.SURVEY_INVITED: pages.new_survey,
    EventKind.SURVEY_CLOSING: pages.closing_survey,
}


def _claim(uow: UnitOfWork, owner: str, now: datetime, limit: int) -> Sequence[Delivery]:
    if lost := uow.outbox.abandon_lapsed(now):
        log.warning("delivery.unknown", extra={"deliveries": lost, "cause": "a sender died in mid-call"})
    return uow.outbox.claim(now, owner=owner, lease=LEASE, limit=limit)


async def _deliver(sender: Sender, delivery: Delivery) -> Outcome | None:
    """Settle one delivery; None when the claim was lost to another worker."""
    now = sender.clock()
    try:
        prepared = await sender.store.read(lambda uow: prepare(uow, delivery, now, allow_guests=sender.allow_guests))
    except Unavailable:
        raise
    except Exception as error:  # noqa: BLE001 - one message that cannot be drawn must not hold up the others
        log.error("delivery.not_drawn", extra={"delivery": delivery.delivery_id, **loggable(error)})  # noqa: TRY400 - a traceback quotes data
        prepared = Ended(state=DeliveryState.FAILED, reason=f"could not be drawn: {type(error).__name__}")
    if isinstance(prepared, Ended):
        await _record(sender, delivery, prepared)
        return prepared
    lease_until = now + LEASE
    if not await sender.store.write(
        lambda uow: uow.outbox.begin_sending(delivery.delivery_id, owner=sender.owner, lease_until=lease_until)
    ):
        return None
    try:
        outcome: Outcome = Ended(state=DeliveryState.SENT, message=await sender.channel.send(prepared.member, prepared.page))
    except SurveybotError as error:
        outcome = after_error(error, delivery.attempt + 1, sender.clock())
    except Exception as error:  # noqa: BLE001 - as above; whether it left the house is not known
        log.error("delivery.broken", extra={"delivery": delivery.delivery_id, **loggable(error)})  # noqa: TRY400 - as above
        outcome = Ended(state=DeliveryState.UNKNOWN, reason=f"sending broke: {type(error).__name__}")
    await _record(sender, delivery, outcome)
    return outcome


async def _record(sender: Sender, delivery: Delivery, outcome: Outcome) -> None:
    now = sender.clock()
    ids = {"delivery": delivery.delivery_id, "kind": str(delivery.kind), "survey": delivery.survey_id}
    match outcome:
        case Ended(state=state, reason=reason, message=message):
            log.info("delivery.ended", extra={**ids, "state": str(state), "reason": reason})
            await sender.store.write(lambda uow: uow.outbox.finish(delivery.delivery_id, state, now, reason=reason, message=message))
        case Again(at=at, reason=reason):
            log.warning("delivery.again", extra={**ids, "at": at.isoformat(), "reason": reason})
            await sender.store.write(lambda uow: uow.outbox.retry(delivery.delivery_id, at, reason))


async def _put_back(sender: Sender, rest: Sequence[Delivery], cause: Again) -> None:
    def put_back(uow: UnitOfWork) -> None:
        for delivery in rest:
            uow.outbox.retry(delivery.delivery_id, cause.at, cause.reason)

    await sender.store.write(put_back)
