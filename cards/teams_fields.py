"""The fields of a form as inputs of an Adaptive Card, and what was said in them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, assert_never

from bot.page import Checkboxes, Field, Input, Option, Select
from cards import limits, markup, words

Json = dict[str, Any]

#: At the end of an input's id: several choices come back in it, joined by commas
#: (https://learn.microsoft.com/en-us/adaptive-cards/authoring-cards/input-validation).
_MANY = "[]"


def inputs(field: Field) -> Iterator[Json]:
    """Draw a field, and its hint below it."""
    label = markup.card_text(field.label, limits.TEAMS_LABEL)
    match field:
        case Input():
            must = {"isRequired": True, "errorMessage": words.REQUIRED}
            yield {"type": "Input.Text", "id": field.name, "label": label, **must, "maxLength": field.longest}
        case Select():
            first = {} if field.chosen is None else {"value": field.chosen}
            yield {"type": "Input.ChoiceSet", "id": field.name, "label": label, "wrap": True, "choices": _choices(field.options), **first}
        case Checkboxes():
            many = {"id": field.name + _MANY, "isMultiSelect": True, "style": "expanded", "value": ",".join(field.chosen)}
            yield {"type": "Input.ChoiceSet", "label": label, "wrap": True, "choices": _choices(field.options), **many}
        case _:
            assert_never(field)
    if field.hint is not None:
        hint = {"type": "TextRun", "text": markup.card_text(field.hint, limits.TEAMS_PHRASE), "isSubtle": True, "size": "small"}
        yield {"type": "RichTextBlock", "spacing": "none", "inlines": [hint]}


def said(data: Mapping[str, str]) -> Mapping[str, str]:
    """Return the data of an action with what was chosen of several joined by spaces, as pages have it."""
    return {name.removesuffix(_MANY): value.replace(",", " ") if name.endswith(_MANY) else value for name, value in data.items()}


def _choices(options: tuple[Option, ...]) -> list[Json]:
    return [{"title": markup.card_text(option.label, limits.TEAMS_LABEL), "value": option.value} for option in options]
