"""What an activity of Teams asks for: a text, a pressed button, or what older clients send in its place."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from adapters.teams.wire import Incoming, Press
from bot import slash_commands
from bot.page import Action
from cards import teams


def asked(incoming: Incoming) -> Action:
    if isinstance(incoming.value, dict):
        return _parsed(lambda: teams.parse_submit(incoming.value))
    return slash_commands.parse_said(incoming.said, is_shared=not incoming.is_personal)


def pressed(incoming: Incoming) -> Action:
    try:
        action = msgspec.convert(incoming.value, Press).action
    except msgspec.ValidationError:
        return Action(verb="")
    return _parsed(lambda: teams.parse_execute(action.verb, action.data))


def _parsed(parse: Callable[[], Action]) -> Action:
    """A button that is not ours becomes a verb nobody knows, which is answered as out of date."""
    try:
        return parse()
    except ValueError:
        return Action(verb="")
