"""What holds for every page that can be built."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings

from adapters.sandbox.gate import problems
from bot.page import Action, Button, Buttons, Entry, Facts, Form, Page, PrivatePage, Respond
from cards import slack
from cards.plain import plain_text
from tests.unit.cards.strategies import LINK, forms, nasty_texts, pages, private_pages, tame_texts

DATE = re.compile(r"<!date\^-?\d+\^\{date_short_pretty\} at \{time\}\|[\w ,:/()+-]+>")
EMOJI = re.compile(r":[\w+'-]+:")

any_page = given(page=pages() | private_pages())
arbitrary = settings(max_examples=25)


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


def harmless(payload: Any) -> bool:
    """Whether Slack can read nothing in it as a mention, a link, an emoji or emphasis that is not ours."""
    for drawn in objects(payload):
        if drawn.get("type") == "mrkdwn":
            rest = DATE.sub(" ", drawn["text"])
            if not is_escaped(rest) or EMOJI.search(rest) or drawn["verbatim"] is not True:
                return False
        if drawn.get("type") == "plain_text" and drawn["emoji"] is not False:
            return False
    return True


def forms_said(view: dict[str, Any]) -> dict[str, Any]:
    """What Slack sends of a form that was submitted as it was opened, but for what is typed."""
    elements = {block["block_id"]: block["element"] for block in view["blocks"] if block["type"] == "input"}
    return {
        name: {
            element["action_id"]: {
                "type": element["type"],
                "value": "<!channel>",
                "selected_option": element.get("initial_option"),
                "selected_options": element.get("initial_options", []),
            }
        }
        for name, element in elements.items()
    }


@arbitrary
@any_page
def test_slack_takes_it_as_a_message_a_home_view_and_without_personal_links_a_modal(page: Page | PrivatePage) -> None:
    assert problems("message", slack.message(page)) == []
    assert problems("home", slack.home(page)) == []
    if isinstance(page, Page):
        assert problems("modal", slack.modal(page)) == []


@arbitrary
@given(form=forms(nasty_texts))
def test_slack_takes_any_form_as_a_modal_which_brings_its_action_back(form: Form) -> None:
    view = slack.modal(form)
    assert problems("modal", view) == []
    assert harmless(view)
    said = forms_said(view)
    assert slack.parse_form({**view, "state": {"values": said}}).verb == form.action.verb
    assert form.action.data.items() <= slack.parse_form({**view, "state": {"values": said}}).data.items()
    assert 1 <= len(plain_text(form, limit=80)) <= 80


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
    assert all(map(harmless, [payload, slack.home(page), slack.modal(page) if isinstance(page, Page) else {}]))


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
                held.extend(button.action for button in buttons if isinstance(button, Button))
            case _:
                pass
    found = [found for found in objects(slack.home(page)) if found.get("type") == "button"]
    drawn = [slack.parse_action(button["action_id"], button["value"]) for button in found if "url" not in button]
    assert drawn == held[: len(drawn)]


@pytest.mark.parametrize("zone", ["Europe", "\ud800", "a" * 5_000])
def test_a_zone_that_is_none_is_shown_as_utc(zone: str) -> None:
    page = Page(title="t", elements=(), zone=zone)
    assert problems("message", slack.message(page)) == []
