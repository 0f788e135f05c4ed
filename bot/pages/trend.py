"""How answers came in, as a picture."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bot.page import Chart, ChartKind, Series
from bot.pages.reader import Reader
from bot.trend import Point


def answers_over_time(points: Sequence[Point], reader: Reader) -> Iterator[Chart]:
    """Draw the numbers that are shown as one line, where they make one."""
    answers = {point.day.isoformat(): part.number for point in points if not (part := point.numbers.part("finished")).is_hidden}
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
