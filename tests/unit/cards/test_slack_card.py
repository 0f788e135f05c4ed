"""How each element of a page looks in Slack."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from adapters.sandbox.gate import problems
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
    PrivateElement,
    PrivatePage,
    Respond,
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
