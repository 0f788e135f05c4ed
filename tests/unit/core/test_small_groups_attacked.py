"""Nobody who watches all shown numbers learns of 1 to k - 1 people; with rules that only seem to protect, the same observer does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.model import DistributionStats
from bot.small_groups import divide, protect
from tests.unit.core.guards import EXPIRING, LIVING, OURS, POOLING, STEPPING, SUPPRESSING, Rule
from tests.unit.core.observer import divided_away, given_away, unsent_away
from tests.unit.core.sendings import Sending

DAYS = 6

_day = st.integers(0, DAYS - 1)
_answers = st.lists(st.integers(0, 7), max_size=DAYS).map(tuple)
#: Its links are prolonged, shortened, given an end or rid of it; it is deleted, or heard of late.
_fate: dict[str, Any] = {
    "closes_on": st.none() | st.just(3) | _day,
    "moved": st.none() | st.tuples(_day, st.none() | _day),
    "deleted_on": st.none() | _day,
    "hidden_days": st.just(0) | st.integers(0, 4),
    "reminded_on": st.none() | _day,
    "late_answers": _answers,
    "late_closes_on": st.none() | _day,
}
_sending = st.builds(
    Sending,
    size=st.integers(0, 6) | st.integers(0, 40),
    day=st.integers(0, 3),
    answers=_answers,
    stuck=st.integers(0, 3),
    bounced=st.integers(0, 8),
    **_fate,
)
#: Also many small ones, which fill pools: most of them nobody touches.
_small = st.builds(Sending, size=st.integers(1, 4), answers=_answers, day=st.integers(0, 2), closes_on=st.none() | st.just(3) | _day)
_touched = st.builds(Sending, size=st.integers(1, 4), answers=_answers, day=st.integers(0, 2), **_fate)
ANY: dict[str, Any] = {
    "sendings": st.lists(_sending, min_size=1, max_size=4) | st.lists(_small | _touched, min_size=4, max_size=14),
    "knows_sizes": st.booleans(),
    "inactive": st.just(frozenset()) | st.frozensets(_day),
}


@settings(max_examples=100)
@given(**ANY)
def test_no_numbers_on_any_pages_at_any_times_tell_of_fewer_than_k_people(
    sendings: Sequence[Sending], *, knows_sizes: bool, inactive: frozenset[int]
) -> None:
    assert given_away(OURS, sendings, DAYS, knows_sizes=knows_sizes, inactive=inactive) == []


@pytest.mark.deep
@settings(max_examples=3000)
@given(**ANY)
def test_no_numbers_of_very_many_tell_of_fewer_than_k_people(
    sendings: Sequence[Sending], *, knows_sizes: bool, inactive: frozenset[int]
) -> None:
    assert given_away(OURS, sendings, DAYS, knows_sizes=knows_sizes, inactive=inactive) == []


#: Somebody answers while others watch.
WATCHED = [Sending(size=30, answers=(10, 1))]
#: All but three have answered when the others are reminded.
REMINDED = [Sending(size=20, answers=(0, 17), reminded_on=2)]
#: One of six teams of four can still answer.
OTHERS = [Sending(size=4, answers=(answers,), closes_on=2) for answers in (2, 2, 2, 2, 1)]
LAST = [*OTHERS, Sending(size=4, answers=(0, 0, 0, 2))]
#: Three teams of four, until their links end; then those of one are prolonged, or its people are reminded.
ENDED = [Sending(size=4, answers=(answers,), closes_on=2) for answers in (2, 2)]
PROLONGED = [*ENDED, Sending(size=4, answers=(0, 0, 0, 0, 3), closes_on=2, moved=(4, 4))]
REMINDED_LATE = [*ENDED, Sending(size=4, closes_on=2, reminded_on=4, late_answers=(0, 0, 0, 0, 3), late_closes_on=4)]
#: Or those of two are shortened or deleted, or the third alone answers, while the others wait for nothing.
SHORTENED = [*(Sending(size=4, answers=(2,), moved=(2, 1)) for _ in range(2)), Sending(size=4, answers=(0, 0, 3))]
DELETED = [*(Sending(size=4, answers=(2,), deleted_on=2) for _ in range(2)), Sending(size=4, answers=(0, 0, 3))]
#: One is heard of late, and was sent before the others: who is in which pool is another thing then.
HEARD_OF = [Sending(size=4, closes_on=1, hidden_days=4), *(Sending(size=4, day=1, answers=(it,), closes_on=1) for it in (2, 2, 1))]
#: Two of three are not answered any more when the survey is active again.
PAUSED = [*ENDED, Sending(size=4, answers=(0, 0, 0, 0, 3))]


@pytest.mark.parametrize(
    ("rule", "sendings", "found"),
    [
        (SUPPRESSING, WATCHED, ("change", "finished", 0, 0, 1)),
        (SUPPRESSING, REMINDED, ("reminded", 0)),
        (STEPPING, REMINDED, ("reminded", 0)),
        (POOLING, LAST, ("change", "finished", 5, 2, 3)),
        (LIVING, SHORTENED, ("change", "finished", 2, 1, 2)),
        (LIVING, DELETED, ("change", "finished", 2, 1, 2)),
        (LIVING, PAUSED, ("change", "finished", 2, 2, 4)),
        (EXPIRING, PROLONGED, ("change", "finished", 2, 2, 4)),
        (EXPIRING, REMINDED_LATE, ("change", "finished", 2, 2, 4)),
        (EXPIRING, HEARD_OF, ("finished", 3, 4)),
    ],
)
def test_the_same_observer_finds_people_behind_rules_that_seem_to_protect(rule: Rule, sendings: Sequence[Sending], found: object) -> None:
    assert found in given_away(rule, sendings, DAYS, knows_sizes=False, inactive={2, 3} if sendings is PAUSED else ())
    assert given_away(OURS, sendings, DAYS, knows_sizes=True) == []


@settings(max_examples=60)
@given(st.lists(st.integers(0, 14), min_size=1, max_size=4), st.integers(0, 9), st.lists(st.integers(1, 4), max_size=6))
def test_no_part_of_a_division_tells_of_fewer_than_k_people(numbers: list[int], others: int, members: list[int]) -> None:
    parts = {str(place): number for place, number in enumerate(numbers)}
    pool = members if sum(members) <= sum(numbers) + others else []
    assert divided_away(divide, parts, others, pool, is_all=False) == []


@pytest.mark.parametrize(
    ("shares_limit", "is_all", "parts", "found"),
    [
        (True, True, {"reached": 12, "guest": 4, "no account": 4}, ("part", "guest")),
        (False, False, {"reached": 10, "guest": 10}, ("of it", 0, ("reached", "guest"))),
    ],
)
def test_a_division_needs_others_and_a_limit_that_its_parts_share(
    *, shares_limit: bool, is_all: bool, parts: dict[str, int], found: object
) -> None:
    assert found in divided_away(divide if shares_limit else protect, parts, 0, [4, 4], is_all=is_all)
    assert divided_away(divide, parts, 0, [4, 4], is_all=False) == []


@settings(max_examples=100)
@given(
    st.builds(DistributionStats, sent=st.integers(5, 40), failed=st.integers(0, 9), skipped=st.integers(0, 9), blocked=st.integers(0, 9))
)
def test_whoever_knows_the_mailing_list_learns_nothing_of_those_it_was_not_sent_to(stats: DistributionStats) -> None:
    assert unsent_away(stats) == []
