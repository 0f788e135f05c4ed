"""What can be typed: one table that parses commands, fills their help, and gives the manifest its hints."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from bot.page import Action
from bot.subscribing import LONGEST, names_surveys
from bot.subscriptions import Feature

#: What is repeated of a word nobody knows, and what is taken of words to look for, in characters.
LONGEST_WORD = 40
LONGEST_ARGUMENT = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """One word behind a command. What it `does` is English here, and said in the reader's language where it is shown."""

    word: str
    does: str
    verb: str
    #: What is typed behind the word: the key in the action's data, in capitals the name in the help.
    takes: str | None = None
    #: The verb of the form that asks for it where it is missing, or for the rest of it where it is not enough.
    form: str = ""
    is_enough: Callable[[str], bool] = bool
    #: What is taken of it, in characters.
    longest: int = LONGEST_ARGUMENT
    #: What the help shows of it, in the place of that key.
    syntax: str | None = None
    #: Understood, but offered nowhere.
    is_hidden: bool = False

    @property
    def is_of_channels(self) -> bool:
        return self.verb.startswith("subscription")

    @property
    def usage(self) -> str:
        return f"{self.word} {self.syntax or self.takes.upper()}" if self.takes else self.word


@dataclass(frozen=True, slots=True, kw_only=True)
class SlashCommand:
    name: str
    #: As above.
    does: str
    #: The first one is meant when nothing is typed.
    words: tuple[Word, ...]

    @property
    def offered(self) -> tuple[Word, ...]:
        return tuple(word for word in self.words if not word.is_hidden)

    @property
    def usage_hint(self) -> str:
        return f"[{' | '.join(word.usage for word in self.offered)}]"

    def nearest(self, unknown: str) -> Word | None:
        """The offered word that may have been meant."""
        words = {word.word: word for word in self.offered}
        return next((words[found] for found in get_close_matches(unknown.casefold(), words, n=1)), None)


def _(text: str) -> str:
    """Mark a text for the catalogues."""
    return text


SURVEYS = SlashCommand(
    name="/surveys",
    does=_("Your open surveys"),
    words=(
        Word(word="list", does=_("your open surveys, the one that closes first on top"), verb="surveys.list"),
        Word(word="find", does=_("surveys you were sent, by name or sender"), verb="surveys.find", takes="words", form="surveys.search"),
        Word(word="settings", does=_("choose what you are told"), verb="settings.edit"),
        Word(word="privacy", does=_("what survey owners can see, and what is stored"), verb="privacy.show"),
        Word(word="help", does=_("this page"), verb="help.show"),
        Word(word="status", does="", verb="sync.status", is_hidden=True),
    ),
)
STATS = SlashCommand(
    name="/survey-stats",
    does=_("Numbers for survey owners and Qualtrics administrators, and subscriptions of channels"),
    words=(
        Word(word="open", does=_("the open surveys whose numbers you may see"), verb="stats.list"),
        Word(word="results", does=_("how a survey goes, by its name or id"), verb="stats.results", takes="survey", form="stats.search"),
        Word(
            word="find",
            does=_("the same, by name or owner, also those that are over"),
            verb="stats.find",
            takes="words",
            form="stats.search",
        ),
        Word(word="status", does=_("how reading from Qualtrics stands; for brand administrators"), verb="sync.status"),
        Word(
            word="subscribe",
            does=_("tell this channel of a survey, of some (Pulse*), or of all that you may see"),
            verb="subscription.add",
            takes="what",
            form="subscription.new",
            is_enough=names_surveys,
            longest=LONGEST,
            syntax=f"SURVEY [{' '.join(Feature)}]",
        ),
        Word(
            word="unsubscribe",
            does=_("stop telling this channel of it, or of everything (all)"),
            verb="subscription.remove",
            takes="what",
            form="subscriptions.list",
            longest=LONGEST,
            syntax="SURVEY",
        ),
        Word(word="list", does=_("what this channel is subscribed to, and by whom"), verb="subscriptions.list"),
        Word(word="settings", does=_("time zone, weekly post and working hours of this channel"), verb="subscriptions.times"),
        Word(word="help", does=_("this page"), verb="help.show"),
    ),
)
SLASH_COMMANDS: Mapping[str, SlashCommand] = {command.name: command for command in (SURVEYS, STATS)}

#: What people say to a bot they do not know yet.
_GREETINGS = frozenset({"hello", "hey", "hi"})


def parse(name: str, text: str) -> Action:
    """Parse what was typed behind the command called `name`. What is not understood becomes help that says so."""
    command = SLASH_COMMANDS.get(name)
    if command is None:
        return Action(verb="help.show", data={"unknown": name[:LONGEST_WORD]})
    typed, rest = [*text.split(maxsplit=1), "", ""][:2]
    word = next((word for word in command.words if word.word == typed.casefold()), None) if typed else command.words[0]
    if word is None:
        return Action(verb="help.show", data={"command": name, "unknown": typed[:LONGEST_WORD]})
    if word.verb == "help.show":
        return Action(verb=word.verb, data={"command": name})
    if word.takes is None:
        return Action(verb=word.verb)
    argument = rest.strip()[: word.longest]
    return Action(verb=word.verb if word.is_enough(argument) else word.form, data={word.takes: argument} if argument else {})


def parse_said(text: str, *, is_shared: bool = False) -> Action:
    """Parse what was said where no command goes before it: `survey-stats status`, or a word alone, of the first command that knows it.

    In a shared place that is the one whose word is about channels.
    """
    first, rest = [*text.split(maxsplit=1), "", ""][:2]
    said = first.casefold().rstrip("!.,?")
    if (name := f"/{said.lstrip('/')}") in SLASH_COMMANDS:
        return parse(name, rest)
    if said in _GREETINGS:
        return parse(SURVEYS.name, "help")
    is_of_channels = is_shared and any(word.word == said and word.is_of_channels for word in STATS.words)
    commands = (STATS, SURVEYS) if is_of_channels else (SURVEYS, STATS)
    knowing = (command for command in commands if any(word.word == said for word in command.words))
    return parse(next(knowing, SURVEYS).name, f"{said} {rest}")
