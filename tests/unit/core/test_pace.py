"""The estimate is what a queue takes at the rate that is allowed now, and is told in words."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.pace import Backlog, takes
from bot.pages import Reader
from bot.pages.status import backlog_words
from bot.ports.records import Throttle

READER = Reader("en", "UTC")


def minutes(span: timedelta) -> float:
    return span.total_seconds() / 60


def test_what_waits_takes_its_number_at_97_percent_of_the_rate() -> None:
    assert minutes(takes(10_000, 234, Throttle())) == pytest.approx(44, abs=0.1)
    assert takes(0, 180, Throttle()) == timedelta()


def test_a_closed_limit_is_waited_for_and_a_halved_one_recovers_by_5_percent_a_minute() -> None:
    assert minutes(takes(97, 100, Throttle(closed_seconds=120))) == pytest.approx(3)
    lost = sum(0.5 - 0.05 * minute for minute in range(10))
    assert minutes(takes(9700, 100, Throttle(share=0.5))) == pytest.approx(100 + lost)
    assert minutes(takes(30, 100, Throttle(share=0.5))) == pytest.approx(30 / 48.5)


@pytest.mark.parametrize(
    ("backlog", "words"),
    [
        ((), "No message waits to be sent."),
        (((10_000, 44.2),), "Waiting to be sent: 10,000 messages, about 44 minutes."),
        (((1, 0.1),), "Waiting to be sent: 1 message, less than a minute."),
        (((5, 1), (20, 300)), "Waiting to be sent: 25 messages, about 5 hours."),
    ],
)
def test_it_is_told_in_words_and_workspaces_are_served_side_by_side(backlog: tuple[tuple[int, float], ...], words: str) -> None:
    found = [Backlog(workspace_id="T1", messages=number, takes=timedelta(minutes=span)) for number, span in backlog]
    assert backlog_words(found, READER) == words
