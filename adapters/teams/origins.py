"""Where somebody asked: what is shown to them elsewhere remembers it, and is believed only as far as the roster there tells."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from bot.page import Action, AnyPage, Button, Buttons, Entry, Form

#: In the data of buttons and forms.
_NAME = "in"


def carrying(page: AnyPage, conversation_id: str) -> AnyPage:
    """Return the page with buttons and a form that remember the conversation."""
    own = {_NAME: conversation_id}
    changed: dict[str, Any] = {"elements": tuple(_carrying(element, own) for element in page.elements)}
    return replace(page, **changed | ({"action": _action(page.action, own)} if isinstance(page, Form) else {}))


def carried(action: Action) -> tuple[Action, str | None]:
    """Return the action as it was before, and the conversation it remembers."""
    return Action(verb=action.verb, data={name: it for name, it in action.data.items() if name != _NAME}), action.data.get(_NAME)


def _carrying(element: Any, own: Mapping[str, str]) -> Any:  # noqa: ANN401 - one of whatever a page is made of
    match element:
        case Buttons(buttons):
            return Buttons(tuple(_button(it, own) if isinstance(it, Button) else it for it in buttons))
        case Entry(button=button):
            return replace(element, button=_button(button, own))
        case _:
            return element


def _button(button: Button, own: Mapping[str, str]) -> Button:
    return replace(button, action=_action(button.action, own))


def _action(action: Action, own: Mapping[str, str]) -> Action:
    return Action(verb=action.verb, data={**action.data, **own})
