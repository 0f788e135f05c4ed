"""Channels, crowds and weeks: what the panel does for whoever looks at statistics and subscriptions."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.adapters.sandbox_page.conftest import World


async def channel(world: World) -> dict[str, Any]:
    [general] = [one for one in (await world.state())["workspace"]["conversations"] if one["id"] == "C1"]
    return {name: general[name] for name in ("has_bot", "is_archived")}


async def test_apps_are_forbidden_to_post_in_a_channel(world: World) -> None:
    for change, is_restricted in (("restrict", True), ("allow", False)):
        assert (await world.do(what="channel", user="U1", channel="C1", change=change)).status_code == 200
        assert world.workspace.conversations["C1"].is_restricted is is_restricted
    assert world.bot.heard == []


async def test_a_survey_is_mailed_to_one_mailing_list(world: World) -> None:
    staff = world.tenant.add_list("Field staff")
    world.tenant.add_contact("field@example.com", list_id=staff)
    assert (await world.state())["tenant"]["lists"] == [{"id": staff, "name": "Field staff", "people": 1}]
    await world.do(what="send_survey", name="Pulse", to=staff, closes_in_hours=25)
    [distribution] = next(iter(world.tenant.surveys)).distributions
    assert [row.contact.email for row in distribution.recipients] == ["field@example.com"]


async def test_the_bot_comes_to_a_channel_and_leaves_it_and_the_channel_is_archived(world: World) -> None:
    for change, event, shown in (
        ("add", "member_joined_channel", {"has_bot": True, "is_archived": False}),
        ("archive", "channel_archive", {"has_bot": True, "is_archived": True}),
        ("unarchive", "channel_unarchive", {"has_bot": True, "is_archived": False}),
        ("remove", "channel_left", {"has_bot": False, "is_archived": False}),
    ):
        assert (await world.do(what="channel", user="U1", channel="C1", change=change)).status_code == 200
        assert await channel(world) == shown
        assert json.loads(world.bot.heard[-1]["event"])["event"]["type"] == event


@pytest.mark.parametrize(("user", "channel_id", "status"), [("U2", "C1", 409), ("U1", "C9", 404), ("U9", "C1", 409)])
async def test_nobody_changes_a_channel_they_are_not_in(world: World, user: str, channel_id: str, status: int) -> None:
    answer = await world.browser.post("/sandbox/do", json={"what": "channel", "user": user, "channel": channel_id, "change": "archive"})
    assert answer.status_code == status
    assert world.bot.heard == []


async def test_many_answer_at_once_and_no_more_than_were_asked(world: World) -> None:
    await world.do(what="send_survey", name="Pulse", to="", closes_in_hours=25)
    [survey] = world.tenant.surveys
    said = [(await world.do(what="answer", survey=survey.survey_id, count=count)).json()["said"] for count in (1, 100)]
    assert said == ["1 person finished “Pulse”.", "1 person finished “Pulse”."]
    [distribution] = survey.distributions
    assert (distribution.stats["finished"], survey.responses) == (2, 2)


async def test_a_week_passes(world: World) -> None:
    before = world.clock.now()
    assert (await world.do(what="advance", hours=168)).json()["said"] == "A week passed."
    assert timedelta(days=7) <= world.clock.now() - before < timedelta(days=7, hours=1)
