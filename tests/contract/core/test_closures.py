"""What would close too much is held back, kept for inspection, and applied or dropped by hand (FEATURES B5)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.errors import UserError
from bot.ports.records import Closure
from bot.syncing.closures import closures, compare, name_of
from bot.syncing.sync import Kind, drop
from tests.contract.core.conftest import Life
from tests.unit.core.examples import DAY, NOW, a_survey

SURVEYS = [f"SV_{number:02d}" for number in range(10)]


async def furnish(life: Life, share: float = 0.2) -> None:
    """Ten surveys with a distribution each, seen by a baseline."""
    life.settings = replace(life.settings, mass_closure_share=share)
    for survey_id in SURVEYS:
        life.source.put(survey_id, name=f"Name of {survey_id}")
        life.source.send(f"EMD_{survey_id[3:]}", {"CID_1": "ana@acme.example"}, survey_id)
    await life.baseline()
    life.wait(hours=1)


async def active(life: Life) -> int:
    return sum(survey.is_active for survey in await life.store.read(lambda uow: uow.surveys.all("main")))


async def live(life: Life) -> int:
    return sum(not distribution.is_deleted for distribution in await life.store.read(lambda uow: uow.distributions.of_active("main")))


async def waiting(life: Life) -> list[Closure]:
    return list(await life.store.read(lambda uow: closures(uow, "main")))


def vanish(life: Life, number: int) -> None:
    for survey_id in SURVEYS[:number]:
        del life.source.survey_list[survey_id]


def delete(life: Life, number: int) -> None:
    for survey_id in SURVEYS[:number]:
        del life.source.sent[f"EMD_{survey_id[3:]}"]


async def test_more_than_the_share_of_the_surveys_is_held_back_and_kept(life: Life) -> None:
    await furnish(life)
    vanish(life, 3)
    life.source.put("SV_new")
    run = await life.sync(Kind.FULL)
    assert (run.outcome, run.reason) == ("vetoed", "It would close 3 of 10 known active surveys; more than 20% need approval.")
    assert await active(life) == 10
    assert "SV_new" not in await life.store.read(lambda uow: uow.surveys.get(["SV_new"]))
    assert await waiting(life) == [
        Closure(survey_id=survey_id, survey_name=f"Name of {survey_id}", distribution_id=None, is_missing=True) for survey_id in SURVEYS[:3]
    ]


async def test_more_than_the_share_of_the_distributions_is_held_back(life: Life) -> None:
    await furnish(life)
    delete(life, 3)
    run = await life.sync()
    assert (run.outcome, run.reason) == ("vetoed", "It would close 3 of 10 known distributions; more than 20% need approval.")
    assert await live(life) == 10
    assert [closure.distribution_id for closure in await waiting(life)] == ["EMD_00", "EMD_01", "EMD_02"]


async def test_deactivated_surveys_count_in_every_kind_of_look(life: Life) -> None:
    await furnish(life)
    for survey_id in SURVEYS[:3]:
        life.source.put(survey_id, is_active=False)
    assert (await life.sync()).outcome == "vetoed"
    assert [closure.is_missing for closure in await waiting(life)] == [False] * 3


@pytest.mark.parametrize(("number", "share"), [(2, 0.2), (1, 0.0)])
async def test_no_more_than_the_share_and_a_single_one_are_applied(life: Life, number: int, share: float) -> None:
    await furnish(life, share)
    vanish(life, number)
    delete(life, number)
    assert (await life.sync(Kind.FULL)).outcome == "ok"
    assert await active(life) == 10 - number


async def test_nothing_of_a_vetoed_look_reaches_people(life: Life) -> None:
    await life.long_ago()
    await life.store.write(lambda uow: uow.integrations.set_baseline("main", NOW))
    await furnish(life)
    vanish(life, 3)
    life.source.send("EMD_new", {"CID_2": "ben@acme.example"}, "SV_09", send_date=life.now)
    told = await life.told()
    await life.sync(Kind.FULL)
    assert await life.told() == told


async def test_an_approved_picture_is_applied_without_listing_anew_and_the_look_goes_on(life: Life) -> None:
    await furnish(life)
    vanish(life, 3)
    life.source.send("EMD_new", {"CID_2": "ben@acme.example"}, "SV_09", send_date=life.now)
    await life.sync(Kind.FULL)
    life.wait(hours=20)
    life.source.called.clear()
    run = await life.synchronisation().approve(name_of(await waiting(life)))
    assert (run.kind, run.outcome, run.reason) == ("full", "ok", "approved")
    assert life.source.called == {"links EMD_new": 1, "history EMD_new": 1, "brand host SV_03": 1}
    assert await active(life) == 7
    assert await waiting(life) == []
    with pytest.raises(UserError):
        await life.synchronisation().approve(name_of([]))


async def test_only_the_picture_that_was_shown_is_approved(life: Life) -> None:
    await furnish(life)
    vanish(life, 3)
    await life.sync(Kind.FULL)
    shown = name_of(await waiting(life))
    life.wait(hours=1)
    await life.sync(Kind.FULL)
    assert name_of(await waiting(life)) == shown
    del life.source.survey_list[SURVEYS[3]]
    life.wait(hours=1)
    await life.sync(Kind.FULL)
    with pytest.raises(UserError, match=f"{shown} does not wait any more"):
        await life.synchronisation().approve(shown)
    assert await active(life) == 10
    assert (await life.synchronisation().approve(name_of(await waiting(life)))).outcome == "ok"
    assert await active(life) == 6


async def test_surveys_that_ended_hide_no_closures_and_are_closed_without_asking(life: Life) -> None:
    for number in range(40):
        life.source.put(f"SV_old{number:02d}", ends_at=NOW - DAY)
        life.source.send(f"EMD_old{number:02d}", {"CID_1": "ana@acme.example"}, f"SV_old{number:02d}", link_expires_at=NOW - DAY)
    await furnish(life)
    vanish(life, 3)
    assert (await life.sync(Kind.FULL)).reason == "It would close 3 of 10 known active surveys; more than 20% need approval."
    life.source.survey_list = {survey_id: it for survey_id, it in life.source.survey_list.items() if "old" not in survey_id}
    for survey_id in SURVEYS[:3]:
        life.source.put(survey_id)
    assert (await life.sync(Kind.FULL)).outcome == "ok"


async def test_distributions_whose_links_are_dead_hide_no_deletions(life: Life) -> None:
    for number in range(40):
        life.source.send(f"EMD_old{number:02d}", {"CID_1": "ana@acme.example"}, SURVEYS[9], link_expires_at=NOW - DAY)
    await furnish(life)
    delete(life, 3)
    assert (await life.sync()).reason == "It would close 3 of 10 known distributions; more than 20% need approval."


async def test_surveys_whose_details_say_that_they_were_deleted_are_closures(life: Life) -> None:
    await furnish(life)
    for survey_id in SURVEYS[:3]:
        life.source.put(survey_id, last_modified=life.now)
        life.source.details[survey_id] = replace(life.source.details[survey_id], is_deleted=True)
    assert (await life.sync()).outcome == "vetoed"
    assert [closure.survey_id for closure in await waiting(life)] == SURVEYS[:3]


async def test_hints_close_a_few_surveys_and_leave_more_to_the_next_full_look(life: Life) -> None:
    await furnish(life)
    listed = dict(life.source.survey_list)
    vanish(life, 10)
    for survey_id in SURVEYS * 2:
        await life.synchronisation().refresh([survey_id])
    assert await active(life) == 7
    life.source.survey_list = {survey_id: survey for survey_id, survey in listed.items() if survey_id not in SURVEYS[:3]}
    await life.sync(Kind.FULL)
    assert await active(life) == 7
    del life.source.survey_list[SURVEYS[9]]
    await life.synchronisation().refresh([SURVEYS[9]])
    assert await active(life) == 6


async def test_a_dropped_picture_is_forgotten_and_the_next_look_decides_again(life: Life) -> None:
    await furnish(life)
    vanish(life, 3)
    await life.sync(Kind.FULL)
    assert await life.store.write(lambda uow: drop(uow, "main", life.now))
    assert not await life.store.write(lambda uow: drop(uow, "main", life.now))
    assert await waiting(life) == []
    assert await active(life) == 10
    assert (await life.sync(Kind.FULL)).outcome == "vetoed"


async def test_a_closure_that_was_a_hiccup_heals_itself(life: Life) -> None:
    await furnish(life)
    listed = dict(life.source.survey_list)
    vanish(life, 10)
    assert (await life.sync(Kind.FULL)).outcome == "vetoed"
    life.source.survey_list = listed
    assert (await life.sync()).outcome == "ok"
    assert await waiting(life) == []
    assert await active(life) == 10


async def test_a_survey_whose_list_cannot_be_read_loses_none_of_its_distributions(life: Life) -> None:
    known = [a_survey(survey_id=survey_id) for survey_id in SURVEYS[:2]]
    found = compare(known, {"SV_00": {"EMD_1"}, "SV_01": {"EMD_2"}}, known, {"SV_01": {"EMD_2"}}, counts_missing=True)
    assert (found.closures, found.surveys_known, found.distributions_known) == ([], 2, 2)
