"""The text form says everything, in words."""

from __future__ import annotations

from datetime import UTC, datetime

from bot.model import PersonalLink
from bot.page import Action, Button, Buttons, Divider, Entry, Facts, Moment, Note, Notice, PrivatePage, Respond, Strong, Text, Tone
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
