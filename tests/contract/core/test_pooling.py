"""Distributions to too few people are counted together and once, whichever integration comes first, and whatever becomes of them."""

from __future__ import annotations

from dataclasses import replace

from bot import coverage, numbers
from bot.model import DistributionStats, Pool
from bot.small_groups import Guarded
from bot.syncing.sync import Kind
from tests.contract.core.conftest import Life
from tests.unit.core.examples import DAY, NOW, an_integration


def send(life: Life, name: str, *, answered: int = 0, **values: object) -> None:
    """To four people of its own."""
    people = [f"CID_{name}{number}" for number in range(4)]
    life.source.send(f"EMD_{name}", {it: f"{it}@acme.example".lower() for it in people}, **values)  # type: ignore[arg-type]
    for contact_id in people[:answered]:
        life.source.move(f"EMD_{name}", contact_id, "SurveyFinished", NOW)


async def shown(life: Life, integration_id: str = "main") -> Guarded:
    found = await life.store.read(lambda uow: numbers.of_survey(uow, integration_id, "SV_1", life.now))
    listed = await life.store.read(lambda uow: [*numbers.of_surveys(uow, an_integration(integration_id), ["SV_1"], life.now)])
    covered = await life.store.read(lambda uow: coverage.of_survey(uow, integration_id, "SV_1", life.now))
    assert found is not None
    assert [found.numbers] == [it.numbers for it in listed]
    assert covered.whole == found.numbers.whole
    assert found.history[-1].numbers == found.numbers
    assert all(found.of(it).whole.is_hidden for it in found.distributions)
    return found.numbers


def counts(guarded: Guarded) -> tuple[int, int]:
    return guarded.whole.number, guarded.part("finished").number


async def test_a_pool_is_counted_once_for_all_integrations_and_stays_as_it_is(life: Life) -> None:
    life.source.put()
    for name in "ABC":
        send(life, name, answered=2, send_date=NOW - DAY, link_expires_at=NOW + 2 * DAY)
    await life.baseline()
    assert counts(await shown(life)) == (0, 0)
    life.wait(days=2)
    await life.synchronisation().refresh(["SV_1"])
    once = await shown(life)
    assert counts(once) == (10, 5)

    # The links of one are prolonged, all of its people answer, one distribution grows, one is deleted; another integration comes.
    send(life, "A", answered=4, send_date=NOW - DAY, link_expires_at=NOW + 9 * DAY)
    life.source.sent["EMD_B"] = replace(life.source.sent["EMD_B"], stats=DistributionStats(sent=40, finished=40))
    del life.source.sent["EMD_C"]
    life.source.send("EMD_R", {"CID_A0": "a@acme.example"}, parent_id="EMD_A", request_type="Reminder", link_expires_at=NOW + 9 * DAY)
    life.settings = replace(life.settings, mass_closure_share=1.0)
    for kind in Kind:
        life.wait(days=5)
        await life.sync(kind)
        assert await shown(life) == once
    await life.sync(Kind.FULL, "twin")
    assert await shown(life, "twin") == once


async def test_what_has_no_end_is_counted_after_two_weeks_and_those_who_are_too_few_wait_for_others(life: Life) -> None:
    life.source.put()
    for name in "ABC":
        send(life, name, answered=3, send_date=NOW, link_expires_at=None)
    await life.baseline()
    life.wait(days=14)
    await life.sync()
    assert counts(await shown(life)) == (0, 0)
    send(life, "D", answered=3, send_date=NOW + 2 * DAY, link_expires_at=None)
    life.wait(days=1)
    await life.sync()
    assert counts(await shown(life)) == (10, 5)
    for name in "EF":
        send(life, name, answered=4, send_date=NOW + 3 * DAY, link_expires_at=NOW + 16 * DAY)
    await life.sync()
    assert counts(await shown(life)) == (10, 5)
    life.wait(days=2)
    await life.sync()
    assert counts(await shown(life)) == (20, 10)


async def test_of_two_who_count_at_the_same_time_one_does_and_of_whom_nobody_is_known_nothing_is_counted(life: Life) -> None:
    life.source.put()
    for name in "ABC":
        send(life, name, answered=2, send_date=NOW - DAY, link_expires_at=NOW)
        life.source.rows[f"EMD_{name}"].clear()
        life.source.addresses[f"EMD_{name}"].clear()
    await life.baseline()
    life.wait(hours=1)
    await life.sync()
    assert counts(await shown(life)) == (0, 0)
    pool = Pool(number=1, counted_at=life.now, stats=DistributionStats(sent=12, finished=6))
    add = lambda uow: uow.pools.add("SV_1", ["EMD_A", "EMD_B", "EMD_C"], pool)  # noqa: E731 - one statement of a store
    assert [await life.store.write(add) for _ in range(2)] == [True, False]
    assert counts(await shown(life)) == (10, 5)
