"""How answers came in, day by day, as it would have been shown on each of them."""

from __future__ import annotations

from bot.model import DistributionStats
from bot.trend import Point, trend
from tests.unit.core.examples import DAY, NOW, a_distribution


def finished(points: list[Point]) -> list[int]:
    return [point.numbers.part("finished").number for point in points]


def test_a_trend_begins_with_the_first_look_carries_quiet_days_on_and_ends_with_what_is_true_now() -> None:
    known = ((NOW - 6 * DAY, 4), (NOW - 4 * DAY, 31))
    counts = {"EMD_1": [(day.date(), DistributionStats(sent=100, finished=done)) for day, done in known]}
    sent = a_distribution(send_date=NOW - 7 * DAY, stats=DistributionStats(sent=100, finished=62))
    points = list(trend([sent], counts, 5, NOW, points=7))
    assert [point.day for point in points] == [(NOW - days * DAY).date() for days in range(6, -1, -1)]
    assert finished(points) == [0, 0, 30, 30, 30, 30, 60]
    assert [point.day for point in trend([sent], counts, 5, NOW, points=3)] == [(NOW - days * DAY).date() for days in (6, 3, 0)]
    early = {"EMD_1": [((NOW - 9 * DAY).date(), DistributionStats()), *counts["EMD_1"]]}
    assert finished(list(trend([sent], early, 5, NOW, points=8))) == [0, 0, 0, 30, 30, 30, 30, 60]


def test_days_of_which_anything_that_was_sent_is_not_known_are_missing() -> None:
    """Zero would be an invention, and what came before the first look would seem to have come that day."""
    sent = a_distribution(send_date=NOW - 7 * DAY, stats=DistributionStats(sent=100, finished=62))
    later = a_distribution(distribution_id="EMD_2", send_date=NOW - 3 * DAY, stats=DistributionStats(sent=20, finished=9))
    assert [point.day for point in trend([sent], {}, 5, NOW, points=8)] == [NOW.date()]
    counts = {"EMD_1": [((NOW - 5 * DAY).date(), sent.stats)], "EMD_2": [((NOW - DAY).date(), later.stats)]}
    assert [point.day for point in trend([sent, later], counts, 5, NOW, points=8)] == [(NOW - days * DAY).date() for days in (5, 4, 1, 0)]


def test_of_what_was_never_sent_and_on_the_day_of_the_sending_there_is_no_line() -> None:
    assert trend([a_distribution(send_date=None), a_distribution(send_date=NOW + DAY)], {}, 5, NOW, points=8) == ()
    assert len(trend([a_distribution(send_date=NOW)], {}, 5, NOW, points=8)) == 1
