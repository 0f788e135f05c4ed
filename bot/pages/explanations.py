"""What the bot says about itself: help, privacy, and why somebody was told of a survey."""

from __future__ import annotations

from collections.abc import Iterator

from bot.model import SMALLEST_GROUP
from bot.page import Button, Element, Facts, Moment, Note, Notice, Page, Phrase, Strong, Text, Tone, phrase
from bot.pages.asked import name_of, privacy, sender
from bot.pages.reader import Reader
from bot.pages.statistics import open_button
from bot.pages.ways import details_button, list_button, privacy_button, row, settings_button
from bot.rules import Participation
from bot.slash_commands import SLASH_COMMANDS, STATS, SURVEYS, SlashCommand, parse


def help_page(reader: Reader, command: SlashCommand = SURVEYS, unknown: str | None = None) -> Page:
    """Say what can be typed behind a command, and what the bot does; `unknown` is the word that was not understood."""
    say = reader.say
    alone, default = reader.typed(command.name), reader.typed(command.name, command.words[0].usage)
    default = say("“{command}” alone is the same as “{default}”.").format(command=alone, default=default)
    lead = say("I tell you when a Qualtrics survey is sent to you, and once more 24 hours before it closes.")
    if command is STATS:
        lead = say("I show how surveys go to those whose surveys they are, and tell it to the channels that they subscribe.")
    elements = (
        *_not_understood(reader, command, unknown),
        Text((lead,)),
        Facts(tuple((reader.typed(command.name, word.usage), (say(word.does),)) for word in command.offered)),
        Note((f"{default} ", *_others(reader, command), say("Only you see the answers, wherever you ask."))),
        Note((say("You answer in Qualtrics. I never see or store your answers."),)),
        row(open_button(reader) if command is STATS else list_button(reader), settings_button(reader), privacy_button(reader)),
    )
    return Page(title=say("Surveybot help"), elements=elements, zone=reader.zone)


def privacy_page(reader: Reader, asked: Participation | None = None) -> Page:
    """Explain what a survey's owner can see, and what is stored here (FEATURES C7); of `asked` in particular."""
    say = reader.say
    this = (Text((Strong(name_of(asked, reader)), " · ", *privacy(asked, reader))),) if asked else ()
    kinds = (
        (say("Your own link, names kept"), (say("They can see that you answered, and may see what."),)),
        (say("Your own link, answers anonymised"), (say("They can see that you answered. The answers are stored without your name."),)),
        (say("One link for everybody"), (say("They cannot see whether you answered. What you write may still tell who you are."),)),
    )
    elements = (
        *this,
        Text((say("What a survey's owner can see depends on how they set it up in Qualtrics:"),)),
        Facts(kinds),
        Note((say("Where I do not know the settings, I assume the first. In small groups numbers alone can tell who said what."),)),
        Note((say("The numbers that I show to owners are rounded, and never of fewer than {k} people.").format(k=SMALLEST_GROUP),)),
        *_stored(reader),
        row(*([details_button(asked, reader)] if asked else []), list_button(reader)),
    )
    return Page(title=say("What can they see?"), elements=elements, zone=reader.zone)


def why_page(asked: Participation, owner: str | None, reader: Reader) -> Page:
    """Explain how a survey came to somebody (FEATURES C8); `owner` is its owner's name in Qualtrics where that is known."""
    say, sent = reader.say, asked.invitation.sent_at
    facts = (
        (say("Survey"), (name_of(asked, reader),)),
        (say("Its owner in Qualtrics"), (owner or say("not known"),)),
        (say("Sent by"), (sender(asked, reader),)),
        (say("Sent"), (Moment(sent) if sent else say("not known"),)),
        (say("How I found you"), (say("It was sent to the e-mail address that your profile here has."),)),
        (say("How to stop"), (say("Switch my messages off in the settings. For the e-mails from Qualtrics, use the link at their end."),)),
    )
    ways = row(settings_button(reader), privacy_button(reader, asked), details_button(asked, reader))
    return Page(title=say("Why did I get this?"), elements=(Facts(facts), *_stored(reader), ways), zone=reader.zone)


def _not_understood(reader: Reader, command: SlashCommand, unknown: str | None) -> Iterator[Element]:
    if unknown is None:
        return
    say, nearest = reader.say, command.nearest(unknown)
    if nearest is None:
        yield Notice(Tone.INFO, phrase(say("I do not know “{word}”. This is what I know:"), word=unknown))
        return
    meant = reader.typed(command.name, nearest.usage)
    yield Notice(Tone.INFO, phrase(say("I do not know “{word}”. Did you mean {command}?"), word=unknown, command=Strong(meant)))
    yield row(Button(label=meant, action=parse(command.name, nearest.word)))


def _others(reader: Reader, command: SlashCommand) -> Phrase:
    others = (other for other in SLASH_COMMANDS.values() if other is not command)
    return tuple(f"{reader.say(other.does)}: {reader.typed(other.name, 'help')}. " for other in others)


def _stored(reader: Reader) -> Iterator[Element]:
    say = reader.say
    yield Text((Strong(say("What I store")),))
    yield Facts(
        (
            (say("Of your account here"), (say("its id, e-mail address, language, time zone, and whether it is a guest"),)),
            (
                say("From Qualtrics"),
                (say("which surveys were sent to you and when, their status, when you answered, and your personal links, encrypted"),),
            ),
            (say("If you have an account in Qualtrics"), (say("its name, e-mail address and role"),)),
            (
                say("From here"),
                (say("what I told you and when, whether this app was added for you, which channels you subscribed, and your settings"),),
            ),
            (say("Never"), (say("your answers"),)),
        )
    )
    yield Note((say("Only you see your surveys here. All this is kept while your organisation's Qualtrics is connected to me."),))
