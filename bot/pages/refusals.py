"""Polite answers where there is nothing to show, each with what to do next."""

from __future__ import annotations

from bot.page import (
    Page,
    Text,
    phrase,
)
from bot.pages.reader import Reader
from bot.pages.ways import back


def not_found(reader: Reader) -> Page:
    """Answer for a survey that does not exist or is not this person's: the same words, so that nothing is given away."""
    text = phrase(reader.say("I cannot show this survey. It may have been withdrawn, or it was not sent to you."))
    return Page(title=reader.say("Survey not available"), elements=(Text(text), back(reader)), zone=reader.zone)


def not_linked(reader: Reader) -> Page:
    """Answer for somebody whose chat account tells no e-mail address."""
    text = phrase(
        reader.say(
            "Surveys are matched by e-mail address, and your account here shows me none. "
            "Ask your administrator to add your work e-mail address to your profile. Until then, use the e-mail that Qualtrics sent you."
        )
    )
    return Page(title=reader.say("I cannot match you"), elements=(Text(text),), zone=reader.zone)


def not_a_member(reader: Reader) -> Page:
    """Answer for guests and people of other organisations."""
    text = phrase(reader.say("Surveys here are for members of this organisation. If one was sent to you, use the e-mail from Qualtrics."))
    return Page(title=reader.say("For members only"), elements=(Text(text),), zone=reader.zone)


def out_of_date(reader: Reader) -> Page:
    """Answer for a button of an older version, or one that was tampered with."""
    text = phrase(reader.say("This button no longer works. Your surveys are one click away."))
    return Page(title=reader.say("Out of date"), elements=(Text(text), back(reader)), zone=reader.zone)
