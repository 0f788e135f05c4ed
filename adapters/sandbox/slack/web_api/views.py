"""Home views and modals: `views.*`."""

from __future__ import annotations

from typing import cast

from adapters.sandbox.gate import Kind
from adapters.sandbox.slack.errors import MethodError, complaints
from adapters.sandbox.slack.objects import view_object
from adapters.sandbox.slack.records import Json
from adapters.sandbox.slack.web_api.content import pass_gate
from adapters.sandbox.slack.web_api.users import known_user
from adapters.sandbox.slack.workspace import Workspace


def publish(workspace: Workspace, arguments: Json) -> Json:
    user_id = known_user(workspace, arguments.get("user_id")).user_id
    view = checked(workspace, "views.publish", "home", arguments)
    before = workspace.homes.get(user_id)
    if arguments.get("hash") and before is not None and before["hash"] != arguments["hash"]:
        raise MethodError("hash_conflict")
    workspace.homes[user_id] = view_object(workspace, view)
    workspace.changed()
    return {"view": workspace.homes[user_id]}


def open_view(workspace: Workspace, arguments: Json) -> Json:
    user_id = workspace.use_trigger(str(arguments.get("trigger_id")))
    if user_id is None:
        raise MethodError("expired_trigger_id")
    workspace.modals[user_id] = view_object(workspace, checked(workspace, "views.open", "modal", arguments))
    workspace.changed()
    return {"view": workspace.modals[user_id]}


def checked(workspace: Workspace, method: str, kind: Kind, arguments: Json) -> Json:
    view = arguments.get("view")
    if not isinstance(view, dict):
        raise MethodError("invalid_arguments", response_metadata=complaints(["must provide an object [json-pointer:/view]"]))
    pass_gate(workspace, method, kind, cast("Json", view))
    return cast("Json", view)
