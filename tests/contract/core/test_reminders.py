"""Reminders over a real database: once, in time, and only to people who can still answer."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from bot.errors import Unauthorized
from bot.model import HistoryEntry, LinkType
from bot.ports.records import Batch
from bot.syncing.closures import closures, name_of
from bot.syncing.sync import Kind
from tests.contract.core.conftest import Life
from tests.unit.core.examples import DAY, NOW

ANA, BEN = "ana@acme.example", "ben@acme.example"
CLOSING = "survey.closing"


async def a_week_old(life: Life, **values: Any) -> None:
    """A survey known since the baseline, closing in two days for Ana and Ben."""
    values.setdefault("link_expires_at", NOW + 2 * DAY)
    life.source.put()
    life.source.send("EMD_1", {"CID_1": ANA, "CID_2": BEN}, **values)
    await life.baseline()


async def reminded(life: Life) -> list[str]:
    await life.remind()
    return [email for kind, _, email in await life.told() if kind == CLOSING]


async def test_everybody_who_can_still_answer_is_reminded_once_24_hours_before_the_deadline(life: Life) -> None:
    await a_week_old(life)
    life.wait(hours=23, minutes=59)
    assert await reminded(life) == []
    life.wait(minutes=1)
    assert await reminded(life) == [ANA, BEN]
    assert await reminded(life) == [ANA, BEN]


async def test_nobody_is_reminded_who_finished_or_whose_survey_closed(life: Life) -> None:
    await a_week_old(life)
    life.source.move("EMD_1", "CID_1", "SurveyFinished", NOW)
    await life.sync()
    life.wait(hours=24)
    assert await reminded(life) == [BEN]


async def test_a_deactivated_survey_reminds_nobody_and_one_that_came_back_does(life: Life) -> None:
    await a_week_old(life)
    life.source.put(is_active=False)
    await life.sync()
    life.wait(hours=24)
    assert await reminded(life) == []
    life.source.put()
    await life.sync()
    assert await reminded(life) == [ANA, BEN]


async def test_the_survey_end_counts_when_it_is_earlier_than_the_link(life: Life) -> None:
    await a_week_old(life, link_expires_at=NOW + 30 * DAY)
    life.source.put(ends_at=NOW + 2 * DAY, last_modified=NOW)
    await life.sync()
    life.wait(hours=24)
    assert await reminded(life) == [ANA, BEN]


async def test_a_deadline_that_moves_away_after_the_reminder_is_reminded_of_again(life: Life) -> None:
    await a_week_old(life)
    life.wait(hours=24)
    assert len(await reminded(life)) == 2
    life.source.send("EMD_1", {"CID_1": ANA, "CID_2": BEN}, link_expires_at=NOW + 9 * DAY)
    await life.sync()
    assert len(await reminded(life)) == 2
    life.wait(days=7)
    assert len(await reminded(life)) == 4


async def test_a_longer_living_reminder_link_moves_the_person_to_its_deadline(life: Life) -> None:
    await a_week_old(life)
    life.source.send("EMD_2", {"CID_1": ANA}, request_type="Reminder", parent_id="EMD_1", link_expires_at=NOW + 5 * DAY)
    await life.sync()
    life.wait(hours=24)
    assert await reminded(life) == [BEN]
    life.wait(days=3)
    assert await reminded(life) == [BEN, ANA]


async def test_an_outage_over_the_due_moment_catches_up_and_one_over_the_deadline_does_not(life: Life) -> None:
    await a_week_old(life)
    life.wait(hours=47)
    assert await reminded(life) == [ANA, BEN]


async def test_after_the_deadline_nobody_is_reminded(life: Life) -> None:
    await a_week_old(life)
    life.wait(hours=48)
    assert await reminded(life) == []


async def test_what_was_due_before_the_baseline_stays_unsaid(life: Life) -> None:
    await a_week_old(life, link_expires_at=NOW + timedelta(hours=20))
    assert await reminded(life) == []


async def test_whoever_is_invited_within_the_last_day_gets_one_message_not_two(life: Life) -> None:
    await life.long_ago()
    life.source.put()
    life.source.send("EMD_1", {"CID_1": ANA}, link_expires_at=NOW + timedelta(hours=20))
    await life.sync()
    assert await reminded(life) == []
    assert len(await life.told()) == 1


@pytest.mark.parametrize("values", [{"link_type": LinkType.ANONYMOUS}, {"link_expires_at": None}])
async def test_nobody_is_reminded_where_no_answer_can_be_seen_or_nothing_ends(life: Life, values: dict[str, Any]) -> None:
    await a_week_old(life, **values)
    life.wait(days=1)
    assert await reminded(life) == []


async def test_a_reminder_of_an_anonymous_link_is_as_untracked_as_its_invite(life: Life) -> None:
    await a_week_old(life, link_type=LinkType.ANONYMOUS)
    values = {"request_type": "Reminder", "parent_id": "EMD_1", "link_type": LinkType.UNKNOWN}
    life.source.send("EMD_2", {"CID_1": ANA}, link_expires_at=NOW + 2 * DAY, **values)
    await life.sync()
    life.wait(days=1)
    assert await reminded(life) == []


async def test_more_than_one_transaction_of_due_people_is_reminded_in_one_go(life: Life) -> None:
    life.source.page_size = 500
    life.source.put()
    people: dict[str, str | None] = {f"CID_{n}": f"p{n}@acme.example" for n in range(1203)}
    life.source.send("EMD_1", people, link_expires_at=NOW + 2 * DAY)
    await life.baseline()
    life.wait(hours=25)
    assert await life.remind() == 1203
    assert await life.remind() == 0


async def vetoed(life: Life) -> None:
    """Ana is due for ten surveys; that she answered six was not read, for three others were to be closed."""
    await life.long_ago()
    for number in range(10):
        life.source.put(f"SV_{number}")
        life.source.send(f"EMD_{number}", {"CID_1": ANA}, f"SV_{number}", link_expires_at=NOW + 3 * DAY)
    await life.sync()
    for number in range(3):
        life.source.put(f"SV_{number}", is_active=False)
    life.wait(hours=1)
    for number in range(3, 9):
        life.source.move(f"EMD_{number}", "CID_1", "SurveyFinished", life.now)
    life.wait(hours=48)
    assert (await life.sync(Kind.FULL)).outcome == "vetoed"
    assert await life.remind() == 0


async def test_nobody_is_reminded_while_a_veto_waits_and_those_who_did_not_answer_are_after(life: Life) -> None:
    await vetoed(life)
    for number in range(3):
        life.source.put(f"SV_{number}")
    assert (await life.sync(Kind.FULL)).outcome == "ok"
    assert await life.remind() == 4
    assert sorted(survey for kind, survey, _ in await life.told() if kind == CLOSING) == ["SV_0", "SV_1", "SV_2", "SV_9"]


async def test_nobody_is_reminded_while_what_was_approved_is_still_being_read(life: Life) -> None:
    await vetoed(life)
    read, meanwhile = life.source.history, list[int]()

    async def read_slowly(distribution_id: str, after: str | None = None) -> AsyncIterator[Batch[HistoryEntry]]:
        meanwhile.append(await life.remind())
        async for batch in read(distribution_id, after):
            yield batch

    life.source.history = read_slowly
    name = name_of(await life.store.read(lambda uow: closures(uow, "main")))
    await life.synchronisation().approve(name)
    assert meanwhile == [0] * 6
    assert await life.remind() == 1
    assert (CLOSING, "SV_9", ANA) in await life.told()


async def test_nobody_is_reminded_while_credentials_are_refused_and_those_who_did_not_answer_are_after(life: Life) -> None:
    await a_week_old(life)
    life.source.errors["surveys"] = Unauthorized("HTTP 401")
    life.source.move("EMD_1", "CID_1", "SurveyFinished", NOW)
    life.wait(hours=25)
    with pytest.raises(Unauthorized):
        await life.sync()
    assert await reminded(life) == []
    life.source.errors.clear()
    await life.sync()
    assert await reminded(life) == [BEN]
