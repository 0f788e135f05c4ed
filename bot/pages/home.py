"""The Home tab: what is open, what is coming, and the way to everything else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot import rules
from bot.messages import Preference
from bot.page import Button, Divider, Element, Facts, Moment, Note, Notice, Page, Phrase, Strong, Text, Tone
from bot.pages.asked import name_of, none_waiting, waiting
from bot.pages.reader import Reader
from bot.pages.settings import in_force
from bot.pages.statistics import open_button
from bot.pages.surveys import entry
from bot.pages.ways import help_button, list_button, privacy_button, row, search_button, settings_button, status_button
from bot.rules import Participation

#: Open surveys that are listed, and reminders; the others are one click away.
_LISTED = 10
_REMINDERS = 8


class Knowledge(StrEnum):
    """How well the bot knows a person's surveys."""

    #: No Qualtrics is connected.
    NONE = "none"
    #: The first full look is still under way.
    LEARNING = "learning"
    #: Reading is held up, so that what is shown may be old.
    HELD = "held"
    CURRENT = "current"


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """What the Home tab shows."""

    #: Soonest deadline first.
    open_surveys: Sequence[Participation]
    preference: Preference
    knowledge: Knowledge
    #: There are surveys whose numbers they may see.
    sees_numbers: bool = False
    #: For brand administrators: how many integrations are theirs, and how many of them somebody must look at. None for everybody else.
    integrations: tuple[int, int] | None = None


def home_page(found: Overview, now: datetime, reader: Reader) -> Page:
    elements = (
        *_notice(found.knowledge, reader),
        *_open(found, reader),
        *_coming(found, now, reader),
        Divider(),
        Text((Strong(reader.say("Settings")),)),
        in_force(found.preference, reader, sees_numbers=found.sees_numbers),
        *_numbers(found, reader),
        *_synchronisation(found, reader),
        row(settings_button(reader), help_button(reader), privacy_button(reader)),
        Note((reader.say("You answer in Qualtrics. I never see or store your answers. Only you see this page."),)),
    )
    return Page(title=reader.say("Your surveys"), elements=elements, zone=reader.zone)


def _notice(knowledge: Knowledge, reader: Reader) -> Iterator[Element]:
    say = reader.say
    match knowledge:
        case Knowledge.NONE:
            text = say("I am not connected to Qualtrics yet. Until your administrator connects me, use the e-mails from Qualtrics.")
        case Knowledge.LEARNING:
            text = say(
                "I am reading your surveys for the first time. Come back a little later; until then, use the e-mails from Qualtrics."
            )
        case Knowledge.HELD:
            text = say("What you see may be out of date. You can answer what is listed; for anything new, use the e-mails from Qualtrics.")
        case Knowledge.CURRENT:
            return
    yield Notice(Tone.INFO, (text,))


def _open(found: Overview, reader: Reader) -> Iterator[Element]:
    surveys = found.open_surveys
    if surveys:
        yield Text((waiting(len(surveys), reader),))
    elif found.knowledge in {Knowledge.CURRENT, Knowledge.HELD}:
        yield Text((none_waiting(reader),))
    yield from (entry(asked, reader) for asked in surveys[:_LISTED])
    everything = Button(label=reader.say("All open surveys"), action=list_button(reader).action)
    yield row(*([everything] if len(surveys) > _LISTED else []), search_button(reader))


def _coming(found: Overview, now: datetime, reader: Reader) -> Iterator[Element]:
    say = reader.say
    ending = [asked for asked in found.open_surveys if asked.closes_at is not None]
    if not ending:
        return
    yield Divider()
    yield Text((Strong(say("What is coming")),))
    first = ending[0]
    assert first.closes_at is not None
    facts: list[tuple[str, Phrase]] = [(say("Closes next"), (f"{name_of(first, reader)}: ", Moment(first.closes_at)))]
    reminders = [(asked, at) for asked in ending if (at := _reminder_at(asked)) is not None and at > now]
    if found.preference.reminders and found.knowledge is not Knowledge.HELD:
        facts += [(say("Reminder"), (f"{name_of(asked, reader)}: ", Moment(at))) for asked, at in reminders[:_REMINDERS]]
    yield Facts(tuple(facts))
    if not found.preference.reminders:
        yield Note((say("You have switched reminders off."),))


def _reminder_at(asked: Participation) -> datetime | None:
    return rules.notice_at(asked.invitation.status, asked.invitation.link_type, asked.closes_at)


def _numbers(found: Overview, reader: Reader) -> Iterator[Element]:
    if found.sees_numbers:
        yield Divider()
        yield Text((Strong(reader.say("Survey statistics")),))
        yield row(open_button(reader))


def _synchronisation(found: Overview, reader: Reader) -> Iterator[Element]:
    if found.integrations is None:
        return
    number, troubled = found.integrations
    yield Divider()
    yield Text((Strong(reader.say("Synchronisation with Qualtrics")),))
    if troubled:
        text = reader.count("{number} integration needs a look.", "{number} integrations need a look.", troubled)
        yield Notice(Tone.WARNING, (text,))
    else:
        yield Text((reader.count("{number} integration, in order.", "{number} integrations, all in order.", number),))
    yield row(status_button(reader))
