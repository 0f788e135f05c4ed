"""Whom a survey's messages reached: numbers that add up and give nobody away."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from bot import small_groups
from bot.coverage import Reached, coverage, rows
from bot.messages import DeliveryState, Unreachable
from bot.model import Distribution, DistributionStats, Pool
from bot.page import Chart
from bot.pages import Reader
from bot.pages.coverage import coverage_page
from bot.ports.records import Told
from cards import limits
from tests.unit.core.examples import NOW, a_distribution, a_survey
from tests.unit.core.test_pages import words

READER = Reader("en", "UTC")
LARGE = a_distribution(stats=DistributionStats(sent=200))
SMALL = a_distribution(distribution_id="EMD_2", stats=DistributionStats(sent=4))


def _sent(people: int) -> Distribution:
    return replace(LARGE, stats=DistributionStats(sent=people))


def test_every_outcome_has_its_row() -> None:
    told = [
        Told("EMD_1", True, DeliveryState.SENT, None, 60),
        Told("EMD_1", True, DeliveryState.READY, None, 10),
        Told("EMD_1", True, DeliveryState.SENDING, None, 5),
        Told("EMD_1", True, DeliveryState.UNREACHABLE, Unreachable.NO_ACCOUNT, 10),
        Told("EMD_1", True, DeliveryState.UNREACHABLE, Unreachable.SHUT_OUT, 5),
        Told("EMD_1", True, DeliveryState.UNREACHABLE, Unreachable.OPTED_OUT, 11),
        Told("EMD_1", True, DeliveryState.UNREACHABLE, Unreachable.GUEST, 4),
        Told("EMD_1", True, DeliveryState.UNREACHABLE, Unreachable.STRANGER, 4),
        Told("EMD_1", True, DeliveryState.UNREACHABLE, Unreachable.DEACTIVATED, 4),
        Told("EMD_1", True, DeliveryState.UNREACHABLE, "a reason of tomorrow", 7),
        Told("EMD_1", True, DeliveryState.UNKNOWN, None, 3),
        Told("EMD_1", True, DeliveryState.SKIPPED, None, 9),
        Told("EMD_1", True, DeliveryState.FAILED, None, 6),
        Told("EMD_1", True, None, None, 20),
        Told("EMD_1", False, None, None, 5),
        Told("EMD_2", True, DeliveryState.SENT, None, 4),
        Told("EMD_unlisted", True, DeliveryState.SENT, None, 50),
    ]
    covered = coverage(told, [LARGE, SMALL], 5, NOW)
    assert covered.whole.number == 200
    assert {reach: shown.number for reach, shown in rows(covered)} == {
        Reached.REACHED: 60,
        Reached.WAITING: 15,
        Reached.NO_ACCOUNT: 15,
        Reached.OPTED_OUT: 10,
        Reached.GUEST: 5,
        Reached.DEACTIVATED: 0,
        Reached.NO_EMAIL: 5,
        Reached.FAILED: 5,
        Reached.OTHERS: 85,
    }


def test_of_a_pool_only_the_whole_is_told() -> None:
    """It was counted once; who is reached changes as long as messages are sent."""
    pool = Pool(number=1, counted_at=NOW, stats=DistributionStats(sent=12))
    pooled = [replace(SMALL, distribution_id=f"EMD_{number}", pool=pool) for number in (2, 3, 4)]
    told = [
        Told("EMD_1", True, DeliveryState.SENT, None, 200),
        *(Told(it.distribution_id, True, DeliveryState.SENT, None, 4) for it in pooled),
    ]
    covered = coverage(told, [LARGE, *pooled], 5, NOW)
    assert covered.whole == small_groups.of_survey([LARGE, *pooled], 5, NOW).whole
    assert [shown.number for reach, shown in rows(covered) if reach in {Reached.REACHED, Reached.OTHERS}] == [195, 15]


@given(
    st.lists(
        st.builds(
            Told,
            st.sampled_from(["EMD_1", "EMD_2", "EMD_3"]),
            st.booleans(),
            st.none() | st.sampled_from(DeliveryState),
            st.none() | st.sampled_from(Unreachable),
            st.integers(0, 30),
        )
    )
)
def test_the_rows_add_up_to_the_recipients(told: list[Told]) -> None:
    covered = coverage(told, [LARGE, SMALL, replace(LARGE, distribution_id="EMD_3")], 5, NOW)
    assert sum(shown.number for _, shown in rows(covered)) == covered.whole.number
    assert all(shown.number % 5 == 0 for _, shown in rows(covered))


def test_who_was_mailed_is_as_many_as_on_other_pages_also_where_mail_came_back() -> None:
    """Of 50 one has no link any more: "45 or more" here beside "50 or more" there would tell that there are 1 to 4 of those."""
    covered = coverage([Told("EMD_1", True, DeliveryState.SENT, None, 49)], [_sent(50)], 5, NOW)
    assert covered.whole == small_groups.of_survey([_sent(50)], 5, NOW).whole
    assert [shown.number for reach, shown in rows(covered) if reach in {Reached.REACHED, Reached.OTHERS}] == [45, 5]


def test_a_page_says_the_same_in_its_picture_and_in_words() -> None:
    covered = coverage([Told("EMD_1", True, DeliveryState.SENT, None, 38), Told("EMD_1", False, None, None, 3)], [_sent(41)], 5, NOW)
    page = coverage_page(a_survey(), covered, READER, ())
    (chart,) = [element for element in page.elements if isinstance(element, Chart)]
    assert dict(zip(chart.labels, chart.series[0].values, strict=True)) == {"Reached": 35, "Others": 5}
    said = words(page)
    assert "Mailed by Qualtrics: 40 or more" in said
    assert "Reached in chat: 35 or more" in said
    assert "No e-mail address known: not shown" in said
    assert "Others, or too few to tell apart: about 5" in said


def test_of_too_few_people_nothing_is_drawn() -> None:
    page = coverage_page(a_survey(), coverage([], [SMALL], 5, NOW), READER, ())
    assert not any(isinstance(element, Chart) for element in page.elements)
    assert "to too few people" in words(page)


def test_no_column_has_a_name_that_slack_cuts() -> None:
    told = [Told("EMD_1", True, state, reason, 9) for state in DeliveryState for reason in (None, *Unreachable)]
    covered = coverage([*told, Told("EMD_1", False, None, None, 9)], [_sent(900)], 5, NOW)
    page = coverage_page(a_survey(), covered, READER, ())
    (chart,) = [element for element in page.elements if isinstance(element, Chart)]
    assert len(chart.labels) == len(Reached)
    assert max(map(len, chart.labels)) <= limits.CHART_LABEL
