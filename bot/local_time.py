"""A channel's own clock: its working hours and its weeks, over all changes to and from daylight saving."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

_DAY = timedelta(days=1)
_SATURDAY = 5


def in_working_hours(at: datetime, zone: str, begin: time, end: time) -> datetime:
    """The last moment not after `at` that lies from `begin` to `end` on a Monday to Friday there."""
    day = at.astimezone(ZoneInfo(zone)).date()
    while day.weekday() >= _SATURDAY or _instant(day, begin, zone) > at:
        day -= _DAY
    return min(at, max(_instant(day, begin, zone), _instant(day, end, zone)))


def weeks_due(now: datetime, zone: str, weekday: int, at: time) -> Mapping[str, datetime]:
    """When that time of that weekday (Monday is 0) was, by the local week (ISO 8601, `2026-W48`), if it was already.

    Of the week that `now` is in, and of the one that a day ago was in, for whoever did not look in its last hours. A time that a change
    to daylight saving leaves out comes as much later; of one that comes twice the first is meant.
    """
    weeks: dict[str, datetime] = {}
    for day in ((now - ago).astimezone(ZoneInfo(zone)).date() for ago in (_DAY, timedelta())):
        year, week, _ = day.isocalendar()
        weeks[f"{year}-W{week:02}"] = _instant(day + (weekday - day.weekday()) * _DAY, at, zone)
    return {week: due_at for week, due_at in weeks.items() if due_at <= now}


def _instant(day: date, at: time, zone: str) -> datetime:
    return datetime.combine(day, at, ZoneInfo(zone)).astimezone(UTC)
