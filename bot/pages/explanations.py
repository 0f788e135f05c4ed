"""What the bot says about itself."""

from __future__ import annotations

from bot.page import (
    Buttons,
    Element,
    Facts,
    Note,
    Notice,
    Page,
    Text,
    Tone,
    phrase,
)
from bot.pages.reader import Reader
from bot.pages.ways import list_button


def help_page(reader: Reader, unknown: str | None = None) -> Page:
    """Say what the bot does; `unknown` is the word that was not understood."""
    say = reader.say
    elements: list[Element] = []
    if unknown is not None:
        elements.append(Notice(Tone.WARNING, phrase(say("I do not know “{word}”. This is what I know:"), word=unknown)))
    elements += [
        Text(phrase(say("I tell you when a Qualtrics survey is sent to you, and once more 24 hours before it closes."))),
        Facts(
            (
                ("/surveys", phrase(say("your active surveys"))),
                ("/surveys help", phrase(say("this page"))),
            )
        ),
        Note(phrase(say("You answer in Qualtrics. I never see or store your answers."))),
        Buttons((list_button(reader),)),
    ]
    return Page(title=say("Surveybot help"), elements=tuple(elements), zone=reader.zone)
