"""Sends what is written down for channels and owners: claim, draw as things are then, send once, record.

There are few of them, so one loop serves all workspaces, each at its own pace; what is due in one place at once becomes one message.
"""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import uuid4

from bot.channels import succession
from bot.channels.looking import Lookout
from bot.channels.post_drawing import Drawn, draw
from bot.deep_links import DeepLinks
from bot.delivering.delivery import Sender
from bot.delivering.outcomes import Again, Lost, after_error
from bot.errors import Forbidden, Gone, ShutOut, SurveybotError, Unavailable, loggable
from bot.messages import Conversation, DeliveryState, Member, MessageRef, Readership
from bot.page import Page
from bot.pages.posts import Section, post
from bot.ports import UnitOfWork
from bot.posts import OWNER, News, Post
from bot.subscriptions import PROBLEM_SHARE, Paused
from bot.uninterrupted import to_its_end

LEASE = timedelta(seconds=120)
#: What is claimed at once, and the sections of one message.
_AT_ONCE, _SECTIONS = 50, 5
#: Until it is looked again who reads a channel, where that cannot be seen: by trouble, and because something must be put right.
_LOOK_PAUSE, UNSEEN_PAUSE = timedelta(minutes=1), timedelta(hours=1)
_READ_BY = {Readership.GUESTS: Paused.GUESTS, Readership.OUTSIDERS: Paused.OUTSIDERS}
#: Channels are never read (that takes `channels:history` in Slack; Teams has nothing like it), so a lost answer stays lost.
UNREPEATED = "not repeated: everybody in the channel would see it twice, and its numbers are in /survey-stats"

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Poster:
    """One process's way to post: that of its direct messages, whose pauses it shares."""

    sender: Sender
    links: DeepLinks
    #: Of subscriptions that name none.
    problem_share: float = PROBLEM_SHARE
    lookout: Lookout = field(default_factory=Lookout)


@dataclass(frozen=True, slots=True)
class _Message:
    posts: tuple[Post, ...]
    to: Conversation | Member
    page: Page

    @property
    def ids(self) -> list[int]:
        return [each.post_id for each in self.posts]

    @property
    def owner(self) -> str:
        """Who claimed them."""
        return self.posts[0].owner or ""


async def post_due(poster: Poster) -> int:
    """Send what is due until nothing is left, or what is left must wait. Returns how many posts ended."""
    sender, ended = poster.sender, 0
    while True:
        now, owner = sender.clock(), f"{sender.owner}:{uuid4().hex[:8]}"
        claimed = await sender.store.write(lambda uow, now=now, owner=owner: _claim(uow, now, owner))
        if not claimed:
            return ended
        messages, dropped = await sender.store.read(lambda uow, now=now, claimed=claimed: _prepare(uow, poster, claimed, now))
        for each, reason in dropped.items():
            await _end(sender, (each,), DeliveryState.SKIPPED, reason)
        await _deliver_all(poster, messages, now + LEASE)
        ended += len(claimed)


def _claim(uow: UnitOfWork, now: datetime, owner: str) -> Sequence[Post]:
    uow.posts.lapse(now, f"the sender stopped in the middle of a call; {UNREPEATED}")
    return uow.posts.claim(now, owner=owner, lease=LEASE, limit=_AT_ONCE)


def _prepare(uow: UnitOfWork, poster: Poster, claimed: Sequence[Post], now: datetime) -> tuple[list[_Message], Mapping[Post, str]]:
    """Draw all of them; what is not to be said any more is dropped, with the reason. So is what another one there says already."""
    places: dict[Conversation | Member, list[tuple[Post, Drawn]]] = {}
    dropped: dict[Post, str] = {}
    said: set[tuple[object, ...]] = set()
    for each in claimed:
        drawn = draw(uow, each, poster.links, poster.sender.reach, now, problem_share=poster.problem_share)
        if isinstance(drawn, str):
            dropped[each] = drawn
            continue
        what = (drawn.to, *_said(each.news))
        if what in said or (each.news.survey_id and _is_said(uow, each, drawn.to)):
            dropped[each] = "another post there says the same"
            continue
        said.add(what)
        places.setdefault(drawn.to, []).append((each, drawn))
    return [message for to, drawn in places.items() for message in _messages(to, drawn)], dropped


def _said(news: News) -> tuple[object, ...]:
    """What makes a post one of its own: it is drawn as things are now, so two weeks, or how often problems doubled, read the same."""
    if not news.survey_id:
        return news.kind, news.subscription_id
    return news.kind, news.survey_id, news.mark.partition(":")[0]


def _is_said(uow: UnitOfWork, one: Post, to: Conversation | Member) -> bool:
    """By another subscription of the same channel, whose turn was earlier."""
    theirs = uow.subscriptions.of_conversation(to) if isinstance(to, Conversation) else ()
    others = {each.subscription_id for each in theirs} - {one.news.subscription_id}
    return bool(others) and uow.posts.is_told(one.news, others)


def _messages(to: Conversation | Member, drawn: Sequence[tuple[Post, Drawn]]) -> Iterable[_Message]:
    for each, it in drawn:
        if isinstance(it.says, Page):
            yield _Message((each,), to, it.says)
    sections = [(each, it.says, it.reader) for each, it in drawn if isinstance(it.says, Section)]
    for start in range(0, len(sections), _SECTIONS):
        some = sections[start : start + _SECTIONS]
        yield _Message(tuple(each for each, _, _ in some), to, post([says for _, says, _ in some], some[0][2]))


