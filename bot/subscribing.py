"""What is typed to subscribe a channel: which surveys, what of them, and when the weekly post is due. Nothing is looked up here.

    <survey> [launch] [milestones] [closing] [closed] [results] [weekly[:<day>][@<time>][@<zone>]]
             [delivery-problems[@<percent>%]]

The survey is an id, a name or a part of one, a pattern (`Pulse*`) or `all`; it is quoted where it ends in a feature's word.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import time
from difflib import get_close_matches
from functools import cache
from zoneinfo import available_timezones

from bot.subscriptions import Feature

#: What is asked for where no feature is named.
DEFAULT_FEATURES = frozenset({Feature.LAUNCH, Feature.CLOSING, Feature.RESULTS})
#: What is taken of what was typed, in characters: Qualtrics' own names are shorter.
LONGEST = 300
#: How the weekly post's time is written; `schedule` reads the same.
WEEKLY_USAGE = "weekly:friday@16:00"
#: How a share of what does not arrive is.
PROBLEMS_USAGE = "delivery-problems@10%"
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

_CITIES = {
    "Africa": "Cairo Johannesburg Lagos Nairobi",
    "America": (
        "Anchorage Argentina/Buenos_Aires Bogota Chicago Denver Halifax Lima Los_Angeles Mexico_City New_York Phoenix Santiago "
        "Sao_Paulo Toronto"
    ),
    "Asia": (
        "Bangkok Dhaka Dubai Ho_Chi_Minh Hong_Kong Jakarta Jerusalem Karachi Kolkata Manila Riyadh Seoul Shanghai Singapore Taipei Tokyo"
    ),
    "Australia": "Brisbane Perth Sydney",
    "Europe": (
        "Amsterdam Athens Berlin Brussels Dublin Helsinki Istanbul Kyiv Lisbon London Madrid Oslo Paris Prague Rome Stockholm "
        "Vienna Warsaw Zurich"
    ),
    "Pacific": "Auckland Honolulu",
}
#: Those that are offered; any other can be typed.
ZONES = ("UTC", *(f"{area}/{city}" for area, cities in _CITIES.items() for city in cities.split()))

_DASHES = "-_ \u2010\u2011\u2012\u2013\u2014"
_WEEKLY = (
    rf"weekly(?:(?::|@|\s+(?:on\s+)?)(?P<day>{'|'.join(f'{day[:3]}(?:{day[3:]})?s?' for day in WEEKDAYS)}))?"
    r"(?:(?::|@|\s+(?:at\s+)?)(?P<hour>\d{1,2})(?:[:.](?P<minute>\d\d))?\s?(?P<half>[ap]m)?)?"
    r"(?:(?:@|\s+(?:in\s+)?)(?P<zone>utc|[a-z_]+(?:/[a-z0-9_+-]+)+))?"
)
_PROBLEMS = rf"delivery[{_DASHES}]?problems?(?:\s?[:@]\s?(?P<share>100|[1-9]\d?)\s?%?)?"
_FEATURE = re.compile(
    rf"(?:(?P<weekly>{_WEEKLY})|(?P<named>launch|milestones?|closing|closed|results?|{_PROBLEMS})"
    rf"|(?P<wrong>(?:weekly|delivery[{_DASHES}]?problems?)[:@]\S*))"
    r"(?=[\s,;]|$)[\s,;]*",
    re.IGNORECASE,
)
#: Typographic quotes too: phones set them by themselves.
_QUOTED = re.compile(r"\s*(?:[\"“”„«»](?P<double>.+?)[\"“”„«»]|['`\u2018\u2019\u201a](?P<single>.+?)['`\u2018\u2019\u201a])(?=[\s,;]|$)")
_SURVEY_ID = re.compile(r"SV_\w+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Weekly:
    """When the weekly post is due; None = not said."""

    weekday: int | None = None
    at: time | None = None
    #: IANA.
    zone: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    #: As it was typed, without quotes; "" = missing.
    subject: str
    #: None of them = none was named.
    features: frozenset[Feature] = frozenset()
    weekly: Weekly = field(default_factory=Weekly)
    #: From which share of what does not arrive on that is told; None = not said.
    problem_share: float | None = None
    #: What stands where a feature should, and is none.
    unknown: str | None = None
    #: All that was typed, where that may be the name of a survey as well.
    whole: str | None = None

    @property
    def nearest(self) -> Feature | None:
        """The feature that may have been meant by what is unknown, or by the last word of the subject."""
        word = self.unknown or self.subject.rpartition(" ")[2]
        return next((Feature(found) for found in get_close_matches(word.casefold(), list(Feature), n=1, cutoff=0.7)), None)


def parse(text: str) -> Wish:
    """Understand as much as possible; never raises."""
    if quoted := _QUOTED.match(text):
        subject, rest = (quoted["double"] or quoted["single"]).strip(), text[quoted.end() :].strip(" ,;\t\n")
        return _wish(subject, rest, whole=None)
    words = [word.start() for word in re.finditer(r"\S+", text)]
    starts = [*words, len(text)]
    begin = next(start for start in starts if _is_features(text[start:]))
    subject, whole = " ".join(text[:begin].split()), " ".join(text.split())
    first, _, more = subject.partition(" ")
    if more and _SURVEY_ID.fullmatch(first):
        return _wish(first, text.split(maxsplit=1)[1], whole=None)
    return _wish(subject, text[begin:], whole=whole if subject != whole else None)


def names_surveys(text: str) -> bool:
    return bool(parse(text).subject)


def unquoted(text: str) -> str:
    quoted = _QUOTED.fullmatch(text)
    return (quoted["double"] or quoted["single"]).strip() if quoted else text


def written(wish: Wish) -> str:
    """Write down what `parse` reads so."""
    quoted = f'"{wish.subject}"' if " " in wish.subject else wish.subject
    return " ".join([quoted, *(_written(feature, wish) for feature in Feature if feature in wish.features)])


def clock(text: str) -> time | None:
    """Read a time of day, `16:00`."""
    found = re.fullmatch(r"(\d{1,2}):(\d\d)", text)
    return _time(found[1], found[2], None) if found else None


@cache
def zones() -> Mapping[str, str]:
    """All zones by their names in lower case."""
    return {name.casefold(): name for name in available_timezones()}


def _wish(subject: str, rest: str, *, whole: str | None) -> Wish:
    features, weekly, share, unknown, at = set[Feature](), Weekly(), None, None, 0
    while at < len(rest) and unknown is None:
        found = _FEATURE.match(rest, at)
        if found is None or found["wrong"]:
            unknown = rest[at:].split(maxsplit=1)[0].strip(",;")
        elif found["named"]:
            features.add(_named(found["named"]))
            share, at = float(found["share"]) / 100 if found["share"] else share, found.end()
        else:
            features.add(Feature.WEEKLY)
            weekly, at = _weekly(found), found.end()
            unknown = found["weekly"].strip() if weekly is None else None
    return Wish(subject=subject, features=frozenset(features), weekly=weekly or Weekly(), problem_share=share, unknown=unknown, whole=whole)


def _is_features(text: str) -> bool:
    at = 0
    while at < len(text):
        found = _FEATURE.match(text, at)
        if found is None:
            return False
        at = found.end()
    return True


def _named(word: str) -> Feature:
    letters = re.sub(f"[{_DASHES}]", "", re.split("[:@]", word.casefold())[0])
    return next(feature for feature in Feature if feature.replace("-", "").rstrip("s") == letters.rstrip("s"))


def _weekly(found: re.Match[str]) -> Weekly | None:
    """None: there is no such time, or no such zone."""
    day, zone = found["day"], found["zone"]
    at = _time(found["hour"], found["minute"] or "00", found["half"]) if found["hour"] else None
    known = zones().get(zone.casefold()) if zone else None
    if (found["hour"] and at is None) or (zone and known is None):
        return None
    weekday = next((number for number, name in enumerate(WEEKDAYS) if day and name.startswith(day.casefold()[:3])), None)
    return Weekly(weekday=weekday, at=at, zone=known)


def _time(hour: str, minute: str, half: str | None) -> time | None:
    number = int(hour)
    if half:
        number = number % 12 + (12 if half.casefold() == "pm" else 0) if 1 <= number <= 12 else 24  # noqa: PLR2004 - hours
    try:
        return time(number, int(minute))
    except ValueError:
        return None


def _written(feature: Feature, wish: Wish) -> str:
    if feature is Feature.DELIVERY_PROBLEMS and wish.problem_share:
        return f"{feature}@{wish.problem_share:.0%}"
    if feature is not Feature.WEEKLY:
        return feature
    weekly = wish.weekly
    day = f":{WEEKDAYS[weekly.weekday]}" if weekly.weekday is not None else ""
    at = f"@{weekly.at:%H:%M}" if weekly.at else ""
    return f"weekly{day}{at}" + (f"@{weekly.zone}" if weekly.zone else "")
