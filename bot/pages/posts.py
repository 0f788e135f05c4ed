"""What channels and owners are told of surveys unasked: one section a piece of news, one message for all that is due together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from bot.deep_links import DeepLinks
from bot.listed import Listed
from bot.model import Distribution
from bot.numbers import SurveyNumbers
from bot.page import Chart, Divider, Element, Entry, Facts, Moment, Note, Page, Phrase, Strong, Text, phrase
from bot.pages.numbers import people, people_of, percent, why
from bot.pages.reader import Reader
from bot.pages.sendings import (
    closes_words,
    data_link,
    distribution_name,
    funnel,
    number_facts,
    response_rate,
    results_button,
    review_link,
    shown_parts,
    survey_name,
)
from bot.pages.trend import answers_over_time
from bot.pages.ways import row, settings_button
from bot.posts import OWNER, News, PostKind
from bot.small_groups import Guarded

#: Surveys that a weekly post names; of the others it says how many there are.
LONGEST_WEEKLY = 10
_LAST = frozenset({PostKind.CLOSED, PostKind.RESULTS})


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A piece of news, with what is true of its survey now."""

    news: News
    found: SurveyNumbers
    #: What there is trouble with.
    distribution: Distribution | None = None
    #: Its numbers are of before its end.
    is_cut_off: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Week:
    """All open surveys of a subscription, what closes first first."""

    surveys: Sequence[Listed]
    #: Of those that are named.
    numbers: Mapping[str, Guarded]


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    title: str
    elements: tuple[Element, ...]
    #: Numbers of people that it shows.
    numbers: Guarded | None


def post(sections: Sequence[Section], reader: Reader) -> Page:
    """One message for all of it."""
    elements: list[Element] = []
    for section in sections:
        headed = (Text((Strong(section.title),)), *section.elements) if len(sections) > 1 else section.elements
        elements += [*([Divider()] if elements else []), *headed]
    shown = [section.numbers for section in sections if section.numbers is not None]
    notes = [why(max(shown, key=lambda it: it.k), reader)] if shown else []
    title = sections[0].title if len(sections) == 1 else reader.say("News of your surveys")
    return Page(title=title, elements=(*elements, *notes), zone=reader.zone)


def section(told: Told, links: DeepLinks, reader: Reader) -> Section:
    """What is said of one survey."""
    title, lead = _words(told, reader)
    elements = (
        Text(lead),
        *_facts(told, reader),
        *_charts(told, reader),
        *_notes(told, reader),
        _ways(told, links, reader),
    )
    return Section(title=title, elements=elements, numbers=told.found.numbers)


def weekly(week: Week, reader: Reader) -> Section:
    """How all surveys of a subscription go."""
    say, shown = reader.say, week.surveys[:LONGEST_WEEKLY]
    lead = reader.count("{number} survey is open.", "{number} surveys are open.", len(week.surveys))
    more = len(week.surveys) - len(shown)
    note = [Note((reader.count("{number} more is not shown here.", "{number} more are not shown here.", more),))] if more else []
    entries = (_entry(each, week.numbers[each.survey_id], reader) for each in shown)
    numbers = max((week.numbers[each.survey_id] for each in shown), key=lambda it: it.k)
    return Section(title=say("Your surveys this week"), elements=(Text((lead,)), *entries, *note), numbers=numbers)


def _words(told: Told, reader: Reader) -> tuple[str, Phrase]:
    say, found = reader.say, told.found
    survey, closes = Strong(survey_name(found.survey.name, reader)), Moment(found.closes_at) if found.closes_at else say("later")
    match told.news.kind:
        case PostKind.LAUNCH:
            return say("Survey sent"), phrase(say("{survey} has been sent."), survey=survey)
        case PostKind.MILESTONES:
            words = say("Answers to {survey} have reached {percent}%.")
            return say("Milestone reached"), phrase(words, percent=told.news.mark, survey=survey)
        case PostKind.CLOSING:
            return say("Active survey stats"), phrase(say("{survey} closes {when}."), survey=survey, when=closes)
        case PostKind.RESULTS:
            return say("Final numbers"), phrase(say("{survey} is closed, and this is how many answered."), survey=survey)
        case PostKind.DELIVERY_PROBLEMS:
            words = say("A part of the invitations to {survey} did not arrive.")
            return say("Delivery problems"), phrase(words, survey=survey)
        case _:
            return say("Survey closed"), phrase(say("{survey} is closed."), survey=survey)


