"""The request log: what clients tell is kept for a day, costs them nothing, and can be read from the command line."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import pytest

from adapters.request_log import RequestLog
from bot.errors import Unavailable
from bot.ports import Store
from bot.ports.records import RequestLine
from store.unit_of_work import SqlStore
from tests.adapters.operator.conftest import GOOD, Shell
from tests.unit.core.examples import NOW, an_integration

T = TypeVar("T")
LINE = RequestLine(at=NOW, method="GET", path="/surveys", status=200, duration_ms=31, request_id="a1b2c3d4-e5f6-a1b2-c3d4")


class Unsteady:
    """A store that does not answer while it is down."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.is_down = False
        self.read = store.read
        self.writes = 0

    async def write(self, work: object) -> object:
        self.writes += 1
        if self.is_down:
            raise Unavailable("the database cannot answer now")
        return await self._store.write(work)  # type: ignore[arg-type]


async def kept(store: Store) -> list[tuple[str, int]]:
    found = await store.read(lambda uow: uow.requests.list(since=NOW - timedelta(days=9)))
    return [(name, line.duration_ms) for name, line in reversed(found)]


@pytest.fixture
async def unsteady(store: SqlStore) -> Unsteady:
    await store.write(lambda uow: [uow.integrations.save(an_integration(name)) for name in ("main", "other")])
    return Unsteady(store)


async def test_what_clients_tell_is_written_when_it_is_flushed(unsteady: Unsteady) -> None:
    log = RequestLog(unsteady, lambda: NOW)  # type: ignore[arg-type]
    log.sink(an_integration("main"))(LINE)
    log.sink(an_integration("other"))(replace(LINE, at=NOW + timedelta(seconds=1), duration_ms=32))
    assert await kept(unsteady) == []  # type: ignore[arg-type]
    await log.flush()
    await log.flush()
    assert await kept(unsteady) == [("main", 31), ("other", 32)]  # type: ignore[arg-type]
    assert unsteady.writes == 1, "nothing new is no transaction"


async def test_while_the_database_is_down_lines_wait_and_clients_notice_nothing(unsteady: Unsteady) -> None:
    log = RequestLog(unsteady, lambda: NOW)  # type: ignore[arg-type]
    unsteady.is_down = True
    for number in range(3):
        log.sink(an_integration("main"))(replace(LINE, at=NOW + timedelta(seconds=number), duration_ms=number))
        with pytest.raises(Unavailable):
            await log.flush()
    unsteady.is_down = False
    await log.flush()
    assert await kept(unsteady) == [("main", 0), ("main", 1), ("main", 2)]  # type: ignore[arg-type]


async def test_what_waits_is_bounded_and_the_newest_stays(unsteady: Unsteady) -> None:
    log = RequestLog(unsteady, lambda: NOW)  # type: ignore[arg-type]
    sink = log.sink(an_integration("main"))
    for number in range(10_050):
        sink(replace(LINE, duration_ms=number))
    await log.flush()
    found = await unsteady.read(lambda uow: uow.requests.list(since=NOW, limit=20_000))
    assert (len(found), min(line.duration_ms for _, line in found)) == (10_000, 50)


async def test_lines_are_deleted_after_a_day_also_where_no_new_ones_come(unsteady: Unsteady) -> None:
    now = NOW
    log = RequestLog(unsteady, lambda: now)  # type: ignore[arg-type]
    log.sink(an_integration("main"))(LINE)
    await log.flush()
    now += timedelta(hours=23, minutes=59)
    await log.flush()
    assert await kept(unsteady) == [("main", 31)]  # type: ignore[arg-type]
    now += timedelta(minutes=11)
    await log.flush()
    assert await kept(unsteady) == []  # type: ignore[arg-type]


