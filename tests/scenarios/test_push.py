"""Qualtrics' own events, really delivered: what happened is seen within seconds, without a synchronisation."""

from __future__ import annotations

from datetime import timedelta

from tests.scenarios.house import ADA, BJOERN, SURVEY, House


async def test_who_answers_and_what_is_closed_leaves_the_list_without_a_synchronisation(house: House) -> None:
    await house.inside.push()
    survey_id = house.send(ADA, BJOERN)
    closed = house.send(BJOERN, name="Old news")
    await house.look()
    await house.inside.courier.send_all()
    lists = house.inside.tenant.calls["/surveys"]
    house.inside.clock.advance(timedelta(minutes=10))
    await house.visit(house.inside.tenant.personal_link(ADA, survey_id), finish=True)
    house.inside.tenant.deactivate(closed)
    assert [sent.status for sent in await house.inside.courier.send_all()] == [200, 200]
    house.inside.clock.advance(timedelta(seconds=5))
    await house.bot.core.refresher.refresh_due()
    assert SURVEY not in (await house.ask(ADA, "list")).text
    listed = await house.ask(BJOERN, "list")
    assert SURVEY in listed.text
    assert "Old news" not in listed.text
    assert house.inside.tenant.calls["/surveys"] == lists
