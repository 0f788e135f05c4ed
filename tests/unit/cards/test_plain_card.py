"""The text form says everything, in words."""

from __future__ import annotations

from datetime import UTC, datetime

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
    Moment,
    Note,
    Notice,
    Option,
    Page,
    PrivatePage,
    Respond,
    Select,
    Series,
    Strong,
    Text,
    Tone,
)
from cards.plain import plain_text

NOON = datetime(2026, 12, 1, 12, 0, tzinfo=UTC)
OPEN = Button(label="Open", action=Action(verb="survey.show"))
PAGE = PrivatePage(
    owner=1,
    title="Team *pulse*",
    zone="Asia/Kathmandu",
    elements=(
        Text((Strong("Ana"), " asks you\nto answer by ", Moment(NOON), ".")),
        Respond(label="Respond in Qualtrics", link=PersonalLink(owner=1, url="https://brand.qualtrics.example/a")),
        Notice(Tone.WARNING, ("it closes soon.",)),
        Divider(),
        Facts((("Sent by", ("Ana",)), ("Sent", (Moment(NOON),)))),
        Entry(title="Onboarding", detail=("no due date",), button=OPEN),
        Buttons((OPEN, Button(label="Back", action=Action(verb="surveys.list")))),
        Text(("",)),
        Note(("Your answers are anonymous.",)),
    ),
)


def test_every_element_is_a_line_of_words_and_instants_name_their_zone() -> None:
    assert plain_text(PAGE).split("\n") == [
        "Team *pulse*",
        "Ana asks you to answer by 1 Dec 2026, 17:45 (Asia/Kathmandu).",
        "To answer, press the button “Respond in Qualtrics”.",
        "Warning: it closes soon.",
        "Sent by: Ana",
        "Sent: 1 Dec 2026, 17:45 (Asia/Kathmandu)",
        "Onboarding: no due date",
        "Buttons: Open, Back.",
        "Your answers are anonymous.",
    ]


def test_it_is_cut_to_its_limit_with_an_ellipsis() -> None:
    assert plain_text(PAGE, limit=20) == "Team *pulse*\nAna as…"


def test_a_form_says_what_is_asked_and_what_is_chosen() -> None:
    options = (Option("r", "Red"), Option("g", "Green"))
    form = Form(
        title="Choose",
        elements=(
            Input(name="words", label="Words"),
            Select(name="one", label="One", options=options),
            Checkboxes(name="many", label="Many", options=options, chosen=("g",)),
        ),
        submit="Send",
        action=Action(verb="colour.save"),
    )
    assert plain_text(form).split("\n") == [
        "Choose",
        "Words (to be typed in)",
        "One: Red; Green",
        "Many: Red; Green (chosen)",
        "Buttons: Send.",
    ]


def test_a_chart_is_said_in_numbers() -> None:
    series = (Series("This year", (1_200, 0.125)), Series("Last year", (3, 4)))
    chart = Chart(kind=ChartKind.LINE, title="Answers", labels=("Mon", "Tue"), series=series)
    assert plain_text(Page(title="t", elements=(chart,))).split("\n")[1] == (
        "Answers. This year — Mon: 1,200; Tue: 0.12. Last year — Mon: 3; Tue: 4."
    )
