"""What a look leaves alone, what it reads how often, what the nightly sweep repairs; and deleted distributions (FEATURES B9)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.errors import Forbidden, SurveybotError, Unauthorized
from bot.model import LinkEntry
from bot.syncing.sync import Kind
from tests.contract.core.conftest import Life
from tests.unit.core.examples import DAY, NOW

ANA, BEN = "ana@acme.example", "ben@acme.example"


async def test_a_survey_that_ended_is_counted_once_more_and_costs_no_calls_until_it_is_modified(life: Life) -> None:
    life.source.put(ends_at=NOW + DAY)
    life.source.send("EMD_1", {"CID_1": ANA})
    await life.baseline()
    life.wait(days=2)
    life.source.move("EMD_1", "CID_1", "SurveyFinished", life.now - DAY)
    for calls in ({"surveys": 1, "distributions SV_1": 1, "history EMD_1": 1}, {"surveys": 1}):
        life.source.called.clear()
        await life.sync()
        assert life.source.called == calls
    life.source.called.clear()
    life.source.put(ends_at=NOW + 9 * DAY, last_modified=life.now)
    await life.sync()
    assert life.source.called == {"surveys": 1, "details SV_1": 1, "distributions SV_1": 1, "links EMD_1": 1, "history EMD_1": 1}


async def test_a_deleted_distribution_is_withdrawn_and_costs_no_history(life: Life) -> None:
    await life.long_ago()
    life.source.put()
    life.source.send("EMD_1", {"CID_1": ANA}, link_expires_at=NOW + 2 * DAY)
    await life.sync()
    kept = life.source.sent.pop("EMD_1")
    life.source.called.clear()
    await life.sync()
    life.wait(hours=30)
    assert await life.remind() == 0
    assert "history EMD_1" not in life.source.called
    ana = await life.store.read(lambda uow: uow.people.find(ANA))
    assert ana is not None
    (invitation,) = await life.store.read(lambda uow: uow.invitations.of_person(ana))
    assert invitation.is_withdrawn
    life.source.sent["EMD_1"] = kept
    await life.sync()
    (invitation,) = await life.store.read(lambda uow: uow.invitations.of_person(ana))
    assert not invitation.is_withdrawn
    assert await life.remind() == 1


@pytest.mark.parametrize(("age_days", "waits_hours"), [(0.5, 0), (3, 1), (20, 6)])
async def test_the_older_a_sending_the_less_often_its_history_is_read(life: Life, age_days: float, waits_hours: float) -> None:
    life.source.put()
    life.source.send("EMD_1", {"CID_1": ANA}, send_date=NOW - age_days * DAY, link_expires_at=None)
    await life.baseline()
    life.source.move("EMD_1", "CID_1", "Opened")
    read_after = 0.0
    while life.source.called["history EMD_1"] == 1:
        await life.sync()
        read_after, life.now = (life.now - NOW) / timedelta(hours=1), life.now + timedelta(minutes=30)
    assert read_after == waits_hours


async def test_a_history_is_read_no_more_often_than_its_size_allows(life: Life) -> None:
    life.source.page_size = 500
    life.source.put()
    life.source.send("EMD_1", {f"CID_{number}": ANA for number in range(1000)})
    await life.baseline()
    life.source.move("EMD_1", "CID_1", "Opened")
    life.wait(seconds=9)
    assert (await life.synchronisation().refresh(["SV_1"])).postponed == 1
    assert life.source.called["history EMD_1"] == 1
    life.wait(seconds=1)
    assert (await life.synchronisation().refresh(["SV_1"])).postponed == 0
    assert life.source.called["history EMD_1"] == 2


async def test_those_that_close_first_are_read_first(life: Life) -> None:
    life.parallel = 1
    for number, days in enumerate([5, None, 1, 3]):
        life.source.put(f"SV_{number}")
        life.source.send(f"EMD_{number}", {"CID_1": ANA}, f"SV_{number}", link_expires_at=days and NOW + days * DAY)
    await life.baseline()
    assert [call for call in life.source.called if call.startswith("history")] == [f"history EMD_{number}" for number in (2, 3, 0, 1)]


async def test_a_gap_is_stored_and_read_again_every_six_hours_and_by_the_sweep_with_its_links(life: Life) -> None:
    life.source.put()
    life.source.send("EMD_1", {"CID_1": ANA, "CID_2": BEN})
    del life.source.rows["EMD_1"]["CID_2"]
    await life.baseline()
    (distribution,) = await life.store.read(lambda uow: uow.distributions.of_survey("main", "SV_1"))
    assert distribution.rows_missing == 1
    await life.sync()
    assert life.source.called["history EMD_1"] == 1
    life.wait(hours=6)
    await life.sync()
    assert (life.source.called["history EMD_1"], life.source.called["links EMD_1"]) == (2, 1)
    life.wait(minutes=1)
    await life.sync(Kind.SWEEP)
    assert (life.source.called["history EMD_1"], life.source.called["links EMD_1"]) == (3, 2)


async def test_the_sweep_reads_whatever_can_be_answered_and_tells_who_was_missed(life: Life) -> None:
    await life.long_ago()
    life.source.put()
    life.source.send("EMD_1", {"CID_1": ANA, "CID_2": BEN})
    life.source.send("EMD_over", {"CID_1": ANA}, link_expires_at=NOW - DAY)
    ben = life.source.rows["EMD_1"]["CID_2"]
    life.source.rows["EMD_1"]["CID_2"] = replace(ben, status="Pending")
    await life.sync()
    life.source.rows["EMD_1"]["CID_2"] = ben
    life.wait(minutes=1)
    await life.sync()
    assert len(await life.told()) == 1
    life.source.called.clear()
    assert (await life.sync(Kind.SWEEP)).told == 1
    assert life.source.called == {"users": 1, "surveys": 1, "distributions SV_1": 1, "history EMD_1": 1}


async def test_a_mail_of_the_baselines_own_hour_is_told_although_the_baseline_saw_it(life: Life) -> None:
    """A distribution that was going out while the baseline ran: its later rows are news when they are seen again."""
    life.source.put()
    life.source.send("EMD_1", {"CID_1": ANA, "CID_2": BEN}, status="Pending")
    life.source.move("EMD_1", "CID_1", "Success")
    late = replace(life.source.rows["EMD_1"]["CID_1"], sent_at=NOW + timedelta(minutes=1))
    life.source.rows["EMD_1"]["CID_1"] = late
    await life.baseline()
    life.wait(minutes=5)
    life.source.move("EMD_1", "CID_2", "HardBounce")
    await life.sync()
    assert await life.told() == [("survey.invited", "SV_1", ANA)]


@pytest.mark.parametrize(("error", "is_set"), [(Unauthorized("HTTP 401"), True), (Forbidden("HTTP 403"), False)])
async def test_refused_credentials_are_noted_until_they_work_again(life: Life, error: SurveybotError, *, is_set: bool) -> None:
    life.source.put()
    life.source.errors["surveys"] = error
    with pytest.raises(Unauthorized):
        await life.sync(Kind.FULL)
    (integration,) = await life.store.read(lambda uow: uow.integrations.all())
    assert (integration.unauthorized_at is not None) is is_set
    life.source.errors.clear()
    await life.sync(Kind.FULL)
    (integration,) = await life.store.read(lambda uow: uow.integrations.all())
    assert integration.unauthorized_at is None


async def test_nobody_is_reminded_while_their_integration_is_paused_and_all_are_after(life: Life) -> None:
    await life.long_ago()
    life.source.put()
    life.source.send("EMD_1", {"CID_1": ANA}, link_expires_at=NOW + 3 * DAY)
    await life.sync()
    await life.store.write(lambda uow: uow.integrations.set_paused("main", is_paused=True))
    life.wait(days=2, hours=1)
    assert await life.remind() == 0
    await life.store.write(lambda uow: uow.integrations.set_paused("main", is_paused=False))
    assert await life.remind() == 1


async def test_a_hint_brings_one_survey_up_to_date_in_a_few_calls(life: Life) -> None:
    await life.long_ago()
    for survey_id in ("SV_1", "SV_2"):
        life.source.put(survey_id)
        life.source.send(f"EMD_{survey_id}", {"CID_1": ANA}, survey_id, send_date=NOW - 3 * DAY)
    await life.sync()
    life.source.called.clear()
    life.source.move("EMD_SV_1", "CID_1", "SurveyFinished", NOW)
    life.source.send("EMD_new", {"CID_2": BEN}, "SV_1")
    progress = await life.synchronisation().refresh(["SV_1"])
    assert (progress.told, progress.calls) == (1, 5)
    assert life.source.called == {
        "survey SV_1": 1,
        "distributions SV_1": 1,
        "history EMD_SV_1": 1,
        "links EMD_new": 1,
        "history EMD_new": 1,
    }
    assert len(await life.store.read(lambda uow: uow.runs.list("main", 10))) == 1  # that of the synchronisation


@pytest.mark.parametrize("how", ["deleted", "deactivated"])
async def test_a_hint_closes_a_survey(life: Life, how: str) -> None:
    await life.long_ago()
    life.source.put()
    await life.sync()
    if how == "deleted":
        del life.source.survey_list["SV_1"]
    else:
        life.source.put(is_active=False)
    await life.synchronisation().refresh(["SV_1", "SV_unknown"])
    (survey,) = await life.store.read(lambda uow: uow.surveys.all("main"))
    assert not survey.is_active


async def test_a_hint_before_the_baseline_does_nothing(life: Life) -> None:
    await life.store.write(lambda uow: uow.integrations.save(life.settings))
    life.source.put()
    await life.synchronisation().refresh(["SV_1"])
    assert life.source.calls == 0


async def test_addresses_that_only_the_links_tell_later_are_found_by_the_sweep(life: Life) -> None:
    await life.long_ago()
    life.source.put()
    life.source.send("EMD_1", {"CID_1": None})
    await life.sync()
    life.source.addresses["EMD_1"]["CID_1"] = LinkEntry(contact_id="CID_1", email=ANA, url=None, expires_at=None)
    life.wait(minutes=1)
    assert (await life.sync(Kind.SWEEP)).told == 1
