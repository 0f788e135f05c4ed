"""Qualtrics' own events, really delivered: what happened is seen within seconds, without a synchronisation."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.scenarios.conftest import ADA, BJOERN, SURVEY, House

#: What the answers are made of is read on both databases by `tests/contract`.
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


async def test_a_completed_response_leaves_the_list_without_a_synchronisation(house: House) -> None:
    await house.inside.push()
    survey_id = house.send(ADA, BJOERN)
    await house.look()
    assert SURVEY in (await house.command(ADA)).text
    await house.inside.courier.send_all()
    lists = house.inside.tenant.calls["/surveys"]
    house.inside.clock.advance(timedelta(minutes=10))
    await house.visit(house.inside.tenant.personal_link(ADA, survey_id), finish=True)
    delivered = await house.inside.courier.send_all()
    assert [sent.status for sent in delivered] == [200]
    house.inside.clock.advance(timedelta(seconds=5))
    await house.inside.bot.core.refresher.refresh_due()
    assert SURVEY not in (await house.command(ADA)).text
    assert SURVEY in (await house.command(BJOERN)).text
    assert house.inside.tenant.calls["/surveys"] == lists


async def test_a_survey_that_is_deactivated_is_closed_within_seconds(house: House) -> None:
    await house.inside.push()
    survey_id = house.send(ADA)
    await house.look()
    await house.inside.courier.send_all()
    house.inside.tenant.deactivate(survey_id)
    assert [sent.status for sent in await house.inside.courier.send_all()] == [200]
    house.inside.clock.advance(timedelta(seconds=5))
    await house.inside.bot.core.refresher.refresh_due()
    assert SURVEY not in (await house.command(ADA)).text
