"""Working hours and weeks on a channel's own clock, while clocks change."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.local_time import in_working_hours, weeks_due

#: North and south, half an hour and two hours of daylight saving, at midnight too, none, and a day that was left out (Apia, 2011-12-30).
ZONES = (
    "Europe/Berlin",
    "Europe/London",
    "America/New_York",
    "America/St_Johns",
    "America/Santiago",
    "America/Havana",
    "Africa/Cairo",
    "Asia/Beirut",
    "Asia/Kolkata",
    "Australia/Lord_Howe",
    "Antarctica/Troll",
    "Pacific/Apia",
)
zones = st.sampled_from(ZONES)
instants = st.integers(0, 20 * 365 * 24 * 60).map(lambda minute: datetime(2010, 1, 1, tzinfo=UTC) + timedelta(minutes=minute))
minutes = st.integers(0, 24 * 60 - 1).map(lambda minute: time(minute // 60, minute % 60))


@given(instants, zones, st.integers(0, 6), minutes, st.integers(35, 23 * 60))
def test_looking_again_and_again_finds_each_local_week_due_once_and_never_before_its_time(
    start: datetime, zone: str, weekday: int, at: time, step: int
) -> None:
    """However seldom somebody looks, as long as it is once a day."""
    found: dict[str, datetime] = {}
    now = start
    while now < start + timedelta(days=37):
        found = dict.fromkeys(weeks_due(now, zone, weekday, at), now) | found
        now += timedelta(minutes=step)
    inner = {_week(start + timedelta(days=days), zone) for days in range(7, 28)}
    assert inner <= found.keys()
    for week, seen_at in found.items():
        local = seen_at.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
        due = datetime.combine(datetime.strptime(f"{week}-1", "%G-W%V-%u").date() + timedelta(days=weekday), at)  # noqa: DTZ007 - local
        assert due <= local
        assert week not in inner or local < due + timedelta(days=1, hours=2) + timedelta(minutes=step)


@given(instants, zones, minutes, minutes)
def test_a_moment_is_moved_to_working_hours_earlier_never_later_and_no_further_than_it_must(
    at: datetime, zone: str, one: time, other: time
) -> None:
    begin, end = sorted((one, other))
    moved = in_working_hours(at, zone, begin, end)
    assert at - timedelta(days=4, hours=3) < moved <= at
    local = moved.astimezone(ZoneInfo(zone))
    assert local.weekday() < 5 or moved < at - timedelta(days=1), "only a day that clocks left out is no working day"
    assert in_working_hours(moved, zone, begin, end) == moved


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ("2026-11-24 10:00", "2026-11-24 10:00"),
        ("2026-11-24 17:00", "2026-11-24 17:00"),
        ("2026-11-24 20:00", "2026-11-24 17:00"),
        ("2026-11-24 03:00", "2026-11-23 17:00"),
        ("2026-11-23 08:59", "2026-11-20 17:00"),
        ("2026-11-21 12:00", "2026-11-20 17:00"),
        ("2026-03-29 23:30", "2026-03-27 17:00"),  # clocks went forward that Sunday
    ],
)
def test_nights_and_weekends_end_with_the_last_working_hour_before_them(at: str, expected: str) -> None:
    berlin = ZoneInfo("Europe/Berlin")
    moved = in_working_hours(datetime.fromisoformat(at).replace(tzinfo=berlin), "Europe/Berlin", time(9), time(17))
    assert moved.astimezone(berlin).strftime("%Y-%m-%d %H:%M") == expected


def _week(at: datetime, zone: str) -> str:
    return at.astimezone(ZoneInfo(zone)).strftime("%G-W%V")
