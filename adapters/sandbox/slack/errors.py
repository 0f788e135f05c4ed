"""How a Web API method refuses: `{"ok": false, "error": ...}` with what some errors add."""

from __future__ import annotations

from collections.abc import Sequence

from adapters.sandbox.slack.records import Json


class MethodError(Exception):
    def __init__(self, error: str, **details: object) -> None:
        super().__init__(error)
        self.answer: Json = {"ok": False, "error": error, **details}


def complaints(lines: Sequence[str]) -> Json:
    """The `response_metadata` that explains an error."""
    return {"messages": [f"[ERROR] {line}" for line in lines]}


def missing(name: str) -> MethodError:
    return MethodError("missing_argument", response_metadata=complaints([f"missing required field: {name}"]))
