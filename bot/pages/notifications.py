"""What people are told unasked."""

from __future__ import annotations

from bot.model import PersonalLink
from bot.page import Facts, Note, Phrase, PrivatePage, Respond, Strong, Text, phrase
from bot.pages.asked import closes, privacy, sender
from bot.pages.reader import Reader
from bot.pages.ways import details_button, privacy_button, row, why_button
from bot.rules import Participation


def new_survey(asked: Participation, link: PersonalLink, reader: Reader) -> PrivatePage:
    """Tell somebody that a survey was sent to them (FEATURES C1)."""
    say = reader.say
    lead = phrase(say("{sender} has sent you a survey: {survey}"), sender=sender(asked, reader), survey=Strong(asked.survey.name))
    return call(say("New survey"), lead, asked, link, reader)


def closing_survey(asked: Participation, link: PersonalLink, reader: Reader) -> PrivatePage:
    """Remind somebody of a survey that closes within a day (FEATURES C2)."""
    say = reader.say
    lead = phrase(say("This survey closes soon, and your answer is still missing: {survey}"), survey=Strong(asked.survey.name))
    return call(say("Survey closes soon"), lead, asked, link, reader)


def call(title: str, lead: Phrase, asked: Participation, link: PersonalLink, reader: Reader) -> PrivatePage:
    """Ask somebody to answer: until when, who sees what, and the way to it."""
    elements = (
        Text(lead),
        Facts(((reader.say("Closes"), closes(asked, reader)),)),
        Note(privacy(asked, reader)),
        Respond(label=reader.say("Respond in Qualtrics"), link=link),
        row(details_button(asked, reader), privacy_button(reader, asked), why_button(asked, reader)),
    )
    return PrivatePage(owner=link.owner, title=title, elements=elements, zone=reader.zone)
