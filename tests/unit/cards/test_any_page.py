"""What holds for every page that can be built."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from adapters.sandbox.gate import problems
from bot.page import Action, Buttons, Entry, Facts, Page, PrivatePage, Respond
from cards import slack
from cards.plain import plain_text
from tests.unit.cards.strategies import LINK, pages, private_pages, tame_texts

DATE = re.compile(r"<!date\^-?\d+\^\{date_short_pretty\} at \{time\}\|[\w ,:/()+-]+>")
EMOJI = re.compile(r":[\w+'-]+:")

any_page = given(page=pages() | private_pages())
arbitrary = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


def strings(value: Any, *keys: str) -> Iterator[tuple[tuple[str, ...], str]]:
    """Every string in a payload with the keys that lead to it."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from strings(item, *keys, key)
    elif isinstance(value, list):
        for item in value:
            yield from strings(item, *keys)
    elif isinstance(value, str):
        yield keys, value


def objects(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from objects(item)


def is_escaped(text: str) -> bool:
    return not re.search(r"[<>]|&(?!amp;|lt;|gt;)", text)


@arbitrary
@any_page
def test_slack_takes_it_as_a_message_and_as_a_home_view(page: Page | PrivatePage) -> None:
    assert problems("message", slack.message(page)) == []
    assert problems("home", slack.home(page)) == []


@arbitrary
@any_page
def test_it_travels_as_utf_8(page: Page | PrivatePage) -> None:
    payload = slack.message(page)
    assert json.loads(json.dumps(payload, ensure_ascii=False).encode()) == payload


@arbitrary
@any_page
def test_nothing_in_it_is_markup_but_our_own_dates(page: Page | PrivatePage) -> None:
    payload = slack.message(page)
    assert is_escaped(payload["text"])
    for drawn in objects(payload):
        if drawn.get("type") == "mrkdwn":
            rest = DATE.sub(" ", drawn["text"])
            assert is_escaped(rest)
            assert not EMOJI.search(rest)
            assert drawn["verbatim"] is True
        if drawn.get("type") == "plain_text":
            assert drawn["emoji"] is False


@arbitrary
@any_page
def test_nothing_in_it_is_hidden_or_turned_around(page: Page | PrivatePage) -> None:
    for _, text in strings(slack.message(page)):
        assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", text)


@arbitrary
@any_page
def test_a_personal_link_is_only_in_the_url_of_a_button_of_a_page_that_holds_it(page: Page | PrivatePage) -> None:
    held = {element.link.url for element in page.elements if isinstance(element, Respond)}
    for payload in (slack.message(page), slack.home(page)):
        found = [(keys, text) for keys, text in strings(payload) if LINK in text]
        assert {keys for keys, _ in found} <= {("blocks", "elements", "url")}
        assert {text for _, text in found} <= held
    assert LINK not in plain_text(page, limit=1_000_000)


@arbitrary
@given(page=pages(tame_texts) | private_pages(tame_texts))
def test_its_plain_text_holds_the_title_every_fact_and_every_entry(page: Page | PrivatePage) -> None:
    lines = plain_text(page, limit=1_000_000).split("\n")
    assert lines[0] == page.title
    for element in page.elements:
        if isinstance(element, Facts):
            assert {name for name, _ in element.facts} <= {line.partition(":")[0] for line in lines}
        if isinstance(element, Entry):
            assert any(line.startswith(f"{element.title}: ") for line in lines)


@arbitrary
@any_page
def test_its_plain_text_keeps_the_limit(page: Page | PrivatePage) -> None:
    assert 1 <= len(plain_text(page, limit=80)) <= 80


@arbitrary
@given(page=pages())
def test_every_button_brings_its_action_back(page: Page) -> None:
    held: list[Action] = []
    for element in page.elements:
        match element:
            case Entry(button=button):
                held.append(button.action)
            case Buttons(buttons):
                held.extend(button.action for button in buttons)
            case _:
                pass
    drawn = [slack.parse_action(found["action_id"], found["value"]) for found in objects(slack.home(page)) if found.get("type") == "button"]
    assert drawn == held[: len(drawn)]


@pytest.mark.parametrize("zone", ["Europe", "\ud800", "a" * 5_000])
def test_a_zone_that_is_none_is_shown_as_utc(zone: str) -> None:
    page = Page(title="t", elements=(), zone=zone)
    assert problems("message", slack.message(page)) == []
