"""Delivery: claim what is due, draw it at send time, send it outside any transaction, record what became of it.

Every workspace has a lane of its own, so that trouble in one holds up no other; a lane sends a few messages at a time, so that a slow
platform is still used to its limit (the limit itself is kept by `Channel.turn`, for all processes together).
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from uuid import uuid4

from bot import participations, rules
from bot.delivering import addressing, living
from bot.delivering.outcomes import BROKEN_PAUSE, SETTLING, Again, Ended, Lost, Moved, Outcome, after_error
from bot.delivering.queues import Turns, due_in
from bot.errors import Malformed, ShutOut, SurveybotError, Unavailable, loggable
from bot.events import EventKind
from bot.messages import Delivery, DeliveryState, Member, Queue, Reach, Showing, Unreachable
from bot.page import Page, PrivatePage
from bot.pages.reader import Reader
from bot.ports import Channel, Store, UnitOfWork
from bot.rules import Participation, State
from bot.syncing.outdating import DEBOUNCE
from bot.uninterrupted import to_its_end

#: A claim lives longer than a send can take: HTTP time-out 10 s and 60 s for a provider that accepts late (reference performance.md 7.1).
LEASE = timedelta(seconds=120)
#: How often it is looked whether Qualtrics has told a personal link by now: soon at first, at least daily.
LINK_WAITS = (timedelta(minutes=5), timedelta(days=1))
#: How often it is looked for workspaces that have something to be sent by now; seconds.
_LOOK = 2.0

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """A message, drawn for its one reader."""

    member: Member
    page: Page | PrivatePage
    showing: Showing


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """One process's way to send. `owner` is unique among all processes."""

    store: Store
    channel: Channel
    clock: Callable[[], datetime]
    owner: str
    reach: Reach = field(default_factory=Reach)
    #: Calls that a workspace may have on their way at the same time: 3 messages a second at 2.6 seconds a call.
    in_flight: int = 8
    #: Until when nothing is sent, by workspace.
    paused: dict[str | None, datetime] = field(default_factory=dict[str | None, datetime])

    def is_paused(self, workspace_id: str | None) -> bool:
        now = self.clock()
        return self.paused.get(workspace_id, now) > now

    def pause(self, workspace_id: str | None, until: datetime) -> None:
        """Of several troubles, which calls on their way meet one after the other, the longest pause holds."""
        self.paused[workspace_id] = max(until, self.paused.get(workspace_id, until))


async def deliver_due(sender: Sender) -> int:
    """Send what is due until nothing is left, or what is left must wait. Returns how many deliveries were settled."""
    lanes: dict[str | None, _Lane] = {}
    try:
        async with asyncio.TaskGroup() as group:
            while running := await _start_lanes(sender, lanes, group):
                await asyncio.wait(running, timeout=_LOOK, return_when=asyncio.FIRST_COMPLETED)
    except BaseExceptionGroup as errors:
        raise errors.exceptions[0] from errors
    return sum(lane.settled for lane in lanes.values())


def prepare(uow: UnitOfWork, delivery: Delivery, now: datetime, reach: Reach) -> Ready | Outcome:
    """Draw a delivery as things stand now, or say why not: answered or closed meanwhile, nobody to write to, no link yet."""
    asked = participations.in_survey(uow, delivery.survey_id, [delivery.person_id], now).get(delivery.person_id)
    overtaken = _overtaken(delivery, asked, now)
    if asked is None or overtaken is not None:
        return Ended(state=DeliveryState.SKIPPED, reason=overtaken)
    member = _recipient(uow, delivery, reach)
    if isinstance(member, Unreachable):
        return Ended(state=DeliveryState.UNREACHABLE, reason=member)
    if member.workspace_id != delivery.workspace_id:
        return Moved(workspace_id=member.workspace_id)
    return _drawn(uow, delivery, asked, member, now)


def _overtaken(delivery: Delivery, asked: Participation | None, now: datetime) -> str | None:
    if asked is None or asked.state is not State.OPEN:
        return f"the survey is {asked.state if asked else 'gone'} for this person"
    if delivery.kind is EventKind.SURVEY_CLOSING and not rules.closes_soon(asked, now):
        return "the survey no longer closes soon"
    return None


