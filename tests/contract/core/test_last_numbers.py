"""Where a survey ends: its last numbers are read after that, told once, and forgotten for good."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.errors import Unavailable
from bot.page import Moment
from bot.posts import MEMORY
from bot.subscriptions import Feature
from cards.plain import plain_text
from tests.contract.core.conftest import Channels, facts
from tests.unit.core.examples import DAY, NOW


async def test_a_survey_that_is_sent_once_more_after_its_end_is_followed_to_its_next_end(channels: Channels) -> None:
    life = channels.life
    await channels.subscribe(Feature.CLOSED)
    life.source.put(name="Pulse")
    assert await channels.look() == [], "it is not sent yet"
    channels.send(days=1)
    await channels.look()
    life.wait(days=2)
    assert await channels.look() == ["Survey closed"]
    channels.send(distribution_id="EMD_2", days=1)
    assert await channels.look() == []
    life.wait(days=2)
    assert await channels.look() == ["Survey closed"]
    assert await channels.look() == []


async def test_last_numbers_are_read_after_the_end_by_a_look_that_is_asked_for(channels: Channels) -> None:
    """Its answers until the last moment count, though no look at the tenant came between; whoever closes it by hand waits no longer."""
    life = channels.life
    for number in (1, 2):
        channels.send(f"SV_{number}", f"EMD_{number}", days=30)
        await channels.subscribe(Feature.RESULTS, subject=f"SV_{number}")
    life.source.put("SV_1", name="Pulse SV_1", ends_at=life.now + DAY)
    await channels.look()
    life.wait(days=1)
    channels.count(finished=83)
    assert await channels.tell() == []
    assert await channels.tell() == []
    assert await channels.follow_hints() == ["SV_1"]
    assert await channels.tell() == ["Final numbers"]
    assert {("Completed", "80 or more"), ("As of", str(Moment(life.now)))} <= set(facts(channels.newest()))

    life.source.put("SV_2", name="Pulse SV_2", is_active=False)
    channels.count("EMD_2", finished=51)
    assert await channels.look() == [], "that look did not count its answers any more"
    assert await channels.follow_hints() == ["SV_2"]
    assert await channels.tell() == ["Final numbers"]
    assert ("Completed", "50 or more") in facts(channels.newest())
    life.wait(hours=1)
    assert await channels.look() == []
    assert await channels.follow_hints() == []


async def test_where_last_numbers_cannot_be_read_those_of_before_the_end_are_told_as_such_an_hour_later(channels: Channels) -> None:
    life = channels.life
    await channels.subscribe(Feature.RESULTS)
    channels.send(days=30)
    life.source.put(ends_at=life.now + DAY)
    channels.count(finished=40)
    await channels.look()
    life.source.errors["distributions SV_1"] = Unavailable("down")
    life.wait(days=1, minutes=59)
    assert await channels.look() == []
    life.wait(minutes=1)
    assert await channels.tell() == ["Final numbers"]
    assert "could not read Qualtrics" in plain_text(channels.newest())
    assert ("As of", str(Moment(NOW))) in facts(channels.newest())


@pytest.mark.parametrize("subject", ["SV_1", "all"])
async def test_what_was_told_of_a_survey_and_is_forgotten_is_not_told_again_though_it_comes_back(channels: Channels, subject: str) -> None:
    """What comes after its return is news: another milestone, another end."""
    life = channels.life
    await channels.subscribe(Feature.LAUNCH, Feature.MILESTONES, Feature.CLOSED, subject=subject)
    channels.send(days=2)
    channels.count(finished=60)
    assert await channels.look() == ["News of your surveys"]
    life.wait(days=3)
    assert await channels.look() == ["Survey closed"]

    life.now += MEMORY + DAY
    await life.sync()
    assert await life.store.write(lambda uow: uow.posts.forget(life.now - MEMORY)) == 5
    assert await channels.look() == []
    known = life.source.sent["EMD_1"]
    life.source.sent["EMD_1"] = replace(known, link_expires_at=life.now + 9 * DAY)
    assert [await channels.look(), await channels.look()] == [[], []]
    channels.count(finished=80)
    assert await channels.look() == ["Milestone reached"]
    life.wait(days=10)
    assert await channels.look() == ["Survey closed"]
