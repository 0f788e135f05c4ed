"""A subscription survives its creator by offering itself to the channel, and ends when nobody takes it over for 14 days."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.channels import succession
from bot.channels.succession import PATIENCE, Step, next_step
from bot.installations import Installation, Tokens
from bot.messages import MemberKind
from bot.model import User
from bot.page import Page
from bot.ports import Store
from bot.subscriptions import Paused, Subscription
from tests.contract.core.channels import HERE, Channel, said
from tests.unit.core.examples import NOW

IT = Subscription(subscription_id=1, conversation=HERE, subject="SV_1", features=frozenset(), creator_id="ola", created_at=NOW)


@pytest.mark.parametrize(
    ("offered_at", "is_entitled", "step"),
    [
        (None, True, Step.NOTHING),
        (None, False, Step.OFFER),
        (NOW, True, Step.WITHDRAW),
        (NOW, False, Step.NOTHING),
        (NOW - PATIENCE + timedelta(seconds=1), False, Step.NOTHING),
        (NOW - PATIENCE, False, Step.PAUSE),
        (NOW - PATIENCE, True, Step.WITHDRAW),
    ],
)
def test_what_is_done_next_depends_on_its_creator_and_on_how_long_the_channel_was_asked(
    offered_at: datetime | None, is_entitled: bool, step: Step
) -> None:
    assert next_step(replace(IT, offered_at=offered_at), is_entitled=is_entitled, now=NOW) is step


@given(st.lists(st.booleans(), min_size=1, max_size=60))
def test_whatever_happens_it_is_offered_before_it_is_paused_and_not_paused_before_14_days_without_anybody(days: list[bool]) -> None:
    it, without, now = IT, 0, NOW
    for is_entitled in days:
        step = next_step(it, is_entitled=is_entitled, now=now)
        without = 0 if is_entitled else without + 1
        if step is Step.PAUSE:
            assert without == PATIENCE.days + 1
            return
        assert without <= PATIENCE.days
        if step in {Step.OFFER, Step.WITHDRAW}:
            it = replace(it, offered_at=now if step is Step.OFFER else None)
        assert (it.offered_at is None) is is_entitled
        now += timedelta(days=1)


@pytest.fixture
async def channel(store: Store) -> Channel:
    made = await Channel(store).open()
    await made.types("ola", "subscribe Team pulse")
    await made.types("adm", "subscribe all closed")
    return made


async def leaves(channel: Channel, who: str, kind: MemberKind = MemberKind.DEACTIVATED) -> None:
    gone = replace(channel.members[who], kind=kind)
    await channel.store.write(lambda uow: uow.members.save([gone]))


async def review(channel: Channel) -> int:
    channel.wait(minutes=1)
    return await succession.review(channel.store, channel.now)


async def listed(channel: Channel) -> Page:
    return await channel.types("emp", "list")


async def test_the_channel_is_asked_once_and_whoever_may_see_the_survey_takes_it_over(channel: Channel) -> None:
    assert await review(channel) == 0
    await leaves(channel, "ola")
    assert [await review(channel), await review(channel)] == [1, 0]
    assert await channel.news() == [("subscribed", "SV_pulse"), ("subscribed", "all"), ("offered", "SV_pulse")]
    page = await listed(channel)
    assert "Waiting: for somebody to take it over" in said(page)
    assert "Team pulse" not in said(page)
    for who in ("emp", "max"):
        assert (await channel.presses(who, page, "Take over")).title == "Not yours to change"
    assert (await channel.presses("gus", page, "Take over")).title == "For members only"
    assert "Subscribed by: Ada Admin" in said(await channel.presses("adm", page, "Take over"))
    assert [(it.creator_id, it.offered_at) for it in await channel.subscriptions()] == [("adm", None)] * 2
    assert await review(channel) == 0
    assert (await channel.news())[-1] == ("subscribed", "SV_pulse")


async def test_after_14_days_it_is_paused_and_can_still_be_taken_over(channel: Channel) -> None:
    await leaves(channel, "ola")
    await review(channel)
    channel.wait(days=13, hours=23)
    assert await review(channel) == 0
    channel.wait(hours=1)
    assert await review(channel) == 1
    assert [it.paused for it in await channel.subscriptions()] == [Paused.CREATOR_LEFT, None]
    assert "whoever subscribed has left" in said(await listed(channel))
    assert await review(channel) == 0
    assert (await channel.presses("max", await listed(channel), "Take over")).title == "Not yours to change"
    await channel.presses("adm", await listed(channel), "Take over")
    assert [it.paused for it in await channel.subscriptions()] == [None, None]


async def test_who_comes_back_in_time_need_not_be_replaced(channel: Channel) -> None:
    await leaves(channel, "ola", MemberKind.GUEST)
    await review(channel)
    await channel.store.write(lambda uow: uow.members.save([channel.members["ola"]]))
    assert await review(channel) == 1
    assert [it.offered_at for it in await channel.subscriptions()] == [None, None]


async def test_who_lost_their_rights_but_is_still_there_is_told_when_it_ends(channel: Channel) -> None:
    stayed = [User(user_id="UR_ola", email="ola@acme.example", is_active=False)]
    await channel.store.write(lambda uow: uow.users.save("main", stayed))
    await review(channel)
    channel.wait(days=14)
    await review(channel)
    assert [it.paused for it in await channel.subscriptions()] == [Paused.NOT_ALLOWED, None]
    assert (await channel.news())[-2:] == [("offered", "SV_pulse"), ("paused", "SV_pulse")]


async def test_a_workspace_that_is_forgotten_for_a_while_has_not_left(channel: Channel) -> None:
    installed = Installation(workspace_id="T1", name="Acme", scopes=frozenset(), installed_at=NOW)
    await channel.store.write(lambda uow: uow.installations.save(installed, Tokens(access="x")))
    assert await channel.store.write(lambda uow: uow.installations.revoke("T1", NOW))
    assert await channel.store.read(lambda uow: uow.members.get("T1", "ola")) is None
    assert await review(channel) == 0


async def test_what_a_platform_tells_pauses_everything_in_that_channel_and_its_creators_are_told_once(channel: Channel) -> None:
    work = succession.lost(Paused.ARCHIVED, HERE, channel.now)
    assert [await channel.store.write(work), await channel.store.write(work)] == [2, 0]
    assert {it.paused for it in await channel.subscriptions()} == {Paused.ARCHIVED}
    assert [kind for kind, _ in await channel.news()].count("paused") == 2
    assert await review(channel) == 0
