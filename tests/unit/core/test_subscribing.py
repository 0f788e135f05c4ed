"""What people type to subscribe a channel is understood as they meant it, or said to be unknown."""

from __future__ import annotations

from datetime import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.subscribing import Weekly, Wish, clock, parse, written
from bot.subscriptions import Feature, covers

LAUNCH, MILESTONES, CLOSING, CLOSED, RESULTS, WEEKLY, PROBLEMS = Feature


@pytest.mark.parametrize(
    ("text", "subject", "features"),
    [
        ("", "", set()),
        ("   ", "", set()),
        ("SV_1", "SV_1", set()),
        ("all", "all", set()),
        ("Pulse*", "Pulse*", set()),
        ("launch closing", "", {LAUNCH, CLOSING}),
        ("SV_1 launch", "SV_1", {LAUNCH}),
        ("all weekly, closed", "all", {WEEKLY, CLOSED}),
        ("all hands", "all hands", set()),
        ("Employee  engagement 2026 closing  launch", "Employee engagement 2026", {CLOSING, LAUNCH}),
        ("Employee engagement", "Employee engagement", set()),
        ('"Product launch"', "Product launch", set()),
        ('"Product launch" launch', "Product launch", {LAUNCH}),
        ("“Product launch” launch; results", "Product launch", {LAUNCH, RESULTS}),
        ("„Team puls“ closed", "Team puls", {CLOSED}),
        ("«Ça va ?» closed", "Ça va ?", {CLOSED}),
        ("'Boss's day' closed", "Boss's day", {CLOSED}),
        ("\u2018Pulse*\u2019 milestone", "Pulse*", {MILESTONES}),
        ("Product launch", "Product", {LAUNCH}),
        ("Pulse DELIVERY-PROBLEMS", "Pulse", {PROBLEMS}),
        ("Pulse delivery problems launch", "Pulse", {PROBLEMS, LAUNCH}),
        ("Pulse delivery\u2013problem", "Pulse", {PROBLEMS}),
        ("Pulse launch launch result", "Pulse", {LAUNCH, RESULTS}),
        ("Pulse lunch closing", "Pulse lunch", {CLOSING}),
        ("Weekly check-in closing", "Weekly check-in", {CLOSING}),
        ("launchpad closing", "launchpad", {CLOSING}),
        ("50 % & <more> closed", "50 % & <more>", {CLOSED}),
    ],
)
def test_the_subject_ends_where_features_begin(text: str, subject: str, features: set[Feature]) -> None:
    wish = parse(text)
    assert (wish.subject, set(wish.features), wish.unknown) == (subject, features, None)


@pytest.mark.parametrize(
    ("text", "weekly"),
    [
        ("weekly", Weekly()),
        ("weekly:friday@16:00", Weekly(weekday=4, at=time(16))),
        ("Weekly:Fri@16", Weekly(weekday=4, at=time(16))),
        ("weekly:tuesday", Weekly(weekday=1)),
        ("weekly@8:30", Weekly(at=time(8, 30))),
        ("weekly:sun@12am", Weekly(weekday=6, at=time(0))),
        ("weekly thursdays at 4:30 pm", Weekly(weekday=3, at=time(16, 30))),
        ("weekly on wednesday 9.15", Weekly(weekday=2, at=time(9, 15))),
        ("weekly:monday@09:00@europe/berlin", Weekly(weekday=0, at=time(9), zone="Europe/Berlin")),
        ("weekly friday 16:00 America/Argentina/Buenos_Aires", Weekly(weekday=4, at=time(16), zone="America/Argentina/Buenos_Aires")),
        ("weekly@utc", Weekly(zone="UTC")),
    ],
)
def test_the_weekly_time_is_read_among_other_features(text: str, weekly: Weekly) -> None:
    for typed in (f"Pulse {text}", f"Pulse launch {text}", f'"Pulse" {text}, launch', f"SV_1 {text} launch"):
        wish = parse(typed)
        assert (wish.weekly, Feature.WEEKLY in wish.features, wish.unknown) == (weekly, True, None), typed
        assert wish.subject in {"Pulse", "SV_1"}


@pytest.mark.parametrize("text", ["delivery-problems@5%", "Delivery problem @ 5 %", "delivery-problems:5"])
def test_the_share_of_problems_is_read_among_other_features(text: str) -> None:
    for typed in (f"Team pulse {text}", f"SV_1 {text} launch", f"Pulse weekly@9:00, {text}, launch"):
        wish = parse(typed)
        assert (wish.problem_share, PROBLEMS in wish.features, wish.unknown) == (0.05, True, None), typed


