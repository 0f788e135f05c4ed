"""The main job, end to end: a survey is sent in Qualtrics, its people hear of it in Slack and answer with one button."""

from __future__ import annotations

from datetime import timedelta

import httpx
import pytest

from adapters.app import open_bot
from adapters.sandbox.demo import INTEGRATION
from adapters.sandbox.qualtrics.faults import Faults
from adapters.sandbox.slack.faults import LostAnswer, RateLimited
from bot.errors import Unavailable
from bot.messages import DeliveryState
from bot.syncing.sync import Kind
from tests.scenarios.conftest import ADA, BJOERN, DEACTIVATED, DMITRI, GUEST, NOT_IN_SLACK, STRANGER, House, button, buttons, texts
from tests.sides import in_slack


async def test_from_the_mail_to_the_answer(house: House) -> None:
    """Invited, opened, reminded once a day before the end, answered by the button, gone from the list."""
    assert house.titles(ADA) == house.titles(BJOERN) == []
    survey_id = house.send(ADA, BJOERN, expires_in=timedelta(hours=48))
    await house.look()
    assert house.titles(ADA) == house.titles(BJOERN) == ["New survey"]

    link = button(house.seen(ADA)[0].blocks, "Respond in Qualtrics")["url"]
    assert link == house.inside.tenant.personal_link(ADA, survey_id)
    assert "Town hall" in await house.visit(link, finish=False)
    await house.later(hours=23)
    assert house.titles(ADA) == ["New survey"]
    await house.later(hours=1.01)
    assert house.titles(ADA) == house.titles(BJOERN) == ["New survey", "Survey closes soon"]
    await house.later(hours=1)
    assert len(house.titles(ADA)) == 2

    listed = await house.command(ADA, channel_id=house.dm(ADA))
    assert "Town hall" in listed.text
    await house.visit(link, finish=True)
    await house.look()
    listed = await house.command(ADA, channel_id=house.dm(ADA))
    assert "Town hall" not in listed.text
    assert "Town hall" in (await house.command(BJOERN, channel_id=house.dm(BJOERN))).text


async def test_the_first_synchronisation_tells_nobody_and_shows_what_was_there(house: House) -> None:
    await house.look()
    assert all(not house.seen(email) for email in (ADA, BJOERN))
    assert "Engagement pulse" in (await house.command(ADA)).text


async def test_whoever_answered_by_mail_is_not_reminded(house: House) -> None:
    survey_id = house.send(ADA, BJOERN, expires_in=timedelta(hours=48))
    await house.look()
    house.inside.tenant.move(ADA, survey_id, "SurveyFinished")
    await house.later(hours=25)
    assert house.titles(ADA) == ["New survey"]
    assert house.titles(BJOERN) == ["New survey", "Survey closes soon"]


async def test_a_reminder_mail_in_qualtrics_is_no_second_message(house: House) -> None:
    distribution_id = house.inside.tenant.send_survey(name="Town hall", emails=[ADA], expires_in=timedelta(days=9))
    await house.look()
    house.inside.tenant.remind(distribution_id)
    await house.look()
    assert house.titles(ADA) == ["New survey"]


async def test_test_mails_generated_links_and_thank_yous_tell_nobody(house: House) -> None:
    survey_id = house.send(ADA)
    await house.look()
    house.inside.tenant.move(ADA, survey_id, "SurveyFinished")
    house.inside.tenant.test_mail(survey_id)
    house.inside.tenant.generate_links(survey_id)
    await house.look()
    assert house.titles(BJOERN) == []


async def test_a_deactivated_survey_reminds_nobody(house: House) -> None:
    survey_id = house.send(ADA, expires_in=timedelta(hours=48))
    await house.look()
    house.inside.tenant.deactivate(survey_id)
    await house.later(hours=25)
    assert house.titles(ADA) == ["New survey"]
    assert "Town hall" not in (await house.command(ADA)).text


async def test_who_cannot_be_reached_is_counted_with_the_reason(house: House) -> None:
    house.send(ADA, DEACTIVATED, GUEST, STRANGER, NOT_IN_SLACK)
    await house.look()
    store = house.inside.bot.core.store
    assert await store.read(lambda uow: uow.outbox.reasons()) == {
        "chat account deactivated": 1,
        "guest account": 1,
        "account of another organisation": 1,
        "no chat account with this e-mail address": 1,
    }
    assert (await store.read(lambda uow: uow.outbox.counts()))[DeliveryState.SENT] == 1


async def test_qualtrics_unavailable_fails_the_run_and_loses_nothing(house: House) -> None:
    house.send(ADA)
    house.inside.tenant.faults = Faults(status=503)
    with pytest.raises(Unavailable):
        await house.sync()
    house.inside.tenant.faults = Faults()
    await house.look()
    assert house.titles(ADA) == ["New survey"]


async def test_qualtrics_throttling_for_a_moment_is_waited_for(house: House) -> None:
    house.send(ADA)
    house.inside.tenant.faults = Faults(status=429, retry_after=1, times=2)
    await house.look()
    assert house.titles(ADA) == ["New survey"]


