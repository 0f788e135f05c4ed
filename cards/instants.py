"""An instant in words, in the reader's time zone."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo


def spoken(at: datetime, zone: str) -> str:
    """Write `at` in the IANA time zone `zone`, which is named; in UTC when this machine does not know the zone."""
    name, info = _zone(zone)
    try:
        local = at.astimezone(info)
    except OverflowError:  # the first and the last day that Python can count
        name, local = "UTC", at
    return f"{local.day} {local:%b %Y, %H:%M} ({name})"


def _zone(name: str) -> tuple[str, tzinfo]:
    try:
        return name, ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # unknown, not a zone's name at all, a folder of zones
        return "UTC", UTC