def _drawn(uow: UnitOfWork, delivery: Delivery, asked: Participation, member: Member, now: datetime) -> Ready | Outcome:
    try:
        link = uow.invitations.link(asked.invitation)
    except Malformed as error:  # of this link alone, perhaps: others may have been read with today's key
        return Again(at=now + 2 * BROKEN_PAUSE, reason=f"Malformed: {error}")
    if link is None:
        wait = min(max(now - delivery.created_at, LINK_WAITS[0]), LINK_WAITS[1])
        return Again(at=now + wait, reason="Qualtrics has not told a personal link")
    view = living.draw(delivery, asked, link, Reader.of(member), now)
    return Ready(member=member, page=view.page, showing=view.showing)


def _recipient(uow: UnitOfWork, delivery: Delivery, reach: Reach) -> Member | Unreachable:
    if not rules.is_wanted(delivery.kind, uow.preferences.get(delivery.person_id)):
        return Unreachable.OPTED_OUT
    return addressing.addressee(uow, delivery.person_id, reach)


async def record(sender: Sender, delivery: Delivery, outcome: Outcome) -> bool:
    """Write down what became of it; False when the delivery is somebody else's by now."""
    now = sender.clock()
    _log(delivery, outcome)
    return await sender.store.write(lambda uow: _recorded(uow, delivery, outcome, now))


async def _start_lanes(sender: Sender, lanes: dict[str | None, _Lane], group: asyncio.TaskGroup) -> list[asyncio.Task[None]]:
    """Set every workspace to work that has something to do; return all that goes on."""
    now = sender.clock()
    await sender.store.write(lambda uow: uow.outbox.lapse(now))
    for queue in await sender.store.read(lambda uow: uow.outbox.queues(now)):
        lane = lanes.setdefault(queue.workspace_id, _Lane(sender, queue.workspace_id))
        if lane.is_rested and not sender.is_paused(queue.workspace_id):
            lane.start(group)
    return [task for lane in lanes.values() for task in lane.running]


class _Lane:
    """What one workspace's senders share."""

    def __init__(self, sender: Sender, workspace_id: str | None) -> None:
        self.settled = 0
        self.running: set[asyncio.Task[None]] = set()
        self._sender = sender
        self._workspace_id = workspace_id
        self._turns = Turns()
        self._lock = asyncio.Lock()
        self._claimed: deque[Delivery] = deque()
        self._is_open = False
        self._ended_at = -_LOOK

    @property
    def is_rested(self) -> bool:
        """Whether it is time to look again: what is due may be in the hands of other processes."""
        return not self.running and asyncio.get_running_loop().time() - self._ended_at >= _LOOK

    def start(self, group: asyncio.TaskGroup) -> None:
        self._is_open = True
        for _ in range(self._sender.in_flight):
            task = group.create_task(self._work())
            self.running.add(task)
            task.add_done_callback(self.running.discard)

    async def _work(self) -> None:
        while (delivery := await self._next()) is not None:
            outcome = await _deliver(self._sender, delivery)
            if outcome is not None and outcome.pause_until is not None:
                self._sender.pause(self._workspace_id, outcome.pause_until)
            elif outcome is not None:
                self.settled += 1
        self._ended_at = asyncio.get_running_loop().time()

    async def _next(self) -> Delivery | None:
        async with self._lock:
            if self._sender.is_paused(self._workspace_id):
                await self._give_up()
            elif self._is_open and not self._claimed:
                self._claimed.extend(await self._claim())
                self._is_open = bool(self._claimed)
            return self._claimed.popleft() if self._is_open else None

    async def _claim(self) -> Sequence[Delivery]:
        """Take as many as can be on their way; all of one queue, so that queues take turns."""
        store, now = self._sender.store, self._sender.clock()
        waiting = due_in(await store.read(lambda uow: uow.outbox.queues(now)), self._workspace_id)
        while waiting:
            queue, owner = self._turns.next(waiting, now), f"{self._sender.owner}:{uuid4().hex[:8]}"
            claim = partial(_claim, queue=queue, now=now, owner=owner, limit=self._sender.in_flight)
            if claimed := await store.write(claim):
                return claimed
            waiting = [other for other in waiting if other != queue]
        return ()

    async def _give_up(self) -> None:
        """Put back what nobody has begun, by one statement: its workspace is in trouble, and another process may know of a way."""
        self._is_open = False
        if self._claimed:
            owner = self._claimed[0].owner or ""
            self._claimed.clear()
            await self._sender.store.write(lambda uow: uow.outbox.release(owner))


def _claim(uow: UnitOfWork, *, queue: Queue, now: datetime, owner: str, limit: int) -> Sequence[Delivery]:
    return uow.outbox.claim(queue, now, owner=owner, lease=LEASE, limit=limit)


