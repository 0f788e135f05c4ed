"""Where a brand's pages are is asked once in a full look, of one survey, and never stands in the way of one."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.errors import Forbidden, Malformed, SurveybotError, Unavailable
from bot.model import Anonymity, SurveyDetails
from bot.syncing.sync import Kind
from tests.contract.core.conftest import Life


async def known(life: Life) -> str | None:
    integration = await life.store.read(lambda uow: uow.integrations.get("main"))
    assert integration is not None
    return integration.brand_host


def asked(life: Life) -> set[str]:
    return {call for call in life.source.called if call.startswith("brand host")}


async def test_a_full_look_asks_one_survey_that_may_be_read_and_another_hour_another_one(life: Life) -> None:
    for number in range(3):
        life.source.put(f"SV_{number}")
    life.source.put("SV_hidden")
    life.source.details["SV_hidden"] = SurveyDetails(ends_at=None, anonymity=Anonymity.UNKNOWN)
    life.source.put("SV_off", is_active=False)
    await life.baseline()
    assert (await known(life), len(asked(life))) == ("acme.qualtrics.com", 1)
    life.source.host = "surveys.acme.example"
    await life.sync()
    assert (await known(life), len(asked(life))) == ("acme.qualtrics.com", 1)
    for _ in range(2):
        life.wait(hours=1)
        await life.sync(Kind.FULL)
    assert await known(life) == "surveys.acme.example"
    assert asked(life) == {f"brand host SV_{number}" for number in range(3)}
    life.source.host = None
    await life.sync(Kind.FULL)
    assert await known(life) is None


@pytest.mark.parametrize("error", [Forbidden("not permitted"), Malformed("too long"), Unavailable("down")])
async def test_a_definition_that_cannot_be_read_leaves_what_is_known_and_the_run_whole(life: Life, error: SurveybotError) -> None:
    life.source.put()
    await life.baseline()
    life.now += timedelta(hours=1)
    life.source.errors["brand host SV_1"] = error
    run = await life.sync(Kind.FULL)
    assert (run.outcome, run.skipped, await known(life)) == ("ok", 1, "acme.qualtrics.com")


async def test_where_no_survey_may_be_read_none_is_asked(life: Life) -> None:
    life.source.put()
    life.source.details["SV_1"] = SurveyDetails(ends_at=None, anonymity=Anonymity.UNKNOWN)
    await life.baseline()
    assert (await known(life), asked(life)) == (None, set())
