"""What holds in Slack holds in Teams: the main job, asking, and Qualtrics' events, end to end on both databases."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from adapters.app import open_bot
from adapters.sandbox.demo import INTEGRATION
from adapters.sandbox.people import entra_id
from adapters.sandbox.qualtrics.faults import Faults
from adapters.sandbox.teams.tenant import Fault, LostAnswer
from bot.errors import Unavailable
from bot.messages import DeliveryState
from bot.syncing.sync import Kind
from tests.scenarios.conftest import ADA, BJOERN, DMITRI, GUEST, LINK_MARK, SURVEY
from tests.scenarios.in_teams import GENERAL, IN_NO_CHAT, OFFSITE, WITHOUT_APP, TeamsHouse, buttons, links, teams_house

#: What the answers are made of is read on both databases by `tests/contract`.
on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
async def house(database_url: str, log: list[str]) -> AsyncIterator[TeamsHouse]:
    async with teams_house(database_url, log) as opened:
        yield opened


async def test_from_the_mail_to_the_answer(house: TeamsHouse) -> None:
    """Invited, opened, reminded once a day before the end, answered by the button, thanked in place, gone from the list."""
    await house.look()
    assert house.sees(ADA) == house.sees(BJOERN) == [], "what was there at first is no news"
    survey_id = house.send(ADA, BJOERN, expires_in=timedelta(hours=48))
    await house.look()
    assert house.titles(ADA) == house.titles(BJOERN) == ["New survey"]
    [invited] = house.sees(ADA)
    [link] = links(invited.card)
    assert link == house.inside.tenant.personal_link(ADA, survey_id)
    assert SURVEY in await house.visit(link, finish=False)
    await house.later(hours=23)
    assert house.titles(ADA) == ["New survey"]
    await house.later(hours=1.01)
    assert house.titles(ADA) == house.titles(BJOERN) == ["New survey", "Survey closes soon"]
    await house.later(hours=1)
    assert len(house.titles(ADA)) == 2
    assert SURVEY in (await house.ask(ADA, "surveys")).summary
    assert "Engagement pulse" in house.sees(ADA)[-1].summary

    await house.visit(link, finish=True)
    house.inside.clock.advance(timedelta(minutes=1))
    await house.sync()
    reminder = house.about(ADA)[1]
    assert (await house.look_at(ADA, reminder)).title == "Thank you", "before any edit, because its reader looks"
    assert not house.about(ADA)[1].is_edited
    await house.later(seconds=30)
    assert [(seen.title, seen.is_edited, links(seen.card)) for seen in house.about(ADA)[:2]] == [("Thank you", True, [])] * 2
    assert SURVEY not in (await house.ask(ADA, "surveys")).summary
    assert house.titles(BJOERN)[-1] == "Survey closes soon"


async def test_nobody_is_told_of_what_is_no_news_or_over(house: TeamsHouse) -> None:
    """Reminders by mail, test mails, generated links and thank-yous; what was answered by mail or deactivated."""
    distribution_id = house.inside.tenant.send_survey(name=SURVEY, emails=[ADA, BJOERN], expires_in=timedelta(hours=48))
    survey_id = house.inside.tenant.distribution(distribution_id).survey_id
    closed = house.send(DMITRI, name="Old news", expires_in=timedelta(hours=48))
    await house.look()
    house.inside.tenant.remind(distribution_id)
    await house.later(minutes=5)
    house.inside.tenant.move(ADA, survey_id, "SurveyFinished")
    house.inside.tenant.test_mail(survey_id)
    house.inside.tenant.generate_links(survey_id)
    house.inside.tenant.deactivate(closed)
    await house.look()
    await house.later(hours=25)
    assert house.titles(ADA) == ["Thank you"]
    assert house.titles(BJOERN)[-1] == "Survey closes soon"
    [old] = house.about(DMITRI, "Old news")
    assert (await house.look_at(DMITRI, old)).title == "Survey closed"
    assert "Old news" not in (await house.ask(DMITRI, "list")).summary


async def test_who_cannot_be_reached_is_counted_with_the_reason_and_told_once_they_can(house: TeamsHouse) -> None:
    house.window.block(entra_id(BJOERN), is_blocked=True)
    house.send(ADA, BJOERN, GUEST, IN_NO_CHAT, WITHOUT_APP)
    await house.look()
    counts = await house.inside.bot.core.store.read(lambda uow: uow.outbox.counts())
    assert counts[DeliveryState.SENT] == 1
    reasons = await house.inside.bot.core.store.read(lambda uow: uow.outbox.reasons())
    assert {"guest account", "no chat account with this e-mail address"} <= reasons.keys()
    assert sum(reasons.values()) == 4
    chat = house.chat(WITHOUT_APP)
    await house.window.add_app(chat.members[0], chat.conversation_id)
    await house.until(lambda: bool(house.sees(WITHOUT_APP)))
    assert [seen.title for seen in house.sees(WITHOUT_APP)] == ["Surveybot help"]
    house.send(WITHOUT_APP, name="Second try")
    await house.look()
    assert house.titles(WITHOUT_APP, "Second try") == ["New survey"]


async def test_trouble_with_qualtrics_loses_nobody(house: TeamsHouse) -> None:
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


async def test_trouble_with_teams_delays_and_loses_nobody_and_repeats_nothing(house: TeamsHouse) -> None:
    """A 429, an outage, and an answer that was lost: the message stays the only one, and what became of it unknown."""
    house.send(ADA, BJOERN, DMITRI)
    house.teams.troubles.append(Fault(429, retry_after_s=30))
    await house.look()
    waiting = {email for email in (ADA, BJOERN, DMITRI) if not house.titles(email)}  # what was on its way already may have arrived
    assert waiting
    house.teams.trouble = Fault(503)
    for _ in range(3):
        await house.later(minutes=1)
    house.teams.trouble = None
    for _ in range(2):
        await house.later(minutes=20)
    assert all(house.titles(email) == ["New survey"] for email in (ADA, BJOERN, DMITRI))
    house.send(ADA, name="Lost")
    house.teams.troubles.append(LostAnswer())
    await house.look()
    for _ in range(3):
        await house.later(hours=1)
    assert house.titles(ADA, "Lost") == ["New survey"]
    counts = await house.inside.bot.core.store.read(lambda uow: uow.outbox.counts())
    assert counts == {DeliveryState.SENT: 3, DeliveryState.UNKNOWN: 1}


async def test_a_restarted_bot_goes_on_where_the_old_one_was(house: TeamsHouse) -> None:
    house.send(ADA, expires_in=timedelta(hours=48))
    await house.look()
    core = house.inside.bot.core
    assert house.inside.bot.teams is not None
    async with open_bot(core.settings, core.clock, cloud=house.inside.bot.teams.registration.cloud) as restarted:
        await restarted.core.jobs.start(INTEGRATION, Kind.FULL)
        await restarted.deliver()
        house.inside.clock.advance(timedelta(hours=25))
        await restarted.remind()
        await restarted.deliver()
    assert house.titles(ADA) == ["New survey", "Survey closes soon"]


@on_sqlite
@pytest.mark.parametrize("chat_id", [GENERAL, OFFSITE])
async def test_in_a_shared_place_only_the_asker_sees_answers_and_the_link_is_handed_over(house: TeamsHouse, chat_id: str) -> None:
    survey_id = house.send(ADA)
    await house.look()
    chat = house.teams.conversations[chat_id]
    if not chat.has_app:
        await house.window.add_app(entra_id(ADA), chat_id)
    listed = await house.ask(ADA, "surveys", chat_id)
    assert SURVEY in listed.summary
    await house.window.press(
        entra_id(ADA),
        chat_id,
        listed.message_id,
        next(b for b in buttons(listed.card) if b["data"] == {"survey": survey_id, "in": chat_id}),
        {},
    )
    await house.choose(ADA, house.sees(ADA, chat_id)[-1], "Respond in a direct message", chat_id)
    assert house.sees(ADA, chat_id)[-1].title == "Sent to you"
    [_, handed_over] = house.sees(ADA)
    assert links(handed_over.card) == [house.inside.tenant.personal_link(ADA, survey_id)]
    assert house.sees(BJOERN, chat_id) == []
    assert len(house.sees(ADA, chat_id)) == 1


@on_sqlite
async def test_in_ones_own_chat_a_card_turns_into_what_is_asked_of_it(house: TeamsHouse) -> None:
    """Details with the button, back to the list, page by page; a tampered button shows nothing of others; old ones are said to be old."""
    survey_id = house.send(ADA)
    secret = house.send(BJOERN, name="Board only")
    await house.look()
    [message] = house.sees(ADA)
    await house.choose(ADA, message, "Details")
    [details] = house.sees(ADA)
    assert links(details.card) == [house.inside.tenant.personal_link(ADA, survey_id)]
    await house.choose(ADA, details, "My active surveys")
    assert house.sees(ADA)[0].title == "My active surveys"

    for verb, data, title in (("survey.show", {"survey": secret}, "Survey not available"), ("of.yesterday", {}, "Out of date")):
        press = {"type": "Action.Execute", "verb": verb, "data": data}
        answer = (await house.window.client.press(entra_id(ADA), press)).json()["value"]
        assert answer["body"][0]["text"] == title
        assert "Board only" not in str(answer)

    for number in range(21):
        house.inside.tenant.send_survey(name=f"Pulse {number:02d}", emails=[ADA], expires_in=timedelta(days=1))
    await house.sync()
    first = await house.ask(ADA, "list")
    second = (await house.choose(ADA, first, "Next page")).card
    assert all(f"Pulse {number:02d}" in f"{first.card}{second}" for number in range(21))


@on_sqlite
async def test_words_are_understood_or_said_not_to_be_and_names_do_nothing(house: TeamsHouse) -> None:
    name = "<at>Ada</at> *bold* [click](https://evil.example) {{DATE(2026-12-24T16:00:00Z)}}"
    house.send(ADA, name=name)
    await house.look()
    [message] = house.sees(ADA)
    assert name in "".join(run["text"] for run in message.card["body"][1]["inlines"]).replace("\u200b", ""), "a text that parses no markup"
    assert "<at>" not in message.card["fallbackText"]
    assert (await house.ask(ADA, "help")).title == "Surveybot help"
    assert "surveis" in (await house.ask(ADA, "surveis")).summary
    found = await house.choose(ADA, await house.ask(ADA, "find"), "Find", words="bold")
    assert name[13:19] in str(found.card)
    assert (await house.ask(GUEST, "list")).title == "For members only"


@on_sqlite
async def test_a_completed_response_leaves_the_list_without_a_synchronisation(house: TeamsHouse) -> None:
    await house.inside.push()
    survey_id = house.send(ADA, BJOERN)
    await house.look()
    await house.inside.courier.send_all()
    house.inside.clock.advance(timedelta(minutes=10))
    await house.visit(house.inside.tenant.personal_link(ADA, survey_id), finish=True)
    assert [sent.status for sent in await house.inside.courier.send_all()] == [200]
    house.inside.clock.advance(timedelta(seconds=5))
    await house.inside.bot.core.refresher.refresh_due()
    assert SURVEY not in (await house.ask(ADA, "list")).summary
    assert SURVEY in (await house.ask(BJOERN, "list")).summary
    assert LINK_MARK not in house.sees(BJOERN)[-1].summary
