"""When an integration is to be read: how often each kind of synchronisation runs, and in which hours of the day."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Self
from zoneinfo import ZoneInfo, available_timezones

_UNITS = {"s": 1, "min": 60, "h": 3600}
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_SPAN = re.compile(r"([1-9][0-9]{0,3}) ?(s|min|h)")
_WINDOW = re.compile(r"([0-9]{2}:[0-9]{2})-([0-9]{2}:[0-9]{2}) ([A-Za-z0-9_+/-]+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Every:
    """How often: every so long, once a day, once a week on a day (Monday = 0), or by hand alone (all None)."""

    span: timedelta | None = None
    weekday: int | None = None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `5 min`, `4 h`, `hourly`, `daily`, `weekly on monday` or `manual`. Raises ValueError with a sentence."""
        words = text.strip().lower()
        if found := _SPAN.fullmatch("1 h" if words == "hourly" else words):
            return cls(span=timedelta(seconds=int(found[1]) * _UNITS[found[2]]))
        if words == "manual":
            return cls()
        if words == "daily":
            return cls(span=timedelta(days=1))
        if words.startswith("weekly on ") and (day := words.removeprefix("weekly on ")) in _WEEKDAYS:
            return cls(span=timedelta(days=7), weekday=_WEEKDAYS.index(day))
        raise ValueError("must be like `5 min`, `4 h`, `hourly`, `daily`, `weekly on monday` or `manual`")

    def __str__(self) -> str:
        if self.span is None:
            return "manual"
        if self.weekday is not None:
            return f"weekly on {_WEEKDAYS[self.weekday]}"
        if self.span == timedelta(days=1):
            return "daily"
        seconds = int(self.span.total_seconds())
        unit = next(unit for unit in ("h", "min", "s") if seconds % _UNITS[unit] == 0)
        return f"{seconds // _UNITS[unit]} {unit}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """The hours in which scheduled runs may start, on the clocks of one place; it may lie over midnight."""

    opens: time
    closes: time
    #: An IANA name, `Europe/Berlin`.
    zone: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `22:00-06:00 Europe/Berlin`. Raises ValueError with a sentence."""
        found = _WINDOW.fullmatch(text.strip())
        try:
            if found is not None and found[3] in available_timezones() and found[1] != found[2]:
                ZoneInfo(found[3])
                return cls(opens=time.fromisoformat(found[1]), closes=time.fromisoformat(found[2]), zone=found[3])
        except ValueError:  # 25:00
            pass
        raise ValueError("must be like `22:00-06:00 Europe/Berlin`")

    def __str__(self) -> str:
        return f"{self.opens:%H:%M}-{self.closes:%H:%M} {self.zone}"

    def first_inside(self, at: datetime) -> datetime:
        """The first moment inside the window that is not before `at`, in UTC."""
        day = at.astimezone(ZoneInfo(self.zone)).date() - _DAY
        while True:
            opens, closes = self._hours(day)
            if at < closes:
                return max(at, opens)
            day += _DAY

    def _hours(self, day: date) -> tuple[datetime, datetime]:
        """When it opens on one date and when it closes again, in UTC.

        Hours that a clock change repeats count both times. Where it skips the opening, that is as much later; where it would skip the whole
        window, this stays open as long as on other days.
        """
        opening = datetime.combine(day, self.opens)
        closing = datetime.combine(day if self.opens < self.closes else day + _DAY, self.closes)
        opens = _utc(opening, self.zone)
        closes = max(_utc(closing.replace(fold=fold), self.zone) for fold in (0, 1))
        return opens, closes if opens < closes else opens + (closing - opening)


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """One integration's (FEATURES B1); the sweep reads everything open anew, whatever the counts say."""

    full: Every = Every(span=timedelta(hours=1))
    incremental: Every = Every(span=timedelta(minutes=15))
    sweep: Every = Every(span=timedelta(days=1))
    #: None = at any hour.
    window: Window | None = None


#: When a daily or weekly run is due where no window opens, in UTC.
_AT_NIGHT = time(2)
_DAY = timedelta(days=1)
#: Starts move by up to this share of their span, so that many installations do not call at the same second.
_JITTER = 0.05
_MOST_JITTER = timedelta(minutes=5)
#: Shorter spans are kept exactly.
_LEAST_JITTERED = timedelta(minutes=1)


def due_at(every: Every, window: Window | None, last_start: datetime | None, now: datetime, seed: str) -> datetime | None:
    """When the next run may start, or since when it might have; None = by hand alone. In UTC.

    What never ran is due at once, what is overdue while the window is closed when that opens again.
    """
    if every.span is None:
        return None
    slot = now if last_start is None else slot_after(last_start, every, window, seed)
    opening = slot if window is None else window.first_inside(max(slot, now))
    return slot if opening <= now else opening


def slot_after(last_start: datetime, every: Every, window: Window | None, seed: str) -> datetime:
    """When the run after one that started then was to start, in UTC; `every` is not by hand.

    Spans count from that start; days and weeks are dates of the window's place, at its opening. It is moved by the same little in every
    process that is given the same seed.
    """
    assert every.span is not None
    if every.weekday is None and every.span != _DAY:
        slot = last_start + every.span
        slot = slot if window is None else window.first_inside(slot)
    else:
        slot = _next_date(last_start, every.weekday, window)
    moved = slot + _jitter(every.span, f"{seed} {slot.isoformat()}")
    return moved if window is None or window.first_inside(moved) == moved else slot


def _next_date(after: datetime, weekday: int | None, window: Window | None) -> datetime:
    """The next day, or the next such day of the week, whose hour comes after that moment."""
    zone, hour = ("UTC", _AT_NIGHT) if window is None else (window.zone, window.opens)
    day = after.astimezone(ZoneInfo(zone)).date()
    while weekday not in {None, day.weekday()} or _utc(datetime.combine(day, hour), zone) <= after:
        day += _DAY
    return _utc(datetime.combine(day, hour), zone)


def _utc(wall: datetime, zone: str) -> datetime:
    return wall.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def _jitter(span: timedelta, seed: str) -> timedelta:
    if span < _LEAST_JITTERED:
        return timedelta()
    share = int.from_bytes(hashlib.sha256(seed.encode()).digest()[:4]) / 2**32
    return share * min(span * _JITTER, _MOST_JITTER)
