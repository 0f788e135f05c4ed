"""The words for numbers of people, so that every page says alike what may be shown (bot/small_groups.py)."""

from __future__ import annotations

from bot.page import Note
from bot.pages.reader import Reader
from bot.small_groups import Guarded, Shown, floor, rate


def people(shown: Shown, reader: Reader) -> str:
    """Say how many: "45 or more", "about 45", "not shown"."""
    say = reader.say
    if shown.is_hidden:
        return say("not shown")
    words = say("about {number}") if shown.is_about else say("{number} or more")
    return words.format(number=reader.number(shown.number))


def at_least(number: int, k: int, reader: Reader) -> str:
    """Say a true number of things that people did or have before them, of no part of anything: "40 or more", "fewer than 5"."""
    say, shown = reader.say, floor(number, k)
    return (say("{number} or more") if shown else say("fewer than {number}")).format(number=reader.number(shown or k))


def people_of(part: Shown, whole: Shown, reader: Reader) -> str:
    """Say how many of how many: "45 or more of 50 or more", "not shown, of 50 or more"."""
    words = reader.say("{part}, of {whole}") if part.is_hidden else reader.say("{part} of {whole}")
    return words.format(part=people(part, reader), whole=people(whole, reader))


def percent(part: Shown, whole: Shown, reader: Reader) -> str:
    """Say what share: "about 90%", "not shown"."""
    share = rate(part, whole)
    return reader.say("not shown") if share is None else reader.say("about {percent}%").format(percent=round(100 * share))


def together(k: int, reader: Reader) -> Note:
    """Say how those are counted who are too few alone."""
    words = reader.say(
        "What was sent to fewer than {k} people is counted together, and only once: when its links have ended, "
        "or two weeks after it was sent."
    )
    return Note((words.format(k=k),))


def why(guarded: Guarded, reader: Reader) -> Note:
    """Say why the numbers of a page are round, and some are missing."""
    words = reader.say(
        "Numbers of people come in steps of {k}, and groups of fewer than {k} are not shown, so that nobody can be picked out."
    )
    return Note((words.format(k=guarded.k),))
