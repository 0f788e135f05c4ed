"""Positions and pictures: what a look has read so far survives its process, and is gone when it is cleared."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.model import Anonymity, DistributionStats, SurveyDetails
from bot.ports import UnitOfWork
from bot.ports.records import Position
from store.unit_of_work import SqlStore
from tests.contract.store.examples import DAY, NOW, distribution, furnish, survey

STATS = DistributionStats(sent=1, failed=2, started=3, bounced=4, opened=5, skipped=6, finished=7, complaints=8, blocked=9)
POSITION = Position(next="https://fra1.qualtrics.com/API/v3/surveys?offset=100", seen=100, skipped=2, began_for=STATS)


@pytest.fixture(autouse=True)
async def known(store: SqlStore) -> None:
    await store.write(furnish)
    await store.write(lambda u: furnish(u, "other"))


async def test_a_position_comes_back_as_it_was_last_saved_until_it_is_too_old(store: SqlStore) -> None:
    await store.write(lambda u: u.positions.save("main", "surveys", Position(next="before"), NOW - DAY))
    await store.write(lambda u: u.positions.save("main", "surveys", POSITION, NOW))
    assert await store.read(lambda u: u.positions.get("main", "surveys", NOW)) == POSITION
    assert await store.read(lambda u: u.positions.get("main", "surveys", NOW + timedelta(seconds=1))) is None
    assert await store.read(lambda u: u.positions.get("other", "surveys", NOW)) is None


async def test_positions_are_found_and_cleared_by_how_their_names_begin(store: SqlStore) -> None:
    def save(u: UnitOfWork) -> None:
        for name, following in {"a:1": None, "a:2": "more", "a%3": None, "b:1": None}.items():
            u.positions.save("main", name, Position(next=following), NOW)
        u.positions.save("other", "a:9", Position(next=None), NOW)

    await store.write(save)
    assert set(await store.read(lambda u: u.positions.all("main", "a:", NOW))) == {"1", "2"}
    assert set(await store.read(lambda u: u.positions.all("main", "a%", NOW))) == {"3"}
    await store.write(lambda u: u.positions.clear_all("main", "a:"))
    await store.write(lambda u: u.positions.clear("main", ["a%3"]))
    assert set(await store.read(lambda u: u.positions.all("main", "", NOW))) == {"b:1"}
    assert await store.read(lambda u: u.positions.get("main", "a:2", NOW)) is None
    assert set(await store.read(lambda u: u.positions.all("other", "a:", NOW))) == {"9"}


async def test_a_picture_holds_the_newest_of_everything_that_was_listed(store: SqlStore) -> None:
    details = SurveyDetails(ends_at=NOW, anonymity=Anonymity.ANONYMIZED, is_deleted=True)
    detailed = replace(survey("SV_1"), details=details, details_for=NOW - DAY)
    sent = replace(distribution("EMD_1"), stats=STATS, parent_id="EMD_0", send_date=None)

    def save(u: UnitOfWork) -> None:
        u.pictures.add_surveys("main", [survey("SV_2", name="Old"), survey("SV_1")])
        u.pictures.add_surveys("main", [survey("SV_2"), detailed])
        u.pictures.add_distributions("main", [sent, distribution("EMD_3", "SV_2"), distribution("EMD_2")])
        u.pictures.add_surveys("other", [survey("SV_3")])

    await store.write(save)
    assert await store.read(lambda u: u.pictures.surveys("main")) == [detailed, survey("SV_2")]
    assert await store.read(lambda u: u.pictures.distributions("main", "SV_1")) == [sent, distribution("EMD_2")]
    found = await store.read(lambda u: u.pictures.distribution_ids("main"))
    assert {survey_id: set(ids) for survey_id, ids in found.items()} == {"SV_1": {"EMD_1", "EMD_2"}, "SV_2": {"EMD_3"}}
    await store.write(lambda u: u.pictures.forget_distributions("main", ["SV_1"]))
    assert await store.read(lambda u: u.pictures.surveys("main")) == [detailed, survey("SV_2")]
    assert await store.read(lambda u: u.pictures.distribution_ids("main")) == {"SV_2": ["EMD_3"]}
    await store.write(lambda u: u.pictures.clear("main"))
    assert await store.read(lambda u: (u.pictures.surveys("main"), u.pictures.distribution_ids("main"))) == ([], {})
    assert await store.read(lambda u: u.pictures.surveys("other")) == [survey("SV_3")]
