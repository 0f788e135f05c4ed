"""How a survey's numbers grew: its counts as they were at the end of each day, guarded as they would have been shown then.

What was before the bot first read them nobody knows: such days are missing, they are not zero.
"""

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
    """Of each distribution and (UTC) day on which its counts were first read, or changed, the last ones."""

    def keep(self, integration_id: str, distributions: Sequence[Distribution], now: datetime) -> int:
        """Remember counts that differ from what `Distributions` has stored, or are the first; to be called before they are saved there.

        Forgets what is older than MEMORY but for the last of it, which holds until the next, and that too of surveys that are over.
        Returns how many were remembered.
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
    """From the day of the first sending, or of the first look at it, to today: at most so many `points` at even distances.

    Days of which the counts of anything sent until then are not known are left out.
    """
    sent = [each.send_date for each in distributions if each.send_date is not None and each.send_date <= now]
    if not sent:
        return ()
    today = now.astimezone(UTC).date()
    looked = min((days[0][0] for days in counts.values()), default=today)
    first = max(looked, max(min(sent), now - MEMORY).astimezone(UTC).date())
    days = dict.fromkeys(first + timedelta(days=(today - first).days * step // max(points - 1, 1)) for step in range(points))
    known = ((day, _on(day, distributions, counts, now)) for day in days)
    return [Point(day=day, numbers=small_groups.of_survey(then, k, min(_end(day), now))) for day, then in known if then is not None]


def _on(
    day: date, distributions: Sequence[Distribution], counts: Mapping[str, Sequence[tuple[date, DistributionStats]]], now: datetime
) -> Sequence[Distribution] | None:
    """What was sent until the end of a day, with the counts of then; None = they are not known."""
    if _end(day) >= now:
        return distributions
    out = [each for each in distributions if each.send_date is not None and each.send_date <= _end(day)]
    then = [_last(counts.get(each.distribution_id, ()), day) for each in out]
    return None if None in then else [replace(each, stats=stats) for each, stats in zip(out, then, strict=True) if stats is not None]


def _last(remembered: Sequence[tuple[date, DistributionStats]], day: date) -> DistributionStats | None:
    found = bisect_right(remembered, day, key=lambda it: it[0])
    return remembered[found - 1][1] if found else None


def _end(day: date) -> datetime:
    return datetime.combine(day, time.max, UTC)