async def _deliver(sender: Sender, delivery: Delivery) -> Outcome | None:
    """Settle one delivery; None when the claim was lost to another worker."""
    prepared = await _prepared(sender, delivery)
    if isinstance(prepared, Ready):
        try:
            await sender.channel.turn(prepared.member)
        except SurveybotError as error:
            prepared = after_error(error, delivery.attempt + 1, sender.clock())
    if not isinstance(prepared, Ready):
        return prepared if await record(sender, delivery, prepared) else None
    lease_until = sender.clock() + LEASE
    owner = delivery.owner or ""
    if not await sender.store.write(lambda uow: uow.outbox.begin_sending(delivery.delivery_id, owner=owner, lease_until=lease_until)):
        return None
    return await to_its_end(_send(sender, delivery, prepared))


async def _prepared(sender: Sender, delivery: Delivery) -> Ready | Outcome:
    now = sender.clock()
    try:
        return await sender.store.read(lambda uow: prepare(uow, delivery, now, sender.reach))
    except Unavailable:
        raise
    except Exception as error:  # noqa: BLE001 - one message that cannot be drawn must not hold up the others
        log.error("delivery.not_drawn", extra={"delivery": delivery.delivery_id, **loggable(error)})  # noqa: TRY400 - a traceback quotes data
        return Ended(state=DeliveryState.FAILED, reason=f"could not be drawn: {type(error).__name__}")


async def _send(sender: Sender, delivery: Delivery, ready: Ready) -> Outcome:
    try:
        message = await sender.channel.send(ready.member, ready.page, delivery.key)
        outcome: Outcome = Ended(state=DeliveryState.SENT, message=message, showing=ready.showing)
    except ShutOut as error:
        outcome = await _elsewhere(sender, delivery, error)
    except SurveybotError as error:
        outcome = after_error(error, delivery.attempt + 1, sender.clock())
    except Exception as error:  # noqa: BLE001 - as above; whether it left the house is not known
        log.error("delivery.broken", extra={"delivery": delivery.delivery_id, **loggable(error)})  # noqa: TRY400 - as above
        outcome = Lost(until=sender.clock() + SETTLING, reason=f"sending broke: {type(error).__name__}")
    await record(sender, delivery, outcome)
    return outcome


async def _elsewhere(sender: Sender, delivery: Delivery, error: ShutOut) -> Outcome:
    """Nothing was sent, and the channel has remembered that they are not reached there: perhaps they are somewhere else."""
    member = await sender.store.read(lambda uow: addressing.addressee(uow, delivery.person_id, sender.reach))
    if isinstance(member, Unreachable):
        return Ended(state=DeliveryState.UNREACHABLE, reason=member)
    if member.workspace_id == delivery.workspace_id:
        return after_error(error, delivery.attempt + 1, sender.clock())
    return Moved(workspace_id=member.workspace_id)


def _recorded(uow: UnitOfWork, delivery: Delivery, outcome: Outcome, now: datetime) -> bool:
    delivery_id, owner, outbox = delivery.delivery_id, delivery.owner or "", uow.outbox
    match outcome:
        case Ended(state=state, reason=reason, message=message, showing=showing):
            is_mine = outbox.finish(delivery_id, state, now, owner=owner, reason=reason, message=message, showing=showing)
            if is_mine and state is DeliveryState.SENT:
                uow.sent.followed(delivery_id, now + DEBOUNCE)
            if is_mine and state is DeliveryState.SENT and showing is None:
                uow.sent.look_at([delivery_id], now)
            return is_mine
        case Again(at=at, reason=reason):
            return outbox.retry(delivery_id, at, reason, owner=owner)
        case Lost(until=until, reason=reason):
            return outbox.doubt(delivery_id, until, reason, owner=owner)
        case Moved(workspace_id=workspace_id):
            return outbox.move(delivery_id, workspace_id, owner=owner)


def _log(delivery: Delivery, outcome: Outcome) -> None:
    ids = {"delivery": delivery.delivery_id, "kind": str(delivery.kind), "survey": delivery.survey_id}
    match outcome:
        case Ended(state=state, reason=reason):
            log.info("delivery.ended", extra={**ids, "state": str(state), "reason": reason})
        case Again(at=at, reason=reason):
            log.warning("delivery.again", extra={**ids, "at": at.isoformat(), "reason": reason})
        case Lost(reason=reason):
            log.warning("delivery.answer_lost", extra={**ids, "reason": reason})
        case Moved(workspace_id=workspace_id):
            log.info("delivery.moved", extra={**ids, "workspace": workspace_id})
