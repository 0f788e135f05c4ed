"""What people see of Block Kit in the sandbox's page, drawn by its own JavaScript in Node."""

from __future__ import annotations

import html
import re
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.model import PersonalLink
from bot.page import (
    Action,
    Button,
    Buttons,
    Divider,
    Entry,
    Facts,
    Moment,
    Note,
    Notice,
    Page,
    PrivatePage,
    Respond,
    Strong,
    Text,
    Tone,
    phrase,
)
from cards import slack
from tests.adapters.sandbox_page.drawn import STATIC, Draw, nodes, outline, shown

HARMLESS = {
    "a",
    "article",
    "blockquote",
    "code",
    "div",
    "em",
    "figcaption",
    "figure",
    "h3",
    "hr",
    "img",
    "p",
    "pre",
    "s",
    "span",
    "strong",
    "time",
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("*bold* _italic_ ~gone~ `code`", [["strong", "bold"], " ", ["em", "italic"], " ", ["s", "gone"], " ", ["code", "code"]]),
        ("*bold _and italic_*", [["strong", "bold ", ["em", "and italic"]]]),
        ("2*3*4 snake_case_name a~b~", ["2*3*4 snake_case_name a~b~"]),
        ("* no* *no *", ["* no* *no *"]),
        ("*two\nlines*", ["*two\nlines*"]),
        ("`*not bold* &amp;`", [["code", "*not bold* &"]]),
        ("a\n&gt; b\n&gt; *c*\nd", ["a", ["blockquote", "b\n", ["strong", "c"]], "d"]),
        ("x ```\n*code*\n  &lt;b&gt;\n``` y", ["x ", ["pre", "*code*\n  <b>"], " y"]),
        ("&amp;lt; &lt;b&gt; &copy;", ["&lt; <b> &copy;"]),
        ("<https://example.com/?a=1&amp;b=2|here &amp; now>", [["a", "here & now"]]),
        (
            "<@U1> <#C1> <#C1|general> <!channel>",
            [["span", "@name of U1"], " ", ["span", "#name of C1"], " ", ["span", "#general"], " ", ["span", "@channel"]],
        ),
        ("a < b, a <> b", ["a < b, a <> b"]),
        ("\u200b*x*\u200b", ["\u200b", ["strong", "x"], "\u200b"]),
    ],
)
def test_mrkdwn_reads_as_in_slack(draw: Draw, text: str, expected: list[Any]) -> None:
    [[drawn]] = draw({"text": text})
    assert [outline(child) for child in drawn["children"]] == expected


def test_a_link_opens_in_a_new_tab_that_cannot_reach_back(draw: Draw) -> None:
    [[drawn]] = draw({"text": "<https://example.com/?a=1&amp;b=2|here>"})
    [link] = drawn["children"]
    assert (link["href"], link["target"], link["rel"]) == ("https://example.com/?a=1&b=2", "_blank", "noopener noreferrer")


def test_only_web_and_mail_addresses_become_links(draw: Draw) -> None:
    urls = ["javascript:alert(1)", "JAVASCRIPT:alert(1)", " javascript:alert(1)", "data:text/html,x", "//x", "file:///etc/passwd"]
    cases = [{"text": f"<{url}|x>"} for url in urls]
    buttons = [{"blocks": [{"type": "actions", "block_id": "b", "elements": [_button(url=url)]}]} for url in urls]
    assert [node for node in nodes(draw(*cases, *buttons)) if "href" in node or node["tag"] == "a"] == []


@settings(max_examples=4)
@given(st.lists(st.text(st.sampled_from("abx <>&;|#@!/\n*_~`\"'ampltgtjavascript:^{}"), max_size=40), min_size=50, max_size=80))
def test_whatever_a_text_holds_nothing_but_harmless_nodes_come_of_it(draw: Draw, texts: list[str]) -> None:
    for node in nodes(draw(*({"text": text} for text in texts))):
        assert node["tag"] in HARMLESS
        assert set(node) <= {"tag", "class", "clicks", "children", "href", "target", "rel", "datetime", "title"}
        assert re.match("https?://|mailto:", node.get("href", "https://"), re.IGNORECASE)


@settings(max_examples=4)
@given(st.lists(st.text(st.characters(exclude_characters="*_~`\n\r", exclude_categories=["Cs"]), max_size=40), min_size=50, max_size=80))
def test_escaped_text_is_shown_exactly_as_it_was(draw: Draw, texts: list[str]) -> None:
    """`.` keeps a leading `>` from being a quote."""
    cases = [{"text": html.escape(f".{text}", quote=False)} for text in texts]
    assert [shown(tree) for tree in draw(*cases)] == [f".{text}" for text in texts]


