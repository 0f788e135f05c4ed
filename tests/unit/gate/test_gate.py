"""The gate refuses what Slack refuses, where it is wrong, and lets pass what Slack takes."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from adapters.sandbox.gate import Kind, problems

Json = dict[str, Any]


def plain(text: str) -> Json:
    return {"type": "plain_text", "text": text}


def mrkdwn(text: str) -> Json:
    return {"type": "mrkdwn", "text": text}


def section(**more: Any) -> Json:
    return {"type": "section", "text": mrkdwn("Hello"), **more}


def button(**more: Any) -> Json:
    return {"type": "button", "text": plain("Open"), **more}


def actions(*elements: Json) -> Json:
    return {"type": "actions", "elements": list(elements)}


def select(**more: Any) -> Json:
    return {"type": "static_select", "action_id": "s", "options": [option("a")], **more}


def option(value: str) -> Json:
    return {"text": plain("A"), "value": value}


def table(rows: int = 2) -> Json:
    return {"type": "table", "rows": [[{"type": "raw_text", "text": "a"}]] * rows}


def field(**more: Any) -> Json:
    return {"type": "input", "label": plain("Name"), "element": {"type": "plain_text_input", "action_id": "n"}, **more}


def message(*blocks: Json, **more: Any) -> Json:
    return {"channel": "D1", "text": "Hello", "blocks": list(blocks), **more}


def home(*blocks: Json) -> Json:
    return {"type": "home", "blocks": list(blocks)}


def modal(*blocks: Json, **more: Any) -> Json:
    return {"type": "modal", "title": plain("Survey"), "blocks": list(blocks), **more}


CONFIRM = {"title": plain("Sure?"), "text": plain("It will stop."), "confirm": plain("Yes"), "deny": plain("No")}
CHART = {
    "type": "data_visualization",
    "title": "Answers",
    "chart": {"type": "pie", "segments": [{"label": "Yes", "value": 1}, {"label": "No", "value": 2}]},
}


def pie(*segments: tuple[str, float]) -> Json:
    return {**CHART, "chart": {"type": "pie", "segments": [{"label": label, "value": value} for label, value in segments]}}


def bars(data: tuple[str, ...] = ("Mon", "Tue"), **more: Any) -> Json:
    series = [{"name": "Answers", "data": [{"label": label, "value": 1} for label in data]}]
    return {**CHART, "chart": {"type": "bar", "series": series, "axis_config": {"categories": ["Mon", "Tue"]}, **more}}


DATA_TABLE = {
    "type": "data_table",
    "caption": "Answers",
    "rows": [[{"type": "raw_text", "text": "Team"}], [{"type": "raw_text", "text": "Sales"}]],
}
ALERT = {"type": "alert", "text": mrkdwn("Careful")}

GOOD: dict[str, tuple[Kind, Json]] = {
    "text alone": ("message", {"channel": "D1", "text": "Hello"}),
    "everything a card uses": (
        "message",
        message(
            {"type": "header", "text": plain("Team pulse <!channel>")},
            section(accessory=button(action_id="a#1", value="{}", accessibility_label="Open it", style="primary")),
            {"type": "section", "fields": [mrkdwn("*Due*\n<!date^1796126400^{date}|1 Dec 2026 (UTC)>"), plain("<@U1>")]},
            {"type": "context", "elements": [plain("Small print")]},
            {"type": "divider"},
            actions(
                button(action_id="b#2", url="https://brand.qualtrics.example/x"), button(action_id="c#3", confirm=CONFIRM, style="danger")
            ),
        ),
    ),
    "a link to this machine": ("message", message(actions(button(url="http://127.0.0.1:8080/x"), button(url="http://[::1]/x")))),
    "50 blocks": ("message", message(*[{"type": "divider"}] * 50)),
    "a data table": ("message", message(DATA_TABLE)),
    "a table": ("message", message(table(100))),
    "a pie and bars": ("message", message(CHART, bars(), section())),
    "a line in a home view": ("home", home(bars(type="line"))),
    "an option of 150": ("message", message(actions(select(options=[option("v" * 150)])))),
    "a home view of 100 blocks": ("home", home(*[{"type": "divider"}] * 100)),
    "a home view": (
        "home",
        home(section(), field(), table(), {"type": "image", "image_url": "https://a.example/b.png", "alt_text": "62 of 100"}),
    ),
    "a modal": ("modal", modal(field(), ALERT, submit=plain("Save"), close=plain("Cancel"), private_metadata="{}")),
}

BROKEN: dict[str, tuple[Kind, Json, str]] = {
    "51 blocks": ("message", message(*[{"type": "divider"}] * 51), "/blocks"),
    "101 blocks in a home view": ("home", home(*[{"type": "divider"}] * 101), "/blocks"),
    "101 blocks in a modal": ("modal", modal(*[{"type": "divider"}] * 101), "/blocks"),
    "no text": ("message", {"blocks": [section()]}, "/text"),
    "empty text": ("message", message(section(), text=" "), "/text"),
    "text of 4,001": ("message", message(section(), text="x" * 4_001), "/text"),
    "broadcast in text": ("message", message(section(), text="Hi <!channel>"), "/text"),
    "broadcast in mrkdwn": ("message", message(section(text=mrkdwn("Hi <!here>"))), "/blocks/0/text/text"),
    "broadcast with a label": ("message", message(section(text=mrkdwn("<!everyone|all>"))), "/blocks/0/text/text"),
    "mention in a field": ("home", home({"type": "section", "fields": [mrkdwn("<@U1>")]}), "/blocks/0/fields/0/text"),
    "mention of a group in a context": (
        "message",
        message({"type": "context", "elements": [mrkdwn("<!subteam^S1>")]}),
        "/blocks/0/elements/0/text",
    ),
    "broadcast in markdown": ("message", message({"type": "markdown", "text": "<!channel>"}), "/blocks/0/text"),
    "broadcast in rich text": (
        "message",
        message(
            {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": [{"type": "broadcast", "range": "channel"}]}]},
        ),
        "/blocks/0/elements/0/elements/0",
    ),
    "unknown block": ("message", message({"type": "divder"}), "/blocks/0/type"),
    "block without a type": ("message", message({"text": plain("x")}), "/blocks/0"),
    "blocks that are no list": ("message", {"text": "x", "blocks": {"type": "divider"}}, "/blocks"),
    "a block that is text": ("home", {"type": "home", "blocks": ["divider"]}, "/blocks/0"),
    "unknown key": ("message", message(section(colour="red")), "/blocks/0"),
    "empty section": ("message", message({"type": "section"}), "/blocks/0"),
    "empty section text": ("message", message(section(text=mrkdwn(""))), "/blocks/0/text/text"),
    "section of 3,001": ("message", message(section(text=plain("x" * 3_001))), "/blocks/0/text/text"),
    "eleven fields": ("message", message(section(fields=[plain("x")] * 11)), "/blocks/0/fields"),
    "field of 2,001": ("message", message(section(fields=[plain("x" * 2_001)])), "/blocks/0/fields/0/text"),
    "header of 151": ("message", message({"type": "header", "text": plain("x" * 151)}), "/blocks/0/text/text"),
    "header in mrkdwn": ("message", message({"type": "header", "text": mrkdwn("x")}), "/blocks/0/text/type"),
    "eleven context elements": ("message", message({"type": "context", "elements": [plain("x")] * 11}), "/blocks/0/elements"),
    "empty context": ("message", message({"type": "context", "elements": []}), "/blocks/0/elements"),
    "empty actions": ("message", message(actions()), "/blocks/0/elements"),
    "26 buttons": ("message", message(actions(*[button()] * 26)), "/blocks/0/elements"),
    "button label of 76": ("message", message(actions(button(text=plain("x" * 76)))), "/blocks/0/elements/0/text/text"),
    "button label in mrkdwn": ("message", message(actions(button(text=mrkdwn("x")))), "/blocks/0/elements/0/text/type"),
    "button style": ("message", message(actions(button(style="green"))), "/blocks/0/elements/0/style"),
    "disabled button": ("message", message(actions(button(disabled=True))), "/blocks/0/elements/0"),
    "button value of 2,001": ("message", message(section(accessory=button(value="v" * 2_001))), "/blocks/0/accessory/value"),
    "button url of 3,001": ("message", message(actions(button(url="https://" + "a" * 3_000))), "/blocks/0/elements/0/url"),
    "button url without tls": ("message", message(actions(button(url="http://a.example/"))), "/blocks/0/elements/0/url"),
    "button url that runs": ("message", message(actions(button(url="javascript:alert(1)"))), "/blocks/0/elements/0/url"),
    "button url that is none": ("message", message(actions(button(url="https://[a"))), "/blocks/0/elements/0/url"),
    "spoken label of 76": ("message", message(actions(button(accessibility_label="x" * 76))), "/blocks/0/elements/0/accessibility_label"),
    "action_id of 256": ("message", message(actions(button(action_id="a" * 256))), "/blocks/0/elements/0/action_id"),
    "action_id twice": ("message", message(actions(button(action_id="a"), button(action_id="a"))), "/blocks/0/elements/1/action_id"),
    "action_id twice in two blocks": (
        "home",
        home(actions(button(action_id="a")), section(accessory=button(action_id="a"))),
        "/blocks/1/accessory/action_id",
    ),
    "block_id twice": ("message", message(section(block_id="b"), section(block_id="b")), "/blocks/1/block_id"),
    "block_id of 256": ("message", message(section(block_id="b" * 256)), "/blocks/0/block_id"),
    "confirm without deny": (
        "message",
        message(actions(button(confirm={key: CONFIRM[key] for key in ("title", "text", "confirm")}))),
        "/blocks/0/elements/0/confirm",
    ),
    "confirm title of 101": (
        "message",
        message(actions(button(confirm={**CONFIRM, "title": plain("x" * 101)}))),
        "/blocks/0/elements/0/confirm/title/text",
    ),
    "option value of 151": ("message", message(actions(select(options=[option("v" * 151)]))), "/blocks/0/elements/0/options/0/value"),
    "101 options": ("message", message(actions(select(options=[option("v")] * 101))), "/blocks/0/elements/0/options"),
    "placeholder of 151": ("message", message(actions(select(placeholder=plain("x" * 151)))), "/blocks/0/elements/0/placeholder/text"),
    "overflow of six": (
        "message",
        message(actions({"type": "overflow", "action_id": "o", "options": [option("v")] * 6})),
        "/blocks/0/elements/0/options",
    ),
    "image without alt_text": ("message", message({"type": "image", "image_url": "https://a.example/b.png"}), "/blocks/0"),
    "image url of 3,001": (
        "message",
        message(section(accessory={"type": "image", "image_url": "https://" + "a" * 3_000, "alt_text": "x"})),
        "/blocks/0/accessory",
    ),
    "two tables": ("message", message(table(), table()), "/blocks/1"),
    "table of 101 rows": ("message", message(table(101)), "/blocks/0/rows"),
    "alert in a message": ("message", message(ALERT), "/blocks/0"),
    "alert in a home view": ("home", home(ALERT), "/blocks/0"),
    "three charts": ("message", message(CHART, CHART, CHART), "/blocks/2"),
    "chart without a title": ("message", message({key: CHART[key] for key in ("type", "chart")}), "/blocks/0"),
    "chart title of 51": ("message", message({**CHART, "title": "x" * 51}), "/blocks/0/title"),
    "an unknown chart": ("message", message(bars(type="radar")), "/blocks/0/chart/type"),
    "an empty slice": ("message", message(pie(("Yes", 0))), "/blocks/0/chart/segments/0/value"),
    "seven slices": ("message", message(pie(*[("Yes", 1)] * 7)), "/blocks/0/chart/segments"),
    "a label of 21": ("message", message(pie(("x" * 21, 1))), "/blocks/0/chart/segments/0/label"),
    "a category without a point": ("message", message(bars(data=("Mon",))), "/blocks/0/chart/series/0/data"),
    "a category with two points": ("message", message(bars(data=("Mon", "Tue", "Tue"))), "/blocks/0/chart/series/0/data"),
    "an axis title of 51": (
        "home",
        home(bars(axis_config={"categories": ["Mon", "Tue"], "x_label": "x" * 51})),
        "/blocks/0/chart/axis_config/x_label",
    ),
    "chart in a modal": ("modal", modal(CHART), "/blocks/0"),
    "markdown in a modal": ("modal", modal({"type": "markdown", "text": "x"}), "/blocks/0"),
    "markdown in a home view": ("home", home({"type": "markdown", "text": "x"}), "/blocks/0"),
    "table in a modal": ("modal", modal(table()), "/blocks/0"),
    "modal without a title": ("modal", {"type": "modal", "blocks": [section()]}, ""),
    "modal title of 25": ("modal", modal(section(), title=plain("x" * 25)), "/title/text"),
    "modal with an input and no submit": ("modal", modal(field()), "/submit"),
    "home view called modal": ("home", {"type": "modal", "blocks": [section()]}, "/type"),
    "empty home view": ("home", home(), ""),
    "unknown key of a view": ("home", {**home(section()), "text": "x"}, ""),
}


@pytest.mark.parametrize(("kind", "payload"), GOOD.values(), ids=GOOD)
def test_a_good_payload_passes(kind: Kind, payload: Json) -> None:
    assert problems(kind, payload) == []


@pytest.mark.parametrize(("kind", "payload", "pointer"), BROKEN.values(), ids=BROKEN)
def test_a_broken_payload_is_refused_where_it_is_broken(kind: Kind, payload: Json, pointer: str) -> None:
    before = copy.deepcopy(payload)
    assert pointer in {problem.pointer for problem in problems(kind, payload)}
    assert payload == before


def test_a_refusal_quotes_nothing_of_the_payload() -> None:
    secret = "https://brand.qualtrics.example/?Q_DL=secret"
    broken: list[Callable[[], Json]] = [
        lambda: message(actions(button(url=secret + "x" * 3_000))),
        lambda: message(section(text=plain(secret * 100))),
        lambda: message(section(text=mrkdwn("<!here>" + secret)), text=""),
        lambda: message(actions(button(style=secret))),
        lambda: message({"type": secret}),
    ]
    for make in broken:
        found = problems("message", make())
        assert found
        assert not any("secret" in problem.message for problem in found)


def test_everything_wrong_is_said_in_the_order_of_its_place() -> None:
    found = problems("message", message({"type": "header", "text": plain("x" * 151)}, actions(), text=""))
    assert [problem.pointer for problem in found] == ["/blocks/0/text/text", "/blocks/1/elements", "/text"]
