"""What senders do in the attacks on the guard: to how many they send, when its links end, and what they change about it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from bot.model import Distribution, DistributionStats
from tests.unit.core.examples import DAY, NOW, a_distribution

#: Between two looks.
STEP = 5 * DAY


@dataclass(frozen=True)
class Sending:
    """An invitation: to how many, on which day, how many do what on each of the following days, and what its sender does to it."""

    size: int
    day: int = 0
    #: Through the invitation, and through its reminder.
    answers: tuple[int, ...] = ()
    late_answers: tuple[int, ...] = ()
    #: Have begun, and do not go on.
    stuck: int = 0
    #: Their mail came back.
    bounced: int = 0
    reminded_on: int | None = None
    #: When its links expire; everybody knows.
    closes_on: int | None = None
    #: The day on which that is changed, and to what.
    moved: tuple[int, int | None] | None = None
    #: When the reminder's links expire, where they have an expiry of their own.
    late_closes_on: int | None = None
    deleted_on: int | None = None
    #: How many days after its sending the bot first hears of it.
    hidden_days: int = 0

    @property
    def reminds_on(self) -> int | None:
        """Nobody is reminded on the day of the invitation, or before."""
        return self.reminded_on if self.reminded_on is not None and self.reminded_on > self.day else None

    def expiry(self, day: int) -> int | None:
        """As it is set on a day: to none that has passed."""
        if self.moved is None or day < self.moved[0]:
            return None if self.closes_on is None else max(self.closes_on, self.day)
        return None if self.moved[1] is None else max(self.moved[1], self.moved[0] - 1, self.day)

    def lives(self, day: int, inactive: Collection[int]) -> bool:
        """Whether anybody can answer through the invitation on a day; nothing is sent while the survey is inactive."""
        return day >= self.day and self._is_open(day, self.expiry(day), inactive)

    def lives_late(self, day: int, inactive: Collection[int]) -> bool:
        """The same for its reminder."""
        expiry = self.late_closes_on if self.late_closes_on is not None else self.expiry(day)
        return self.reminds_on is not None and day >= self.reminds_on and self._is_open(day, expiry, inactive)

    def counts(self, day: int, inactive: Collection[int]) -> tuple[int, int, int]:
        """Those who finished through the invitation and through its reminder, and the size of that, in the evening of a day."""
        first = late = reminded = 0
        for today in range(self.day, day + 1):
            able = max(self.size - self.stuck - self.bounced, 0)
            if today == self.reminds_on:
                reminded = self.size - first
            if self.lives(today, inactive):
                first += min(_at(self.answers, today - self.day), able - first - late)
            if reminded and self.lives_late(today, inactive):
                late += min(_at(self.late_answers, today - self.day), able - first - late)
        return first, late, reminded

    def _is_open(self, day: int, expiry: int | None, inactive: Collection[int]) -> bool:
        is_there = self.deleted_on is None or day < self.deleted_on
        return is_there and (expiry is None or day <= expiry) and (day == self.day or day not in inactive)


def _at(numbers: Sequence[int], index: int) -> int:
    return numbers[index] if index < len(numbers) else 0


def distributions_on(sendings: Sequence[Sending], day: int, inactive: Collection[int]) -> Iterator[Distribution]:
    """What the bot has heard of."""
    for number, sending in enumerate(sendings):
        if sending.day + sending.hidden_days > day:
            continue
        first, late, reminded = sending.counts(day, inactive)
        expiry = sending.expiry(day)
        invite = a_distribution(
            distribution_id=str(number),
            send_date=NOW + sending.day * STEP,
            link_expires_at=_at_day(expiry),
            is_deleted=sending.deleted_on is not None and sending.deleted_on <= day,
            stats=DistributionStats(
                sent=sending.size,
                started=min(first + late + sending.stuck, sending.size) - late,
                finished=first,
                bounced=max(min(sending.bounced, sending.size - sending.stuck), 0),
            ),
        )
        yield invite
        if reminded:
            yield replace(
                invite,
                distribution_id=f"{number}R",
                parent_id=str(number),
                request_type="Reminder",
                send_date=_at_day(sending.reminds_on),
                link_expires_at=_at_day(expiry if sending.late_closes_on is None else sending.late_closes_on),
                stats=DistributionStats(sent=reminded, started=late, finished=late),
            )


def _at_day(day: int | None) -> datetime | None:
    return None if day is None else NOW + day * STEP
