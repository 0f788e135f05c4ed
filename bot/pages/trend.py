"""How answers came in, as a picture."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import date

from bot.page import Chart, ChartKind, Series
from bot.pages.reader import Reader
from bot.trend import Point


def answers_over_time(points: Sequence[Point], reader: Reader) -> Iterator[Chart]:
    """Draw the numbers that are shown as one line, where they make one."""
    known = {point.day: part.number for point in points if not (part := point.numbers.part("finished")).is_hidden}
    answers = {_named(day, known): number for day, number in known.items()}
    if len(answers) > 1:
        say = reader.say
        yield Chart(
            kind=ChartKind.LINE,
            title=say("Answers over time"),
            labels=tuple(answers),
            series=(Series(say("Answers, at least"), tuple(answers.values())),),
            x_title=say("Day (UTC)"),
            y_title=say("Answers"),
        )


def _named(day: date, days: Collection[date]) -> str:
    """As instants are written; with its year where there are several."""
    return f"{day.day} {day:%b}" if len({each.year for each in days}) == 1 else f"{day.day} {day:%b %Y}"