def _facts(told: Told, reader: Reader) -> Iterator[Facts | Text]:
    say, found = reader.say, told.found
    numbers, answered = found.numbers, people_of(found.numbers.part("finished"), found.numbers.whole, reader)
    progress = ((say("Answered"), (answered,)), (say("Response rate"), (percent(numbers.part("finished"), numbers.whole, reader),)))
    closes = ((say("Closes"), (Moment(found.closes_at) if found.closes_at else say("No end date"),)),)
    match told.news.kind:
        case PostKind.LAUNCH:
            yield Facts(((say("Sent to"), (people(numbers.whole, reader),)), (say("Owner"), (found.owner or say("not known"),)), *closes))
        case PostKind.MILESTONES:
            yield Facts((*progress, *closes))
        case PostKind.RESULTS if not numbers.whole.is_hidden:
            yield Facts((*number_facts(numbers, reader), *_counted(told, reader)))
        case PostKind.DELIVERY_PROBLEMS if told.distribution is not None:
            yield _problems(told.distribution, found.of(told.distribution), reader)
        case _ if numbers.whole.is_hidden:
            yield Text((say("Its numbers are not shown: it was mailed to nobody, or to too few people."),))
        case _:
            yield Facts((*progress, *_counted(told, reader)))


def _problems(distribution: Distribution, numbers: Guarded, reader: Reader) -> Facts:
    say = reader.say
    names = {"bounced": say("Bounced"), "blocked": say("Blocked"), "skipped": say("Skipped"), "failed": say("Failed")}
    return Facts(
        (
            (say("Distribution"), (distribution_name(distribution, reader),)),
            (say("Total sent"), (people(numbers.whole, reader),)),
            *shown_parts(names, numbers, reader),
        )
    )


def _counted(told: Told, reader: Reader) -> tuple[tuple[str, Phrase], ...]:
    """When last numbers were read."""
    counted_at = told.found.survey.counted_at
    return ((reader.say("As of"), (Moment(counted_at),)),) if told.news.kind in _LAST and counted_at is not None else ()


def _charts(told: Told, reader: Reader) -> Iterator[Chart]:
    """Not where nothing may be shown."""
    if told.news.kind in {PostKind.CLOSING, PostKind.RESULTS} and not told.found.numbers.whole.is_hidden:
        yield from funnel(told.found.numbers, reader)
        yield from answers_over_time(told.found.history, reader)


def _notes(told: Told, reader: Reader) -> Iterator[Note]:
    if told.news.kind in _LAST and told.is_cut_off and not told.found.numbers.whole.is_hidden:
        yield Note((reader.say("I could not read Qualtrics since it ended: answers of its last minutes may be missing."),))
    if told.news.subscription_id == OWNER:
        yield Note((reader.say("You get this because the survey is yours."),))


def _ways(told: Told, links: DeepLinks, reader: Reader) -> Element:
    found, distribution = told.found, told.distribution
    there = data_link(found, links, reader) if distribution is None else review_link(distribution, found, links, reader)
    settings = [settings_button(reader)] if told.news.subscription_id == OWNER else []
    return row(results_button(found.survey.survey_id, reader, found.survey.name), *there, *settings)


def _entry(listed: Listed, numbers: Guarded, reader: Reader) -> Entry:
    detail = (*response_rate(numbers, reader), " · ", *closes_words(listed.closes_at, reader))
    return Entry(title=survey_name(listed.name, reader), detail=detail, button=results_button(listed.survey_id, reader, listed.name))
