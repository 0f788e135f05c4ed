"""What is posted to channels is read by members alone: it is looked at when a channel is subscribed, and again before each post."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.channels.announcing import announce_due
from bot.channels.looking import FRESH, looked
from bot.channels.posting import LEASE, UNSEEN_PAUSE, Poster, post_due
from bot.deep_links import DeepLinks
from bot.errors import Forbidden, Gone, Rejected, ShutOut, Throttled, Unauthorized, Unavailable
from bot.messages import Conversation, DeliveryState, Member, MemberKind, Readership, Request, Surface
from bot.page import Action
from bot.ports import Store
from bot.subscriptions import Feature, Paused, Subscription
from cards.plain import plain_text
from tests.contract.core.channels import HERE, Channel, said
from tests.contract.core.conftest import OLGA, Channels, Life, RecordingChannel

OTHERS = (Readership.OUTSIDERS, Readership.GUESTS, Readership.UNKNOWN)
TITLE = "Not in this channel"


async def stored(life: Life) -> list[Subscription]:
    return list(await life.store.read(lambda uow: uow.subscriptions.all()))


@pytest.mark.parametrize(
    ("readership", "why", "words"),
    [
        (Readership.OUTSIDERS, Paused.OUTSIDERS, "people of other organisations read the channel"),
        (Readership.GUESTS, Paused.GUESTS, "guests read the channel"),
    ],
)
async def test_where_others_read_along_by_now_nothing_is_posted_and_the_creator_is_told_once(
    channels: Channels, readership: Readership, why: Paused, words: str
) -> None:
    life = channels.life
    for subject in ("SV_1", "all"):
        await channels.subscribe(subject=subject)
    channels.send(days=30)
    life.channel.readerships.append(readership)
    for _ in range(3):
        assert await channels.look() == []
        life.wait(hours=1)
    assert [it.paused for it in await stored(life)] == [why, why]
    assert [(who, page.title) for who, page in life.channel.sent] == [("olga", "Subscription paused")] * 2, "of each subscription"
    assert words in plain_text(life.channel.sent[0][1])
    await life.store.write(lambda uow: [uow.subscriptions.resume(it.subscription_id) for it in uow.subscriptions.all()])
    channels.count(finished=80)
    assert await channels.look() == ["Milestone reached"], "they have left, and somebody has pressed the button"


async def test_what_nobody_can_tell_is_held_back_until_somebody_can_and_the_creator_is_told_once(channels: Channels) -> None:
    life = channels.life
    await channels.subscribe(Feature.LAUNCH, Feature.MILESTONES)
    channels.send(days=30)
    life.channel.readerships += [Readership.UNKNOWN] * 2
    for _ in range(2):
        assert await channels.look() == []
        assert await channels.look() == []
        life.wait(seconds=UNSEEN_PAUSE.total_seconds())
    assert [(who, page.title) for who, page in life.channel.sent] == [("olga", "Posts wait")]
    assert [it.paused for it in await stored(life)] == [None]
    assert await channels.look() == ["Survey sent"]


@pytest.mark.parametrize("error", [Throttled("429", retry_after=90), Unavailable("down"), Unauthorized("token"), ValueError("a bug")])
async def test_a_look_that_fails_puts_off_the_post_and_nothing_else(channels: Channels, error: Exception) -> None:
    """Nobody else in the workspace waits for it, and nobody is told anything."""
    life = channels.life
    await channels.subscribe(Feature.LAUNCH)
    await channels.subscribe(Feature.LAUNCH, channel="C2")
    channels.send(days=30)
    life.channel.readerships.append(error)
    assert await channels.look() == ["Survey sent"]
    life.wait(hours=1)
    assert await channels.tell() == ["Survey sent"]
    assert life.channel.sent == []
    assert [it.paused for it in await stored(life)] == [None, None]


@pytest.mark.parametrize(("error", "why"), [(Gone("archived"), Paused.ARCHIVED), (ShutOut("removed"), Paused.REMOVED)])
async def test_a_look_finds_dead_ends_as_a_post_does(channels: Channels, error: Exception, why: Paused) -> None:
    await channels.subscribe(Feature.LAUNCH)
    channels.send(days=30)
    channels.life.channel.readerships.append(error)
    assert await channels.look() == []
    assert [it.paused for it in await stored(channels.life)] == [why]
    assert await channels.states() == {DeliveryState.FAILED, DeliveryState.SENT}, "the post, and what its creator is told"


async def test_posts_of_one_moment_cost_one_look_and_later_ones_another(channels: Channels, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.channels.posting._SECTIONS", 1)
    life = channels.life
    await channels.subscribe(Feature.LAUNCH)
    await channels.subscribe(Feature.LAUNCH, subject="all")
    poster = Poster(life.sender, DeepLinks())

    async def told(*numbers: int) -> tuple[int, int]:
        for number in numbers:
            channels.send(f"SV_{number}", f"EMD_{number}", days=30)
        await life.sync()
        await announce_due(life.store, life.reach, life.now)
        await post_due(poster)
        return len(life.channel.posted), life.channel.looks

    assert await told(1, 2, 3) == (3, 1)
    life.now += FRESH - timedelta(seconds=1)
    assert await told(4) == (4, 1)
    life.now += timedelta(seconds=1)
    life.channel.readerships += [Readership.GUESTS]
    assert await told(5) == (4, 2)


async def test_what_a_long_look_made_old_is_drawn_anew(channels: Channels) -> None:
    """Whoever subscribed the first channel loses their rights meanwhile, and the survey that the other one is told of closes."""
    life = channels.life
    await channels.subscribe(Feature.LAUNCH)
    await channels.subscribe(Feature.LAUNCH, channel="C2")
    channels.send(days=30)

    async def last(place: Conversation) -> None:
        life.channel.during_look = None
        assert place.channel_id == "C1"
        life.wait(seconds=LEASE.total_seconds() + 1)
        await life.store.write(lambda uow: uow.users.save("main", [replace(OLGA, email="else@acme.example")]))

    life.channel.during_look = last
    assert await channels.look() == []
    assert await channels.states() == {DeliveryState.SKIPPED}


async def test_a_long_look_holds_up_no_other_workspace(channels: Channels) -> None:
    life, there = channels.life, Conversation(workspace_id="T2", channel_id="C9")
    olga = Member(workspace_id="T2", user_id="olga", kind=MemberKind.MEMBER, email=OLGA.email)
    await life.store.write(lambda uow: uow.members.save([olga]))
    it = await channels.subscribe(Feature.LAUNCH)
    await life.store.write(lambda uow: uow.subscriptions.add(replace(it, conversation=there)))
    channels.send(days=30)
    elsewhere = asyncio.Event()

    async def look(place: Conversation) -> None:
        if place == there:
            elsewhere.set()
        else:
            async with asyncio.timeout(30):
                await elsewhere.wait()

    life.channel.during_look = look
    assert await channels.look() == ["Survey sent"] * 2


@pytest.fixture
async def channel(store: Store) -> Channel:
    return await Channel(store).open()


@pytest.mark.parametrize("readership", OTHERS)
async def test_a_channel_that_others_read_is_not_subscribed_and_whoever_asks_is_told_what_to_do(
    channel: Channel, readership: Readership
) -> None:
    channel.readership = readership
    refused = [await channel.types("ola", f"subscribe {what}") for what in ("Team pulse", "all launch")]
    assert {page.title for page in refused} == {TITLE}
    assert "channel" in said(refused[0])
    assert (await channel.types("emp", "subscribe all")).title == "For survey owners"
    assert (await channel.types("gus", "subscribe all")).title == "For members only"
    assert await channel.subscriptions() == []


@pytest.mark.parametrize("readership", OTHERS)
async def test_nor_does_it_go_on_or_is_taken_over_there(channel: Channel, readership: Readership) -> None:
    await channel.types("ola", "subscribe Team pulse")
    (it,) = await channel.subscriptions()
    for why, label in ((Paused.GUESTS, "Post again"), (Paused.CREATOR_LEFT, "Take over")):
        await channel.store.write(lambda uow, why=why: uow.subscriptions.pause(it.subscription_id, why))
        listed = await channel.types("ola", "list")
        channel.readership = readership
        assert (await channel.presses("adm", listed, label)).title == TITLE
        assert [(each.paused, each.creator_id) for each in await channel.subscriptions()] == [(why, "ola")]
        channel.readership = Readership.MEMBERS
        assert (await channel.presses("adm", listed, label)).title == "Subscribed"


async def test_it_is_looked_for_whoever_may_see_surveys_and_what_cannot_be_found_out_now_forbids_nothing(channel: Channel) -> None:
    chat = RecordingChannel()

    async def found(who: str, verb: str = "subscription.add") -> Readership | None:
        request = Request(member=channel.members[who], action=Action(verb=verb), surface=Surface.SHARED, conversation=HERE)
        assert await looked(chat, channel.store, replace(request, conversation=None)) == replace(request, conversation=None)
        return (await looked(chat, channel.store, request)).readership

    chat.readerships.append(Readership.GUESTS)
    assert await found("ola") is Readership.GUESTS
    for error in (Throttled("429"), Unavailable("down"), Unauthorized("token"), Forbidden("no"), Rejected("no"), ShutOut("not in it yet")):
        chat.readerships.append(error)
        assert await found("ola") is None
    looks = chat.looks
    assert [await found(who) for who in ("emp", "gus", "far")] == [None] * 3
    assert await found("ola", "subscriptions.list") is None
    assert chat.looks == looks
