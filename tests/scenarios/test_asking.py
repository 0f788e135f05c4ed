"""Commands, buttons and the Home tab, as people use them, over signed HTTP."""

from __future__ import annotations

from datetime import timedelta

import pytest
import stamina

from adapters.sandbox.slack.faults import LostAnswer, RateLimited, Status
from adapters.sandbox.slack.workspace import ConversationKind
from tests.scenarios.conftest import ADA, BJOERN, GUEST, LINK_MARK, House, button, buttons

#: What the answers are made of is read on both databases by `tests/contract`.
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


async def test_in_a_channel_the_link_is_handed_over_into_the_direct_message(house: House) -> None:
    survey_id = house.send(ADA)
    await house.look()
    listed = await house.command(ADA)
    assert listed.only_for == house.user(ADA)
    details = next(b for b in buttons(listed.blocks) if survey_id in b.get("value", ""))
    await house.inside.sender.press(house.user(ADA), action_id=details["action_id"], channel_id="C001", ts=listed.ts)
    await house.until(lambda: "Status" in house.seen(ADA, "C001")[-1].text)
    shown = house.seen(ADA, "C001")[-1]
    assert LINK_MARK not in str(shown)

    await house.press(ADA, shown, "Respond in a direct message", "C001")
    await house.until(lambda: "direct message" in house.seen(ADA, "C001")[-1].text)
    (_, handed_over) = house.seen(ADA)
    assert button(handed_over.blocks, "Respond in Qualtrics")["url"] == house.inside.tenant.personal_link(ADA, survey_id)
    assert house.seen(BJOERN, "C001") == []


async def test_in_the_direct_message_details_hold_the_button(house: House) -> None:
    survey_id = house.send(ADA)
    await house.look()
    (message,) = house.seen(ADA)
    await house.press(ADA, message, "Details", house.dm(ADA))
    notification, details = house.seen(ADA)
    assert notification == message
    assert button(details.blocks, "Respond in Qualtrics")["url"] == house.inside.tenant.personal_link(ADA, survey_id)
    await house.press(ADA, details, "My active surveys", house.dm(ADA))
    await house.until(lambda: house.titles(ADA, "")[-1] == "My active surveys")


async def test_a_direct_message_between_two_people_is_not_private(house: House) -> None:
    house.send(ADA)
    await house.look()
    members = [house.user(ADA), house.user(BJOERN)]
    house.inside.workspace.add_channel("D_PEOPLE", "directmessage", kind=ConversationKind.DIRECT, members=members)
    listed = await house.command(ADA, channel_id="D_PEOPLE")
    await house.press(ADA, listed, "Details", "D_PEOPLE")
    assert LINK_MARK not in str(house.seen(ADA, "D_PEOPLE"))


async def test_the_home_tab_shows_the_list_and_the_way_to_answer(house: House) -> None:
    survey_id = house.send(ADA, expires_in=timedelta(hours=1))
    await house.look()
    user = house.user(ADA)
    await house.inside.sender.open_home(user)
    await house.until(lambda: user in house.inside.workspace.homes)
    home = house.inside.workspace.homes[user]
    details = next(b for b in buttons(home["blocks"]) if survey_id in b.get("value", ""))
    await house.inside.sender.press(user, action_id=details["action_id"])
    link = house.inside.tenant.personal_link(ADA, survey_id)
    await house.until(lambda: link in str(house.inside.workspace.homes[user]))


async def test_somebody_elses_survey_is_not_shown_by_a_tampered_button(house: House) -> None:
    secret = house.send(BJOERN, name="Board only")
    house.send(ADA)
    await house.look()
    message = house.seen(ADA)[0]
    details = button(message.blocks, "Details")
    details["value"] = details["value"].replace(details["value"].split('"')[3], secret)
    await house.press(ADA, message, "Details", house.dm(ADA))
    answer = house.seen(ADA)[-1]
    assert answer.text.splitlines()[0] == "Survey not available"
    assert "Board only" not in str(answer)


async def test_a_button_nobody_knows_is_answered_politely(house: House) -> None:
    house.send(ADA)
    await house.look()
    message = house.seen(ADA)[0]
    button(message.blocks, "Details")["value"] = "not json"
    await house.press(ADA, message, "Details", house.dm(ADA))
    assert house.titles(ADA, "")[-1] == "Out of date"


async def test_help_and_unknown_words(house: House) -> None:
    assert (await house.command(ADA, "help")).text.startswith("Surveybot help")
    unknown = await house.command(ADA, "surveis <!channel>")
    assert "surveis" in unknown.text
    assert "<!channel>" not in unknown.text


async def test_an_answer_that_may_have_arrived_is_not_called_a_failure(house: House) -> None:
    house.inside.workspace.faults.add(LostAnswer(), method="response_url")
    await house.command(ADA, "help")
    await house.until(lambda: len(house.seen(ADA, "C001")) == 2)
    assert [message.text.splitlines()[0] for message in house.seen(ADA, "C001")] == ["Surveybot help", "Did it arrive?"]


async def test_an_answer_that_slack_did_not_take_is_given_again(house: House) -> None:
    house.inside.workspace.faults.add(RateLimited(), method="response_url")
    house.inside.workspace.faults.add(Status(503), method="response_url")
    with stamina.set_testing(True, attempts=3):  # without the seconds in between
        assert (await house.command(ADA, "help")).text.startswith("Surveybot help")


async def test_paging_turns_through_everything(house: House) -> None:
    for number in range(21):
        house.inside.tenant.send_survey(name=f"Pulse {number:02d}", emails=[ADA], expires_in=timedelta(days=1))
    await house.sync()
    first = await house.command(ADA)
    await house.press(ADA, first, "Next page", "C001")
    second = house.seen(ADA, "C001")[-1]
    both = first.text + second.text
    assert all(f"Pulse {number:02d}" in both for number in range(21))
    await house.press(ADA, second, "Previous page", "C001")
    assert house.seen(ADA, "C001")[-1].text == first.text


async def test_people_without_an_address_and_guests_get_a_sentence(house: House) -> None:
    await house.inside.sender.command("U900", "C001", "/surveys")
    await house.until(lambda: bool(house.inside.workspace.sees("U900", "C001")))
    (answer,) = house.inside.workspace.sees("U900", "C001").values()
    assert answer.text.startswith("I cannot match you")
    assert (await house.command(GUEST, channel_id=house.dm(GUEST))).text.startswith("For members only")
