"""What people type is understood, or answered with what they may have meant."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot import actions
from bot.page import Action
from bot.slash_commands import SLASH_COMMANDS, STATS, SURVEYS, parse, parse_said


@pytest.mark.parametrize(
    ("text", "verb", "data"),
    [
        ("", "surveys.list", {}),
        ("  ", "surveys.list", {}),
        ("LIST please", "surveys.list", {}),
        ("find  Team pulse ", "surveys.find", {"words": "Team pulse"}),
        ("find", "surveys.search", {}),
        ("settings", "settings.edit", {}),
        ("privacy", "privacy.show", {}),
        ("Help", "help.show", {"command": "/surveys"}),
        ("status", "sync.status", {}),
        ("surveis now", "help.show", {"command": "/surveys", "unknown": "surveis"}),
        ("x" * 5_000, "help.show", {"command": "/surveys", "unknown": "x" * 40}),
        ("find " + "x" * 5_000, "surveys.find", {"words": "x" * 100}),
    ],
)
def test_surveys(text: str, verb: str, data: dict[str, str]) -> None:
    assert parse("/surveys", text) == Action(verb=verb, data=data)


@pytest.mark.parametrize(
    ("said", "name", "text"),
    [
        ("", "/surveys", ""),
        ("surveys", "/surveys", ""),
        ("/Surveys find Team pulse", "/surveys", "find Team pulse"),
        ("survey-stats help", "/survey-stats", "help"),
        ("Find Team pulse", "/surveys", "find Team pulse"),
        ("Hello!", "/surveys", "help"),
        ("help?", "/surveys", "help"),
        ("surveis now", "/surveys", "surveis now"),
    ],
)
def test_what_is_said_without_a_slash_is_understood_as_well(said: str, name: str, text: str) -> None:
    assert parse_said(said) == parse(name, text)


@pytest.mark.parametrize(
    ("text", "verb", "data"),
    [
        ("", "stats.list", {}),
        ("open", "stats.list", {}),
        ("Results Team pulse", "stats.results", {"survey": "Team pulse"}),
        ("results", "stats.search", {}),
        ("find pulse", "stats.find", {"words": "pulse"}),
        ("find", "stats.search", {}),
        ("status", "sync.status", {}),
        ("help", "help.show", {"command": "/survey-stats"}),
        ("restults SV_1", "help.show", {"command": "/survey-stats", "unknown": "restults"}),
    ],
)
def test_survey_stats(text: str, verb: str, data: dict[str, str]) -> None:
    assert parse("/survey-stats", text) == Action(verb=verb, data=data)


@pytest.mark.parametrize(
    ("text", "action"),
    [
        ("subscribe", Action(verb="subscription.new")),
        ("subscribe launch weekly", Action(verb="subscription.new", data={"what": "launch weekly"})),
        ("subscribe SV_1", Action(verb="subscription.add", data={"what": "SV_1"})),
        ("Subscribe “Team pulse” launch", Action(verb="subscription.add", data={"what": "“Team pulse” launch"})),
        ("subscribe " + "x" * 999, Action(verb="subscription.add", data={"what": "x" * 300})),
        ("unsubscribe all", Action(verb="subscription.remove", data={"what": "all"})),
        ("unsubscribe", Action(verb="subscriptions.list")),
        ("list", Action(verb="subscriptions.list")),
        ("settings", Action(verb="subscriptions.times")),
    ],
)
def test_channels_are_subscribed_by_the_same_words_everywhere(text: str, action: Action) -> None:
    assert parse("/survey-stats", text) == parse_said(f"survey-stats {text}") == parse_said(text, is_shared=True) == action


def test_words_that_two_commands_know_mean_the_channel_in_the_channel_and_the_person_elsewhere() -> None:
    assert [parse_said(word).verb for word in ("list", "settings", "find")] == ["surveys.list", "settings.edit", "surveys.search"]
    assert parse_said("find", is_shared=True).verb == "surveys.search"
    assert parse_said("surveys list", is_shared=True).verb == "surveys.list"


def test_a_command_of_another_version_is_answered_with_help() -> None:
    assert parse("/surveyz", "list") == Action(verb="help.show", data={"unknown": "/surveyz"})


@pytest.mark.parametrize(
    ("unknown", "meant"), [("setings", "settings"), ("HLP", "help"), ("lst", "list"), ("statu", None), ("xyzzy", None)]
)
def test_the_nearest_word_that_is_offered_is_meant(unknown: str, meant: str | None) -> None:
    nearest = SURVEYS.nearest(unknown)
    assert (nearest and nearest.word) == meant


def test_the_alias_for_administrators_is_offered_in_one_place_only() -> None:
    assert "status" not in SURVEYS.usage_hint
    assert "status" in STATS.usage_hint


@given(st.sampled_from(list(SLASH_COMMANDS)), st.text())
def test_whatever_is_typed_asks_for_something_there_is(name: str, text: str) -> None:
    assert parse(name, text).verb in {*actions.VIEWS, *actions.FORMS, *actions.COMMANDS}
