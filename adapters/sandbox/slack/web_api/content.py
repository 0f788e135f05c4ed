"""The content of messages and views on its way through the gate, and `blocks.validate`."""

from __future__ import annotations

from typing import cast

from adapters.sandbox.gate import Kind, Problem, problems
from adapters.sandbox.slack.errors import MethodError, complaints
from adapters.sandbox.slack.records import Json, RefusedPayload
from adapters.sandbox.slack.workspace import Workspace


def content(workspace: Workspace, method: str, arguments: Json) -> tuple[str, list[Json]]:
    """Return text and blocks of a message that passed the gate. Raises MethodError as the live service was measured to (slack.md 2)."""
    text, blocks = str(arguments.get("text") or ""), arguments.get("blocks") or []
    if not isinstance(blocks, list):
        raise MethodError("invalid_blocks_format")
    if not text and not blocks:
        raise MethodError("no_text")
    pass_gate(workspace, method, "message", {"text": text, "blocks": blocks})
    return text, cast("list[Json]", blocks)


def pass_gate(workspace: Workspace, method: str, kind: Kind, payload: Json) -> None:
    """Raises MethodError: `invalid_blocks` for a message, `invalid_arguments` for a view.

    Shapes: https://github.com/slackapi/python-slack-sdk/issues/1658, https://github.com/imryche/blockkit/issues/105
    """
    found = problems(kind, payload)
    if not found:
        return
    workspace.refused.append(RefusedPayload(method=method, payload=payload, problems=tuple(found)))
    if kind == "message":
        lines = [f"{problem.message} [json-pointer:{problem.pointer}]" for problem in found]
        raise MethodError("invalid_blocks", errors=lines, response_metadata=complaints(lines))
    raise MethodError("invalid_arguments", response_metadata=complaints([f"{p.message} [json-pointer:/view{p.pointer}]" for p in found]))


def validate(_: Workspace, arguments: Json) -> Json:
    """Judge without keeping: https://docs.slack.dev/reference/methods/blocks.validate"""
    given = [name for name in ("blocks", "message", "view") if arguments.get(name) is not None]
    if len(given) != 1:
        raise MethodError("invalid_arguments", response_metadata=complaints(["provide exactly one of blocks, message, view"]))
    name, payload = given[0], arguments[given[0]]
    if name == "blocks":
        found = [(p.pointer.removeprefix("/blocks"), p) for p in problems("message", {"text": "any", "blocks": payload})]
    else:
        kind = "message" if name == "message" else "home" if payload.get("type") == "home" else "modal"
        found = [(p.pointer, p) for p in problems(kind, payload)]
    if found:
        raise MethodError(f"invalid_{name}", errors=[_validation_error(payload, pointer, problem) for pointer, problem in found])
    return {}


def _validation_error(payload: object, pointer: str, problem: Problem) -> Json:
    """What was got is told by its type alone: the payload may be somebody's."""
    constraint = {"type": problem.constraint, "expected": list(problem.expected), "got": _type_at(payload, pointer)}
    error: Json = {"pointer": pointer, "code": "failed_constraint", "message": problem.message}
    return error | {"constraint": constraint} if problem.constraint else error


def _type_at(payload: object, pointer: str) -> str:
    for step in pointer.split("/")[1:]:
        payload = cast("Json", payload)[step] if isinstance(payload, dict) else cast("list[object]", payload)[int(step)]
    match payload:
        case None:
            return "null"
        case bool():
            return "boolean"
        case str():
            return "string"
        case int() | float():
            return "number"
        case list():
            return "array"
        case _:
            return "object"
