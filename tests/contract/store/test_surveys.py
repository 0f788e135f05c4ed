"""Surveys and distributions: saved twice they change nothing, and what was read about them survives their list entries."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.errors import Gone
from bot.model import Anonymity, DistributionStats, LinkType, SurveyDetails
from bot.ports import UnitOfWork
from bot.ports.records import Absorbed
from store.unit_of_work import SqlStore
from tests.contract.store.examples import DAY, EXPIRY, NOW, distribution, furnish, survey
from tests.unit.core.examples import an_integration

DETAILS = SurveyDetails(ends_at=EXPIRY, anonymity=Anonymity.ANONYMIZED, is_deleted=True)
STATS = DistributionStats(sent=1, failed=2, started=3, bounced=4, opened=5, skipped=6, finished=7, complaints=8, blocked=9)


@pytest.fixture(autouse=True)
async def known(store: SqlStore) -> None:
    await store.write(furnish)


async def test_surveys_come_back_as_they_were_saved_with_milliseconds(store: SqlStore) -> None:
    surveys = [survey("SV_1", name="Renamed"), survey("SV_2", is_active=False), replace(survey("SV_3"), last_modified=None)]
    assert await store.write(lambda u: u.surveys.save("main", surveys, NOW)) == Absorbed(seen=3, changed=3)
    assert await store.read(lambda u: u.surveys.all("main")) == surveys
    assert await store.read(lambda u: u.surveys.get(["SV_3", "SV_unknown"])) == {"SV_3": surveys[2]}
    assert await store.read(lambda u: u.surveys.all("other")) == []


async def test_a_survey_that_is_only_seen_again_did_not_change(store: SqlStore) -> None:
    assert await store.write(lambda u: u.surveys.save("main", [survey()], NOW + DAY)) == Absorbed(seen=1, changed=0)


async def test_details_survive_a_new_list_entry(store: SqlStore) -> None:
    await store.write(lambda u: u.surveys.save_details("main", "SV_1", DETAILS, NOW))
    await store.write(lambda u: u.surveys.save("main", [survey(name="Renamed")], NOW))
    assert await store.read(lambda u: u.surveys.all("main")) == [replace(survey(name="Renamed"), details=DETAILS, details_for=NOW)]


async def test_surveys_that_vanished_from_the_list_are_closed_once_and_open_again_when_they_return(store: SqlStore) -> None:
    await store.write(lambda u: u.integrations.save(an_integration("other")))
    await store.write(lambda u: u.surveys.save("other", [survey()], NOW))
    await store.write(lambda u: u.surveys.save("main", [survey("SV_2")], NOW))
    await store.write(lambda u: u.surveys.save("main", [survey("SV_2")], NOW + DAY))
    assert await store.write(lambda u: u.surveys.close_unseen("main", NOW + DAY)) == 1
    assert await store.write(lambda u: u.surveys.close_unseen("main", NOW + DAY)) == 0
    assert await store.read(lambda u: u.surveys.all("main")) == [survey(is_active=False), survey("SV_2")]
    assert await store.read(lambda u: u.surveys.all("other")) == [survey()]
    assert await store.write(lambda u: u.surveys.save("main", [survey()], NOW + 2 * DAY)) == Absorbed(seen=1, changed=1)
    assert await store.read(lambda u: u.surveys.all("main")) == [survey(), survey("SV_2")]


async def test_overlapping_full_runs_close_nothing_that_the_later_one_saw(store: SqlStore) -> None:
    earlier, later = NOW + DAY, NOW + 2 * DAY
    listed = [survey(), survey("SV_2")]
    await store.write(lambda u: u.surveys.save("main", listed, later))
    await store.write(lambda u: u.surveys.save("main", listed, earlier))
    assert await store.write(lambda u: u.surveys.close_unseen("main", later)) == 0
    assert await store.write(lambda u: u.surveys.close_unseen("main", earlier)) == 0
    assert await store.read(lambda u: u.surveys.all("main")) == listed


@pytest.mark.parametrize("active", ["main", "other"])
async def test_a_survey_that_several_integrations_see_is_found_as_the_active_one(store: SqlStore, active: str) -> None:
    def save(u: UnitOfWork) -> None:
        furnish(u, "other")
        for integration_id in ("main", "other"):
            u.surveys.save(integration_id, [survey(name=integration_id, is_active=integration_id == active)], NOW)
        u.surveys.save("other", [survey("SV_2")], NOW)

    await store.write(save)
    found = await store.read(lambda u: u.surveys.get(["SV_1", "SV_2"]))
    assert found == {"SV_1": survey(name=active), "SV_2": survey("SV_2")}


@pytest.mark.parametrize("reader", ["main", "other"])
async def test_of_several_integrations_that_see_a_survey_one_that_may_read_its_details_tells_its_end(store: SqlStore, reader: str) -> None:
    await store.write(lambda u: furnish(u, "other"))
    await store.write(lambda u: u.surveys.save_details(reader, "SV_1", DETAILS, NOW))
    (found,) = (await store.read(lambda u: u.surveys.get(["SV_1"]))).values()
    assert found.details == DETAILS


async def test_surveys_are_found_by_more_ids_than_a_statement_takes(store: SqlStore) -> None:
    surveys = [survey(f"SV_{number}") for number in range(2500)]
    assert (await store.write(lambda u: u.surveys.save("main", surveys, NOW))).changed == 2499
    assert len(await store.read(lambda u: u.surveys.get([s.survey_id for s in surveys]))) == 2500


async def test_distributions_come_back_as_they_were_saved(store: SqlStore) -> None:
    second = replace(distribution("EMD_2", link_expires_at=None, link_type=LinkType.UNKNOWN), stats=STATS, send_date=None, sender_name=None)
    second = replace(second, created_at=NOW, subject="How are you?")
    third = replace(second, distribution_id="EMD_3", parent_id="EMD_2")
    assert await store.write(lambda u: u.distributions.save("main", [second, third])) == Absorbed(seen=2, changed=2)
    assert await store.write(lambda u: u.distributions.save("main", [second, third])) == Absorbed(seen=2, changed=0)
    assert await store.write(lambda u: u.distributions.save("main", [replace(second, parent_id="EMD_1"), third])) == Absorbed(
        seen=2, changed=1
    )
    assert await store.read(lambda u: u.distributions.of_survey("main", "SV_1")) == [
        distribution(),
        replace(second, parent_id="EMD_1"),
        third,
    ]
    assert await store.read(lambda u: u.distributions.of_survey("other", "SV_1")) == []


async def test_what_the_history_was_read_for_is_kept_until_the_expiry_moves(store: SqlStore) -> None:
    await store.write(lambda u: u.distributions.set_history_for("main", "EMD_1", STATS, at=NOW, rows_missing=2))
    await store.write(lambda u: u.distributions.save("main", [distribution(request_status="Pending")]))
    kept = replace(distribution(request_status="Pending"), history_for=STATS, history_at=NOW, rows_missing=2)
    assert await store.read(lambda u: u.distributions.of_survey("main", "SV_1")) == [kept]
    await store.write(lambda u: u.distributions.save("main", [distribution(link_expires_at=None)]))
    assert await store.read(lambda u: u.distributions.of_survey("main", "SV_1")) == [
        replace(distribution(link_expires_at=None), history_at=NOW, rows_missing=2)
    ]


async def test_what_the_histories_of_one_survey_were_read_for_can_be_forgotten(store: SqlStore) -> None:
    def save(u: UnitOfWork) -> None:
        furnish(u, "other")
        u.surveys.save("main", [survey("SV_2")], NOW)
        u.distributions.save("main", [distribution("EMD_2"), distribution("EMD_3", "SV_2")])
        for integration_id, distribution_id in (("main", "EMD_1"), ("main", "EMD_2"), ("main", "EMD_3"), ("other", "EMD_1")):
            u.distributions.set_history_for(integration_id, distribution_id, STATS, at=NOW, rows_missing=2)
        u.distributions.forget_history("main", "SV_1")

    await store.write(save)
    read = {"history_at": NOW, "rows_missing": 2}
    found = await store.read(lambda u: u.distributions.of_survey("main", "SV_1"))
    assert found == [replace(distribution(), **read), replace(distribution("EMD_2"), **read)]
    for integration_id, survey_id in (("main", "SV_2"), ("other", "SV_1")):
        (kept,) = await store.read(lambda u, i=integration_id, s=survey_id: u.distributions.of_survey(i, s))
        assert kept.history_for == STATS


async def test_a_distribution_of_an_unknown_survey_is_refused_whole(store: SqlStore) -> None:
    with pytest.raises(Gone, match="SV_9"):
        await store.write(lambda u: u.distributions.save("main", [distribution("EMD_2"), distribution("EMD_3", "SV_9")]))
    assert await store.read(lambda u: u.distributions.of_survey("main", "SV_1")) == [distribution()]


async def test_two_integrations_that_see_the_same_survey_keep_it_apart(store: SqlStore) -> None:
    await store.write(lambda u: furnish(u, "other"))
    await store.write(lambda u: u.surveys.save("other", [survey(name="Theirs")], NOW))
    await store.write(lambda u: u.distributions.set_history_for("other", "EMD_1", STATS, at=NOW, rows_missing=2))
    assert await store.read(lambda u: u.surveys.all("main")) == [survey()]
    assert await store.read(lambda u: u.distributions.of_survey("main", "SV_1")) == [distribution()]


async def test_distributions_that_left_their_list_are_deleted_and_live_again_when_they_return(store: SqlStore) -> None:
    def save(u: UnitOfWork) -> None:
        u.surveys.save("main", [survey("SV_2")], NOW)
        u.distributions.save("main", [distribution("EMD_2"), distribution("EMD_3", "SV_2")])
        u.distributions.set_history_for("main", "EMD_1", STATS, at=NOW, rows_missing=0)

    await store.write(save)
    assert await store.write(lambda u: u.distributions.mark_deleted("main", ["SV_1"], ["EMD_2"])) == 1
    assert await store.write(lambda u: u.distributions.mark_deleted("main", ["SV_1"], ["EMD_2"])) == 0
    found = await store.read(lambda u: u.distributions.of_active("main"))
    assert {it.distribution_id: it.is_deleted for it in found} == {"EMD_1": True, "EMD_2": False, "EMD_3": False}
    assert await store.write(lambda u: u.distributions.save("main", [distribution()])) == Absorbed(seen=1, changed=1)
    (back, _) = await store.read(lambda u: u.distributions.of_survey("main", "SV_1"))
    assert (back.is_deleted, back.history_for) == (False, None)


async def test_distributions_of_active_surveys_are_those_of_no_other(store: SqlStore) -> None:
    await store.write(lambda u: u.surveys.save("main", [survey(is_active=False)], NOW))
    assert await store.read(lambda u: u.distributions.of_active("main")) == []


async def test_a_group_size_is_that_of_when_a_survey_was_first_seen_sent(store: SqlStore) -> None:
    """What is not sent yet follows the setting; what was keeps its own, also where that is looser now."""

    def setting(u: UnitOfWork, group_size: int) -> None:
        known = u.integrations.get("main")
        assert known is not None
        u.integrations.change(known, replace(known, group_size=group_size))
        u.surveys.freeze_group_sizes("main", ["SV_1", "SV_2", "SV_unknown"])

    def prepare(u: UnitOfWork) -> None:
        u.surveys.save("main", [survey("SV_2")], NOW)
        u.distributions.save("main", [replace(distribution(), stats=DistributionStats(sent=0))])

    await store.write(prepare)
    await store.write(lambda u: setting(u, 8))
    assert await store.read(lambda u: u.surveys.group_sizes("main", ["SV_1", "SV_2", "SV_unknown"])) == {"SV_1": 8, "SV_2": 8}
    await store.write(lambda u: u.distributions.save("main", [replace(distribution(), stats=DistributionStats(sent=1))]))
    await store.write(lambda u: setting(u, 6))
    await store.write(lambda u: setting(u, 5))
    assert await store.read(lambda u: u.surveys.group_sizes("main", ["SV_1", "SV_2"])) == {"SV_1": 6, "SV_2": 5}
    await store.write(lambda u: u.surveys.save("main", [survey("SV_1", name="Renamed")], NOW + DAY))
    assert await store.read(lambda u: u.surveys.group_sizes("main", ["SV_1"])) == {"SV_1": 6}
    assert await store.read(lambda u: u.surveys.group_sizes("other", ["SV_1"])) == {}
