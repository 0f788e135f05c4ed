"""Words and buttons, as people use them, over HTTP as the chat signs it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.scenarios.house import ADA, BJOERN, GUEST, LINK_MARK, SURVEY, House, buttons
from tests.scenarios.in_slack import SlackHouse


async def test_in_a_shared_place_only_the_asker_sees_answers_and_the_link_is_handed_over(house: House) -> None:
    survey_id = house.send(ADA)
    await house.look()
    for number, place in enumerate((house.CHANNEL, house.GROUP), start=2):
        await house.open(place)
        listed = await house.ask(ADA, "surveys", place)
        assert SURVEY in listed.text
        shown = await house.press(ADA, listed, "Details", place, about=survey_id)
        assert "Status" in shown.text
        assert (await house.press(ADA, shown, "Respond in private", place)).title == "Sent to you"
        assert len(house.seen(ADA)) == number
        assert house.seen(ADA)[-1].links == [house.inside.tenant.personal_link(ADA, survey_id)]
        assert house.seen(BJOERN, place) == house.posts(place) == []
        assert LINK_MARK not in str(house.seen(ADA, place))


async def test_in_ones_own_chat_one_thing_leads_to_another_and_nothing_to_what_is_of_others(house: House) -> None:
    """Details with the button, back to the list, page by page; tampered buttons show nothing of others, old ones are said to be old."""
    survey_id = house.send(ADA)
    secret = house.send(BJOERN, name="Board only")
    await house.look()
    [told] = house.seen(ADA)
    details = await house.press(ADA, told, "Details")
    assert details.links == [house.inside.tenant.personal_link(ADA, survey_id)]
    assert (await house.press(ADA, details, "My active surveys")).title == "My active surveys"
    for verb, data, title in (("survey.show", {"survey": secret}, "Survey not available"), ("of.yesterday", {}, "Out of date")):
        answer = await house.forge(ADA, verb, data)
        assert title in answer
        assert "Board only" not in answer

    for number in range(21):
        house.inside.tenant.send_survey(name=f"Pulse {number:02d}", emails=[ADA], expires_in=timedelta(days=1))
    await house.sync()
    first = await house.ask(ADA, "list")
    second = await house.press(ADA, first, "Next page")
    assert all(f"Pulse {number:02d}" in first.text + second.text for number in range(21))
    assert (await house.press(ADA, second, "Previous page")).text == first.text


async def test_words_are_understood_or_said_not_to_be_and_names_do_nothing(house: House) -> None:
    name = "<!channel> <at>Ada</at> *bold* [click](https://evil.example) <https://evil.example|click> & {{DATE(2026-12-24T16:00:00Z)}}"
    house.send(ADA, name=name)
    await house.look()
    house.assert_does_nothing(house.seen(ADA)[0], name)
    house.assert_does_nothing(await house.ask(ADA, "list"), name)
    assert (await house.ask(ADA, "help")).title == "Surveybot help"
    unknown = await house.ask(ADA, "surveis <!channel>")
    assert "surveis" in unknown.text
    assert "<!channel>" not in str(unknown.drawn)
    assert "bold" in await house.fill_in(ADA, "find", "Find", words="bold")
    assert (await house.ask(GUEST, "list")).title == "For members only"


async def test_who_wants_to_hear_nothing_hears_nothing_until_they_do(house: House) -> None:
    """It is kept what they are asked: in their list it stands all the same."""
    assert "Your settings are saved." in await house.fill_in(ADA, "settings", "Save", told=[])
    house.send(ADA, BJOERN)
    await house.look()
    assert (house.titles(ADA), house.titles(BJOERN)) == ([], ["New survey"])
    assert SURVEY in (await house.ask(ADA, "list")).text
    assert "Your settings are saved." in await house.fill_in(ADA, "settings", "Save", told=["new_surveys", "reminders"])
    await house.look()
    assert "New survey" in house.titles(ADA)


async def test_who_waits_for_an_answer_gets_it_after_a_moments_trouble_or_hears_that_it_may_have_been_lost(house: House) -> None:
    house.refuse_replies()
    assert (await house.ask(ADA, "help")).title == "Surveybot help"
    for place in (None, house.CHANNEL):
        before = house.seen(ADA, place)
        house.lose(is_reply=True)
        await house.ask(ADA, "help", place)
        await house.until(lambda place=place, before=before: len(house.seen(ADA, place)) == len(before) + 2)
        assert [said.title for said in house.seen(ADA, place)[-2:]] == ["Surveybot help", "Did it arrive?"]


@pytest.mark.only("Home")
async def test_the_home_tab_shows_the_list_and_the_way_to_answer(slack: SlackHouse) -> None:
    """And a direct message between two people is no place for it."""
    survey_id = slack.send(ADA, expires_in=timedelta(hours=1))
    await slack.look()
    user_id, homes = slack.user(ADA).user_id, slack.workspace.homes
    await slack.sender.open_home(user_id)
    await slack.until(lambda: user_id in homes)
    details = next(found for found in buttons(homes[user_id]["blocks"]) if survey_id in found.get("value", ""))
    await slack.sender.press(user_id, action_id=details["action_id"])
    await slack.until(lambda: slack.inside.tenant.personal_link(ADA, survey_id) in str(homes[user_id]))
    slack.talk_to_each_other(ADA, BJOERN, "D_PEOPLE")
    listed = await slack.ask(ADA, "list", "D_PEOPLE")
    assert LINK_MARK not in str(await slack.press(ADA, listed, "Details", "D_PEOPLE"))
