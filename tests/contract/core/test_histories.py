"""Which links and histories a look reads, what of an earlier reading still holds, and what a refusal costs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlalchemy.event import listen, remove

from bot.errors import Forbidden, Rejected, Unavailable
from bot.model import Distribution, HistoryEntry
from bot.ports.records import Batch, StoredRow
from tests.contract.core.conftest import Life
from tests.unit.core.examples import DAY, NOW

ANA, BEN = "ana@acme.example", "ben@acme.example"
INVITED, CLOSING = "survey.invited", "survey.closing"
HOUR = timedelta(hours=1)


async def row(life: Life, contact_id: str = "CID_1") -> StoredRow:
    rows = await life.store.read(lambda uow: uow.invitations.of_contacts("main", "EMD_1", [contact_id]))
    return rows[contact_id]


async def the_distribution(life: Life) -> Distribution:
    (found,) = await life.store.read(lambda uow: uow.distributions.of_survey("main", "SV_1"))
    return found


async def looks(life: Life, hours: float) -> None:
    """Look every 15 minutes."""
    until = life.now + hours * HOUR
    while life.now < until:
        life.wait(minutes=15)
        await life.sync()


async def test_an_answer_without_a_time_counts_from_when_it_was_seen_not_from_when_its_run_began(life: Life) -> None:
    await life.long_ago()
    life.source.put()
    life.source.send("EMD_1", {"CID_1": ANA})
    await life.sync()
    life.wait(minutes=15)
    read = life.source.history
    life.source.send("EMD_2", {"CID_1": ANA}, request_type="Reminder", parent_id="EMD_1", send_date=NOW + 2 * HOUR)
    life.source.move("EMD_1", "CID_1", "SurveyFinished")

    def read_late(distribution_id: str, after: str | None = None) -> AsyncIterator[Batch[HistoryEntry]]:
        life.wait(hours=4)
        return read(distribution_id, after)

    life.source.history = read_late
    await life.sync()
    assert (await row(life)).completed_at == life.now
    life.source.history = read
    await looks(life, 1)
    assert await life.told() == [(INVITED, "SV_1", ANA)]


async def test_links_read_before_somebody_joined_are_read_again(life: Life) -> None:
    await life.long_ago()
    life.source.directory_list = ()
    life.source.put()
    life.source.send("EMD_1", {"CID_1": ANA})
    life.source.errors["history EMD_1"] = Unavailable("HTTP 503")
    await life.sync()
    life.source.errors.clear()
    life.wait(minutes=15)
    life.source.send("EMD_1", {"CID_1": ANA, "CID_2": BEN})
    await life.sync()
    assert {email for _, _, email in await life.told()} == {ANA, BEN}


async def test_the_rows_before_a_position_are_read_again_when_the_counts_moved(life: Life) -> None:
    await life.long_ago()
    life.source.put()
    people: dict[str, str | None] = {f"CID_{number}": f"p{number}@acme.example" for number in range(6)}
    life.source.send("EMD_1", people, send_date=NOW - 20 * DAY, link_expires_at=NOW + 9 * DAY)
    life.source.errors["history EMD_1"] = Unavailable("HTTP 503")
    life.source.pages_before_error = 2
    await life.sync()
    life.source.errors.clear()
    life.wait(hours=1)
    life.source.move("EMD_1", "CID_0", "SurveyFinished", life.now)
    await life.sync()
    assert (await row(life, "CID_0")).status == "SurveyFinished"


async def test_one_contact_without_an_address_does_not_cost_the_links_of_all_with_every_history(life: Life) -> None:
    await life.long_ago()
    life.source.put()
    life.source.send("EMD_1", {f"CID_{number}": f"p{number}@acme.example" for number in range(9)} | {"CID_9": None})
    await life.sync()
    life.source.pages.clear()
    for number in range(4):
        life.source.move("EMD_1", f"CID_{number}", "Opened")
        await looks(life, 0.25)
    assert (life.source.pages["history EMD_1"], life.source.pages["links EMD_1"]) == (4 * 5, 0)


@pytest.mark.parametrize("error", [Rejected("HTTP 400"), Forbidden("HTTP 403")])
async def test_a_refused_history_rests_is_a_gap_and_does_not_cost_its_links_again(life: Life, error: Exception) -> None:
    await life.long_ago()
    life.source.put()
    life.source.send("EMD_1", {"CID_1": ANA, "CID_2": BEN}, send_date=NOW - HOUR)
    life.source.errors["history EMD_1"] = error
    await looks(life, 13)
    assert life.source.called["links EMD_1"] == 1
    assert (await the_distribution(life)).rows_missing == 2
    life.source.errors.clear()
    await looks(life, 6)
    assert len(await life.told()) == 2
    assert life.source.called["history EMD_1"] == 4  # at once, and each six hours
    assert life.source.called["links EMD_1"] == 1
    assert (await the_distribution(life)).rows_missing == 0


async def test_who_is_to_be_looked_at_again_is_even_where_that_was_refused_at_first(life: Life) -> None:
    """A survey that was closed and came back opens its unsaid messages again."""
    await life.long_ago()
    await life.join("ana")
    life.source.put()
    life.source.send("EMD_1", {"CID_1": ANA})
    await life.sync()
    life.source.put(is_active=False)
    await life.sync()
    await life.deliver()
    life.source.put()
    life.source.errors["history EMD_1"] = Rejected("HTTP 400")
    await life.sync()
    life.source.errors.clear()
    life.wait(hours=6)
    await life.sync()
    await life.deliver()
    assert [user for user, _ in life.channel.sent] == ["ana"]


async def test_pages_left_to_read_count_those_of_a_position_that_was_refused(life: Life) -> None:
    await life.long_ago()
    life.source.page_size = 100
    life.source.put()
    life.source.send("EMD_1", {f"CID_{number}": f"p{number}@acme.example" for number in range(500)})
    life.source.errors["history EMD_1"] = Unavailable("HTTP 503")
    life.source.pages_before_error = 4
    await life.sync()
    life.source.errors.clear()
    life.source.refused_positions = {"history EMD_1": Rejected("HTTP 400")}
    left: list[int] = []
    life.on_progress = lambda progress: left.append(progress.history_pages_left)
    await life.sync()
    assert (max(left), left[-1], min(left)) == (4, 0, 0)


async def own_expiries(life: Life, expires_at: Any, **values: Any) -> None:
    """Ana and Ben have links with an expiry of their own, mailed three weeks ago."""
    life.source.put()
    life.source.send("EMD_1", {"CID_1": ANA, "CID_2": BEN}, send_date=NOW - 20 * DAY, **values)
    for contact_id, link in life.source.addresses["EMD_1"].items():
        life.source.addresses["EMD_1"][contact_id] = replace(link, expires_at=expires_at)


async def test_whose_links_die_soon_by_an_expiry_of_their_own_are_not_reminded_after_they_answered(life: Life) -> None:
    await life.long_ago()
    await own_expiries(life, NOW + 28 * HOUR, link_expires_at=None)
    await life.sync()
    life.source.move("EMD_1", "CID_2", "Opened")
    await looks(life, 2)
    life.source.move("EMD_1", "CID_1", "SurveyFinished", life.now)
    await looks(life, 2)
    await life.remind()
    assert [email for kind, _, email in await life.told() if kind == CLOSING] == [BEN]


async def test_links_that_outlive_their_distribution_are_watched_as_long_as_they_live(life: Life) -> None:
    await life.long_ago()
    await own_expiries(life, NOW + 9 * DAY, link_expires_at=NOW + DAY)
    await life.sync()
    life.wait(days=6)
    life.source.move("EMD_1", "CID_1", "SurveyFinished", life.now)
    await life.sync()
    assert (await row(life)).status == "SurveyFinished"


async def test_the_answers_of_the_last_minute_are_read_once_more_and_nobody_is_told(life: Life) -> None:
    await life.long_ago()
    life.source.put()
    life.source.send("EMD_1", {"CID_1": ANA, "CID_2": BEN}, link_expires_at=NOW + 2 * DAY)
    await life.sync()
    told = await life.told()
    life.now = NOW + 2 * DAY - timedelta(minutes=1)
    life.source.move("EMD_1", "CID_1", "SurveyFinished", life.now)
    life.wait(minutes=5)
    await looks(life, 4)
    await life.remind()
    assert (await row(life)).status == "SurveyFinished"
    assert life.source.called["history EMD_1"] == 2
    assert await life.told() == told


async def test_what_moves_two_days_after_the_deadline_costs_nothing(life: Life) -> None:
    await life.long_ago()
    life.source.put()
    life.source.send("EMD_1", {"CID_1": ANA}, link_expires_at=NOW + DAY)
    await life.sync()
    life.wait(days=3)
    life.source.move("EMD_1", "CID_1", "SessionExpired")
    await life.sync()
    assert life.source.called["history EMD_1"] == 1


async def test_a_gap_that_waits_does_not_ask_a_hint_to_come_back(life: Life) -> None:
    await life.long_ago()
    life.source.put()
    life.source.send("EMD_1", {"CID_1": ANA, "CID_2": BEN})
    del life.source.rows["EMD_1"]["CID_2"]
    await life.sync()
    life.wait(minutes=1)
    assert (await life.synchronisation().refresh(["SV_1"])).postponed == 0


async def test_what_is_known_of_the_positions_is_asked_once_however_many_surveys_are_read(life: Life) -> None:
    await life.long_ago()
    asked: list[str] = []

    def hear(_c: object, _cursor: object, statement: str, *_rest: object) -> None:
        if statement.startswith("SELECT") and "FROM positions" in statement:
            asked.append(statement)

    numbers: list[int] = []
    for count in (2, 9):
        for number in range(count):
            life.source.put(f"SV_{count}_{number}")
            life.source.send(f"EMD_{count}_{number}", {}, f"SV_{count}_{number}")
        listen(Engine, "before_cursor_execute", hear)
        await life.sync()
        remove(Engine, "before_cursor_execute", hear)
        numbers.append(len(asked))
        asked.clear()
    assert numbers[0] == numbers[1]
