"""Numbers about people, as they may be shown."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot import small_groups
from bot.model import Distribution, DistributionStats
from bot.pages import Reader
from bot.pages.numbers import people, people_of, percent
from bot.small_groups import HIDDEN, Guarded, Shown, cohorts, combine, divide, of_distribution, of_survey, protect, rate
from tests.unit.core.examples import DAY, NOW, a_distribution

READER = Reader("en", "UTC")


def sent_to(number: int, name: str = "EMD_1", *, days_ago: float = 3, of: str | None = None, **counts: int) -> Distribution:
    kind: dict[str, Any] = {"request_type": "Reminder", "parent_id": of} if of else {"request_type": "Invite"}
    stats = DistributionStats(sent=number, **counts)
    return a_distribution(distribution_id=name, send_date=NOW - days_ago * DAY, link_expires_at=NOW, stats=stats, **kind)


@pytest.mark.parametrize(
    ("whole", "part", "shown_whole", "shown_part"),
    [(4, 4, 0, 0), (5, 5, 5, 0), (9, 9, 5, 0), (10, 4, 10, 0), (10, 5, 10, 5), (10, 10, 10, 5), (23, 14, 20, 10), (20, 31, 20, 15)],
)
def test_a_part_is_at_least_what_is_shown_and_leaves_a_rest(whole: int, part: int, shown_whole: int, shown_part: int) -> None:
    guarded = protect(whole, {"finished": part}, 5)
    assert (guarded.whole, guarded.part("finished")) == (Shown(shown_whole), Shown(shown_part))


def test_parts_that_exclude_each_other_and_the_rest_add_up_to_the_whole() -> None:
    guarded = divide(48, {"reached": 31, "no account": 4, "guest": 6, "opted out": 7}, 5)
    assert [guarded.part(name).number for name in guarded.parts] == [30, 0, 5, 5]
    assert guarded.rest(*guarded.parts) == Shown(5, is_about=True)


def test_a_group_size_that_protects_nobody_is_refused() -> None:
    with pytest.raises(ValueError, match="the smallest group is 5"):
        protect(20, {}, 4)


def test_sums_and_shares_are_made_of_shown_numbers() -> None:
    both = combine([protect(9, {"finished": 9}, 5), protect(24, {"finished": 24}, 5)])
    assert (both.whole.number, both.part("finished").number) == (25, 15)
    assert rate(both.part("finished"), both.whole) == 0.6
    assert rate(both.part("opened"), both.whole) is None
    assert combine([]) == Guarded(k=5, whole=HIDDEN)


def test_an_invitation_is_counted_with_its_reminders() -> None:
    distributions = [
        sent_to(40, finished=12, bounced=6, skipped=4, failed=2),
        sent_to(28, "EMD_2", of="EMD_1", days_ago=2, finished=9, bounced=6),
    ]
    guarded = of_survey(distributions, 5, NOW)
    visible = {name: shown.number for name, shown in guarded.parts.items() if not shown.is_hidden}
    assert visible == {"finished": 20, "bounced": 5, "skipped": 5}
    assert of_distribution(distributions[0], distributions, 5) == guarded


@given(
    st.builds(
        DistributionStats,
        **dict.fromkeys(("sent", *small_groups.PROGRESS, *small_groups.TROUBLES, *small_groups.UNSENT), st.integers(0, 40)),
    )
)
def test_what_is_shown_is_word_for_word_a_possible_truth(stats: DistributionStats) -> None:
    """It would be shown as itself: that is why nothing smaller than its steps can be read out of it."""
    shown = small_groups.of_cohort((small_groups.Family(invite=a_distribution(stats=stats)),), 5)
    literal = DistributionStats(sent=shown.whole.number, **{name: number.number for name, number in shown.parts.items()})
    assert small_groups.of_cohort((small_groups.Family(invite=a_distribution(stats=literal)),), 5) == shown
    assert {number.number % 5 for number in (shown.whole, *shown.parts.values())} == {0}


def test_of_a_reminder_only_the_size_is_shown_and_that_as_what_was_left() -> None:
    distributions = [sent_to(40, finished=39), sent_to(3, "EMD_2", of="EMD_1", days_ago=2, finished=2)]
    assert of_distribution(distributions[1], distributions, 5) == Guarded(k=5, whole=Shown(5, is_about=True))


@pytest.mark.parametrize("request_type", ["ThankYou", "TestEmail", "GeneratedInvite", "Portal"])
def test_nothing_is_shown_of_what_is_no_invitation(request_type: str) -> None:
    """A thank-you goes to who answered: its size is their number."""
    thanks = a_distribution(distribution_id="EMD_2", parent_id="EMD_1", request_type=request_type, stats=DistributionStats(sent=17))
    distributions = [sent_to(40), thanks]
    assert of_distribution(thanks, distributions, 5) == Guarded(k=5, whole=HIDDEN)
    assert of_survey(distributions, 5, NOW).whole.number == 40


def test_small_distributions_are_pooled_once_settled_and_a_full_pool_stays_as_it_is() -> None:
    small = [replace(sent_to(4, f"EMD_{day:02}", days_ago=20 - day, finished=3), link_expires_at=None) for day in range(20)]
    pools = [[family.invite.distribution_id for family in cohort] for cohort in cohorts(small, 5, NOW)]
    assert [len(pool) for pool in pools] == [3, 5, 10]
    assert [len(pool) for pool in cohorts(small, 5, NOW - 10 * DAY)] == [3, 5]
    assert of_survey(small[:8], 5, NOW).part("finished").number == 5 + 15
    assert of_distribution(small[0], small, 5).whole.is_hidden


def test_a_pool_is_counted_when_nobody_in_it_can_answer_any_more() -> None:
    """Otherwise the last one who can would be seen answering."""
    small = [sent_to(4, f"EMD_{number}", finished=3) for number in range(3)]
    assert of_survey(small, 5, NOW).whole.number == 10
    assert of_survey(small, 5, NOW - DAY).whole.is_hidden
    assert of_survey([replace(small[0], link_expires_at=None), *small[1:]], 5, NOW).whole.is_hidden


def test_words_promise_no_more_than_is_known() -> None:
    guarded = protect(52, {"finished": 47, "opened": 3}, 5)
    assert people_of(guarded.part("finished"), guarded.whole, READER) == "45 or more of 50 or more"
    assert people(guarded.rest("finished"), READER) == "about 5"
    assert people(guarded.part("opened"), READER) == "not shown"
    assert percent(guarded.part("finished"), guarded.whole, READER) == "about 90 %"
    assert percent(guarded.part("opened"), guarded.whole, READER) == "not shown"


def test_the_default_is_the_lowest() -> None:
    assert small_groups.LOWEST == 5
