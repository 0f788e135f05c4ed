"""What a sent message turns into when there is nothing to answer in it any more (FEATURES C6). Edited in place, it pings nobody."""

from __future__ import annotations

from bot.model import PersonalLink
from bot.page import Page, PrivatePage, Strong, Text, phrase
from bot.pages.asked import name_of
from bot.pages.notifications import call
from bot.pages.reader import Reader
from bot.pages.ways import back
from bot.rules import Participation


def prolonged(asked: Participation, link: PersonalLink, reader: Reader) -> PrivatePage:
    """What a reminder says once its deadline has moved away."""
    say = reader.say
    lead = phrase(say("There is more time now, and your answer is still missing: {survey}"), survey=Strong(name_of(asked, reader)))
    return call(say("More time to answer"), lead, asked, link, reader)


def followed(asked: Participation, reader: Reader) -> Page:
    say = reader.say
    return _short(say("See below"), say("There is a newer message about {survey} further down."), asked, reader)


def answered(asked: Participation, reader: Reader) -> Page:
    say = reader.say
    return _short(say("Thank you"), say("You have taken part in {survey}. There is nothing more to do."), asked, reader)


def expired(asked: Participation, reader: Reader) -> Page:
    say = reader.say
    return _short(say("Time is over"), say("The time to answer {survey} is over. There is nothing more to do."), asked, reader)


def withdrawn(asked: Participation | None, reader: Reader) -> Page:
    """`asked` is None when nothing is known of the survey any more."""
    say = reader.say
    title = say("Survey closed")
    if asked is None:
        text = say("This survey was closed or withdrawn. There is nothing more to do.")
        return Page(title=title, elements=(Text((text,)), back(reader)), zone=reader.zone)
    return _short(title, say("{survey} was closed or withdrawn. There is nothing more to do."), asked, reader)


def _short(title: str, template: str, asked: Participation, reader: Reader) -> Page:
    text = Text(phrase(template, survey=Strong(name_of(asked, reader))))
    return Page(title=title, elements=(text, back(reader)), zone=reader.zone)
