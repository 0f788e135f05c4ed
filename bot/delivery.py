"""Delivery: claim what is due, draw it at send time, send it outside any transaction, record what became of it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot import pages, participations, rules
from bot.errors import Ambiguous, Forbidden, Malformed, SurveybotError, Throttled, Unauthorized, Unavailable, loggable
from bot.events import EventKind
from bot.messages import Delivery, DeliveryState, Member, MessageRef, Unreachable
from bot.model import PersonalLink
from bot.page import PrivatePage
from bot.pages.reader import Reader
from bot.ports import Channel, Store, UnitOfWork
from bot.rules import Participation, State

#: A claim lives longer than a send can take: HTTP time-out 10 s and 60 s for a provider that accepts late (reference performance.md 7.1).
LEASE = timedelta(seconds=120)
#: Without a `Retry-After`, a throttled sender pauses this long.
PAUSE = timedelta(seconds=30)
#: With broken credentials nothing gets better quickly.
BROKEN_PAUSE = timedelta(minutes=5)
LONGEST_BACKOFF = timedelta(minutes=5)
#: How often it is looked whether Qualtrics has told a personal link by now: soon at first, at least daily.
LINK_WAITS = (timedelta(minutes=5), timedelta(days=1))

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """The delivery is over."""

    state: DeliveryState
    reason: str | None = None
    message: MessageRef | None = None
    #: Nothing else is sent on this channel before.
    pause_until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Again:
    """Nothing was sent; try once more at `at`."""

    at: datetime
    reason: str
    #: As above.
    pause_until: datetime | None = None


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
        if outcome is not None and outcome.pause_until is not None:
            await _put_back(sender, claimed[done + 1 :], outcome.pause_until, outcome.reason or "")
            return done, outcome.pause_until
    return len(claimed), None


def after_error(error: SurveybotError, attempt: int, now: datetime) -> Outcome:
    """The whole retry policy. `attempt` counts from 1; what is repeated was certainly not sent (reference performance.md 7.3).

    Trouble of the whole channel pauses all of it, and whoever met it waits longer than the others: should it be their own trouble after
    all, it holds up nobody.
    """
    reason = f"{type(error).__name__}: {error}"
    match error:
        case Throttled():
            until = now + (PAUSE if error.retry_after is None else timedelta(seconds=error.retry_after))
            return Again(at=until, reason=reason, pause_until=until)
        case Unavailable():
            backoff = min(timedelta(seconds=5) * 2 ** min(attempt, 10), LONGEST_BACKOFF)
            until = now + max(backoff, timedelta(seconds=error.retry_after or 0))
            return Again(at=until + backoff, reason=reason, pause_until=until)
        case Ambiguous():
            return Ended(state=DeliveryState.UNKNOWN, reason=reason, pause_until=now + PAUSE)
        case Unauthorized() if not isinstance(error, Forbidden):
            return _broken(reason, now)
        case _:
            return Ended(state=DeliveryState.FAILED, reason=reason)


def prepare(uow: UnitOfWork, delivery: Delivery, now: datetime, *, allow_guests: bool) -> Ready | Outcome:
    """Draw a delivery as things stand now, or say why not: answered or closed meanwhile, nobody to write to, no link yet."""
    asked = participations.in_survey(uow, delivery.survey_id, [delivery.person_id], now).get(delivery.person_id)
    if asked is None or asked.state is not State.OPEN:
        return Ended(state=DeliveryState.SKIPPED, reason=f"the survey is {asked.state if asked else 'gone'} for this person")
    if delivery.kind is EventKind.SURVEY_CLOSING and not rules.closes_soon(asked, now):
        return Ended(state=DeliveryState.SKIPPED, reason="the survey no longer closes soon")
    member = _addressee(uow, delivery, allow_guests=allow_guests)
    if isinstance(member, Unreachable):
        return Ended(state=DeliveryState.UNREACHABLE, reason=member)
    try:
        link = uow.invitations.link(asked.invitation)
    except Malformed as error:  # a key is missing or wrong: everybody's trouble, and mended by the settings
        return _broken(f"Malformed: {error}", now)
    if link is None:
        wait = min(max(now - delivery.created_at, LINK_WAITS[0]), LINK_WAITS[1])
        return Again(at=now + wait, reason="Qualtrics has not told a personal link")
    return Ready(member=member, page=_DRAW[delivery.kind](asked, link, Reader.of(member)))


def _addressee(uow: UnitOfWork, delivery: Delivery, *, allow_guests: bool) -> Member | Unreachable:
    if not rules.is_wanted(delivery.kind, uow.preferences.get(delivery.person_id)):
        return Unreachable.OPTED_OUT
    email = uow.people.email(delivery.person_id)
    return rules.addressee(uow.members.by_email(email) if email else (), allow_guests=allow_guests)


_DRAW: dict[EventKind, Callable[[Participation, PersonalLink, Reader], PrivatePage]] = {
    EventKind.SURVEY_INVITED: pages.new_survey,
    EventKind.SURVEY_CLOSING: pages.closing_survey,
}


def _broken(reason: str, now: datetime) -> Again:
    """Something of ours does not work until an operator mends it: everybody waits, and whoever met it longer than the others."""
    return Again(at=now + 2 * BROKEN_PAUSE, reason=reason, pause_until=now + BROKEN_PAUSE)


def _claim(uow: UnitOfWork, owner: str, now: datetime, limit: int) -> Sequence[Delivery]:
    if lost := uow.outbox.abandon_lapsed(now):
        log.warning("delivery.unknown", extra={"deliveries": lost, "cause": "a sender died in mid-call"})
    return uow.outbox.claim(now, owner=owner, lease=LEASE, limit=limit)


async def _deliver(sender: Sender, delivery: Delivery) -> Outcome | None:
    """Settle one delivery; None when the claim was lost to another worker."""
    prepared = await _prepared(sender, delivery)
    if isinstance(prepared, Ready):
        try:
            await sender.channel.turn(prepared.member)
        except Throttled as error:
            prepared = after_error(error, delivery.attempt + 1, sender.clock())
    if not isinstance(prepared, Ready):
        return prepared if await _record(sender, delivery, prepared) else None
    lease_until = sender.clock() + LEASE
    if not await sender.store.write(
        lambda uow: uow.outbox.begin_sending(delivery.delivery_id, owner=sender.owner, lease_until=lease_until)
    ):
        return None
    sending = asyncio.create_task(_send(sender, delivery, prepared))
    try:
        return await asyncio.shield(sending)
    except asyncio.CancelledError:  # whoever stops the bot waits for the one call that has begun
        await asyncio.wait({sending})
        raise


async def _prepared(sender: Sender, delivery: Delivery) -> Ready | Outcome:
    now = sender.clock()
    try:
        return await sender.store.read(lambda uow: prepare(uow, delivery, now, allow_guests=sender.allow_guests))
    except Unavailable:
        raise
    except Exception as error:  # noqa: BLE001 - one message that cannot be drawn must not hold up the others
        log.error("delivery.not_drawn", extra={"delivery": delivery.delivery_id, **loggable(error)})  # noqa: TRY400 - a traceback quotes data
        return Ended(state=DeliveryState.FAILED, reason=f"could not be drawn: {type(error).__name__}")


async def _send(sender: Sender, delivery: Delivery, ready: Ready) -> Outcome:
    try:
        outcome: Outcome = Ended(state=DeliveryState.SENT, message=await sender.channel.send(ready.member, ready.page))
    except SurveybotError as error:
        outcome = after_error(error, delivery.attempt + 1, sender.clock())
    except Exception as error:  # noqa: BLE001 - as above; whether it left the house is not known
        log.error("delivery.broken", extra={"delivery": delivery.delivery_id, **loggable(error)})  # noqa: TRY400 - as above
        outcome = Ended(state=DeliveryState.UNKNOWN, reason=f"sending broke: {type(error).__name__}")
    await _record(sender, delivery, outcome)
    return outcome


async def _record(sender: Sender, delivery: Delivery, outcome: Outcome) -> bool:
    """Write down what became of it; False when the delivery is somebody else's by now."""
    now, delivery_id = sender.clock(), delivery.delivery_id
    ids = {"delivery": delivery_id, "kind": str(delivery.kind), "survey": delivery.survey_id}
    match outcome:
        case Ended(state=state, reason=reason, message=message):
            log.info("delivery.ended", extra={**ids, "state": str(state), "reason": reason})
            return await sender.store.write(
                lambda uow: uow.outbox.finish(delivery_id, state, now, owner=sender.owner, reason=reason, message=message)
            )
        case Again(at=at, reason=reason):
            log.warning("delivery.again", extra={**ids, "at": at.isoformat(), "reason": reason})
            return await sender.store.write(lambda uow: uow.outbox.retry(delivery_id, at, reason, owner=sender.owner))


async def _put_back(sender: Sender, rest: Sequence[Delivery], at: datetime, reason: str) -> None:
    """Give up claims of which nothing was sent; one that another worker took over meanwhile stays theirs."""

    def put_back(uow: UnitOfWork) -> None:
        for delivery in rest:
            uow.outbox.retry(delivery.delivery_id, at, reason, owner=sender.owner)

    await sender.store.write(put_back)
