"""Synchronisation over a real database: what is stored, who is told, and what it costs."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.errors import Forbidden, Gone, Rejected, SurveybotError
from bot.model import LinkEntry, LinkType, User
from bot.syncing.sync import Kind
from tests.contract.core.conftest import Life
from tests.unit.core.examples import DAY, NOW

ANA, BEN = "ana@acme.example", "ben@acme.example"
INVITED = "survey.invited"


async def test_the_first_full_run_fills_the_store_and_tells_nobody(life: Life) -> None:
    life.source.put()
    life.source.send("EMD_1", {"CID_1": ANA, "CID_2": BEN})
    run = await life.sync(Kind.FULL)
    assert (run.outcome, run.surveys, run.distributions, run.invitations, run.told) == ("ok", 1, 1, 2, 0)
    assert await life.told() == []
    ana = await life.store.read(lambda uow: uow.people.find(ANA))
    assert ana is not None
    (invitation,) = await life.store.read(lambda uow: uow.invitations.of_person(ana))
    assert (invitation.status, invitation.mailed) == ("Success", True)


async def test_a_survey_sent_after_the_baseline_is_told_to_each_of_its_people_once(life: Life) -> None:
    await life.long_ago()
    life.source.put()
    life.source.send("EMD_1", {"CID_1": ANA, "CID_2": BEN, "CID_3": None})
    assert (await life.sync()).told == 2
    assert (await life.sync()).told == 0
    assert (await life.sync(Kind.FULL)).told == 0
    assert await life.told() == [(INVITED, "SV_1", ANA), (INVITED, "SV_1", BEN)]


async def test_two_lists_two_contacts_and_a_reminder_of_one_person_tell_them_once(life: Life) -> None:
    await life.long_ago()
    life.source.put()
    life.source.send("EMD_1", {"CID_1": ANA, "CID_2": ANA})
    life.source.send("EMD_2", {"CID_3": ANA})
    await life.sync()
    life.source.send("EMD_3", {"CID_1": ANA}, request_type="Reminder", parent_id="EMD_1")
    await life.sync()
    assert await life.told() == [(INVITED, "SV_1", ANA)]


async def test_a_reminder_of_what_the_baseline_saw_tells_nobody(life: Life) -> None:
    life.source.put()
    life.source.send("EMD_1", {"CID_1": ANA})
    await life.baseline()
    life.source.send("EMD_2", {"CID_1": ANA}, request_type="Reminder", parent_id="EMD_1")
    await life.sync()
    assert await life.told() == []


async def test_a_survey_sent_again_after_it_was_answered_is_told_again(life: Life) -> None:
    await life.long_ago()
    life.source.put()
    life.source.send("EMD_1", {"CID_1": ANA}, send_date=NOW - 30 * DAY)
    await life.sync()
    life.source.move("EMD_1", "CID_1", "SurveyFinished", NOW - 20 * DAY)
    life.wait(hours=6)
    await life.sync()
    life.source.send("EMD_2", {"CID_1": ANA}, send_date=NOW - DAY)
    await life.sync()
    assert await life.told() == [(INVITED, "SV_1", ANA)] * 2


async def test_an_answer_without_a_time_counts_from_when_it_was_first_seen(life: Life) -> None:
    """A reminder mailed before the answer was seen does not ask anew, although Qualtrics told no completion time."""
    await life.long_ago()
    life.source.put()
    life.source.send("EMD_1", {"CID_1": ANA}, send_date=NOW - 5 * DAY)
    life.source.send("EMD_2", {"CID_1": ANA}, request_type="Reminder", parent_id="EMD_1", send_date=NOW - DAY)
    life.source.move("EMD_1", "CID_1", "SurveyFinished")
    await life.sync()
    first = await life.store.read(lambda uow: uow.invitations.of_contacts("main", "EMD_1", ["CID_1"]))
    assert first["CID_1"].completed_at == NOW
    life.wait(hours=1)
    life.source.move("EMD_2", "CID_1", "Opened")
    life.source.send("EMD_1", {"CID_1": ANA, "CID_9": BEN}, status="Pending", send_date=NOW - 5 * DAY)
    life.source.move("EMD_1", "CID_1", "SurveyFinished")
    await life.sync()
    again = await life.store.read(lambda uow: uow.invitations.of_contacts("main", "EMD_1", ["CID_1"]))
    assert again["CID_1"].completed_at == NOW
    assert await life.told() == []


@pytest.mark.parametrize("status", ["Opened", "SurveyStarted"])
async def test_a_quick_reader_who_never_was_seen_as_delivered_is_told(life: Life, status: str) -> None:
    await life.long_ago()
    life.source.put()
    life.source.send("EMD_1", {"CID_1": ANA}, status="Pending")
    assert (await life.sync()).told == 0
    life.source.move("EMD_1", "CID_1", status)
    assert (await life.sync()).told == 1


@pytest.mark.parametrize("status", ["Pending", "HardBounce", "Skipped", "SurveyFinished", "SessionExpired", "SomethingNew"])
async def test_who_was_not_mailed_or_cannot_answer_is_not_told(life: Life, status: str) -> None:
    await life.long_ago()
    life.source.put()
    life.source.send("EMD_1", {"CID_1": ANA}, status=status)
    await life.sync()
    assert await life.told() == []


@pytest.mark.parametrize(
    "values",
    [
        {"request_type": "TestEmail"},
        {"request_type": "GeneratedInvite"},
        {"request_type": "ThankYou", "parent_id": "EMD_0"},
        {"send_date": NOW + DAY},
    ],
)
async def test_what_mails_nobody_costs_no_calls_and_tells_nobody(life: Life, values: dict[str, Any]) -> None:
    await life.long_ago()
    life.source.put()
    life.source.send("EMD_1", {"CID_1": ANA}, **values)
    await life.sync()
    assert await life.told() == []
    assert life.source.called["history EMD_1"] == life.source.called["links EMD_1"] == 0


async def test_a_scheduled_distribution_is_told_once_it_went_out(life: Life) -> None:
    await life.long_ago()
    life.source.put()
    life.source.send("EMD_1", {"CID_1": ANA}, send_date=NOW + timedelta(hours=1))
    await life.sync()
    life.wait(hours=2)
    await life.sync()
    assert await life.told() == [(INVITED, "SV_1", ANA)]


async def test_unchanged_surveys_and_distributions_cost_nothing_beyond_their_lists(life: Life) -> None:
    life.source.put()
    life.source.send("EMD_1", {"CID_1": ANA})
    await life.baseline()
    life.source.called.clear()
    await life.sync()
    await life.sync(Kind.FULL)
    assert life.source.called == {"surveys": 2, "distributions SV_1": 2, "users": 1, "brand host SV_1": 1}


async def test_changed_counts_cost_one_history_and_no_links(life: Life) -> None:
    life.source.put()
    life.source.send("EMD_1", {"CID_1": ANA})
    await life.baseline()
    life.source.called.clear()
    life.source.move("EMD_1", "CID_1", "Opened")
    await life.sync()
    assert life.source.called == {"surveys": 1, "distributions SV_1": 1, "history EMD_1": 1}


async def test_links_are_read_again_by_the_sweep_while_somebody_mailed_has_no_address(life: Life) -> None:
    life.source.put()
    life.source.send("EMD_1", {"CID_1": None})
    await life.baseline()
    life.wait(minutes=1)
    life.source.addresses["EMD_1"]["CID_1"] = LinkEntry(contact_id="CID_1", email=ANA, url=None, expires_at=None)
    await life.sync(Kind.SWEEP)
    assert life.source.called["links EMD_1"] == 2
    assert await life.store.read(lambda uow: uow.people.find(ANA)) is not None


async def test_an_inactive_survey_is_left_alone(life: Life) -> None:
    life.source.put(is_active=False)
    life.source.send("EMD_1", {"CID_1": ANA})
    await life.baseline()
    assert life.source.called == {"users": 1, "surveys": 1}


async def test_details_are_read_again_only_when_the_survey_was_modified_or_came_back(life: Life) -> None:
    life.source.put()
    await life.baseline()
    await life.sync()
    assert life.source.called["details SV_1"] == 1
    life.source.put(last_modified=NOW)
    await life.sync()
    assert life.source.called["details SV_1"] == 2
    life.source.put(last_modified=NOW, is_active=False)
    await life.sync()
    life.source.put(last_modified=NOW)
    await life.sync()
    assert life.source.called["details SV_1"] == 3


@pytest.mark.parametrize("call", ["details SV_1", "distributions SV_1", "history EMD_1", "links EMD_1"])
@pytest.mark.parametrize("error", [Forbidden("no"), Gone("no"), Rejected("no")])
async def test_one_thing_that_cannot_be_read_is_left_out_and_the_rest_goes_on(life: Life, call: str, error: SurveybotError) -> None:
    await life.long_ago()
    life.source.errors[call] = error
    life.source.put("SV_1")
    life.source.send("EMD_1", {"CID_1": ANA})
    life.source.put("SV_2")
    life.source.send("EMD_2", {"CID_1": ANA}, "SV_2")
    run = await life.sync()
    assert (run.outcome, run.skipped) == ("ok", 1)
    assert (INVITED, "SV_2", ANA) in await life.told()


async def test_what_was_left_out_is_told_when_it_can_be_read_again(life: Life) -> None:
    await life.long_ago()
    life.source.errors["history EMD_1"] = Forbidden("no")
    life.source.put()
    life.source.send("EMD_1", {"CID_1": ANA})
    await life.sync()
    life.source.errors.clear()
    life.wait(hours=6)
    await life.sync()
    assert await life.told() == [(INVITED, "SV_1", ANA)]


async def test_accounts_that_may_not_be_listed_do_not_stop_a_full_run(life: Life) -> None:
    life.source.errors["users"] = Forbidden("brand admins only")
    life.source.put()
    assert (await life.sync(Kind.FULL)).outcome == "ok"


async def test_accounts_are_stored_by_a_full_run(life: Life) -> None:
    life.source.user_list = (User(user_id="UR_1", email=ANA, user_type="UT_BRANDADMIN"),)
    run = await life.sync(Kind.FULL)
    assert run.changed == 1


async def test_what_the_baseline_could_not_see_is_not_news_when_it_can_be_seen(life: Life) -> None:
    life.source.put("SV_1", is_active=False)
    life.source.send("EMD_1", {"CID_1": ANA})
    life.source.put("SV_2")
    life.source.send("EMD_2", {"CID_1": ANA}, "SV_2")
    life.source.errors["history EMD_2"] = Forbidden("no")
    await life.baseline()
    life.source.errors.clear()
    life.source.put("SV_1")
    await life.sync()
    assert await life.told() == []


async def test_a_survey_whose_record_cannot_be_read_has_not_vanished(life: Life) -> None:
    life.source.put("SV_1")
    await life.baseline()
    del life.source.survey_list["SV_1"]
    life.source.skipped, life.source.skips = 1, ("surveys",)
    life.wait(hours=1)
    await life.sync(Kind.FULL)
    (survey,) = await life.store.read(lambda uow: uow.surveys.all("main"))
    assert survey.is_active


async def test_details_that_could_not_be_read_are_asked_for_again_by_full_runs(life: Life) -> None:
    life.source.put(ends_at=NOW + DAY)
    life.source.errors["details SV_1"] = Forbidden("no")
    await life.baseline()
    await life.sync()
    assert life.source.called["details SV_1"] == 1
    life.source.errors.clear()
    await life.sync(Kind.FULL)
    (survey,) = await life.store.read(lambda uow: uow.surveys.all("main"))
    assert survey.details is not None
    assert survey.details.ends_at == NOW + DAY


async def test_a_reminder_mail_closes_when_its_invite_does(life: Life) -> None:
    life.source.put()
    life.source.send("EMD_1", {"CID_1": ANA}, link_expires_at=NOW + 2 * DAY)
    values: dict[str, Any] = {"parent_id": "EMD_1", "link_type": LinkType.UNKNOWN, "link_expires_at": None}
    life.source.send("EMD_2", {"CID_1": ANA}, request_type="Reminder", **values)
    await life.baseline()
    ana = await life.store.read(lambda uow: uow.people.find(ANA))
    assert ana is not None
    found = await life.store.read(lambda uow: uow.invitations.of_person(ana))
    (reminder,) = [invitation for invitation in found if invitation.distribution_id == "EMD_2"]
    assert reminder.link_expires_at == NOW + 2 * DAY
    assert reminder.link_type is LinkType.INDIVIDUAL


async def test_bad_records_are_counted(life: Life) -> None:
    life.source.skipped = 2
    life.source.put()
    assert (await life.sync(Kind.FULL)).skipped == 4


async def test_a_survey_that_vanished_from_the_list_takes_no_answers(life: Life) -> None:
    life.source.put("SV_1")
    life.source.put("SV_2")
    await life.baseline()
    del life.source.survey_list["SV_2"]
    life.wait(hours=1)
    await life.sync()
    assert {s.survey_id: s.is_active for s in await life.store.read(lambda uow: uow.surveys.all("main"))} == {"SV_1": True, "SV_2": True}
    await life.sync(Kind.FULL)
    assert {s.survey_id: s.is_active for s in await life.store.read(lambda uow: uow.surveys.all("main"))} == {"SV_1": True, "SV_2": False}


async def test_a_deleted_survey_whose_metadata_still_answers_costs_no_further_calls(life: Life) -> None:
    life.source.put()
    life.source.details["SV_1"] = replace(life.source.details["SV_1"], is_deleted=True)
    await life.baseline()
    assert life.source.called["distributions SV_1"] == 0


async def test_a_moved_link_expiry_is_read_again(life: Life) -> None:
    life.source.put()
    life.source.send("EMD_1", {"CID_1": ANA})
    await life.baseline()
    life.source.send("EMD_1", {"CID_1": ANA}, link_expires_at=NOW + 2 * DAY)
    await life.sync()
    ana = await life.store.read(lambda uow: uow.people.find(ANA))
    assert ana is not None
    (invitation,) = await life.store.read(lambda uow: uow.invitations.of_person(ana))
    assert invitation.link_expires_at == NOW + 2 * DAY


async def test_two_integrations_that_see_one_survey_tell_its_people_once(life: Life) -> None:
    life.now = NOW - 60 * DAY
    await life.sync(Kind.FULL, "one")
    await life.sync(Kind.FULL, "two")
    life.now = NOW
    life.source.put()
    life.source.send("EMD_1", {"CID_1": ANA})
    await life.sync(integration_id="one")
    await life.sync(integration_id="two")
    assert await life.told() == [(INVITED, "SV_1", ANA)]


async def test_progress_is_shown_while_a_run_goes_on(life: Life) -> None:
    """With what is spent and what is left: 5 people are 3 pages of 2, foretold as one of Qualtrics' 100."""
    life.source.put()
    life.source.send("EMD_1", {f"CID_{n}": ANA for n in range(5)})
    shown: list[tuple[int, int, int, int]] = []
    life.on_progress = lambda p: shown.append((p.lists_left, p.links_pages_left, p.history_pages_left, p.invitations))
    run = await life.sync(Kind.FULL)
    assert shown[0] == (0, 0, 0, 0)
    assert (1, 0, 0, 0) in shown
    assert (0, 1, 1, 0) in shown
    assert shown[-1] == (0, 0, 0, 5)
    assert run.calls == life.source.calls


async def test_an_unforeseen_fault_is_recorded_without_its_text(life: Life) -> None:
    life.source.errors["surveys"] = RuntimeError("with a secret in it")
    with pytest.raises(RuntimeError):
        await life.sync(Kind.FULL)
    (run,) = await life.store.read(lambda uow: uow.runs.latest("main"))
    assert run.error == "RuntimeError"
