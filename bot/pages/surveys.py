"""Lists of surveys, and one survey in detail."""

from __future__ import annotations

from collections.abc import Sequence

from bot.model import PersonalLink
from bot.page import Action, Button, Buttons, Element, Entry, Form, Note, Page, PrivateElement, PrivatePage, Strong, Text, phrase
from bot.pages.asked import closes_sentence, facts, name_of, none_waiting, privacy, respond, sender, state_notice, state_words, waiting
from bot.pages.paging import on_page, pager
from bot.pages.reader import Reader
from bot.pages.ways import back, details_button, help_button, list_button, privacy_button, row, search_button, search_form, why_button
from bot.rules import Participation, State

#: Surveys on one page of a list (FEATURES C3).
PAGE_SIZE = 20


def my_active_surveys(open_surveys: Sequence[Participation], page: int, reader: Reader) -> Page:
    """List what somebody can answer now, soonest expiry first, PAGE_SIZE a page (FEATURES C3). Pages count from 1."""
    say = reader.say
    if open_surveys:
        elements = [Text((waiting(len(open_surveys), reader),)), *_listed(open_surveys, page, Action(verb="surveys.list"), reader)]
    else:
        elements = [Text((none_waiting(reader),)), row(search_button(reader), help_button(reader))]
    return Page(title=say("My active surveys"), elements=tuple(elements), zone=reader.zone)


def search_surveys_form(reader: Reader) -> Form:
    say = reader.say
    hint = say("I look through all surveys that were sent to you, also those that are over.")
    return search_form(say("Words of its name or its sender"), hint, "surveys", reader)


def found_surveys(found: Sequence[Participation], words: str, page: int, reader: Reader) -> Page:
    """List what was looked for, what can be answered first. Pages count from 1."""
    say = reader.say
    title = say("Found surveys")
    if not found:
        text = phrase(say("No survey that was sent to you has “{words}” in its name or sender. A part of a word is enough."), words=words)
        return Page(title=title, elements=(Text(text), row(search_button(reader), list_button(reader))), zone=reader.zone)
    number = reader.count("{number} survey that was sent to you", "{number} surveys that were sent to you", len(found))
    lead = Text(phrase(say("Found for “{words}”: {surveys}."), words=words, surveys=number))
    listed = _listed(found, page, Action(verb="surveys.find", data={"words": words}), reader)
    buttons = row(search_button(reader), list_button(reader))
    return Page(title=title, elements=(lead, *listed, buttons), zone=reader.zone)


def survey_details(asked: Participation, link: PersonalLink | None, reader: Reader) -> PrivatePage:
    """Show one survey to the person it was sent to, with the way to answer while there is one (FEATURES C4)."""
    elements: list[PrivateElement] = [facts(asked, reader), *state_notice(asked, reader)]
    if asked.state is State.OPEN:
        elements += [Note(privacy(asked, reader)), *respond(link, reader)]
    elements.append(_ways(asked, reader))
    owner = asked.invitation.person_id
    assert owner is not None, "a participation is folded from the invitations of a known person"
    return PrivatePage(owner=owner, title=name_of(asked, reader), elements=tuple(elements), zone=reader.zone)


def shared_survey_details(asked: Participation, reader: Reader) -> Page:
    """Show the same where others may look over the shoulder: the personal link is handed over in private."""
    elements: list[Element] = [facts(asked, reader), *state_notice(asked, reader)]
    if asked.state is State.OPEN:
        handover = Action(verb="survey.handover", data={"survey": asked.survey.survey_id})
        button = Button(label=reader.say("Respond in private"), action=handover, is_primary=True)
        elements += [Note(privacy(asked, reader)), row(button)]
    return Page(title=name_of(asked, reader), elements=(*elements, _ways(asked, reader)), zone=reader.zone)


def handed_over(asked: Participation, reader: Reader) -> Page:
    """Say where the personal link went."""
    text = phrase(reader.say("I have sent you {survey} in private. Your personal link is there."), survey=Strong(asked.survey.name))
    return Page(title=reader.say("Sent to you"), elements=(Text(text), back(reader)), zone=reader.zone)


def entry(asked: Participation, reader: Reader) -> Entry:
    """One survey in a list."""
    when = closes_sentence(asked, reader) if asked.state is State.OPEN else (state_words(asked.state, reader),)
    detail = (*when, " · ", *phrase(reader.say("from {sender}"), sender=sender(asked, reader)))
    return Entry(title=name_of(asked, reader), detail=detail, button=details_button(asked, reader))


def _ways(asked: Participation, reader: Reader) -> Buttons:
    return row(privacy_button(reader, asked), why_button(asked, reader), list_button(reader))


def _listed(surveys: Sequence[Participation], page: int, turn: Action, reader: Reader) -> list[Element]:
    """One page of them, and the way to the others."""
    shown, where = on_page(surveys, page, PAGE_SIZE)
    return [*(entry(asked, reader) for asked in shown), *pager(where, turn, reader)]