@pytest.mark.parametrize(
    ("text", "unknown", "nearest"),
    [
        ('"Pulse" lunch', "lunch", LAUNCH),
        ("SV_1 closing, wekly now", "wekly", WEEKLY),
        ("SV_1 xyzzy", "xyzzy", None),
        ("Pulse weekly:fryday@16:00 launch", "weekly:fryday@16:00", WEEKLY),
        ("Pulse weekly:friday@25:00", "weekly:friday@25:00", WEEKLY),
        ("Pulse weekly@13pm", "weekly@13pm", None),
        ("Team pulse delivery-problems@0%", "delivery-problems@0%", PROBLEMS),
        ("SV_1 delivery-problems@101% launch", "delivery-problems@101%", PROBLEMS),
        ("Pulse weekly@9:00@Europe/Nowhere", "weekly@9:00@Europe/Nowhere", None),
    ],
)
def test_what_is_no_feature_is_said_to_be_unknown(text: str, unknown: str, nearest: Feature | None) -> None:
    wish = parse(text)
    assert wish.unknown == unknown
    assert nearest is None or wish.nearest in {nearest, None}


def test_a_misspelt_feature_behind_an_unquoted_name_is_recognised() -> None:
    assert parse("Team pulse lunch").nearest is LAUNCH
    assert parse("Team pulse").nearest is None


def test_a_name_that_ends_in_a_features_word_can_be_recognised_as_a_whole() -> None:
    assert parse("Product launch").whole == "Product launch"
    assert parse('"Product launch"').whole is None
    assert parse("Product").whole is None


@given(st.text(max_size=60), st.frozensets(st.sampled_from(Feature)))
def test_whatever_is_typed_is_understood_or_named(text: str, features: frozenset[Feature]) -> None:
    wish = parse(text + " " + " ".join(features))
    assert wish.unknown or wish.subject or wish.features or not text.strip()


@given(
    st.sampled_from(["SV_1", "all", "Pulse*", "Team pulse *"]),
    st.frozensets(st.sampled_from(Feature)),
    st.builds(
        Weekly,
        weekday=st.none() | st.integers(0, 6),
        at=st.none() | st.builds(time, st.integers(0, 23), st.integers(0, 59)),
        zone=st.sampled_from([None, "UTC", "Europe/Berlin"]),
    ),
    st.none() | st.integers(1, 100).map(lambda percent: percent / 100),
)
def test_what_is_written_down_is_read_the_same(subject: str, features: frozenset[Feature], weekly: Weekly, share: float | None) -> None:
    read = parse(written(Wish(subject=subject, features=features, weekly=weekly, problem_share=share)))
    assert (read.subject, read.features, read.unknown) == (subject, features, None)
    assert read.weekly == (weekly if Feature.WEEKLY in features else Weekly())
    assert read.problem_share == (share if Feature.DELIVERY_PROBLEMS in features else None)


@pytest.mark.parametrize(("text", "at"), [("9:05", time(9, 5)), ("16:00", time(16)), ("24:00", None), ("noon", None), ("", None)])
def test_a_time_of_day_is_read_or_not(text: str, at: time | None) -> None:
    assert clock(text) == at


@pytest.mark.parametrize(
    ("subject", "name", "is_covered"),
    [
        ("all", "Anything", True),
        ("SV_1", "Anything", True),
        ("SV_2", "SV_2", False),
        ("Pulse*", "pulse  2026", True),
        ("Pulse*", "Team pulse", False),
        ("*pulse*", "Team Pulse 2026", True),
        ("Pulse (*)", "Pulse (May)", True),
        ("P.lse*", "Pulse", False),
        ("STRASSE*", "Straße 1", True),
        ("a*b*b*c", "a-b-c", False),
        ("a*b*b*c", "abbc", True),
        ("Pulse*lse", "Pulse", False),
        ("*a" * 200 + "*b", "a" * 500, False),
        ("*a" * 200 + "*b", "a" * 500 + "b", True),
    ],
    ids=range(14),
)
def test_a_subject_covers_what_it_names(subject: str, name: str, is_covered: bool) -> None:
    assert covers(subject, "SV_1", name) is is_covered


def test_a_wish_without_anything_asks_for_everything() -> None:
    assert parse("") == Wish(subject="")
