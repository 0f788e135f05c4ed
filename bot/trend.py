"""How a survey's numbers grew: its counts as they were at the end of each day, guarded as they would have been shown then."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Protocol

from bot import small_groups
from bot.model import Distribution, DistributionStats
from bot.small_groups import Guarded

#: How long counts are remembered.
MEMORY = timedelta(days=400)


class Counts(Protocol):
    """Of each distribution and (UTC) day on which its counts changed, the last ones."""

    def keep(self, integration_id: str, distributions: Sequence[Distribution], now: datetime) -> int:
        """Remember counts that differ from what `Distributions` has stored; to be called before they are saved there.

        Forgets what is older than MEMORY. Returns how many were remembered.
        """
        ...

    def of_survey(self, integration_id: str, survey_id: str) -> Mapping[str, Sequence[tuple[date, DistributionStats]]]:
        """By distribution, in order."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    day: date
    numbers: Guarded


def trend(
    distributions: Sequence[Distribution],
    counts: Mapping[str, Sequence[tuple[date, DistributionStats]]],
    k: int,
    now: datetime,
    *,
    points: int,
) -> Sequence[Point]:
    """From the day of the first sending to today, at most so many `points` at even distances.

    Before its first remembered day a distribution's counts are taken for zero.
    """
    sent = [each.send_date for each in distributions if each.send_date is not None and each.send_date <= now]
    if not sent:
        return ()
    today, first = now.astimezone(UTC).date(), max(min(sent), now - MEMORY).astimezone(UTC).date()
    days = [first + timedelta(days=(today - first).days * step // max(points - 1, 1)) for step in range(points)]
    return [Point(day=day, numbers=_numbers(distributions, counts, k, day, now)) for day in dict.fromkeys(days)]


def _numbers(
    distributions: Sequence[Distribution],
    counts: Mapping[str, Sequence[tuple[date, DistributionStats]]],
    k: int,
    day: date,
    now: datetime,
) -> Guarded:
    end = min(datetime.combine(day, time.max, UTC), now)
    if end < now:
        out = (each for each in distributions if each.send_date is not None and each.send_date <= end)
        distributions = [replace(each, stats=_on(counts.get(each.distribution_id, ()), day)) for each in out]
    return small_groups.of_survey(distributions, k, end)


def _on(remembered: Sequence[tuple[date, DistributionStats]], day: date) -> DistributionStats:
    found = bisect_right(remembered, day, key=lambda it: it[0])
    return remembered[found - 1][1] if found else DistributionStats()