async def test_lines_are_written_while_the_process_goes_on_and_at_its_end(unsteady: Unsteady) -> None:
    log = RequestLog(unsteady, lambda: NOW)  # type: ignore[arg-type]
    async with asyncio.timeout(60), log.written(every_seconds=0.01):
        log.sink(an_integration("main"))(LINE)
        unsteady.is_down = True
        while not unsteady.writes:
            assert await kept(unsteady) == []  # type: ignore[arg-type]
        unsteady.is_down = False
        while not await kept(unsteady):  # type: ignore[arg-type]
            pass
        log.sink(an_integration("other"))(LINE)
    assert await kept(unsteady) == [("main", 31), ("other", 31)]  # type: ignore[arg-type]


async def test_lines_of_an_integration_that_is_gone_harm_nobody(unsteady: Unsteady) -> None:
    log = RequestLog(unsteady, lambda: NOW)  # type: ignore[arg-type]
    log.sink(an_integration("removed"))(LINE)
    log.sink(an_integration("main"))(LINE)
    await log.flush()
    assert await kept(unsteady) == [("main", 31)]  # type: ignore[arg-type]


@pytest.fixture
async def logged(store: SqlStore, database_url: str, shell: Shell) -> Shell:
    """Of this hour: an answer, a refusal, silence; one of three hours ago; and one of another integration."""
    shell.set({**GOOD, "SURVEYBOT_DATABASE_URL": database_url})
    now = datetime.now(UTC)
    lines = [
        replace(LINE, at=now - timedelta(hours=3), path="/whoami"),
        replace(LINE, at=now - timedelta(minutes=3)),
        replace(LINE, at=now - timedelta(minutes=2), path="/distributions/{id}/history", status=429, request_id=None),
        replace(LINE, at=now - timedelta(minutes=1), status=None, duration_ms=120_000, request_id=None),
    ]
    await store.write(lambda uow: [uow.integrations.save(an_integration(name)) for name in ("main", "other")])
    await store.write(lambda uow: uow.requests.add("main", lines))
    await store.write(lambda uow: uow.requests.add("other", [replace(LINE, at=now, path="/users")]))
    await store.write(lambda uow: uow.requests.add("other", [replace(LINE, at=now - timedelta(hours=25), path="/old")]))
    return shell


async def test_the_log_is_a_table_the_newest_last(logged: Shell) -> None:
    ended = await logged.run("log")
    heading, *lines = ended.out.splitlines()
    assert heading.split("  ")[0] == "TIME (UTC)"
    rows = [line.split(maxsplit=2)[2].split() for line in lines]
    assert rows == [
        ["main", "GET", "/whoami", "200", "31", LINE.request_id],
        ["main", "GET", "/surveys", "200", "31", LINE.request_id],
        ["main", "GET", "/distributions/{id}/history", "429", "31", "-"],
        ["main", "GET", "/surveys", "none", "120000", "-"],
        ["other", "GET", "/users", "200", "31", LINE.request_id],
    ]
    assert (ended.code, ended.err) == (0, "")


@pytest.mark.parametrize(
    ("switches", "statuses"),
    [
        (["--failed"], [429, None]),
        (["--since", "1h", "--integration", "main"], [200, 429, None]),
        (["--since", "90s"], [None, 200]),
        (["--limit", "2"], [None, 200]),
        (["--since", "30h"], [200, 200, 429, None, 200]),
    ],
)
async def test_the_log_can_be_narrowed_and_read_by_programs(logged: Shell, switches: list[str], statuses: list[int | None]) -> None:
    found = json.loads((await logged.run("log", "--json", *switches)).out)
    assert [line["status"] for line in found] == statuses
    assert all(set(line) == {"integration", "at", "method", "path", "status", "duration_ms", "request_id"} for line in found)


@pytest.mark.parametrize("since", ["yesterday", "manual", "0s", "3d", "weekly on monday"])
async def test_a_span_that_is_none_is_refused_with_examples(logged: Shell, since: str) -> None:
    ended = await logged.run("log", "--since", since)
    assert ended.code == 2
    assert "must be like `90s`, `30min` or `2h`" in ended.err
    assert "monday`" not in ended.err


async def test_an_unknown_integration_is_no_empty_table(logged: Shell) -> None:
    ended = await logged.run("log", "--integration", "nope")
    assert (ended.code, ended.out, ended.err) == (1, "", "There is no integration nope: there is main, other.\n")