async def test_a_broken_page_in_the_middle_is_read_again(house: House) -> None:
    house.send(ADA)
    house.inside.tenant.faults = Faults(broken_json_next=1, prefix="/distributions")
    await house.look()
    assert house.titles(ADA) == ["New survey"]


async def test_slack_throttling_delays_everybody_and_loses_nobody(house: House) -> None:
    house.send(ADA, BJOERN, DMITRI)
    house.inside.workspace.faults.add(RateLimited(30), method="chat.postMessage")
    await house.look()
    waiting = {email for email in (ADA, BJOERN, DMITRI) if not house.titles(email)}  # what was on its way already may have arrived
    assert waiting
    await house.look()
    assert not any(house.titles(email) for email in waiting)
    await house.later(seconds=31)
    assert all(house.titles(email) == ["New survey"] for email in (ADA, BJOERN, DMITRI))


async def test_slack_being_down_loses_nobody_and_repeats_nothing(house: House) -> None:
    house.send(ADA, BJOERN, DMITRI)
    house.inside.workspace.faults.down = True
    for _ in range(3):
        await house.later(minutes=1)
    house.inside.workspace.faults.clear()
    for _ in range(2):
        await house.later(minutes=20)
    assert all(house.titles(email) == ["New survey"] for email in (ADA, BJOERN, DMITRI))


async def test_somebody_who_joins_the_workspace_later_is_told_then(house: House) -> None:
    house.send(NOT_IN_SLACK)
    await house.look()
    house.inside.workspace.add_user("U555", "Newcomer", email=NOT_IN_SLACK)
    await in_slack(house.inside.bot).directory_reader.read(house.inside.workspace.team_id)
    await house.look()
    assert house.titles(NOT_IN_SLACK) == ["New survey"]


@pytest.mark.parametrize(("scopes", "state"), [((), DeliveryState.UNKNOWN), (("im:history",), DeliveryState.SENT)])
async def test_a_lost_answer_from_slack_never_makes_a_second_message(house: House, scopes: tuple[str, ...], state: DeliveryState) -> None:
    """Where the bot may read its direct messages, it even finds out that the first one arrived."""
    house.inside.workspace.scopes.update(scopes)
    house.send(ADA)
    house.inside.workspace.faults.add(LostAnswer(), method="chat.postMessage")
    await house.look()
    for _ in range(3):
        await house.later(hours=1)
    assert house.titles(ADA) == ["New survey"]
    assert await house.inside.bot.core.store.read(lambda uow: uow.outbox.counts()) == {state: 1}


async def test_a_message_says_thank_you_once_its_reader_has_answered(house: House) -> None:
    """It is edited in place: no new message, and no button to Qualtrics any more."""
    house.send(ADA, BJOERN)
    await house.look()
    (invited,) = house.seen(ADA)
    await house.visit(button(invited.blocks, "Respond in Qualtrics")["url"], finish=True)
    await house.later(minutes=1)
    await house.later(seconds=30)
    (message,) = house.seen(ADA)
    assert (message.ts, message.edited, message.text.splitlines()[0]) == (invited.ts, True, "Thank you")
    assert not any("url" in each for each in buttons(message.blocks))
    assert house.titles(BJOERN) == ["New survey"]


async def test_a_restarted_bot_goes_on_where_the_old_one_was(house: House) -> None:
    house.send(ADA, expires_in=timedelta(hours=48))
    await house.look()
    core = house.inside.bot.core
    async with open_bot(core.settings, core.clock) as restarted:
        await restarted.core.jobs.start(INTEGRATION, Kind.FULL)
        await restarted.deliver()
        house.inside.clock.advance(timedelta(hours=25))
        await restarted.remind()
        await restarted.deliver()
    assert house.titles(ADA) == ["New survey", "Survey closes soon"]


async def test_a_hostile_survey_name_is_shown_and_does_nothing(house: House) -> None:
    name = "<!channel> *bold* <https://evil.example|click> & @here"
    house.send(ADA, name=name)
    await house.look()
    (message,) = house.seen(ADA)
    assert "&lt;!channel&gt;" in message.text
    assert "<!" not in message.text.replace("<!date", "")
    listed = await house.command(ADA)
    marked_up = [text for text in texts(listed.blocks) if text["type"] == "mrkdwn"]
    assert any("&lt;!channel&gt;" in text["text"] for text in marked_up)
    assert not any("<!channel" in text["text"] or "<https" in text["text"] for text in marked_up)


async def test_every_link_in_a_message_is_the_readers_own_and_works_once(house: House) -> None:
    survey_id = house.send(ADA, BJOERN)
    await house.look()
    urls = {email: [b["url"] for b in buttons(house.seen(email)[0].blocks) if "url" in b] for email in (ADA, BJOERN)}
    assert urls == {email: [house.inside.tenant.personal_link(email, survey_id)] for email in (ADA, BJOERN)}
    async with httpx.AsyncClient() as browser:
        assert (await browser.post(urls[ADA][0])).status_code < 400
