"""Synchronisation where something cannot be read: one bad survey stops nobody, and a bad tenant ends the run with a reason."""

from __future__ import annotations

import pytest

from bot.errors import Malformed, SurveybotError, Unauthorized, Unavailable
from bot.records import Run
from bot.sync import Kind
from tests.contract.core.conftest import Life

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


async def test_when_many_surveys_cannot_be_read_the_run_gives_up(life: Life) -> None:
    for number in range(5):
        life.source.put(f"SV_{number}")
        life.source.errors[f"distributions SV_{number}"] = Unavailable("HTTP 503")
    with pytest.raises(Unavailable):
        await life.sync(Kind.FULL)
    assert (await last_run(life)).outcome == "failed"


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


async def test_a_history_shorter_than_what_was_sent_is_read_again_after_an_hour(life: Life) -> None:
    await life.long_ago()
    life.source.put()
    life.source.send("EMD_1", {"CID_1": ANA, "CID_2": BEN})
    hidden = life.source.rows["EMD_1"].pop("CID_2")
    run = await life.sync()
    assert (run.told, run.skipped) == (1, 1)
    life.source.rows["EMD_1"]["CID_2"] = hidden
    await life.sync()
    assert len(await life.told()) == 1
    life.wait(hours=1)
    await life.sync()
    assert await life.told() == [(INVITED, "SV_1", ANA), (INVITED, "SV_1", BEN)]
