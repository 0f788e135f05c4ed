"""People whose address Qualtrics' links do not tell: found later by the links, or in the directory, within a budget."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.errors import Forbidden
from bot.model import Directory
from bot.syncing.lookups import CONTACT_LOOKUPS
from tests.contract.core.conftest import Life
from tests.unit.core.examples import DAY, NOW

ANA, BEN = "ana@acme.example", "ben@acme.example"
INVITED = "survey.invited"


async def test_a_person_whose_address_only_the_directory_knows_is_told(life: Life) -> None:
    await life.long_ago()
    life.source.put()
    life.source.send("EMD_1", {"CID_1": None, "CID_2": None})
    life.source.contacts = {"CID_1": ANA}
    assert (await life.sync()).told == 1
    assert await life.told() == [(INVITED, "SV_1", ANA)]


@pytest.mark.parametrize("directories", [(), (Directory(directory_id="POOL_2", name=None, is_default=False),)])
async def test_without_a_default_directory_the_first_one_is_asked_and_without_any_nobody_is(
    life: Life, directories: tuple[Directory, ...]
) -> None:
    await life.long_ago()
    life.source.directory_list = directories
    life.source.put()
    life.source.send("EMD_1", {"CID_1": None})
    life.source.contacts = {"CID_1": ANA}
    assert (await life.sync()).told == len(directories)


@pytest.mark.parametrize("call", ["directories", "contact CID_1"])
async def test_a_directory_that_may_not_be_read_costs_nobody_else_anything(life: Life, call: str) -> None:
    await life.long_ago()
    life.source.errors[call] = Forbidden("not permitted")
    life.source.put()
    life.source.send("EMD_1", {"CID_1": None, "CID_2": BEN})
    run = await life.sync()
    assert (run.outcome, run.told, run.skipped) == ("ok", 1, 1)


async def test_a_person_whose_address_the_links_tell_later_is_told_when_somebody_joins(life: Life) -> None:
    await life.long_ago()
    life.source.put()
    life.source.send("EMD_1", {"CID_1": None})
    await life.sync()
    link = life.source.addresses["EMD_1"]["CID_1"]
    life.source.send("EMD_1", {"CID_1": None, "CID_2": BEN})
    life.source.addresses["EMD_1"]["CID_1"] = replace(link, email=ANA)
    await life.sync()
    assert {email for _, _, email in await life.told()} == {ANA, BEN}


async def test_a_person_whose_address_the_directory_tells_later_is_told_within_a_day(life: Life) -> None:
    await life.long_ago()
    life.source.put()
    life.source.send("EMD_1", {"CID_1": None})
    await life.sync()
    await life.sync()
    assert life.source.called["contact CID_1"] == 1
    life.source.contacts = {"CID_1": ANA}
    life.wait(hours=25)
    await life.sync()
    assert await life.told() == [(INVITED, "SV_1", ANA)]


async def test_look_ups_keep_to_their_budget_and_reach_everybody_in_the_end(life: Life) -> None:
    await life.long_ago()
    life.source.page_size = 500
    life.source.put()
    life.source.send("EMD_1", {f"CID_{n:03d}": None for n in range(250)})
    life.source.contacts = {f"CID_{n:03d}": f"p{n}@acme.example" for n in range(100, 250)}
    for _ in range(2):
        before = sum(number for call, number in life.source.called.items() if call.startswith("contact"))
        await life.sync()
        assert sum(number for call, number in life.source.called.items() if call.startswith("contact")) - before <= CONTACT_LOOKUPS
    assert len(await life.told()) == 150


@pytest.mark.parametrize("how", ["deactivated", "ended", "withdrawn", "expired"])
async def test_nobody_is_looked_up_who_cannot_answer_any_more(life: Life, how: str) -> None:
    await life.long_ago()
    life.source.put(ends_at=NOW + DAY if how == "ended" else None)
    life.source.send("EMD_1", {"CID_1": None}, link_expires_at=NOW + DAY if how == "expired" else None)
    await life.sync()
    assert life.source.called["contact CID_1"] == 1
    if how == "deactivated":
        life.source.put(is_active=False)
    if how == "withdrawn":
        life.source.sent.clear()
    life.wait(days=2)
    await life.sync()
    assert life.source.called["contact CID_1"] == 1


async def test_a_directory_that_may_not_be_listed_is_asked_for_once_a_day(life: Life) -> None:
    await life.long_ago()
    life.source.errors["directories"] = Forbidden("HTTP 403")
    life.source.put()
    life.source.send("EMD_1", {"CID_1": None})
    for _ in range(3):
        await life.sync()
        life.wait(hours=8, minutes=15)
    assert life.source.called["directories"] == 1
    await life.sync()
    assert life.source.called["directories"] == 2
