"""What people see of Adaptive Cards in the sandbox's page, drawn by its own JavaScript in Node."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.gallery import forms, gallery
from bot.gallery.scene import READER_IN_TEAMS
from cards import teams
from tests.adapters.sandbox_page.drawn import Draw, nodes, outline, shown


def card(*body: dict[str, Any]) -> dict[str, Any]:
    return {"card": {"type": "AdaptiveCard", "version": "1.5", "body": list(body)}}


def text_block(text: str) -> dict[str, Any]:
    return {"type": "TextBlock", "text": text}


def test_every_page_of_the_gallery_is_drawn_with_all_its_words_and_buttons(draw: Draw) -> None:
    cards = {name: teams.card(page) for name, page in {**gallery(READER_IN_TEAMS), **forms(READER_IN_TEAMS)}.items()}
    for name, [drawn] in zip(cards, draw(*({"card": one} for one in cards.values())), strict=True):
        seen = shown(drawn)
        assert "does not draw" not in seen, name
        for wanted in _titles(cards[name]["body"]):
            assert wanted in seen, name


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("**bold** _it_ *it* \\*no\\*", [["strong", "bold"], " ", ["em", "it"], " ", ["em", "it"], " *no*"]),
        ("snake_case_name 2*3*4", ["snake_case_name 2", ["em", "3"], "4"]),
        ("** no** * no", ["** no** * no"]),
        ("[here](https://example.com/?a=1)", [["a", "here"]]),
        ("[here](javascript:alert(1))", [["span", "here"], ")"]),
        ("<b>&amp;", ["<b>&amp;"]),
    ],
)
def test_markdown_reads_as_in_teams(draw: Draw, text: str, expected: list[Any]) -> None:
    [[drawn]] = draw(card(text_block(text)))
    [block] = [node for node in nodes(drawn) if node["tag"] == "p"]
    assert [outline(child) for child in block["children"]] == expected


@pytest.mark.parametrize(
    ("zone", "locale", "expected"),
    [
        ("UTC", "en-US", "Tue, Nov 24, 2026 2:30 AM"),
        ("America/New_York", "en-US", "Mon, Nov 23, 2026 9:30 PM"),
        ("Europe/Berlin", "de-DE", "Di., 24. Nov. 2026 3:30"),
    ],
)
def test_an_instant_is_shown_in_the_readers_zone_and_language(draw: Draw, zone: str, locale: str, expected: str) -> None:
    text = "{{DATE(2026-11-24T02:30:00Z,SHORT)}} {{TIME(2026-11-24T02:30:00Z)}}"
    run = {"type": "RichTextBlock", "inlines": [{"type": "TextRun", "text": text}]}
    [drawn] = draw(card(text_block(text), run) | {"zone": zone, "locale": locale})
    assert shown(drawn) == expected * 2


def test_a_pressed_button_tells_what_was_typed_and_is_not_pressed_while_something_is_wanted(draw: Draw) -> None:
    inputs: list[dict[str, Any]] = [
        {"type": "Input.Text", "id": "words", "label": "Words", "isRequired": True, "value": "Pulse"},
        {"type": "Input.ChoiceSet", "id": "one", "choices": [_choice("a"), _choice("b")], "value": "b"},
        {"type": "Input.ChoiceSet", "id": "many[]", "isMultiSelect": True, "choices": [_choice("a"), _choice("b")], "value": "a,b"},
        {"type": "Input.Toggle", "id": "on", "title": "On", "value": "true"},
    ]
    execute = {"type": "ActionSet", "actions": [{"type": "Action.Execute", "title": "Go", "verb": "go"}]}
    empty = inputs[0] | {"value": ""}
    [full], [lacking] = draw(card(*inputs, execute), card(empty, execute))
    typed = {"words": "Pulse", "many[]": "a,b", "on": "true"}
    [[[verb, told]]] = [node["clicks"] for node in nodes(full) if node["clicks"]]
    assert (verb, told | {"one": ""}) == ("go", typed | {"one": ""})
    assert [node["clicks"] for node in nodes(lacking) if node["clicks"]] == []


def test_what_is_not_known_gives_way_to_its_fallback_and_is_otherwise_said(draw: Draw) -> None:
    unknown: dict[str, Any] = {"type": "Carousel"}
    [drawn] = draw(card(unknown, unknown | {"fallback": text_block("instead")}, unknown | {"fallback": "drop"}, {"type": "__proto__"}))
    assert [shown(node) for node in nodes(drawn) if node["tag"] == "p"] == [
        "This sandbox does not draw “Carousel”. Its JSON is under Raw JSON.",
        "instead",
        "This sandbox does not draw “__proto__”. Its JSON is under Raw JSON.",
    ]


def test_a_chart_is_drawn_without_its_title_which_teams_does_not_show(draw: Draw) -> None:
    bars = {"type": "Chart.VerticalBar", "title": "Answers", "xAxisTitle": "Day", "data": [{"x": "Mon", "y": 1}, {"x": "Tue", "y": 3}]}
    pie = {"type": "Chart.Pie", "title": "Status", "data": [{"legend": "Finished", "value": 62}]}
    groups = [{"legend": name, "values": [{"x": "Mon", "y": value}]} for name, value in (("A", 1), ("B", 2))]
    line = {"type": "Chart.Line", "title": "Two", "data": groups}
    [drawn] = draw(card(bars, pie, line))
    figures = [node for node in nodes(drawn) if node["tag"] == "figure"]
    assert [[shown(node) for node in nodes(figure) if node["tag"] in {"span", "text", "li", "p"}] for figure in figures] == [
        ["3", "2", "1", "0", "1", "3", "Mon", "Tue", "Day"],
        ["Finished: 62"],
        ["2", "1", "0", "Mon", "A", "B"],
    ]
    assert [node["height"] for node in nodes(figures[0]) if node["tag"] == "rect"][1] == "100%"


@settings(max_examples=4)
@given(st.lists(st.text(st.sampled_from("abx <>&[]()|#!/\n*_~`\\\"'javascript:{}"), max_size=40), min_size=50, max_size=80))
def test_whatever_a_text_holds_nothing_but_harmless_nodes_come_of_it(draw: Draw, texts: list[str]) -> None:
    for node in nodes(draw(*(card(text_block(text)) for text in texts))):
        assert node["tag"] in {"a", "div", "em", "p", "span", "strong"}
        assert re.match("https?://|mailto:", node.get("href", "https://"), re.IGNORECASE)


def _choice(value: str) -> dict[str, str]:
    return {"title": value.upper(), "value": value}


def _titles(drawn: Any) -> list[str]:
    """The titles of all buttons, choices and texts without Markdown or dates, however deep."""
    if isinstance(drawn, dict):
        mine = [drawn["title"]] if drawn.get("type") in {"Action.Execute", "Action.OpenUrl"} else []
        mine += [drawn["text"]] if drawn.get("type") == "TextRun" and "{{" not in drawn["text"] else []
        return mine + [title for key, value in drawn.items() if key != "fallback" for title in _titles(value)]
    return [title for value in drawn for title in _titles(value)] if isinstance(drawn, list) else []
