"""Channels in Slack and in Teams subscribe to surveys, and are told how they go: every part is real but the three services."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from adapters.sandbox.demo import sandbox
from adapters.sandbox.people import entra_id
from adapters.sandbox.teams.window import Window
from bot.syncing.sync import Kind
from tests.scenarios.conftest import House
from tests.sides import in_slack

PEOPLE_TEAM, GENERAL = "C002", "19:general@thread.tacv2"
WISH = "subscribe Town* launch milestones closing closed results"


@pytest.fixture
async def both(database_url: str) -> AsyncIterator[House]:
    async with sandbox(database_url, has_teams=True) as inside:
        now = inside.clock()
        inside.clock.advance((now + timedelta(days=7 - now.weekday())).replace(hour=10, minute=0) - now)  # a Monday, in working hours
        await in_slack(inside.bot).directory_reader.read(inside.workspace.team_id)
        built = House(inside)
        await built.sync(Kind.FULL)
        yield built
        assert inside.workspace.refused == []


def posts(house: House) -> list[str]:
    """What the bot said in Slack's channel."""
    messages, bot = house.inside.workspace.conversations[PEOPLE_TEAM].messages.values(), house.inside.workspace.bot_user_id
    return [it.text for it in messages if it.sender == bot and it.only_for is None]


def in_slack_channel(house: House) -> list[str]:
    """The first line of each."""
    return [text.splitlines()[0] for text in posts(house)]


def in_teams_channel(teams: Window) -> list[str]:
    messages = teams.client.tenant.conversations[GENERAL].messages.values()
    return [it["summary"].splitlines()[0] for it in messages if it.get("summary") and "recipient" not in it]


async def tell(house: House, **span: float) -> None:
    """Some time goes by, and the timers do their work once."""
    house.inside.clock.advance(timedelta(**span))
    await house.sync()
    await house.inside.bot.announce()
    await house.inside.bot.post()


async def test_both_channels_are_told_from_the_first_sending_to_the_final_numbers(both: House) -> None:
    inside, teams = both.inside, both.inside.teams
    assert teams
    olivia, _, admin = inside.tenant.users
    answer = await inside.sender.command("U902", PEOPLE_TEAM, "/survey-stats", WISH)
    assert answer.status == 200
    await teams.say(entra_id(admin.email), f"@Surveybot {WISH}", GENERAL)
    subscribed = ["New subscription"]
    while not (in_slack_channel(both) == subscribed and in_teams_channel(teams) == subscribed):
        await inside.bot.post()
        await inside.workspace.wait_for_change(0)

    await tell(both, minutes=1)
    everybody = [email for email in inside.tenant.emails() if email]
    survey_id = inside.tenant.create_survey("Town hall", owner_id=olivia.user_id)
    inside.tenant.send_survey(survey_id, expires_in=timedelta(days=2))
    told = [*subscribed, "Survey sent"]
    await tell(both)
    assert (in_slack_channel(both), in_teams_channel(teams)) == (told, told)
    for email in everybody[: len(everybody) * 2 // 3]:
        inside.tenant.move(email, survey_id, "SurveyFinished")
    told.append("Milestone reached")
    await tell(both, hours=1)
    assert (in_slack_channel(both), in_teams_channel(teams)) == (told, told)
    for title in ("Active survey stats", "News of your surveys"):
        told.append(title)
        await tell(both, days=1)
        assert (in_slack_channel(both), in_teams_channel(teams)) == (told, told)
    assert "Final numbers" in posts(both)[-1]
    await tell(both, days=1)
    assert (in_slack_channel(both), in_teams_channel(teams)) == (told, told)
