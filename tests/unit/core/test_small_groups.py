"""Numbers about people, as they may be shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot import small_groups
from bot.model import Distribution, DistributionStats, Pool
from bot.pages import Reader
from bot.pages.numbers import people, people_of, percent
from bot.small_groups import (
    HIDDEN,
    Guarded,
    Shown,
    combine,
    divide,
    families,
    guard,
    has_waited,
    next_pool,
    of_distribution,
    of_survey,
    protect,
    rate,
    total,
)
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
    shown = guard(stats, 5)
    literal = DistributionStats(sent=shown.whole.number, **{name: number.number for name, number in shown.parts.items()})
    assert guard(literal, 5) == shown
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


def people_of_each(sent: Sequence[Distribution]) -> dict[str, list[str]]:
    return {it.distribution_id: [f"{it.distribution_id} {number}" for number in range(it.stats.sent)] for it in sent}


def chosen(sent: Sequence[Distribution], people: dict[str, list[str]] | None = None) -> list[str]:
    return [it.invite.distribution_id for it in next_pool(families(sent), people or people_of_each(sent), 5)]


def test_who_is_too_few_is_pooled_in_the_order_of_sending_once_there_are_twice_the_smallest_group() -> None:
    small = [sent_to(4, f"EMD_{days}", days_ago=20 - days) for days in range(3)]
    assert chosen(small[::-1]) == ["EMD_0", "EMD_1", "EMD_2"]
    assert chosen(small[:2]) == []
    assert chosen([*small[:2], sent_to(5, "EMD_2"), sent_to(0, "EMD_3"), sent_to(2, "EMD_4")]) == ["EMD_0", "EMD_1", "EMD_4"]


def test_nobody_is_in_a_pool_twice_and_nobody_who_is_not_known() -> None:
    """A team that is asked every week would be a pool by itself."""
    weekly = [sent_to(4, f"EMD_{days}", days_ago=20 - days) for days in range(5)]
    people = people_of_each(weekly)
    same = people | {"EMD_1": [*people["EMD_1"][:3], people["EMD_0"][0]]}
    assert chosen(weekly, same) == ["EMD_0", "EMD_2", "EMD_3", "EMD_4"]
    assert chosen(weekly, people | {"EMD_0": people["EMD_0"][:3]}) == ["EMD_1", "EMD_2", "EMD_3", "EMD_4"]
    assert chosen(weekly[:3], same) == []


@pytest.mark.parametrize(
    ("days", "ends_after", "has"),
    [(2.9, 3, False), (3, 3, True), (9, None, False), (14.3, None, False), (15, None, True), (15, 30, True), (15, 0.5, False)],
)
def test_one_waits_until_its_links_end_two_weeks_at_the_most(days: float, ends_after: float | None, *, has: bool) -> None:
    """That its links worked for less than a day says that hardly anybody could answer."""
    invite = sent_to(4, days_ago=days)
    deadline = None if ends_after is None else NOW - days * DAY + ends_after * DAY
    assert has_waited(invite, deadline, NOW) is has
    assert not has_waited(replace(invite, is_deleted=True), deadline, NOW)


def test_a_pool_shows_what_was_counted_then_whatever_becomes_of_it() -> None:
    """Its distributions move on, grow, and get reminders; of them alone nothing is shown ever."""
    pool = Pool(number=1, counted_at=NOW, stats=DistributionStats(sent=12, finished=9, bounced=1))
    small = [replace(sent_to(4, f"EMD_{number}", finished=4), pool=pool, is_deleted=number == 0) for number in range(3)]
    grown = replace(small[2], stats=DistributionStats(sent=40, finished=40))
    reminded = [*small[:2], grown, sent_to(30, "EMD_R", of="EMD_2", finished=30)]
    shown = Guarded(
        k=5, whole=Shown(10), parts=dict.fromkeys((*small_groups.PROGRESS, *small_groups.TROUBLES, *small_groups.UNSENT), HIDDEN)
    )
    for each in (small, reminded, [grown]):
        assert of_survey(each, 5, NOW) == replace(shown, parts={**shown.parts, "finished": Shown(5)})
        assert all(of_distribution(it, each, 5).whole.is_hidden for it in each)
    assert of_survey(small, 5, NOW - DAY).whole.is_hidden


def test_a_pool_counts_what_was_done_with_reminders() -> None:
    family = [sent_to(4, finished=1, started=2, bounced=1), sent_to(3, "EMD_2", of="EMD_1", finished=2, started=2, bounced=1)]
    assert total(families(family)) == DistributionStats(sent=4, finished=3, started=4, bounced=1)


def test_words_promise_no_more_than_is_known() -> None:
    guarded = protect(52, {"finished": 47, "opened": 3}, 5)
    assert people_of(guarded.part("finished"), guarded.whole, READER) == "45 or more of 50 or more"
    assert people(guarded.rest("finished"), READER) == "about 5"
    assert people(guarded.part("opened"), READER) == "not shown"
    assert percent(guarded.part("finished"), guarded.whole, READER) == "about 90%"
    assert percent(guarded.part("opened"), guarded.whole, READER) == "not shown"


def test_the_default_is_the_lowest() -> None:
    assert small_groups.LOWEST == 5