async def _deliver_all(poster: Poster, messages: Sequence[_Message], until: datetime) -> None:
    """Deliver until the claim ends; what is left then is drawn anew. To look who reads a large channel holds up its own workspace alone."""
    lanes: defaultdict[str, list[_Message]] = defaultdict(list)
    for message in messages:
        lanes[message.to.workspace_id].append(message)

    async def deliver(lane: Sequence[_Message]) -> None:
        for message in lane:
            await _deliver(poster, message, until)

    try:
        async with asyncio.TaskGroup() as group:
            for lane in lanes.values():
                group.create_task(deliver(lane))
    except BaseExceptionGroup as errors:
        raise errors.exceptions[0] from errors


async def _deliver(poster: Poster, message: _Message, until: datetime) -> None:
    sender, workspace_id = poster.sender, message.to.workspace_id
    if sender.clock() > until:
        return
    if sender.is_paused(workspace_id):
        await _later(sender, message, sender.paused[workspace_id], "its workspace is in trouble")
        return
    if isinstance(message.to, Conversation) and not await _may_be_read(poster, message, message.to):
        return
    now = sender.clock()
    if now > until:  # what was true and allowed when it was drawn may not be any more
        return
    lease_until = now + LEASE
    if await sender.store.write(lambda uow: uow.posts.begin_sending(message.ids, owner=message.owner, lease_until=lease_until)):
        await to_its_end(_send(sender, message))


async def _may_be_read(poster: Poster, message: _Message, place: Conversation) -> bool:
    """Look who reads along now: where it is not those whom it is for, nothing leaves the house."""
    sender = poster.sender
    try:
        readership = await poster.lookout.look(sender.channel, place, sender.clock)
    except Gone as error:
        await _failed(sender, message, error)
        return False
    except Exception as error:  # noqa: BLE001 - whatever it was, nobody has seen who reads there
        pause = timedelta(seconds=error.retry_after or 0) if isinstance(error, Unavailable) else UNSEEN_PAUSE
        log.warning("post.not_looked", extra={"post": message.posts[0].post_id, **loggable(error)})
        await _later(sender, message, sender.clock() + max(pause, _LOOK_PAUSE), "who reads there was not found out")
        return False
    if readership is Readership.UNKNOWN:
        await _later(sender, message, sender.clock() + UNSEEN_PAUSE, "nobody can tell who reads there")
        await sender.store.write(succession.held(place, sender.clock()))
    elif readership is not Readership.MEMBERS:
        await _end(sender, message.posts, DeliveryState.SKIPPED, f"read by {readership}")
        await sender.store.write(succession.lost(_READ_BY[readership], place, sender.clock()))
    return readership is Readership.MEMBERS


async def _later(sender: Sender, message: _Message, at: datetime, reason: str) -> None:
    await sender.store.write(lambda uow: uow.posts.retry(message.ids, at, reason, owner=message.owner))


async def _send(sender: Sender, message: _Message) -> None:
    try:
        sent = await _sent(sender, message)
    except SurveybotError as error:
        await _failed(sender, message, error)
    except Exception as error:  # noqa: BLE001 - as above; whether it left the house is not known
        log.error("post.broken", extra={"post": message.posts[0].post_id, **loggable(error)})  # noqa: TRY400 - as above
        await _end(sender, message.posts, DeliveryState.UNKNOWN, f"sending broke: {type(error).__name__}; {UNREPEATED}")
    else:
        await _end(sender, message.posts, DeliveryState.SENT, message=sent)


async def _sent(sender: Sender, message: _Message) -> MessageRef:
    key = message.posts[0].key
    if isinstance(message.to, Conversation):
        return await sender.channel.post(message.to, message.page, key)
    await sender.channel.turn(message.to)
    return await sender.channel.send(message.to, message.page, key)


async def _failed(sender: Sender, message: _Message, error: SurveybotError) -> None:
    now = sender.clock()
    outcome = after_error(error, max(each.attempt for each in message.posts) + 1, now)
    if outcome.pause_until is not None:
        sender.pause(message.to.workspace_id, outcome.pause_until)
    match outcome:
        case Again(at=at, reason=reason):
            log.warning("post.again", extra={"posts": message.ids, "at": at.isoformat(), "reason": reason})
            await _later(sender, message, at, reason)
        case Lost(reason=reason):
            await _end(sender, message.posts, DeliveryState.UNKNOWN, f"{reason}; {UNREPEATED}")
        case _:
            await _end(sender, message.posts, DeliveryState.FAILED, f"{type(error).__name__}: {error}")
    if isinstance(message.to, Conversation) and (why := _dead_end(error)) is not None:
        await sender.store.write(succession.lost(why, message.to, now))


def _dead_end(error: SurveybotError) -> Paused | None:
    match error:
        case ShutOut():
            return Paused.REMOVED
        case Gone():
            return Paused.ARCHIVED
        case Forbidden():
            return Paused.FORBIDDEN
        case _:
            return None


async def _end(
    sender: Sender, posts: Sequence[Post], state: DeliveryState, reason: str | None = None, message: MessageRef | None = None
) -> None:
    now, owner, ids = sender.clock(), posts[0].owner or "", [each.post_id for each in posts]
    log.info("post.ended", extra={"posts": ids, "kinds": [str(each.news.kind) for each in posts], "state": str(state), "reason": reason})

    def work(uow: UnitOfWork) -> None:
        uow.posts.finish(ids, state, now, owner=owner, reason=reason, message=message)
        for subscription_id in {each.news.subscription_id for each in posts if state is DeliveryState.SENT} - {OWNER}:
            uow.subscriptions.posted(subscription_id, now)

    await sender.store.write(work)
