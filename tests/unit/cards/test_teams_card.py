"""How each element of a page looks in Teams."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from adapters.sandbox.teams.gate import problems
from bot.gallery import gallery
from bot.gallery.scene import READER_IN_TEAMS
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
from cards import limits, teams

NOON = datetime(2026, 12, 1, 12, 0, tzinfo=UTC)
OPEN = Button(label="Open", action=Action(verb="survey.show", data={"survey": "SV_1"}))
EXECUTE = {
    "type": "Action.Execute",
    "title": "Open",
    "verb": "survey.show",
    "data": {"survey": "SV_1"},
    "fallback": {"type": "Action.Submit", "title": "Open", "data": {"verb": "survey.show", "data": {"survey": "SV_1"}}},
}
URL = "https://brand.qualtrics.example/jfe/form/SV_1?Q_DL=a&Q_CHL=b"
RESPOND = Respond(label="Respond in Qualtrics", link=PersonalLink(owner=1, url=URL))

POINTS = [{"x": "Yes", "y": 3}, {"x": "No", "y": 1}]
BLUE, YELLOW = {"color": "categoricalBlue"}, {"color": "categoricalMarigold"}


def drawn(*elements: PrivateElement, zone: str = "Europe/Berlin") -> list[dict[str, Any]]:
    """The elements under the title of a card that the schema lets pass."""
    card = teams.card(PrivatePage(owner=1, title="Team pulse", elements=elements, zone=zone))
    assert problems(card) == []
    return card["body"][1:]


def rich(*runs: dict[str, Any]) -> dict[str, Any]:
    return {"type": "RichTextBlock", "inlines": [{"type": "TextRun", **run} for run in runs]}


@pytest.mark.parametrize("name", gallery())
def test_every_page_of_the_gallery_is_a_valid_card(name: str) -> None:
    page = gallery(READER_IN_TEAMS)[name]
    assert problems(teams.card(page)) == []


def test_a_message_says_everything_in_its_summary_and_its_fallback() -> None:
    page = Page(title="Pulse *x*", elements=(Text(("Closes ", Moment(NOON))), Buttons((OPEN,))), zone="Europe/Berlin")
    message = teams.message(page)
    assert message["summary"] == "Pulse *x*\nCloses 1 Dec 2026, 13:00 (Europe/Berlin)\nButtons: Open."
    (attachment,) = message["attachments"]
    assert attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
    assert attachment["content"]["fallbackText"] == message["summary"].replace("*", "∗")  # noqa: RUF001  a look-alike


def test_a_page_that_can_be_drawn_anew_says_how_and_others_do_not() -> None:
    """Nobody is named: Teams asks for everybody then, in chats of up to 60 people."""
    again = Action(verb="message.show", data={"message": "7"})
    card = teams.card(PrivatePage(owner=1, title="t", elements=(), again=again))
    assert card["refresh"] == {"action": {"type": "Action.Execute", "verb": "message.show", "data": {"message": "7"}}}
    assert problems(card) == []
    assert "refresh" not in teams.card(PrivatePage(owner=1, title="t", elements=()))


def test_words_are_runs_which_parse_no_markdown() -> None:
    assert drawn(Text(("Hello ", "*you* [x](y)", Strong("now")))) == [
        rich({"text": "Hello *you* [x](y)"}, {"text": "now", "weight": "bolder"}),
    ]


def test_an_instant_is_in_the_readers_zone_and_where_that_is_unknown_on_the_readers_device() -> None:
    assert drawn(Text((Moment(NOON),))) == [rich({"text": "1 Dec 2026, 13:00 (Europe/Berlin)"})]
    assert drawn(Text((Moment(NOON),)), zone="UTC") == [
        rich({"text": "{{DATE(2026-12-01T12:00:00Z,SHORT)}} {{TIME(2026-12-01T12:00:00Z)}}"})
    ]
    message = teams.message(Page(title="t", elements=(Text((Moment(NOON),)),)))
    assert "12:00 (UTC)" in message["summary"]
    assert "{{" not in message["summary"] + message["attachments"][0]["content"]["fallbackText"]


def test_nobody_but_us_writes_a_date_function() -> None:
    (text, facts) = drawn(Text(("{{DATE(2026-12-01T12:00:00Z)}}",)), Facts((("{{TIME(x)}}", ("y",)),)))
    assert "{{" not in json.dumps([text, facts])


def test_a_note_is_small_print() -> None:
    assert drawn(Note(("Anonymous.",))) == [rich({"text": "Anonymous.", "isSubtle": True, "size": "small"})]


@pytest.mark.parametrize(("tone", "style", "words"), [(Tone.INFO, "accent", "Please note:"), (Tone.WARNING, "warning", "Warning:")])
def test_a_notice_says_its_tone_in_words_too(tone: Tone, style: str, words: str) -> None:
    said = rich({"text": words, "weight": "bolder"}, {"text": " it closes."})
    assert drawn(Notice(tone, ("it closes.",))) == [{"type": "Container", "style": style, "items": [said]}]


def test_facts_are_markdown_that_shows_what_was_written() -> None:
    facts = (("*a*", ("_b_ ", Strong("[c](d)"), " <e>")), ("1. f", ("&lt; https://g",)))
    assert drawn(Facts(facts)) == [
        {
            "type": "FactSet",
            "facts": [
                {"title": "\u200b∗a∗", "value": "ˍbˍ **\u200b\u200b[c]\u200b(d)\u200b**\u200b <\u200be>"},  # noqa: RUF001  look-alikes
                {"title": "\u200b1. f", "value": "\u200b&\u200blt; https:\u200b//g"},
            ],
        }
    ]


def test_an_entry_has_its_button_beside_it() -> None:
    (entry,) = drawn(Entry(title="Q3 <new>", detail=("Closes ", Strong("soon")), button=OPEN))
    said, button = entry["columns"]
    assert [item["inlines"] for item in said["items"]] == [
        [{"type": "TextRun", "text": "Q3 <new>", "weight": "bolder"}],
        [
            {"type": "TextRun", "text": "Closes ", "isSubtle": True},
            {"type": "TextRun", "text": "soon", "isSubtle": True, "weight": "bolder"},
        ],
    ]
    assert button["items"] == [{"type": "ActionSet", "actions": [EXECUTE]}]


def test_buttons_are_five_to_a_row_and_fall_back_where_execute_is_unknown() -> None:
    rows = drawn(Buttons((OPEN,) * 6), Divider())
    assert [len(row["actions"]) for row in rows[:2]] == [5, 1]
    assert rows[1]["actions"] == [EXECUTE]
    assert rows[2] == {"type": "Container", "separator": True, "items": []}


def test_a_button_says_to_screen_readers_what_it_is_about() -> None:
    (row,) = drawn(Buttons((Button(label="Open", action=OPEN.action, is_primary=True, spoken="Open Team pulse"),)))
    (button,) = row["actions"]
    assert (button["style"], button["tooltip"], button["fallback"]["tooltip"]) == ("positive", "Open Team pulse", "Open Team pulse")


def test_respond_opens_the_link_and_tells_the_bot_nothing() -> None:
    look = {"title": "Respond in Qualtrics", "style": "positive", "tooltip": "Respond in Qualtrics: Team pulse"}
    assert drawn(RESPOND) == [{"type": "ActionSet", "actions": [{"type": "Action.OpenUrl", **look, "url": URL}]}]


def test_a_link_opens_its_page() -> None:
    (row,) = drawn(Buttons((OPEN, Link(label="Builder", url="https://acme.qualtrics.com/x", spoken="Builder: Pulse"))))
    link = {"type": "Action.OpenUrl", "title": "Builder", "tooltip": "Builder: Pulse", "url": "https://acme.qualtrics.com/x"}
    assert row["actions"] == [EXECUTE, link]


@pytest.mark.parametrize(
    ("kind", "names", "drawn_as", "data"),
    [
        (ChartKind.PIE, ("2026",), "Chart.Pie", [{"legend": "Yes", "value": 3, **BLUE}, {"legend": "No", "value": 1, **YELLOW}]),
        (ChartKind.BAR, ("2026",), "Chart.VerticalBar", [{**point, **BLUE} for point in POINTS]),
        (
            ChartKind.BAR,
            ("a", "b"),
            "Chart.VerticalBar.Grouped",
            [{"legend": "a", "values": POINTS, **BLUE}, {"legend": "b", "values": POINTS, **YELLOW}],
        ),
        (ChartKind.LINE, ("a",), "Chart.Line", [{"legend": "a", "values": POINTS, **BLUE}]),
        (ChartKind.AREA, ("a",), "Chart.Line", [{"legend": "a", "values": POINTS, **BLUE}]),
    ],
)
def test_a_chart_is_a_picture_where_teams_draws_it_and_words_everywhere(
    kind: ChartKind, names: tuple[str, ...], drawn_as: str, data: list[Any]
) -> None:
    chart = Chart(kind=kind, title="Turnout", labels=("Yes", "No"), series=tuple(Series(name, (3, 1)) for name in names))
    title, picture, said = drawn(chart)
    assert (picture["type"], picture["data"]) == (drawn_as, data)
    assert picture["fallback"] == "drop"
    assert title == rich({"text": "Turnout", "weight": "bolder"})
    assert "Yes: 3; No: 1" in said["inlines"][0]["text"]


def test_a_form_asks_and_its_button_brings_back_what_was_said() -> None:
    options = (Option("c1", "#one"), Option("c2", "#two"))
    form = Form(
        title="Subscribe",
        elements=(
            Text(("What?",)),
            Input(name="note", label="Note", hint="Short", longest=40),
            Select(name="where", label="Where", options=options, chosen="c2"),
            Checkboxes(name="kinds", label="Kinds", options=options, chosen=("c1", "c2")),
        ),
        submit="Save",
        action=Action(verb="subscribe.save", data={"survey": "SV_1"}),
    )
    card = teams.card(form)
    assert problems(card) == []
    choices = [{"title": "#one", "value": "c1"}, {"title": "#two", "value": "c2"}]
    many = {"isMultiSelect": True, "style": "expanded", "value": "c1,c2"}
    assert card["body"][2:-1] == [
        {"type": "Input.Text", "id": "note", "label": "Note", "isRequired": True, "errorMessage": "Please fill this in.", "maxLength": 40},
        rich({"text": "Short", "isSubtle": True, "size": "small"}) | {"spacing": "none"},
        {"type": "Input.ChoiceSet", "id": "where", "label": "Where", "wrap": True, "choices": choices, "value": "c2"},
        {"type": "Input.ChoiceSet", "id": "kinds[]", "label": "Kinds", "wrap": True, "choices": choices, **many},
    ]
    (button,) = card["body"][-1]["actions"]
    typed = {"note": "hi, all", "where": "c1", "kinds[]": "c1,c2"}
    given = {"survey": "SV_1", "note": "hi, all", "where": "c1", "kinds": "c1 c2"}
    wanted = Action(verb="subscribe.save", data={**given, teams.SUBMITTED: "yes"})
    assert teams.parse_execute(button["verb"], {**button["data"], **typed}) == wanted
    assert teams.parse_submit({**button["fallback"]["data"], **typed}) == wanted
    assert teams.message(form)["summary"] == "Subscribe\nWhat?"


def test_what_is_typed_does_not_replace_the_data_of_the_button() -> None:
    assert teams.parse_submit({"verb": "v", "data": {"survey": "SV_1"}, "survey": "SV_2"}).data == {"survey": "SV_1"}


def test_a_link_that_cannot_be_shortened_is_refused_without_being_quoted() -> None:
    respond = Respond(label="x", link=PersonalLink(owner=1, url=URL + "x" * 3_000))
    with pytest.raises(ValueError, match="longer than 3000") as refusal:
        teams.card(PrivatePage(owner=1, title="t", elements=(respond,)))
    assert "qualtrics" not in str(refusal.value)


def test_what_does_not_fit_is_left_out_whole_and_said() -> None:
    entry = Entry(title="Pulse", detail=("Closes soon",), button=OPEN)
    card = teams.card(Page(title="t", elements=(entry,) * 100))
    assert problems(card) == []
    assert 20 < len(card["body"]) < 100
    assert {part["type"] for part in card["body"][1:-1]} == {"ColumnSet"}
    assert card["body"][-1] == rich({"text": "There is more than fits in here.", "isSubtle": True})
    assert len(json.dumps(card, ensure_ascii=False).encode()) <= limits.TEAMS_CARD_BYTES


def test_both_kinds_of_button_bring_their_action_back() -> None:
    assert teams.parse_execute("survey.show", {"survey": "SV_1"}) == OPEN.action
    assert teams.parse_execute("surveys.list", None) == Action(verb="surveys.list")
    assert teams.parse_submit({**EXECUTE["fallback"]["data"], "typed": "7"}) == Action(  # type: ignore[index]
        verb="survey.show", data={"survey": "SV_1", "typed": "7"}
    )


@pytest.mark.parametrize(("verb", "data"), [(None, {}), (1, {}), ("v", {"a": 1}), ("v", {"a": {"b": "c"}}), ("v", "text"), ("v", ["a"])])
def test_what_no_button_of_ours_sends_is_refused(verb: object, data: object) -> None:
    with pytest.raises(ValueError, match="not an action of ours"):
        teams.parse_execute(verb, data)
    with pytest.raises(ValueError, match="not an action of ours"):
        teams.parse_submit({"verb": verb, "data": data})


@pytest.mark.parametrize("change", [{"version": "1.6"}, {"type": "x"}, {"body": [{"type": "TextBlok", "text": "x"}]}, {"bodi": []}])
def test_the_gate_refuses_what_clients_would(change: dict[str, Any]) -> None:
    assert problems(teams.card(Page(title="t", elements=())) | change) != []
