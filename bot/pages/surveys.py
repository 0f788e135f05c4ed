"""Lists of surveys, and one survey in detail."""

from __future__ import annotations

from collections.abc import Sequence

from bot.model import PersonalLink
from bot.page import (
    Action,
    Button,
    Buttons,
    Element,
    Entry,
    Note,
    Page,
    PrivateElement,
    PrivatePage,
    Strong,
    Text,
    phrase,
)
from bot.pages.asked import closes_sentence, facts, name_of, privacy, respond, sender, state_notice
from bot.pages.reader import Reader
from bot.pages.ways import back, help_button, list_button, show
from bot.rules import Participation, State

#: Surveys on one page of a list (FEATURES C3).
PAGE_SIZE = 20


def my_active_surveys(open_surveys: Sequence[Participation], page: int, reader: Reader) -> Page:
    """List what somebody can answer now, soonest expiry first, PAGE_SIZE a page (FEATURES C3). Pages count from 1."""
    say = reader.say
    title = say("My active surveys")
    if not open_surveys:
        empty = Text(phrase(say("You have no surveys to answer right now. When one is sent to you, I will tell you here.")))
        return Page(title=title, elements=(empty, help_button(reader)), zone=reader.zone)
    pages = -(-len(open_surveys) // PAGE_SIZE)
    page = min(max(page, 1), pages)
    shown = open_surveys[(page - 1) * PAGE_SIZE : page * PAGE_SIZE]
    count = reader.count("{number} survey is waiting for your answer.", "{number} surveys are waiting for your answer.", len(open_surveys))
    elements: list[Element] = [Text((count,)), *(_entry(asked, reader) for asked in shown)]
    if pages > 1:
        elements += [Note(phrase(say("Page {page} of {pages}"), page=str(page), pages=str(pages))), _pager(page, pages, reader)]
    return Page(title=title, elements=tuple(elements), zone=reader.zone)


def survey_details(asked: Participation, link: PersonalLink | None, reader: Reader) -> PrivatePage:
    """Show one survey to the person it was sent to, with the way to answer while there is one (FEATURES C4)."""
    elements: list[PrivateElement] = [facts(asked, reader), *state_notice(asked, reader)]
    if asked.state is State.OPEN:
        elements += [Note(privacy(asked, reader)), *respond(link, reader)]
    elements.append(back(reader))
    owner = asked.invitation.person_id
    assert owner is not None, "a participation is folded from the invitations of a known person"
    return PrivatePage(owner=owner, title=name_of(asked, reader), elements=tuple(elements), zone=reader.zone)


def shared_survey_details(asked: Participation, reader: Reader) -> Page:
    """Show the same where others may look over the shoulder: the personal link is handed over in a direct message."""
    say = reader.say
    elements: list[Element] = [facts(asked, reader), *state_notice(asked, reader)]
    buttons = [list_button(reader)]
    if asked.state is State.OPEN:
        elements.append(Note(privacy(asked, reader)))
        handover = Action(verb="survey.handover", data={"survey": asked.survey.survey_id})
        buttons.insert(0, Button(label=say("Respond in a direct message"), action=handover, is_primary=True))
    return Page(title=name_of(asked, reader), elements=(*elements, Buttons(tuple(buttons))), zone=reader.zone)


def handed_over(asked: Participation, reader: Reader) -> Page:
    """Say where the personal link went."""
    text = phrase(
        reader.say("I have sent you {survey} as a direct message. Your personal link is there."), survey=Strong(asked.survey.name)
    )
    return Page(title=reader.say("Sent to you"), elements=(Text(text), back(reader)), zone=reader.zone)


def _entry(asked: Participation, reader: Reader) -> Entry:
    say = reader.say
    detail = (*closes_sentence(asked, reader), " · ", *phrase(say("from {sender}"), sender=sender(asked, reader)))
    name = name_of(asked, reader)
    spoken = say("Details of {survey}").format(survey=name)
    button = Button(label=say("Details"), action=show(asked), spoken=spoken)
    return Entry(title=name, detail=detail, button=button)


def _pager(page: int, pages: int, reader: Reader) -> Buttons:
    say = reader.say
    turns = [(page - 1, say("Previous page"))] * (page > 1) + [(page + 1, say("Next page"))] * (page < pages)
    return Buttons(tuple(Button(label=label, action=Action(verb="surveys.list", data={"page": str(to)})) for to, label in turns))
