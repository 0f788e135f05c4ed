"""The request log keeps 24 hours of lines, and finds those that matter."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.ports.records import RequestLine
from store.unit_of_work import SqlStore
from tests.contract.store.examples import DAY, NOW
from tests.unit.core.examples import an_integration

LINE = RequestLine(at=NOW, method="GET", path="/distributions/{id}/history", status=200, duration_ms=412, request_id="a-b-c")


@pytest.fixture
async def logged(store: SqlStore) -> SqlStore:
    """Two integrations; the first one was refused once and not answered once."""
    await store.write(lambda u: [u.integrations.save(an_integration(name)) for name in ("main", "other")])
    lines = [replace(LINE, at=NOW - timedelta(minutes=n), status=status) for n, status in enumerate((200, 429, None, 200))]
    await store.write(lambda u: u.requests.add("main", lines))
    await store.write(lambda u: u.requests.add("other", [replace(LINE, at=NOW - timedelta(seconds=1))]))
    return store


async def test_lines_come_back_as_they_were_added_the_newest_first(logged: SqlStore) -> None:
    found = await logged.read(lambda u: u.requests.list(since=NOW - DAY))
    assert found[0] == ("main", LINE)
    assert [line.at for _, line in found] == sorted((line.at for _, line in found), reverse=True)
    assert len(found) == 5


async def test_the_list_can_be_narrowed(logged: SqlStore) -> None:
    def statuses(found: object) -> list[int | None]:
        return [line.status for _, line in found]  # type: ignore[attr-defined]

    assert statuses(await logged.read(lambda u: u.requests.list(since=NOW - DAY, integration_id="main", failed_only=True))) == [429, None]
    assert statuses(await logged.read(lambda u: u.requests.list(since=NOW - timedelta(seconds=30)))) == [200, 200]
    assert statuses(await logged.read(lambda u: u.requests.list(since=NOW - DAY, integration_id="main", limit=2))) == [200, 429]


async def test_lines_are_counted_by_integration_and_status(logged: SqlStore) -> None:
    counts = await logged.read(lambda u: u.requests.statuses(NOW - DAY))
    assert counts == {("main", 200): 2, ("main", 429): 1, ("main", None): 1, ("other", 200): 1}
    assert await logged.read(lambda u: u.requests.statuses(NOW)) == {("main", 200): 1}


async def test_what_is_older_is_forgotten(logged: SqlStore) -> None:
    await logged.write(lambda u: u.requests.forget(NOW - timedelta(seconds=30)))
    found = await logged.read(lambda u: u.requests.list(since=NOW - 9 * DAY))
    assert [line.at for _, line in found] == [NOW, NOW - timedelta(seconds=1)]


async def test_lines_of_an_integration_that_is_gone_are_dropped(logged: SqlStore) -> None:
    await logged.write(lambda u: u.requests.add("removed", [LINE]))
    assert len(await logged.read(lambda u: u.requests.list(since=NOW - DAY))) == 5


async def test_thousands_of_lines_are_added_at_once_and_none_is_no_error(logged: SqlStore) -> None:
    await logged.write(lambda u: u.requests.add("main", []))
    await logged.write(lambda u: u.requests.add("main", [LINE] * 2500))
    assert (await logged.read(lambda u: u.requests.statuses(NOW)))["main", 200] == 2501
