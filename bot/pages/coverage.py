"""Whom a survey's messages reached in chat, and why not the others (FEATURES D9)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from bot.coverage import Reached, rows
from bot.model import Survey
from bot.page import Action, Button, Buttons, Chart, ChartKind, Element, Facts, Link, Note, Page, Series, Strong, Text
from bot.pages.numbers import people, why
from bot.pages.reader import Reader
from bot.pages.sendings import results_button, survey_name
from bot.small_groups import Guarded


def coverage_page(survey: Survey, covered: Guarded, reader: Reader, ways: Iterable[Element]) -> Page:
    """Show the coverage of a survey, and `ways` to take it along."""
    say = reader.say
    if covered.whole.is_hidden:
        shown: tuple[Element, ...] = (Text((say("It was mailed to nobody yet, or to too few people to show numbers of them."),)),)
    else:
        shown = (*_chart(covered, reader), Facts(_facts(covered, reader)), Note((_explained(reader),)))
    elements = (
        Text((Strong(survey_name(survey.name, reader)),)),
        *shown,
        why(covered, reader),
        *ways,
        Buttons((results_button(survey.survey_id, reader),)),
    )
    return Page(title=say("Coverage"), elements=elements, zone=reader.zone)


def coverage_button(survey_id: str, reader: Reader) -> Button:
    """The way there, from a survey's results."""
    return Button(label=reader.say("Coverage"), action=Action(verb="stats.coverage", data={"survey": survey_id}))


def file_offered(survey_id: str, reader: Reader) -> Iterator[Element]:
    """The way to the file."""
    yield Buttons((Button(label=reader.say("As a file (CSV)"), action=Action(verb="stats.export", data={"survey": survey_id})),))


def file_elsewhere(reader: Reader) -> Iterator[Element]:
    """Where the way to the file is: others look on here."""
    yield Note((reader.say("These numbers as a file: please ask me in our own conversation."),))


def file_ready(url: str, reader: Reader) -> Iterator[Element]:
    """The file."""
    yield Note((reader.say("The link to the file works for ten minutes, for whoever has it. Please keep it to yourself."),))
    yield Buttons((Link(label=reader.say("Open the file (CSV)"), url=url),))


def reach_words(reader: Reader) -> Mapping[Reached, str]:
    """Say what became of people."""
    say = reader.say
    return {
        Reached.REACHED: say("Reached in chat"),
        Reached.WAITING: say("Their message waits"),
        Reached.NO_ACCOUNT: say("No chat account found, or the app not added"),
        Reached.OPTED_OUT: say("Want no messages in chat"),
        Reached.GUEST: say("Guests, or of another organisation"),
        Reached.DEACTIVATED: say("Chat account deactivated"),
        Reached.NO_EMAIL: say("No e-mail address known"),
        Reached.FAILED: say("Could not be delivered"),
        Reached.OTHERS: say("Others, or too few to tell apart"),
    }


def _facts(covered: Guarded, reader: Reader) -> tuple[tuple[str, tuple[str]], ...]:
    words = reach_words(reader)
    told = ((words[reach], (people(shown, reader),)) for reach, shown in rows(covered))
    return ((reader.say("Mailed by Qualtrics"), (people(covered.whole, reader),)), *told)


def _chart(covered: Guarded, reader: Reader) -> Iterator[Chart]:
    """Where there is more than one thing to compare."""
    words = _short_words(reader)
    told = [(words[reach], float(shown.number)) for reach, shown in rows(covered) if not shown.is_hidden]
    if len(told) > 1:
        series = Series(reader.say("People"), tuple(number for _, number in told))
        yield Chart(kind=ChartKind.BAR, title=reader.say("Who was reached"), labels=tuple(label for label, _ in told), series=(series,))


def _short_words(reader: Reader) -> Mapping[Reached, str]:
    """The same below a column: Slack has room for 20 characters there."""
    say = reader.say
    return {
        Reached.REACHED: say("Reached"),
        Reached.WAITING: say("Waiting"),
        Reached.NO_ACCOUNT: say("No account"),
        Reached.OPTED_OUT: say("Opted out"),
        Reached.GUEST: say("Guests"),
        Reached.DEACTIVATED: say("Deactivated"),
        Reached.NO_EMAIL: say("No e-mail"),
        Reached.FAILED: say("Not delivered"),
        Reached.OTHERS: say("Others"),
    }


def _explained(reader: Reader) -> str:
    return reader.say("Qualtrics' own e-mail remains the way to everybody who was not reached here. The numbers add up to those mailed.")
