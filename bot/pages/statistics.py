"""Surveys for those whose they are: the list of open ones, and the results of one (FEATURES D2, D3)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from bot.deep_links import DeepLinks
from bot.listed import Listed
from bot.model import Anonymity, Distribution, Survey
from bot.numbers import SurveyNumbers
from bot.page import Action, Button, Element, Entry, Facts, Form, Link, Moment, Notice, Page, Phrase, Strong, Text, Tone, phrase
from bot.pages.coverage import coverage_button
from bot.pages.numbers import together, why
from bot.pages.paging import Where, pager
from bot.pages.reader import Reader
from bot.pages.sendings import (
    closes_words,
    data_link,
    distribution_name,
    funnel,
    has_recipients,
    number_facts,
    response_rate,
    results_button,
    sent_words,
    survey_name,
    was_mailed,
)
from bot.pages.standings import people_button
from bot.pages.trend import answers_over_time
from bot.pages.ways import row, search_button, search_form, status_button
from bot.small_groups import Guarded


@dataclass(frozen=True, slots=True, kw_only=True)
class ListPage:
    """One page of a list."""

    shown: Sequence[Listed]
    #: Of those, by their ids.
    numbers: Mapping[str, Guarded]
    #: How many the list has.
    total: int
    where: Where


def open_surveys(found: ListPage, reader: Reader, *, is_admin: bool) -> Page:
    """List the open surveys somebody may see."""
    say = reader.say
    lead = reader.count("{number} survey that you may see is open.", "{number} surveys that you may see are open.", found.total)
    if not found.total:
        lead = say(
            "None of the surveys that you may see is open. A survey is open while it is active and an invitation to it can be answered."
        )
    buttons = row(search_button(reader, "stats"), *([status_button(reader)] if is_admin else []), stats_help_button(reader))
    elements = (Text((lead,)), *_listed(found, Action(verb="stats.list"), reader), buttons)
    return Page(title=say("Open surveys"), elements=elements, zone=reader.zone)


def found_numbers(found: ListPage, words: str, reader: Reader) -> Page:
    """List what was looked for, among all surveys they may see."""
    number = reader.count("{number} survey that you may see", "{number} surveys that you may see", found.total)
    lead = phrase(reader.say("Found for “{words}”: {surveys}."), words=words, surveys=number)
    if not found.total:
        none = reader.say("No survey that you may see has “{words}” in its name or its owner's. A part of a word is enough.")
        lead = phrase(none, words=words)
    turn = Action(verb="stats.find", data={"words": words})
    buttons = row(search_button(reader, "stats"), open_button(reader))
    elements = (Text(lead), *_listed(found, turn, reader), buttons)
    return Page(title=reader.say("Found surveys"), elements=elements, zone=reader.zone)


def search_numbers_form(reader: Reader) -> Form:
    say = reader.say
    hint = say("I look through all surveys whose numbers you may see, also those that are over.")
    return search_form(say("Words of its name or its owner's"), hint, "stats", reader)


def survey_results(
    found: SurveyNumbers, part: tuple[Sequence[Distribution], Where], links: DeepLinks, reader: Reader, *, has_people: bool = False
) -> Page:
    """Show how a survey goes, and the way to each of its distributions in this `part` of them (FEATURES D3), and to its people by name."""
    survey, say = found.survey, reader.say
    distributions, where = part
    builder = links.to_builder(found.integration, survey.survey_id)
    build = [Link(label=say("Survey builder in Qualtrics"), url=builder)] if builder else []
    its = {"survey": survey.survey_id}
    elements: tuple[Element, ...] = (
        _facts(found, reader),
        *_numbers(found, reader),
        row(coverage_button(survey.survey_id, reader), *([people_button(survey.survey_id, reader)] if has_people else [])),
        Text((Strong(say("Distribution statistics, the newest first")),)),
        *(_entry(each, found, reader) for each in distributions),
        *([] if found.distributions else [_no_mailing(reader)]),
        *pager(where, Action(verb="stats.survey", data=its), reader),
        row(*data_link(found, links, reader), *build, open_button(reader)),
    )
    return Page(title=survey_name(survey.name, reader), elements=elements, zone=reader.zone)


def open_button(reader: Reader) -> Button:
    return Button(label=reader.say("Open surveys"), action=Action(verb="stats.list"))


def stats_help_button(reader: Reader) -> Button:
    return Button(label=reader.say("Help"), action=Action(verb="help.show", data={"command": "/survey-stats"}))


def _listed(found: ListPage, turn: Action, reader: Reader) -> Iterator[Element]:
    for each in found.shown:
        detail, button = _detail(each, found.numbers[each.survey_id], reader), results_button(each.survey_id, reader, each.name)
        yield Entry(title=survey_name(each.name, reader), detail=detail, button=button)
    yield from pager(found.where, turn, reader)
    if found.shown:
        yield why(found.numbers[found.shown[0].survey_id], reader)


def _detail(listed: Listed, numbers: Guarded, reader: Reader) -> Phrase:
    owner = listed.owner or reader.say("Owner not known")
    closes = closes_words(listed.closes_at, reader) if listed.is_open else (reader.say("Not open"),)
    return (f"{owner} · ", *closes, " · ", *response_rate(numbers, reader))


def _facts(found: SurveyNumbers, reader: Reader) -> Facts:
    say = reader.say
    last = next((each.send_date for each in found.distributions if was_mailed(each)), None)
    return Facts(
        (
            (say("Owner"), (found.owner or say("not known"),)),
            (say("State"), state_words(found, reader)),
            (say("Last sent"), (Moment(last) if last else say("never"),)),
            (say("Answers"), (_anonymity(found.survey, reader),)),
        )
    )


def _no_mailing(reader: Reader) -> Text:
    """Qualtrics lists neither among a survey's distributions (reference qualtrics.md 4)."""
    return Text((reader.say("No mailing of it is known. I see neither text messages nor links that anybody can use."),))


