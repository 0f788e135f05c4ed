"""What the validators in `slack_sdk.models` say of a payload that has the right shape."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from slack_sdk.errors import SlackObjectFormationError
from slack_sdk.models.blocks import Block
from slack_sdk.models.views import View

from adapters.sandbox.gate.problem import Kind, Problem

# slack_sdk 3.47.0 has no class for it and parses it to None; `@slack/types` 3.2.0 has it, so the schema has looked at it.
_UNKNOWN_TO_SDK = {"data_table"}


def model_problems(kind: Kind, payload: Mapping[str, Any]) -> list[Problem]:
    """Ask the models. The payload must have passed the schema: on other input they raise whatever they like."""
    found = [problem for index, block in enumerate(payload.get("blocks", ())) for problem in _block_problems(f"/blocks/{index}", block)]
    if kind != "message":
        found.extend(_complaints("", View(**payload).validate_json))
    return found


def _block_problems(pointer: str, block: Mapping[str, Any]) -> Iterator[Problem]:
    if block["type"] not in _UNKNOWN_TO_SDK:
        (model,) = Block.parse_all([dict(block)])
        yield from _complaints(pointer, model.to_dict)  # calls validate_json on the block and on everything in it


def _complaints(pointer: str, validate: Callable[[], object]) -> Iterator[Problem]:
    try:
        validate()
    except SlackObjectFormationError as error:
        yield Problem(pointer, f"slack_sdk: {error}")
