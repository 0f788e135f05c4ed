"""Home views and modals: `views.*`, and what the answer to a submitted form does (https://docs.slack.dev/surfaces/modals)."""

from __future__ import annotations

from typing import cast

from adapters.sandbox.gate import Kind, Problem
from adapters.sandbox.slack.errors import MethodError, complaints, missing
from adapters.sandbox.slack.objects import view_object
from adapters.sandbox.slack.records import Json, RefusedPayload
from adapters.sandbox.slack.web_api.content import pass_gate
from adapters.sandbox.slack.web_api.users import known_user
from adapters.sandbox.slack.workspace import Workspace

_MAX_STACK = 3


def publish(workspace: Workspace, arguments: Json) -> Json:
    user_id = known_user(workspace, arguments.get("user_id")).user_id
    view = _checked(workspace, "views.publish", "home", arguments)
    before = workspace.homes.get(user_id)
    _require_hash(before, arguments)
    workspace.homes[user_id] = view_object(workspace, view, before=before)
    workspace.changed()
    return {"view": workspace.homes[user_id]}


def open_view(workspace: Workspace, arguments: Json) -> Json:
    """In place of whatever modal is open."""
    user_id = workspace.use_trigger(arguments)
    view = _modal(workspace, "views.open", arguments)
    workspace.show_views(user_id, [view])
    return {"view": view}


def push(workspace: Workspace, arguments: Json) -> Json:
    """On top of the modal that the trigger came from; there are three at most."""
    user_id = workspace.use_trigger(arguments)
    stack = workspace.stacks.get(user_id)
    if not stack:
        raise MethodError("not_found")
    if len(stack) >= _MAX_STACK:
        raise MethodError("push_limit_reached")
    view = _modal(workspace, "views.push", arguments, below=stack[-1])
    workspace.show_views(user_id, [*stack, view])
    return {"view": view}


def update(workspace: Workspace, arguments: Json) -> Json:
    """By `view_id` or `external_id`, needing no trigger; with a `hash`, only if nobody was faster."""
    wanted = {key: arguments[key] for key in ("view_id", "external_id") if arguments.get(key)}
    if not wanted:
        raise missing("view_id")
    found = workspace.view_of(wanted.get("view_id"), wanted.get("external_id"))
    if found is None:
        raise MethodError("not_found")
    user_id, before = found
    _require_hash(before, arguments)
    view = _checked(workspace, "views.update", "home" if before["type"] == "home" else "modal", arguments)
    after = view_object(workspace, view, before=before)
    if before["type"] == "home":
        workspace.homes[user_id] = after
        workspace.changed()
    else:
        workspace.show_views(user_id, [after if one is before else one for one in workspace.stacks[user_id]])
    return {"view": after}


def answer_submission(workspace: Workspace, user_id: str, answer: Json) -> None:
    """Do what the acknowledgement of a submitted form says; without a word the form closes. Raises MethodError when Slack would refuse."""
    stack = workspace.stacks.get(user_id, [])
    match answer.get("response_action"):
        case None:
            workspace.close_view(user_id)
        case "clear":
            workspace.close_view(user_id, everything=True)
        case "errors":
            _show_errors(workspace, user_id, stack[-1], answer)
        case "update":
            view = _checked(workspace, "response_action", "modal", answer)
            workspace.show_views(user_id, [*stack[:-1], view_object(workspace, view, before=stack[-1])])
        case "push":
            workspace.show_views(user_id, [*stack, _modal(workspace, "response_action", answer, below=stack[-1])])
        case other:
            raise _refused(workspace, answer, Problem("/response_action", f"{other} is no response action"))


def _show_errors(workspace: Workspace, user_id: str, view: Json, answer: Json) -> None:
    """Slack shows errors under input blocks alone."""
    fields = {block["block_id"] for block in view["blocks"] if block["type"] == "input"}
    errors = answer.get("errors")
    if not isinstance(errors, dict) or not errors or not fields.issuperset(cast("Json", errors)):
        raise _refused(workspace, answer, Problem("/errors", "names no input block of the view"))
    workspace.view_errors[user_id] = cast("dict[str, str]", errors)
    workspace.changed()


def _refused(workspace: Workspace, answer: Json, problem: Problem) -> MethodError:
    workspace.refused.append(RefusedPayload(method="response_action", payload=answer, problems=(problem,)))
    return MethodError("invalid_arguments")


def _modal(workspace: Workspace, method: str, arguments: Json, *, below: Json | None = None) -> Json:
    view = view_object(workspace, _checked(workspace, method, "modal", arguments), below=below)
    if view["external_id"] and workspace.view_of(None, view["external_id"]) is not None:
        raise MethodError("duplicate_external_id")
    return view


def _require_hash(before: Json | None, arguments: Json) -> None:
    if arguments.get("hash") and before is not None and before["hash"] != arguments["hash"]:
        raise MethodError("hash_conflict")


def _checked(workspace: Workspace, method: str, kind: Kind, arguments: Json) -> Json:
    view = arguments.get("view")
    if not isinstance(view, dict):
        raise MethodError("invalid_arguments", response_metadata=complaints(["must provide an object [json-pointer:/view]"]))
    pass_gate(workspace, method, kind, cast("Json", view))
    return cast("Json", view)
