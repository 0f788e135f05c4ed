"""A run whose process died goes on where it stopped, whatever was asked for; an old one, and a failed one, begin anew."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.errors import Rejected, Unavailable
from bot.ports.records import Run
from bot.syncing.sync import Kind
from tests.contract.core.conftest import Life
from tests.contract.core.dying import die_after
from tests.unit.core.examples import DAY, NOW

PEOPLE: dict[str, str | None] = {f"CID_{number}": f"p{number}@acme.example" for number in range(5)}
SURVEYS = ("SV_1", "SV_2", "SV_3")


def furnish(life: Life) -> None:
    """Three surveys, each with a distribution of three pages; one with details that may not be read."""
    life.parallel = 1
    for survey_id in SURVEYS:
        life.source.put(survey_id, ends_at=NOW + 5 * DAY)
        life.source.send(f"EMD_{survey_id}", PEOPLE, survey_id)


async def runs(life: Life) -> list[Run]:
    return list(await life.store.read(lambda uow: uow.runs.list("main", 10)))


@pytest.mark.parametrize("writes", [1, 2, 3, 4, 6, 8, 9, 10, 12, 14, 17, 19, 23, 27])
async def test_wherever_it_dies_one_page_is_read_twice_and_everybody_is_told_once(life: Life, writes: int) -> None:
    await life.long_ago()
    furnish(life)
    life.source.pages.clear()
    await die_after(life, writes)
    run = await life.sync(Kind.INCREMENTAL)
    assert (run.kind, run.outcome, run.resumed) == ("full", "ok", 1)
    assert sum(life.source.pages.values()) <= 24 + 1  # users 1, surveys 2, distributions 3, links 9, histories 9
    assert all(life.source.called[f"details {survey_id}"] <= 2 for survey_id in SURVEYS)
    assert sorted(await life.told()) == sorted(("survey.invited", survey_id, email) for survey_id in SURVEYS for email in PEOPLE.values())
    assert len(await runs(life)) == 1
    assert (await life.sync()).invitations == 0


async def test_its_counts_go_on_from_those_that_were_stored(life: Life) -> None:
    furnish(life)
    await die_after(life, 1)
    cut_off = await life.store.read(lambda uow: uow.runs.unfinished("main"))
    assert cut_off is not None
    run_id, begun = cut_off
    await life.store.write(lambda uow: uow.runs.finish(run_id, replace(begun, calls=7, told=3)))
    before = life.source.calls
    run = await life.sync()
    assert (run.calls, run.told, run.started_at) == (7 + life.source.calls - before, 3, begun.started_at)


async def test_a_quarter_of_an_hour_later_it_is_cut_off_and_a_new_one_begins(life: Life) -> None:
    furnish(life)
    await die_after(life, 12)
    life.wait(minutes=16)
    run = await life.sync(Kind.FULL)
    assert (run.outcome, run.resumed) == ("ok", 0)
    assert [(run.outcome, run.error) for run in await runs(life)] == [("ok", None), ("failed", "cut off")]


async def test_a_run_that_lives_long_and_dies_is_taken_up_if_it_was_alive_lately(life: Life) -> None:
    furnish(life)
    life.on_progress = lambda _: life.wait(minutes=2)
    await die_after(life, 16)
    assert life.now >= NOW + timedelta(minutes=20)
    life.on_progress = lambda _: None
    assert (await life.sync(Kind.FULL)).resumed == 1


async def test_a_run_that_failed_is_not_taken_up_but_its_histories_are(life: Life) -> None:
    furnish(life)
    life.source.errors = {f"history EMD_{survey_id}": Unavailable("HTTP 503") for survey_id in SURVEYS}
    life.source.pages_before_error = 2
    run = await life.sync(Kind.FULL)
    assert run.outcome == "partial"
    life.source.errors.clear()
    life.source.pages.clear()
    run = await life.sync(Kind.FULL)
    assert (run.outcome, run.resumed, run.invitations) == ("ok", 0, 3)
    assert life.source.pages["history EMD_SV_1"] == 1
    assert life.source.pages["links EMD_SV_1"] == 0
    (distribution,) = await life.store.read(lambda uow: uow.distributions.of_survey("main", "SV_1"))
    assert distribution.rows_missing == 0


@pytest.mark.parametrize("lost", ["refused", "old"])
async def test_a_position_that_is_refused_or_old_is_dropped_and_its_list_read_from_the_start(life: Life, lost: str) -> None:
    furnish(life)
    life.source.errors = {"history EMD_SV_1": Unavailable("HTTP 503")}
    life.source.pages_before_error = 2
    await life.sync(Kind.FULL)
    life.source.errors.clear()
    life.source.pages.clear()
    if lost == "refused":
        life.source.refused_positions = {"history EMD_SV_1": Rejected("HTTP 400")}
    else:
        life.wait(hours=7)
    await life.sync(Kind.FULL)
    assert life.source.pages["history EMD_SV_1"] == 3


async def test_a_history_that_moved_while_it_was_read_is_read_again(life: Life) -> None:
    """It is recorded for the counts with which its reading began."""
    await life.long_ago()
    furnish(life)
    life.source.errors = {"history EMD_SV_1": Unavailable("HTTP 503")}
    life.source.pages_before_error = 2
    await life.sync()
    life.source.errors.clear()
    life.source.move("EMD_SV_1", "CID_0", "SurveyFinished", NOW)
    await life.sync()
    await life.sync()
    stored = await life.store.read(lambda uow: uow.invitations.of_contacts("main", "EMD_SV_1", ["CID_0"]))
    assert stored["CID_0"].status == "SurveyFinished"
