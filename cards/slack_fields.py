"""The fields of a form as Slack's input blocks, and what was said in them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, assert_never

import msgspec

from bot.page import Checkboxes, Field, Input, Option, Select
from cards import limits, markup

Json = dict[str, Any]


class _Chosen(msgspec.Struct):
    value: str = ""


class _Said(msgspec.Struct):
    """https://docs.slack.dev/reference/interaction-payloads/view-interactions-payload"""

    value: str | None = None
    selected_option: _Chosen | None = None
    selected_options: list[_Chosen] = []


def block(field: Field) -> Json:
    """Return the input block; complaints find it by the field's name. Raises ValueError for an option that is too long."""
    drawn: Json = {"type": "input", "block_id": field.name, "label": _plain(field.label, limits.LABEL), "element": _element(field)}
    if field.hint is not None:
        drawn["hint"] = _plain(field.hint, limits.LABEL)
    if isinstance(field, Checkboxes):
        drawn["optional"] = True
    return drawn


def said(values: object) -> Mapping[str, str]:
    """Return what the fields of a submitted view say, by name. Raises ValueError when it is not the state of a view."""
    try:
        blocks = msgspec.convert(values, dict[str, dict[str, _Said]])
    except msgspec.ValidationError as error:
        raise ValueError("not the state of a form of ours") from error
    return {name: _text(field) for fields in blocks.values() for name, field in fields.items()}


def _element(field: Field) -> Json:
    match field:
        case Input():
            return {"type": "plain_text_input", "action_id": field.name, "max_length": min(field.longest, limits.INPUT)}
        case Select():
            options, chosen = _options(field.options[: limits.SELECT_OPTIONS], (field.chosen,))
            element: Json = {"type": "static_select", "action_id": field.name, "options": options}
            return element | ({"initial_option": chosen[0]} if chosen else {})
        case Checkboxes():
            options, chosen = _options(field.options[: limits.CHECKBOXES], field.chosen)
            element = {"type": "checkboxes", "action_id": field.name, "options": options}
            return element | ({"initial_options": chosen} if chosen else {})
        case _:
            assert_never(field)


def _options(options: tuple[Option, ...], chosen: tuple[str | None, ...]) -> tuple[list[Json], list[Json]]:
    """All of them, and those that are chosen at first."""
    drawn = [_option(option) for option in options]
    return drawn, [option for option in drawn if option["value"] in chosen]


def _option(option: Option) -> Json:
    if len(option.value) > limits.OPTION_VALUE:
        raise ValueError(f"the value of an option is longer than Slack's {limits.OPTION_VALUE} characters")
    return {"text": _plain(option.label, limits.OPTION), "value": option.value}


def _text(said: _Said) -> str:
    if said.selected_option is not None:
        return said.selected_option.value
    return " ".join(chosen.value for chosen in said.selected_options) or said.value or ""


def _plain(text: str, limit: int) -> Json:
    return {"type": "plain_text", "text": markup.visible(text, limit), "emoji": False}
