"""One bot in Slack and in Teams at once: channels of both are told how surveys go, and nobody is told twice."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta

import pytest

from adapters.sandbox.demo import sandbox
from bot.syncing.sync import Kind
from tests.scenarios.conftest import kept
from tests.scenarios.house import ADA, ADMIN, BJOERN, NOT_IN_SLACK, House
from tests.scenarios.in_slack import SlackHouse
from tests.scenarios.in_teams import TeamsHouse, introduced
from tests.sides import in_slack

WISH = "survey-stats subscribe Town* launch milestones closing closed results"


@dataclass(frozen=True, slots=True)
class Both:
    slack: SlackHouse
    teams: TeamsHouse

    @property
    def houses(self) -> tuple[House, House]:
        return self.slack, self.teams

    async def tell(self, **span: float) -> None:
        """Some time goes by, and the timers do their work once."""
        self.slack.inside.clock.advance(timedelta(**span))
        await self.slack.sync()
        await self.slack.bot.announce()
        await self.slack.bot.post()

    def posts(self) -> list[list[str]]:
        """What either channel was told: the first line of each."""
        return [[text.splitlines()[0] for text in house.posts(house.OWNERS)] for house in self.houses]


@pytest.fixture
async def both(database_url: str, log: list[str]) -> AsyncIterator[Both]:
    async with sandbox(database_url, has_teams=True) as inside, AsyncExitStack() as stack:
        inside.workspace.platform.patience_s = 30  # as in `slack_house`
        now = inside.clock()
        inside.clock.advance((now + timedelta(days=7 - now.weekday())).replace(hour=10, minute=0) - now)  # a Monday, in working hours
        both = Both(SlackHouse(inside), TeamsHouse(inside))
        await in_slack(inside.bot).directory_reader.read(inside.workspace.team_id)
        await both.slack.sync(Kind.FULL)
        await introduced(inside)
        for house in both.houses:
            await stack.enter_async_context(kept(house, log))
        yield both


async def test_channels_are_told_from_the_first_sending_to_the_final_numbers_and_let_go_at_their_end(both: Both) -> None:
    tenant = both.slack.inside.tenant
    for house in both.houses:
        await house.open(house.OWNERS)
        answered = await house.ask(ADMIN, WISH, house.OWNERS)
        assert ("/invite" in answered.text) == (house is both.slack), "who asks in Teams asks where the bot is"
    told = ["New subscription"]
    await both.tell()
    assert both.posts() == [told, told]

    await both.tell(minutes=1)
    everybody = [email for email in tenant.emails() if email]
    survey_id = tenant.create_survey("Town hall", owner_id=tenant.users[0].user_id)
    tenant.send_survey(survey_id, expires_in=timedelta(days=2))
    told.append("Survey sent")
    await both.tell()
    assert both.posts() == [told, told]
    for email in everybody[: len(everybody) * 2 // 3]:
        tenant.move(email, survey_id, "SurveyFinished")
    told.append("Milestone reached")
    await both.tell(hours=1)
    assert both.posts() == [told, told]
    for title in ("Active survey stats", "Final numbers"):
        told.append(title)
        await both.tell(days=1)
        assert both.posts() == [told, told]
    assert all("is closed" in house.posts(house.OWNERS)[-1] for house in both.houses)
    await both.tell(days=1)
    assert both.posts() == [told, told]

    for house in both.houses:
        await house.lose_channel(house.OWNERS)
    tenant.send_survey(name="Town meeting", expires_in=timedelta(days=2))
    for _ in range(2):
        await both.tell(hours=1)
    assert both.posts() == [told, told]
    for house, words in zip(both.houses, ("type /survey-stats list there", "type @Surveybot list there"), strict=True):
        [paused] = house.seen(ADMIN)
        assert paused.title == "Subscription paused"
        assert words in paused.text


async def test_where_others_come_to_read_along_channels_fall_silent_until_they_have_left(both: Both) -> None:
    """Nor is a channel subscribed that they are in already; whoever subscribed is told in private, once."""
    tenant, teams = both.slack.inside.tenant, both.teams.teams
    for house, read_by_others in zip(both.houses, ("C006", both.teams.CHANNEL), strict=True):
        await house.open(house.OWNERS)
        assert (await house.ask(ADMIN, WISH, read_by_others)).title == "Not in this channel"
        await house.ask(ADMIN, WISH, house.OWNERS)
    told = ["New subscription"]
    await both.tell()
    assert both.posts() == [told, told]

    slack = both.slack.inside.workspace.conversations[both.slack.OWNERS]
    chat, guest = teams.conversations[both.teams.OWNERS], next(it.user_id for it in teams.people.values() if it.role == "guest")
    slack.is_shared = True
    chat.members.append(guest)
    survey_id = tenant.create_survey("Town hall", owner_id=tenant.users[0].user_id)
    tenant.send_survey(survey_id, expires_in=timedelta(days=30))
    for _ in range(2):
        await both.tell(hours=1)
    assert both.posts() == [told, told]
    for house, words in zip(both.houses, ("other organisations", "without guests"), strict=True):
        [paused] = house.seen(ADMIN)
        assert paused.title == "Subscription paused"
        assert words in paused.text

    slack.is_shared = False
    chat.members.remove(guest)
    await both.slack.bot.core.store.write(lambda uow: [uow.subscriptions.resume(it.subscription_id) for it in uow.subscriptions.all()])
    for email in [email for email in tenant.emails() if email][:20]:
        tenant.move(email, survey_id, "SurveyFinished")
    await both.tell(hours=1)
    assert both.posts() == [[*told, "Milestone reached"]] * 2


async def test_who_is_in_one_chat_is_told_there_and_who_is_in_both_once_where_they_were_last(both: Both) -> None:
    def told(email: str) -> list[list[str]]:
        return [house.titles(email) for house in both.houses]

    both.slack.send(ADA, NOT_IN_SLACK)
    await both.slack.look()
    assert (told(ADA), both.teams.titles(NOT_IN_SLACK)) == ([["New survey"], []], ["New survey"])
    await both.teams.ask(ADA, "help")
    await both.slack.later(minutes=1)
    both.slack.send(ADA, BJOERN, name="Town hall again")
    await both.slack.look()
    assert (told(ADA), told(BJOERN)) == ([["New survey"], ["New survey"]], [["New survey"], []])
    both.teams.chat(ADA).has_app = False
    both.slack.send(ADA, name="Town hall, at last")
    await both.slack.look()
    assert [len(titles) for titles in told(ADA)] == [2, 1]
