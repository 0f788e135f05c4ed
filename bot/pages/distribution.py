"""One distribution of a survey in numbers (FEATURES D4)."""

from __future__ import annotations

from collections.abc import Iterator

from bot.deep_links import DeepLinks
from bot.model import Distribution
from bot.numbers import SurveyNumbers
from bot.page import Action, Button, Element, Facts, Moment, Notice, Page, Phrase, Strong, Text, Tone
from bot.pages.numbers import people, why
from bot.pages.reader import Reader
from bot.pages.sendings import distribution_name, funnel, has_recipients, number_facts, review_link, sent_label, survey_name
from bot.pages.statistics import open_button, state_words
from bot.pages.ways import row
from bot.rules import REMINDER


def distribution_data(distribution: Distribution, found: SurveyNumbers, links: DeepLinks, reader: Reader) -> Page:
    """Show all that may be said of one distribution, and the way to review it in Qualtrics."""
    say, survey = reader.say, found.survey
    name = survey_name(survey.name, reader)
    review = review_link(distribution, found, links, reader, name)
    back = Button(label=say("Results of the survey"), action=Action(verb="stats.survey", data={"survey": survey.survey_id}))
    elements: tuple[Element, ...] = (
        Text((Strong(name),)),
        Facts(_facts(distribution, reader)),
        *_state(distribution, found, reader),
        *_numbers(distribution, found, reader),
        row(*review, back, open_button(reader)),
    )
    return Page(title=distribution_name(distribution, reader), elements=elements, zone=reader.zone)


def _facts(distribution: Distribution, reader: Reader) -> tuple[tuple[str, Phrase], ...]:
    say = reader.say
    created, sent, closes = distribution.created_at, distribution.send_date, distribution.link_expires_at
    return (
        (say("From"), (distribution.sender_name or say("not known"),)),
        (say("Created"), (Moment(created),) if created else (say("not known"),)),
        (sent_label(distribution, reader), (Moment(sent) if sent else say("not yet"),)),
        (say("Links expire"), (Moment(closes),) if closes else (say("no end date"),)),
    )


def _state(distribution: Distribution, found: SurveyNumbers, reader: Reader) -> Iterator[Element]:
    say = reader.say
    if distribution.is_deleted:
        yield Notice(Tone.INFO, (say("This distribution was deleted in Qualtrics: its links do not work any more."),))
    elif not found.is_open:
        yield Notice(Tone.INFO, state_words(found, reader))
    if not has_recipients(distribution):
        words = say("It was sent with one link for everybody: Qualtrics cannot tell which of its recipients have answered.")
        yield Notice(Tone.INFO, (words,))


def _numbers(distribution: Distribution, found: SurveyNumbers, reader: Reader) -> Iterator[Element]:
    numbers = found.of(distribution)
    if numbers.whole.is_hidden:
        yield Text((reader.say("Its numbers are not shown: it mailed nobody, or too few people."),))
    elif distribution.request_type == REMINDER:
        yield Facts(((reader.say("Total sent"), (people(numbers.whole, reader),)),))
        yield Text((reader.say("Who opened it and who answered is counted with its invitation."),))
    else:
        yield Facts(number_facts(numbers, reader))
        yield from funnel(numbers, reader)
    yield why(numbers, reader)