@pytest.mark.parametrize(
    ("zone", "form", "expected"),
    [
        ("UTC", "{date_short_pretty} at {time}", "tomorrow at 2:30 AM"),
        ("America/New_York", "{date_short_pretty} at {time}", "today at 9:30 PM"),
        (
            "Asia/Tokyo",
            "{date_num} {date} {date_short} {date_long}",
            "2026-11-24 November 24, 2026 Nov 24, 2026 Tuesday, November 24, 2026",
        ),
        ("UTC", "{time_secs} {ago}", "2:30:00 AM in 15 hours"),
        ("UTC", "{unknown}", "24 Nov 2026, 02:30 (UTC)"),
    ],
)
def test_an_instant_is_shown_in_the_readers_zone_and_by_the_sandbox_clock(draw: Draw, zone: str, form: str, expected: str) -> None:
    at = int(datetime(2026, 11, 24, 2, 30, tzinfo=UTC).timestamp())
    [[drawn]] = draw({"text": f"<!date^{at}^{form}|24 Nov 2026, 02:30 (UTC)>", "zone": zone})
    [time] = drawn["children"]
    assert (time["tag"], shown(time), time["datetime"]) == ("time", expected, "2026-11-24T02:30:00.000Z")


def test_days_are_the_readers(draw: Draw) -> None:
    late = {"ts": str(datetime(2026, 11, 23, 23, 30, tzinfo=UTC).timestamp()), "now": "2026-11-23T23:45:00Z"}
    assert draw(late | {"zone": "UTC"}, late | {"zone": "Asia/Tokyo"}, late | {"zone": "UTC", "now": "2026-11-24T00:10:00Z"}) == [
        "Today",
        "Today",
        "Yesterday",
    ]


def test_every_element_of_our_pages_is_drawn(draw: Draw) -> None:
    closes = Moment(datetime(2026, 11, 24, 2, 30, tzinfo=UTC))
    show = Button(label="Show", action=Action(verb="survey.show", data={"survey": "SV_1"}), spoken="Show <i>Pulse</i>", is_primary=True)
    page = PrivatePage(
        owner=1,
        title="*x* <!channel> & <b>",
        elements=(
            Text(phrase("{who} asks.", who=Strong("R&D"))),
            Notice(Tone.WARNING, phrase("Soon over.")),
            Facts((("Closes", (closes,)), ("Sent by", ("Olivia",)))),
            Entry(title="Pulse", detail=phrase("Closes {when}", when=closes), button=show),
            Divider(),
            Respond(label="Respond in Qualtrics", link=PersonalLink(owner=1, url="https://example.com/jfe/form/SV_1?Q_DL=2")),
            Buttons((show,)),
            Note(phrase("Small print.")),
        ),
    )
    [drawn] = draw({"blocks": [block | {"block_id": f"b{n}"} for n, block in enumerate(slack.message(page)["blocks"])]})
    assert "does not draw" not in shown(drawn)
    assert shown(drawn[0]) == "*x* <!channel> & <b>"
    for words in ("R&D asks.", "Soon over.", "Closestomorrow", "Sent byOlivia", "Pulse", "Small print."):
        assert words in shown(drawn).replace("\u200b", "").replace("\n", "")
    [respond] = [node for node in nodes(drawn) if node["tag"] == "a"]
    assert (respond["href"], respond["rel"], shown(respond)) == (
        "https://example.com/jfe/form/SV_1?Q_DL=2",
        "noopener noreferrer",
        "Respond in Qualtrics (opens in a new tab)",
    )
    assert "primary" in respond["class"]


def test_a_press_names_its_block_and_button_also_beside_a_link(draw: Draw) -> None:
    page = Page(title="x", elements=(Buttons((Button(label="Go", action=Action(verb="go")),)),))
    actions = slack.message(page)["blocks"][1] | {"block_id": "b1"}
    actions["elements"].append(_button(url="https://example.com", action_id="link"))
    [drawn] = draw({"blocks": [actions]})
    assert [node["clicks"] for node in nodes(drawn) if node["clicks"]] == [[["b1", "go#1"]], [["b1", "link"]]]


