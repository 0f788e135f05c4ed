"""Synchronisation where something cannot be read: one bad survey stops nobody, and a bad tenant ends the run with a reason."""

from __future__ import annotations

import pytest

from bot.errors import Malformed, SurveybotError, Unauthorized, Unavailable
from bot.ports.records import Run
from bot.syncing.look import FAILURES_BORNE
from bot.syncing.sync import Kind
from tests.contract.core.conftest import Life
from tests.unit.core.examples import DAY, NOW

ANA, BEN = "ana@acme.example", "ben@acme.example"
INVITED = "survey.invited"


async def last_run(life: Life) -> Run:
    return max(await life.store.read(lambda uow: uow.runs.latest("main")), key=lambda run: run.started_at)


@pytest.mark.parametrize("call", ["surveys", "users"])
@pytest.mark.parametrize("error", [Unavailable("HTTP 503"), Unauthorized("HTTP 401"), Malformed("not JSON")])
async def test_a_run_that_cannot_go_on_fails_says_why_and_is_no_baseline(life: Life, call: str, error: SurveybotError) -> None:
    life.source.put()
    life.source.send("EMD_1", {"CID_1": ANA})
    life.source.errors[call] = error
    with pytest.raises(type(error)):
        await life.sync(Kind.FULL)
    run = await last_run(life)
    assert (run.outcome, run.error) == ("failed", f"{type(error).__name__}: {error}")
    (integration,) = await life.store.read(lambda uow: uow.integrations.all())
    assert integration.baseline_at is None
    life.source.errors.clear()
    await life.baseline()
    assert await life.told() == []


@pytest.mark.parametrize("call", ["distributions SV_1", "history EMD_1", "links EMD_1", "details SV_1"])
async def test_refused_credentials_end_the_run_wherever_they_show(life: Life, call: str) -> None:
    life.source.put()
    life.source.send("EMD_1", {"CID_1": ANA})
    life.source.errors[call] = Unauthorized("HTTP 401")
    with pytest.raises(Unauthorized):
        await life.sync(Kind.FULL)


@pytest.mark.parametrize("call", ["distributions SV_bad", "history EMD_bad", "links EMD_bad", "details SV_bad", "directories"])
@pytest.mark.parametrize("error", [Unavailable("HTTP 504"), Malformed("paging loop")])
async def test_one_survey_that_cannot_be_read_stops_nobody_else_and_is_told_when_it_can(
    life: Life, call: str, error: SurveybotError
) -> None:
    await life.long_ago()
    for survey_id in ("SV_bad", "SV_1", "SV_2"):
        life.source.put(survey_id)
        life.source.send(f"EMD_{survey_id[3:]}", {"CID_1": ANA, "CID_2": None}, survey_id)
    life.source.errors[call] = error
    run = await life.sync()
    assert (run.outcome, run.error) == ("partial", f"{type(error).__name__}: {error}")
    assert {(INVITED, "SV_1", ANA), (INVITED, "SV_2", ANA)} <= set(await life.told())
    life.source.errors.clear()
    assert (await life.sync()).outcome == "ok"
    assert sorted(await life.told()) == [(INVITED, "SV_1", ANA), (INVITED, "SV_2", ANA), (INVITED, "SV_bad", ANA)]


async def test_when_many_surveys_after_another_cannot_be_read_the_run_gives_up(life: Life) -> None:
    for number in range(FAILURES_BORNE + 5):
        life.source.put(f"SV_{number}")
        life.source.errors[f"distributions SV_{number}"] = Unavailable("HTTP 503")
    life.parallel = 1
    with pytest.raises(Unavailable):
        await life.sync(Kind.FULL)
    assert (await last_run(life)).outcome == "failed"
    assert sum(life.source.called[f"distributions SV_{number}"] for number in range(FAILURES_BORNE + 5)) == FAILURES_BORNE + 1


@pytest.mark.parametrize(("bad", "parallel"), [(4, 8), (FAILURES_BORNE, 8), (FAILURES_BORNE, 1)])
async def test_a_few_surveys_that_come_first_and_cannot_be_read_keep_the_run_from_nobody_else(life: Life, bad: int, parallel: int) -> None:
    await life.long_ago()
    life.parallel = parallel
    for number in range(bad):
        life.source.put(f"SV_bad{number}")
        life.source.send(f"EMD_bad{number}", {"CID_1": ANA}, f"SV_bad{number}", link_expires_at=NOW + DAY)
        life.source.errors[f"history EMD_bad{number}"] = Malformed("not JSON")
    for number in range(3):
        life.source.put(f"SV_{number}")
        life.source.send(f"EMD_{number}", {"CID_2": BEN}, f"SV_{number}")
    assert (await life.sync()).outcome == "partial"
    assert sorted(await life.told()) == [(INVITED, f"SV_{number}", BEN) for number in range(3)]


async def test_many_surveys_that_cannot_be_read_among_others_that_can_do_not_end_a_run(life: Life) -> None:
    life.parallel = 1
    for number in range(3 * FAILURES_BORNE):
        life.source.put(f"SV_{number:02d}")
        if number % 2:
            life.source.errors[f"distributions SV_{number:02d}"] = Unavailable("HTTP 503")
    assert (await life.sync(Kind.FULL)).outcome == "partial"


async def test_a_sweep_that_left_something_out_keeps_how_far_it_came(life: Life) -> None:
    await life.long_ago()
    life.source.put()
    life.source.send("EMD_1", {"CID_1": ANA, "CID_2": BEN, "CID_3": "cleo@acme.example"})
    await life.sync()
    life.wait(minutes=5)
    life.source.errors["history EMD_1"] = Unavailable("HTTP 503")
    life.source.pages_before_error = 1
    assert (await life.sync(Kind.SWEEP)).outcome == "partial"
    life.wait(minutes=5)
    life.source.errors.clear()
    life.source.pages.clear()
    assert (await life.sync(Kind.SWEEP)).outcome == "ok"
    assert life.source.pages["history EMD_1"] == 1


async def test_good_pages_before_a_bad_one_are_kept_and_their_people_told_once(life: Life) -> None:
    await life.long_ago()
    life.source.put()
    life.source.send("EMD_1", {"CID_1": ANA, "CID_2": BEN, "CID_3": "cleo@acme.example"})
    life.source.errors["history EMD_1"] = Unavailable("HTTP 504")
    life.source.pages_before_error = 1
    assert (await life.sync()).outcome == "partial"
    assert len(await life.told()) == 2
    life.source.errors.clear()
    assert (await life.sync()).told == 1
    assert len(await life.told()) == 3


async def test_a_history_shorter_than_what_was_sent_is_read_again_after_six_hours(life: Life) -> None:
    await life.long_ago()
    life.source.put()
    life.source.send("EMD_1", {"CID_1": ANA, "CID_2": BEN})
    hidden = life.source.rows["EMD_1"].pop("CID_2")
    run = await life.sync()
    assert (run.told, run.skipped) == (1, 1)
    life.source.rows["EMD_1"]["CID_2"] = hidden
    await life.sync()
    assert len(await life.told()) == 1
    life.wait(hours=6)
    await life.sync()
    assert await life.told() == [(INVITED, "SV_1", ANA), (INVITED, "SV_1", BEN)]