def state_words(found: SurveyNumbers, reader: Reader) -> Phrase:
    """Say whether a survey can be answered, and why not."""
    say, details = reader.say, found.survey.details
    if found.is_open:
        return (say("Open"), ". ", *closes_words(found.closes_at, reader))
    if details is not None and details.is_deleted:
        return (say("Deleted in Qualtrics"),)
    if not found.survey.is_active:
        return (say("Not active in Qualtrics: nobody can answer"),)
    return (say("Active, but no invitation that was mailed can be answered now"),)


def _anonymity(survey: Survey, reader: Reader) -> str:
    match survey.details.anonymity if survey.details else Anonymity.UNKNOWN:
        case Anonymity.ANONYMIZED:
            return reader.say("stored without names")
        case Anonymity.IDENTIFIED:
            return reader.say("stored with names")
        case Anonymity.UNKNOWN:
            return reader.say("not known whether with names")


def _numbers(found: SurveyNumbers, reader: Reader) -> Iterator[Element]:
    say, numbers = reader.say, found.numbers
    if not all(map(has_recipients, found.distributions)):
        words = say("Some of it was sent with one link for everybody. Qualtrics cannot tell who of those has answered.")
        yield Notice(Tone.INFO, (words,))
    if numbers.whole.is_hidden:
        yield Text((say("Its numbers are not shown: it was mailed to nobody, or to too few people."),))
    else:
        yield Facts(number_facts(numbers, reader))
        yield from funnel(numbers, reader)
        yield from answers_over_time(found.history, reader)
    if found.has_small:
        yield together(found.k, reader)
    yield why(numbers, reader)


def _entry(distribution: Distribution, found: SurveyNumbers, reader: Reader) -> Entry:
    name, label = distribution_name(distribution, reader), reader.say("Statistics")
    data = {"survey": distribution.survey_id, "distribution": distribution.distribution_id}
    button = Button(label=label, action=Action(verb="stats.distribution", data=data), spoken=f"{label}: {name}")
    detail = (*sent_words(distribution, reader), " · ", *response_rate(found.of(distribution), reader))
    return Entry(title=name, detail=detail, button=button)