def test_a_picture_from_elsewhere_is_described_and_not_fetched(draw: Draw) -> None:
    block = {"type": "image", "alt_text": "62 of 100 answered", "image_url": "https://elsewhere.example/x.png"}
    here = block | {"image_url": "http://127.0.0.1:1/x.png"}
    [[outside], [inside]] = draw({"blocks": [block]}, {"blocks": [here]})
    assert shown(outside) == "62 of 100 answered"
    assert [(node["tag"], node.get("alt")) for node in nodes(inside)] == [("figure", None), ("img", "62 of 100 answered")]


def test_a_chart_is_drawn_below_its_title_for_eyes_alone(draw: Draw) -> None:
    series = [
        {"name": name, "data": [{"label": "Mon", "value": value}, {"label": "Tue", "value": 3}]} for name, value in (("A", 1), ("B", 2))
    ]
    bars = {"type": "bar", "series": series, "axis_config": {"categories": ["Mon", "Tue"], "x_label": "Day"}}
    pie = {"type": "pie", "segments": [{"label": "Yes", "value": 62}]}
    [drawn] = draw({"blocks": [{"type": "data_visualization", "title": "Answers", "chart": chart} for chart in (bars, pie)]})
    assert [[shown(node) for node in nodes(one) if node["tag"] in {"figcaption", "span", "text", "li", "p"}] for one in drawn] == [
        ["Answers", "3", "2", "1", "0", "Mon", "Tue", "Day", "A", "B"],
        ["Answers", "Yes: 62"],
    ]
    assert [one["children"][1]["aria-hidden"] for one in drawn] == ["true", "true"]


def test_every_field_of_a_form_has_its_label_and_what_is_chosen_at_first(draw: Draw) -> None:
    chosen = _option("b")
    elements: list[dict[str, Any]] = [
        {"type": "plain_text_input", "initial_value": "Ann"},
        {"type": "plain_text_input", "multiline": True, "initial_value": "Long"},
        {"type": "static_select", "options": [_option("a"), chosen], "initial_option": chosen},
        {"type": "radio_buttons", "options": [_option("a"), chosen], "initial_option": chosen},
        {"type": "checkboxes", "options": [_option("a"), chosen], "initial_options": [chosen]},
        {"type": "conversations_select"},
        {"type": "users_select"},
        {"type": "datepicker", "initial_date": "2026-12-01"},
        {"type": "file_input"},
    ]
    [drawn] = draw({"blocks": [_field(number, element) for number, element in enumerate(elements)]})
    assert [next(n for n in nodes(one) if n["tag"] in {"label", "legend"})["children"][0] for one in drawn] == [f"F{n}" for n in range(9)]
    first = [[n.get("value", shown(n)) for n in nodes(one) if _is_chosen(n)] for one in drawn]
    assert first == [["Ann"], ["Long"], ["b"], ["b"], ["b"], [], [], ["2026-12-01"], []]
    assert "does not draw “file_input”" in shown(drawn[-1])
    assert [node["id"] for node in nodes(drawn) if "data-block" in node] == [f"field-b{n}-error" for n in range(9)]


@pytest.mark.parametrize("kind", ["video", "constructor", "__proto__"])
def test_a_block_the_page_does_not_know_is_said_to_be_unknown(draw: Draw, kind: str) -> None:
    [drawn] = draw({"blocks": [{"type": kind}, {"type": "context", "elements": [{"type": kind}]}]})
    assert shown(drawn).count(f"does not draw “{kind}”") == 2


def test_no_script_builds_nodes_from_markup() -> None:
    forbidden = re.compile(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|createContextualFragment|DOMParser|\beval\b|new Function"
    )
    assert [path.name for path in STATIC.glob("*.js") if forbidden.search(path.read_text(encoding="utf-8"))] == []


def _option(value: str) -> dict[str, Any]:
    return {"text": {"type": "plain_text", "text": value.upper()}, "value": value}


def _field(number: int, element: dict[str, Any]) -> dict[str, Any]:
    label = {"type": "plain_text", "text": f"F{number}"}
    return {"type": "input", "block_id": f"b{number}", "label": label, "element": {"action_id": f"a{number}", **element}}


def _is_chosen(node: dict[str, Any]) -> bool:
    if node["tag"] == "textarea" or "selected" in node or "checked" in node:
        return True
    return node["tag"] == "input" and node["type"] not in {"radio", "checkbox"}


def _button(*, url: str, action_id: str = "a") -> dict[str, Any]:
    return {"type": "button", "text": {"type": "plain_text", "text": "x"}, "action_id": action_id, "url": url}
