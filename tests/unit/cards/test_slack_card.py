"""How each element of a page looks in Slack."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from adapters.sandbox.gate import problems
from bot.model import PersonalLink
from bot.page import (
    Action,
    Button,
    Buttons,
    Chart,
    ChartKind,
    Checkboxes,
    Divider,
    Entry,
    Facts,
    Form,
    Input,
    Link,
    Moment,
    Note,
    Notice,
    Option,
    Page,
    PrivateElement,
    PrivatePage,
    Respond,
    Select,
    Series,
    Strong,
    Text,
    Tone,
)
from cards import slack

NOON = datetime(2026, 12, 1, 12, 0, tzinfo=UTC)
DATE = "<!date^1796126400^{date_short_pretty} at {time}|1 Dec 2026, 12:00 (UTC)>"
OPEN = Button(label="Open", action=Action(verb="survey.show", data={"survey": "SV_1"}))
URL = "https://brand.qualtrics.example/jfe/form/SV_1?Q_DL=a&Q_CHL=b"
RESPOND = Respond(label="Respond in Qualtrics", link=PersonalLink(owner=1, url=URL))


def drawn(*elements: PrivateElement) -> list[dict[str, Any]]:
    """The blocks under the title, which the gate lets pass on both surfaces."""
    page = PrivatePage(owner=1, title="Team pulse", elements=elements)
    assert problems("message", slack.message(page)) == []
    assert problems("home", slack.home(page)) == []
    return slack.message(page)["blocks"][1:]


def plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text, "emoji": False}


def mrkdwn(text: str) -> dict[str, Any]:
    return {"type": "mrkdwn", "text": text, "verbatim": True}


def test_a_title_is_shown_exactly() -> None:
    page = Page(title="*x* <!channel>", elements=())
    assert slack.message(page) == {"text": "*x* &lt;!channel&gt;", "blocks": [{"type": "header", "text": plain("*x* <!channel>")}]}
    assert slack.home(page) == {"type": "home", "blocks": [{"type": "header", "text": plain("*x* <!channel>")}]}


def test_a_paragraph_of_words_is_shown_exactly() -> None:
    assert drawn(Text(("Hello ", "*you* :tada:"))) == [{"type": "section", "text": plain("Hello *you* :tada:")}]


def test_a_paragraph_with_an_instant_is_markup() -> None:
    assert drawn(Text(("Closes ", Moment(NOON)))) == [{"type": "section", "text": mrkdwn(f"Closes {DATE}")}]


def test_a_note_is_small_print() -> None:
    assert drawn(Note(("Anonymous.",))) == [{"type": "context", "elements": [plain("Anonymous.")]}]


@pytest.mark.parametrize(("tone", "words"), [(Tone.INFO, "Please note:"), (Tone.WARNING, "Warning:")])
def test_a_notice_says_its_tone_in_words(tone: Tone, words: str) -> None:
    assert drawn(Notice(tone, ("it closes.",))) == [{"type": "section", "text": mrkdwn(f"\u200b*{words}*\u200b it closes.")}]


def test_facts_are_fields_ten_to_a_section() -> None:
    blocks = drawn(Facts(tuple((f"Fact {number}", (Moment(NOON),)) for number in range(11))))
    assert [len(block["fields"]) for block in blocks] == [10, 1]
    assert blocks[1] == {"type": "section", "fields": [mrkdwn(f"*Fact 10*\n{DATE}")]}


def test_an_entry_is_a_section_with_its_button_beside_it() -> None:
    assert drawn(Entry(title="Q3 <new>", detail=("Closes ", Strong("soon")), button=OPEN)) == [
        {
            "type": "section",
            "text": mrkdwn("*Q3 &lt;new&gt;*\nCloses \u200b*soon*\u200b"),
            "accessory": {"type": "button", "text": plain("Open"), "action_id": "survey.show#1", "value": '{"survey":"SV_1"}'},
        }
    ]


def test_buttons_are_numbered_and_25_to_a_row() -> None:
    rows = drawn(Buttons((OPEN,) * 26), Divider())
    assert [len(row["elements"]) for row in rows[:2]] == [25, 1]
    assert rows[1]["elements"][0]["action_id"] == "survey.show#26"
    assert rows[2] == {"type": "divider"}


def test_a_button_says_to_screen_readers_what_it_is_about() -> None:
    (row,) = drawn(Buttons((Button(label="Open", action=OPEN.action, is_primary=True, spoken="Open Team pulse"),)))
    assert row["elements"][0]["accessibility_label"] == "Open Team pulse"
    assert row["elements"][0]["style"] == "primary"


def test_respond_is_a_link_button() -> None:
    assert drawn(RESPOND) == [
        {
            "type": "actions",
            "elements": [
                {
                    "type": "button",
                    "text": plain("Respond in Qualtrics"),
                    "action_id": "survey.respond#1",
                    "style": "primary",
                    "url": URL,
                    "accessibility_label": "Respond in Qualtrics: Team pulse",
                }
            ],
        }
    ]


def test_a_link_is_a_button_that_slack_reports_and_nobody_answers() -> None:
    (row,) = drawn(
        Buttons((OPEN, Link(label="Builder", url="https://acme.qualtrics.com/survey-builder/SV_1/edit", spoken="Builder: Pulse")))
    )
    assert row["elements"][1] == {
        "type": "button",
        "text": plain("Builder"),
        "action_id": "link.open#2",
        "url": "https://acme.qualtrics.com/survey-builder/SV_1/edit",
        "accessibility_label": "Builder: Pulse",
    }
    assert row["elements"][1]["action_id"].startswith(slack.LINK_VERBS)


FUNNEL = Chart(kind=ChartKind.BAR, title="Answers", labels=("Yes", "No"), series=(Series("2026", (3, 1.5)),), x_title="Answer")
IN_NUMBERS = "2026 — Yes: 3; No: 1.5."


def test_a_chart_is_drawn_by_slack_with_its_numbers_in_words_below() -> None:
    points = [{"label": "Yes", "value": 3}, {"label": "No", "value": 1.5}]
    assert drawn(FUNNEL) == [
        {
            "type": "data_visualization",
            "title": "Answers",
            "chart": {
                "type": "bar",
                "series": [{"name": "2026", "data": points}],
                "axis_config": {"categories": ["Yes", "No"], "x_label": "Answer"},
            },
        },
        {"type": "context", "elements": [plain(IN_NUMBERS)]},
    ]


def test_a_pie_leaves_out_its_empty_slices() -> None:
    (picture, _) = drawn(replace(FUNNEL, kind=ChartKind.PIE, series=(Series("2026", (3, 0)),)))
    assert picture["chart"] == {"type": "pie", "segments": [{"label": "Yes", "value": 3}]}


@pytest.mark.parametrize(
    "changed",
    [
        {"labels": ("a" * 30, "a" * 31)},
        {"labels": tuple(map(str, range(21))), "series": (Series("x", (1,) * 21),)},
        {"series": tuple(Series(str(number), (1, 2)) for number in range(7))},
        {"kind": ChartKind.PIE, "series": (Series("x", (0, -1)),)},
    ],
)
def test_what_slack_cannot_draw_is_said_in_words_alone(changed: dict[str, Any]) -> None:
    assert [block["type"] for block in drawn(replace(FUNNEL, **changed))] == ["section"]
    assert drawn(replace(FUNNEL, **changed))[0]["text"]["text"].startswith("Answers. ")


def test_a_third_chart_and_a_chart_in_a_modal_are_said_in_words() -> None:
    assert [block["type"] for block in drawn(FUNNEL, FUNNEL, FUNNEL)] == ["data_visualization", "context"] * 2 + ["section"]
    assert slack.modal(Page(title="t", elements=(FUNNEL,)))["blocks"] == [{"type": "section", "text": plain(f"Answers. {IN_NUMBERS}")}]


@pytest.mark.parametrize(
    "changed", [{"series": (Series("x", (1,)),)}, {"series": (Series("x", (1, float("nan"))),)}, {"kind": ChartKind.PIE, "series": ()}]
)
def test_what_is_no_chart_is_refused(changed: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="series"):
        replace(FUNNEL, **changed)


COLOURS = (Option("r", "Red"), Option("g", "Green"))
FORM = Form(
    title="Choose",
    elements=(
        Input(name="words", label="Words", hint="Any", longest=9),
        Select(name="one", label="One", options=COLOURS, chosen="g"),
        Checkboxes(name="many", label="Many", options=COLOURS, chosen=("r", "gone")),
    ),
    submit="Send",
    action=Action(verb="colour.save", data={"survey": "SV_1"}),
)


def test_a_form_is_a_modal_whose_fields_are_found_by_name() -> None:
    view = slack.modal(FORM)
    assert problems("modal", view) == []
    assert (view["title"], view["submit"], view["close"]) == (plain("Choose"), plain("Send"), plain("Cancel"))
    assert (view["callback_id"], view["private_metadata"]) == ("colour.save", '{"survey":"SV_1"}')
    red, green = ({"text": plain(label), "value": value} for label, value in (("Red", "r"), ("Green", "g")))
    words, one, many = view["blocks"]
    assert words["element"] == {"type": "plain_text_input", "action_id": "words", "max_length": 9}
    assert (words["block_id"], words["hint"], "optional" in words) == ("words", plain("Any"), False)
    assert one["element"] == {"type": "static_select", "action_id": "one", "options": [red, green], "initial_option": green}
    assert many["element"] == {"type": "checkboxes", "action_id": "many", "options": [red, green], "initial_options": [red]}
    assert many["optional"] is True


def test_what_was_said_in_a_form_comes_back_with_its_own_data_which_no_field_replaces() -> None:
    values = {
        "words": {"words": {"type": "plain_text_input", "value": "<!channel>"}},
        "one": {"one": {"type": "static_select", "selected_option": {"text": plain("Red"), "value": "r"}}},
        "many": {"many": {"type": "checkboxes", "selected_options": [{"value": "r"}, {"value": "g"}]}},
        "survey": {"survey": {"type": "plain_text_input", "value": "SV_2"}},
        "empty": {"empty": {"type": "plain_text_input", "value": None}},
    }
    said = slack.parse_form({**slack.modal(FORM), "state": {"values": values}})
    assert said == Action(verb="colour.save", data={"words": "<!channel>", "one": "r", "many": "r g", "survey": "SV_1", "empty": ""})


@pytest.mark.parametrize(
    "changed",
    [{"state": {}}, {"state": None}, {"state": {"values": {"words": "x"}}}, {"private_metadata": "x"}, {"private_metadata": "[]"}],
)
def test_a_form_that_is_not_ours_is_refused(changed: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="of ours"):
        slack.parse_form({**slack.modal(FORM), "state": {"values": {}}, **changed})


def test_a_long_title_of_a_window_is_shown_in_full_below() -> None:
    view = slack.modal(Page(title="t" * 25, elements=(Divider(),)))
    assert view["title"] == plain("t" * 23 + "…")
    assert view["blocks"][0] == {"type": "header", "text": plain("t" * 25)}
    assert view["close"] == plain("Close")


def test_an_option_that_cannot_be_shortened_is_refused() -> None:
    with pytest.raises(ValueError, match="option"):
        slack.modal(replace(FORM, elements=(Select(name="one", label="One", options=(Option("v" * 151, "x"),)),)))


def test_names_of_any_length_fit_everywhere() -> None:
    name = "&" * 10_000
    button = Button(label=name, action=OPEN.action, spoken=name)
    words = (name, Moment(NOON))
    elements = (Text(words), Text((name,)), Note(words), Facts(((name, words),)), Entry(title=name, detail=words, button=button))
    page = Page(title=name, elements=(*elements, Buttons((button,))))
    assert problems("message", slack.message(page)) == []
    assert slack.message(page)["blocks"][0]["text"] == plain("&" * 149 + "…")


@pytest.mark.parametrize(("fitting", "limit"), [(slack.message, 50), (slack.home, 100)])
def test_what_does_not_fit_is_cut_and_said(fitting: Any, limit: int) -> None:
    def ends_with(count: int) -> tuple[int, dict[str, Any]]:
        blocks = fitting(Page(title="t", elements=(Divider(),) * count))["blocks"]
        return len(blocks), blocks[-1]

    assert ends_with(limit - 1) == (limit, {"type": "divider"})
    assert ends_with(limit) == (limit, {"type": "context", "elements": [plain("There is more than fits in here.")]})


@pytest.mark.parametrize(
    "element",
    [
        Buttons((Button(label="x", action=Action(verb="v", data={"survey": "S" * 2_000})),)),
        Buttons((Button(label="x", action=Action(verb="v" * 255)),)),
        Respond(label="x", link=PersonalLink(owner=1, url=URL + "x" * 3_000)),
    ],
)
def test_what_cannot_be_shortened_is_refused_without_being_quoted(element: PrivateElement) -> None:
    with pytest.raises(ValueError, match="longer than Slack's") as refusal:
        slack.message(PrivatePage(owner=1, title="t", elements=(element,)))
    assert len(str(refusal.value)) < 100
    assert "qualtrics" not in str(refusal.value)


@pytest.mark.parametrize("value", [None, "", "{}"])
def test_an_action_without_data_comes_back(value: str | None) -> None:
    assert slack.parse_action("survey.respond#12", value) == Action(verb="survey.respond")


@pytest.mark.parametrize(
    ("action_id", "value"),
    [
        ("", None),
        ("survey.show", None),
        ("#1", None),
        ("survey.show#", None),
        ("survey.show#x", None),
        ("survey.show#1", "SV_1"),
        ("survey.show#1", "[]"),
        ("survey.show#1", '{"survey":1}'),
        ("survey.show#1", "[" * 2_000),
        ("survey.show#1", "\ud800"),
    ],
)
def test_a_button_that_is_not_ours_is_refused(action_id: str, value: str | None) -> None:
    with pytest.raises(ValueError, match=r"of ours|surrogates"):
        slack.parse_action(action_id, value)
