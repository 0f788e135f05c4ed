"""How answers came in, as a picture."""

from __future__ import annotations

from collections.abc import Sequence

from bot.page import Chart, ChartKind, Series
from bot.pages.reader import Reader
from bot.trend import Point


def answers_over_time(points: Sequence[Point], reader: Reader) -> Chart | None:
    """Draw the numbers that are shown as one line; None where there is no line, or nothing may be shown."""
    answers = tuple(float(point.numbers.part("finished").number) for point in points)
    if len(points) <= 1 or not any(answers):
        return None
    say = reader.say
    return Chart(
        kind=ChartKind.LINE,
        title=say("Answers over time"),
        labels=tuple(point.day.isoformat() for point in points),
        series=(Series(say("Answers"), answers),),
        x_title=say("Day (UTC)"),
        y_title=say("Answers"),
    )
