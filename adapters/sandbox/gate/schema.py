"""What a JSON Schema made from Slack's TypeScript types says of a payload (`regenerate.py` makes it)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Any

from jsonschema.exceptions import ValidationError
from jsonschema.protocols import Validator

from adapters.sandbox.gate.alternatives import validator
from adapters.sandbox.gate.problem import Kind, Problem

_ROOTS: Mapping[Kind, Mapping[str, Any]] = {
    # chat.postMessage has arguments that are no business of Block Kit, such as `channel`.
    "message": {"type": "object", "properties": {"blocks": {"$ref": "#/definitions/Blocks"}}},
    "home": {"$ref": "#/definitions/HomeView"},
    "modal": {"$ref": "#/definitions/ModalView"},
}


def schema_problems(kind: Kind, payload: Mapping[str, Any]) -> list[Problem]:
    errors = _validator(kind).iter_errors(payload)
    return [_problem(cause) for error in errors for cause in _causes(error)]


@cache
def _validator(kind: Kind) -> Validator:
    definitions = json.loads(Path(__file__).with_name("slack_types.schema.json").read_text())
    return validator({**_ROOTS[kind], "definitions": definitions})


def _causes(error: ValidationError) -> Iterator[ValidationError]:
    """Follow the one alternative that was meant, instead of saying that none fits: the one whose `type` is the value's."""
    alternatives = [branch for branch in _alternatives(error.context or ()) if not any(_is_about_type(cause) for cause in branch)]
    if len(alternatives) == 1:
        for cause in alternatives[0]:
            yield from _causes(cause)
    else:
        yield error


def _alternatives(context: Sequence[ValidationError]) -> list[list[ValidationError]]:
    def alternative(cause: ValidationError) -> int:
        return int(cause.relative_schema_path[0])

    return [list(branch) for _, branch in groupby(sorted(context, key=alternative), key=alternative)]


def _is_about_type(cause: ValidationError) -> bool:
    """Is it the `type` of the value itself that does not fit? Of a deeper value it says nothing about which alternative was meant."""
    if cause.relative_path or not cause.context:
        return list(cause.relative_path) == ["type"]
    return all(any(map(_is_about_type, branch)) for branch in _alternatives(cause.context))


def _problem(error: ValidationError) -> Problem:
    pointer = "".join(f"/{str(step).replace('~', '~0').replace('/', '~1')}" for step in error.absolute_path)
    value: object = error.validator_value
    wanted: list[object] = value if isinstance(value, list) else [value]
    expected = tuple(str(one) for one in wanted if isinstance(one, int | str))
    return Problem(pointer, f"breaks {error.validator} {_expected(error)}", str(error.validator), expected)


def _expected(error: ValidationError) -> str:
    """Say what the schema wants; alternatives and lists of keys are too long to be of help."""
    value: object = error.validator_value
    return str(value) if isinstance(value, int | str) else f"of {'/'.join(map(str, error.schema_path))}"
