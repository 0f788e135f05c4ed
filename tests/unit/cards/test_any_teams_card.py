"""What holds for the Adaptive Card of every page that can be built."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from hypothesis import given, settings

from adapters.sandbox.teams.gate import problems
from bot.page import Action, Button, Buttons, Entry, Page, PrivatePage, Respond
from cards import limits, teams
from tests.unit.cards.strategies import LINK, pages, private_pages
from tests.unit.cards.test_any_page import objects, strings

DATE = re.compile(r"\{\{DATE\([\d:TZ-]+,SHORT\)\}\} \{\{TIME\([\d:TZ-]+\)\}\}")
FORMATTING = re.compile(r"[_*~`](?<!\*\*)(?!\*)|\]\(|<\w|&\w+;|^\s*([-+#>]|\d+[.)])|\{\{")

arbitrary = settings(max_examples=25)


@arbitrary
@given(page=pages() | private_pages())
def test_its_card_is_valid_fits_is_free_of_foreign_markup_and_keeps_its_links(page: Page | PrivatePage) -> None:
    message = teams.message(page)
    card = message["attachments"][0]["content"]
    assert problems(card | {"body": card["body"][:12]}) == []
    assert len(json.dumps(card, ensure_ascii=False).encode()) <= limits.TEAMS_CARD_BYTES
    assert len(json.dumps(message, ensure_ascii=False).encode("utf-16")) <= 100_000
    for text in markdown_of(card):
        assert not any(FORMATTING.search(line) for line in DATE.sub("", text).split("\n"))
    held = {element.link.url for element in page.elements if isinstance(element, Respond)}
    for keys, text in strings(message):
        assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", text)
        if LINK in text:
            assert keys == ("attachments", "content", "body", "actions", "url")
            assert text in held


@arbitrary
@given(page=pages())
def test_every_button_brings_its_action_back_in_both_ways(page: Page) -> None:
    held: list[Action] = []
    for element in page.elements:
        match element:
            case Entry(button=button):
                held.append(button.action)
            case Buttons(buttons):
                held.extend(button.action for button in buttons if isinstance(button, Button))
            case _:
                pass
    drawn = [found for found in objects(teams.card(page)) if found.get("type") == "Action.Execute"]
    executed = [teams.parse_execute(found["verb"], found["data"]) for found in drawn]
    assert executed == [teams.parse_submit(found["fallback"]["data"]) for found in drawn] == held[: len(drawn)]


def markdown_of(card: dict[str, Any]) -> Iterator[str]:
    """Every text that clients read as Markdown."""
    yield card["fallbackText"]
    for drawn in objects(card["body"]):
        if drawn.get("type") == "TextBlock":
            yield drawn["text"]
        if drawn.keys() >= {"title", "value"}:  # not the points of a chart
            yield from (drawn["title"], drawn["value"])
