"""Runs are due when the operator said: by spans, days or weeks, in the hours of a place, whatever its clocks do."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.schedule import Every, Window, due_at, slot_after

#: Clock changes of one hour and of half an hour, both hemispheres, at midnight, and none at all.
ZONES = (
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "America/Santiago",
    "Asia/Beirut",
    "Asia/Kolkata",
    "Pacific/Apia",
)
MINUTES = st.integers(0, 24 * 60 - 1)
MOMENTS = st.datetimes(datetime(2024, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001 - Hypothesis adds the zone
SPANS = st.sampled_from(["30 s", "1 min", "5 min", "15 min", "hourly", "4 h", "12 h", "48 h"]).map(Every.parse)
DATES = st.sampled_from(["daily", "weekly on monday", "weekly on sunday"]).map(Every.parse)


@st.composite
def windows(draw: st.DrawFn) -> Window:
    opens, closes = draw(st.lists(MINUTES, min_size=2, max_size=2, unique=True))
    return Window(opens=time(*divmod(opens, 60)), closes=time(*divmod(closes, 60)), zone=draw(st.sampled_from(ZONES)))


def slots(every: Every, window: Window | None, start: datetime, number: int) -> Iterator[datetime]:
    for _ in range(number):
        start = slot_after(start, every, window, "seed")
        yield start


def is_inside(window: Window, at: datetime) -> bool:
    """By the clock on the wall."""
    wall = at.astimezone(ZoneInfo(window.zone)).time()
    if window.opens < window.closes:
        return window.opens <= wall < window.closes
    return wall >= window.opens or wall < window.closes


def changes_its_clock(zone: str, day: date) -> bool:
    """On this date, or on one beside it."""
    offsets = {datetime.combine(day, time(12), ZoneInfo(zone)).utcoffset()}
    offsets |= {datetime.combine(day + timedelta(days=n), time(12), ZoneInfo(zone)).utcoffset() for n in (-2, -1, 1, 2)}
    return len(offsets) > 1


@given(MOMENTS, MOMENTS, st.none() | windows())
def test_by_hand_alone_is_never_due(last: datetime, now: datetime, window: Window | None) -> None:
    assert due_at(Every.parse("manual"), window, last, now, "seed") is None


@given(SPANS | DATES, MOMENTS)
def test_what_never_ran_is_due_at_once(every: Every, now: datetime) -> None:
    assert due_at(every, None, None, now, "seed") == now


@given(SPANS | DATES, windows(), MOMENTS)
def test_what_never_ran_is_due_when_the_window_is_open(every: Every, window: Window, now: datetime) -> None:
    found = due_at(every, window, None, now, "seed")
    assert found == window.first_inside(now)


@given(windows(), MOMENTS)
def test_the_first_moment_inside_is_inside_and_none_before_it_is(window: Window, at: datetime) -> None:
    found = window.first_inside(at)
    assert at <= found <= at + timedelta(days=2)
    assert window.first_inside(found) == found
    if not changes_its_clock(window.zone, found.astimezone(ZoneInfo(window.zone)).date()):
        assert is_inside(window, found)
        assert found == at or not is_inside(window, found - timedelta(microseconds=1))


@given(SPANS, MOMENTS)
def test_spans_count_from_the_last_start_and_are_lengthened_a_little(every: Every, last: datetime) -> None:
    assert every.span is not None
    late = slot_after(last, every, None, "seed") - (last + every.span)
    assert timedelta() <= late <= min(every.span * 0.05, timedelta(minutes=5))
    assert every.span >= timedelta(minutes=1) or not late


@given(SPANS | DATES, st.none() | windows(), MOMENTS, st.timedeltas(timedelta(), timedelta(days=9)))
def test_what_is_due_may_start_and_comes_after_the_last_start(
    every: Every, window: Window | None, last: datetime, waited: timedelta
) -> None:
    now = last + waited
    found = due_at(every, window, last, now, "seed")
    assert found is not None
    assert found > last
    assert window is None or window.first_inside(found) == found
    if found <= now:
        assert window is None or window.first_inside(now) == now


@given(SPANS | DATES, st.none() | windows(), MOMENTS, st.lists(st.timedeltas(timedelta(), timedelta(days=9)), min_size=2, max_size=5))
def test_looking_more_often_makes_nothing_due_later(every: Every, window: Window | None, last: datetime, waits: list[timedelta]) -> None:
    """Until its window closes unused, a run keeps the instant it was given."""
    found = [due_at(every, window, last, last + wait, "seed") for wait in sorted(waits)]
    given_first = slot_after(last, every, window, "seed")
    assert all(at is not None and at >= given_first for at in found)
    assert all(at == given_first for at, wait in zip(found, sorted(waits), strict=True) if last + wait <= given_first)


@given(st.none() | windows(), MOMENTS)
def test_a_daily_run_has_one_slot_on_each_date_of_its_place(window: Window | None, start: datetime) -> None:
    zone = ZoneInfo(window.zone if window else "UTC")
    days = [slot.astimezone(zone).date() for slot in slots(Every.parse("daily"), window, start, 60)]
    # An opening just before a midnight that the clocks skip, or moved over it by the jitter, belongs to the date before.
    opened = [(slot - timedelta(minutes=65)).astimezone(zone).date() for slot in slots(Every.parse("daily"), window, start, 60)]
    assert all(b - a == timedelta(days=1) for a, b in pairwise(days)) or all(b - a == timedelta(days=1) for a, b in pairwise(opened))


@given(windows(), MOMENTS)
def test_a_daily_run_starts_within_five_minutes_of_its_windows_opening(window: Window, start: datetime) -> None:
    for slot in slots(Every.parse("daily"), window, start, 30):
        wall = slot.astimezone(ZoneInfo(window.zone))
        if not changes_its_clock(window.zone, wall.date()):
            opened = datetime.combine(wall.date(), window.opens, wall.tzinfo)
            late = (wall - opened) % timedelta(days=1)
            assert late <= timedelta(minutes=5)
            assert is_inside(window, slot)


@given(windows(), MOMENTS)
def test_a_weekly_run_comes_on_its_day(window: Window, start: datetime) -> None:
    for slot in slots(Every.parse("weekly on wednesday"), window, start, 10):
        opened = slot.astimezone(ZoneInfo(window.zone)) - timedelta(minutes=6)
        assert {opened.weekday(), slot.astimezone(ZoneInfo(window.zone)).weekday()} & {2}


@pytest.mark.parametrize(
    ("window", "last", "due"),
    [
        (None, "2026-03-28T12:00Z", "2026-03-29T02:00Z"),
        ("01:30-05:00 Europe/Berlin", "2026-03-28T12:00Z", "2026-03-29T00:30Z"),
        ("02:30-05:00 Europe/Berlin", "2026-03-28T12:00Z", "2026-03-29T01:30Z"),  # 02:30 is skipped: 03:30
        ("02:15-02:45 Europe/Berlin", "2026-03-28T12:00Z", "2026-03-29T01:15Z"),
        ("02:30-03:10 Europe/Berlin", "2026-03-28T12:00Z", "2026-03-29T01:30Z"),  # it would close before it opened
        ("02:30-05:00 Europe/Berlin", "2026-10-24T12:00Z", "2026-10-25T00:30Z"),  # the first 02:30 of two
        ("02:30-05:00 Europe/Berlin", "2026-10-25T01:00Z", "2026-10-26T01:30Z"),  # and not the second one
        ("22:00-06:00 America/New_York", "2026-11-01T02:00Z", "2026-11-02T03:00Z"),
        ("00:00-06:00 Asia/Beirut", "2026-03-28T12:00Z", "2026-03-28T22:00Z"),  # midnight is skipped: 01:00
    ],
)
def test_a_daily_run_is_due_at_the_hour_of_its_place(window: str | None, last: str, due: str) -> None:
    found = slot_after(datetime.fromisoformat(last), Every.parse("daily"), None if window is None else Window.parse(window), "seed")
    assert timedelta() <= found - datetime.fromisoformat(due) < timedelta(minutes=5)


@given(SPANS | DATES, MOMENTS)
def test_replicas_agree_and_installations_differ(every: Every, last: datetime) -> None:
    assert every.span is not None
    ours = {slot_after(last, every, None, "ours") for _ in range(3)}
    assert len(ours) == 1
    others = {slot_after(last, every, None, f"installation {n}") for n in range(20)}
    assert len(others) == (1 if every.span < timedelta(minutes=1) else 20)


@given(SPANS | DATES)
def test_a_schedule_is_read_as_it_was_written(every: Every) -> None:
    assert Every.parse(str(every)) == every
