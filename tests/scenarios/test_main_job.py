"""The main job, end to end: a survey is sent in Qualtrics, its people hear of it in their chat and answer with one button."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TypeVar

import pytest

from adapters.sandbox.qualtrics.faults import Faults
from adapters.sandbox.serving import serving
from adapters.web import web
from bot.delivering.delivery import deliver_due
from bot.errors import Unavailable
from bot.messages import DeliveryState
from bot.ports import Store, UnitOfWork
from tests.contract.core.dying import Killed
from tests.scenarios.house import ADA, BJOERN, DMITRI, SURVEY, House
from tests.scenarios.in_slack import SlackHouse

T = TypeVar("T")


async def test_from_the_mail_to_the_answer(house: House) -> None:
    """Invited, opened, reminded once a day before the end, answered by the button, thanked in place, gone from the list."""
    await house.look()
    assert house.seen(ADA) == house.seen(BJOERN) == [], "what was there at first is no news"
    survey_id = house.send(ADA, BJOERN, expires_in=timedelta(hours=48))
    await house.look()
    assert house.titles(ADA) == house.titles(BJOERN) == ["New survey"]
    [link] = house.seen(ADA)[0].links
    assert link == house.inside.tenant.personal_link(ADA, survey_id)
    assert SURVEY in await house.visit(link, finish=False)
    await house.later(hours=23)
    assert house.titles(ADA) == ["New survey"]
    await house.later(hours=1.01)
    assert house.titles(ADA) == house.titles(BJOERN) == ["New survey", "Survey closes soon"]
    await house.later(hours=1)
    listed = await house.ask(ADA, "list")
    assert len(house.titles(ADA)) == 2 + house.seen(ADA).count(listed)
    assert all(name in listed.text for name in (SURVEY, "Engagement pulse"))

    await house.visit(link, finish=True)
    await house.later(minutes=1)
    await house.later(seconds=30)
    assert [(said.title, said.is_edited, said.links) for said in house.about(ADA)[:2]] == [("Thank you", True, [])] * 2
    assert SURVEY not in (await house.ask(ADA, "list")).text
    assert SURVEY in (await house.ask(BJOERN, "list")).text


async def test_nobody_is_told_of_what_is_no_news_or_over(house: House) -> None:
    """Reminders by mail, test mails, generated links, what was answered by mail, deactivated, or is anonymous and close to its end."""
    distribution_id = house.inside.tenant.send_survey(name=SURVEY, emails=[ADA, BJOERN], expires_in=timedelta(hours=48))
    survey_id = house.inside.tenant.distribution(distribution_id).survey_id
    closed = house.send(DMITRI, name="Old news", expires_in=timedelta(hours=48))
    secret = house.inside.tenant.create_survey("Whistle", is_anonymized=True)
    house.inside.tenant.send_survey(secret, emails=[DMITRI], expires_in=timedelta(hours=48), link_type="Anonymous")
    await house.look()
    house.inside.tenant.remind(distribution_id)
    await house.later(minutes=5)
    house.inside.tenant.move(ADA, survey_id, "SurveyFinished")
    house.inside.tenant.answer_anonymously(secret)
    house.inside.tenant.test_mail(survey_id)
    house.inside.tenant.generate_links(survey_id)
    house.inside.tenant.deactivate(closed)
    await house.look()
    await house.later(hours=25)
    await house.later(minutes=1)
    assert house.titles(ADA) == ["Thank you"]
    assert house.titles(BJOERN)[1:] == ["Survey closes soon"]
    assert house.titles(DMITRI, "Whistle") == ["New survey"]
    [old] = house.about(DMITRI, "Old news")
    await house.come_by(DMITRI)
    await house.later(seconds=30)
    assert house.titles(DMITRI, "Old news") == ["Survey closed"]
    assert old.links != house.about(DMITRI, "Old news")[0].links == []
    assert "Old news" not in (await house.ask(DMITRI, "list")).text


async def test_who_cannot_be_reached_is_counted_with_the_reason_and_told_once_they_can(house: House) -> None:
    """Also who leaves, and comes back: what falls due in between is not sent, and not lost."""
    house.send(ADA, BJOERN, *house.UNREACHABLE, expires_in=timedelta(hours=48))
    await house.look()
    store = house.bot.core.store
    assert await store.read(lambda uow: uow.outbox.reasons()) == dict.fromkeys(house.UNREACHABLE.values(), 1)
    assert (await house.counts())[DeliveryState.SENT] == 2
    await house.arrive()
    await house.look()
    assert house.titles(house.LATECOMER) == ["New survey"]

    await house.later(hours=1)
    await house.leave(BJOERN)
    await house.later(hours=24)
    await house.come_back(BJOERN)
    assert house.titles(BJOERN) == ["New survey"]
    await house.look()
    assert house.titles(ADA) == house.titles(BJOERN) == house.titles(house.LATECOMER) == ["New survey", "Survey closes soon"]


async def test_trouble_with_qualtrics_loses_nobody(house: House) -> None:
    """It is away, it throttles, a page is broken."""
    house.send(ADA)
    house.inside.tenant.faults = Faults(status=503)
    with pytest.raises(Unavailable):
        await house.sync()
    house.inside.tenant.faults = Faults(status=429, retry_after=1, times=2)
    await house.sync()
    house.send(BJOERN)
    house.inside.tenant.faults = Faults(broken_json_next=1, prefix="/distributions")
    await house.look()
    assert house.titles(ADA) == house.titles(BJOERN) == ["New survey"]


async def test_trouble_with_the_chat_delays_and_loses_nobody_and_repeats_nothing(house: House) -> None:
    """It throttles, it is away, an administrator bans the bot for a while, an answer is lost: its message stays the only one."""
    everybody = (ADA, BJOERN, DMITRI)
    house.send(*everybody)
    house.throttle(30)
    await house.look()
    waiting = {email for email in everybody if not house.titles(email)}  # what was on its way already may have arrived
    assert waiting
    await house.look()
    assert not any(house.titles(email) for email in waiting)
    await house.later(seconds=31)
    for name, trouble in (("Outage", {"is_down": True}), ("Ban", {"is_banned": True})):
        house.send(*everybody, name=name)
        house.break_off(**trouble)
        for _ in range(2):
            await house.later(minutes=1)
        assert not any(house.titles(email, name) for email in everybody)
        house.break_off()
        for _ in range(2):
            await house.later(minutes=20)
    assert all(house.titles(email, name) == ["New survey"] for email in everybody for name in (SURVEY, "Outage", "Ban"))
    house.send(ADA, name="Lost")
    house.lose()
    await house.look()
    for _ in range(2):
        await house.later(hours=1)
    assert house.titles(ADA, "Lost") == ["New survey"]
    assert await house.counts() == {DeliveryState.SENT: 9, DeliveryState.UNKNOWN: 1}


@dataclass
class DyingStore:
    """The store of a process that dies as soon as something is so: nothing is written by it after that."""

    store: Store
    is_so: Callable[[], bool]

    async def read(self, work: Callable[[UnitOfWork], T]) -> T:
        return await self.store.read(work)

    async def write(self, work: Callable[[UnitOfWork], T]) -> T:
        if self.is_so():
            raise Killed
        return await self.store.write(work)


async def dies_sending(house: House, name: str) -> None:
    """A process dies as soon as one of its messages has arrived, and before it could write that down."""
    await house.sync()
    dying = DyingStore(house.bot.core.store, lambda: any(house.titles(email, name) for email in (ADA, BJOERN, DMITRI)))
    with pytest.raises(Killed):
        await deliver_due(replace(house.bot.sender, store=dying))


async def test_bots_side_by_side_and_one_after_another_tell_nobody_twice(house: House) -> None:
    """Two replicas work at the same time, and hear nothing twice; one dies with messages on their way; the other goes on."""
    everybody = [ADA, BJOERN, DMITRI]
    house.send(*everybody, expires_in=timedelta(hours=48))
    async with house.another() as replica, serving(web(replica)) as url:
        await house.sync()
        await asyncio.gather(house.bot.deliver(), replica.deliver())
        assert all(house.titles(email) == ["New survey"] for email in everybody)
        assert await house.hear_again(ADA, house.inside.bot_url, url, url) == 1

        house.send(*everybody, name="Fatal")
        await dies_sending(house, "Fatal")
        for _ in range(2):
            house.inside.clock.advance(timedelta(minutes=10))
            await house.look(replica)
        told = [house.titles(email, "Fatal") for email in everybody]
        assert all(titles in ([], ["New survey"]) for titles in told)
        assert told.count([]) < (await house.counts())[DeliveryState.UNKNOWN], "what may have arrived is not repeated"
        house.inside.clock.advance(timedelta(hours=24))
        await house.look(replica)
    assert all(house.titles(email) == ["New survey", "Survey closes soon"] for email in everybody)


@pytest.mark.only("History")
async def test_where_the_bot_may_read_what_it_said_it_finds_out_what_arrived(slack: SlackHouse) -> None:
    slack.workspace.scopes.add("im:history")
    slack.send(ADA)
    slack.lose()
    await slack.look()
    await slack.later(minutes=2)
    slack.send(ADA, BJOERN, DMITRI, name="Fatal")
    await dies_sending(slack, "Fatal")
    for _ in range(3):
        await slack.later(minutes=20)
    assert slack.titles(ADA) == ["New survey"]
    assert all(slack.titles(email, "Fatal") == ["New survey"] for email in (ADA, BJOERN, DMITRI))
    assert await slack.counts() == {DeliveryState.SENT: 4}
