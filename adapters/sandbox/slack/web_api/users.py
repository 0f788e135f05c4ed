"""People: `users.*`."""

from __future__ import annotations

import base64
from itertools import islice

from adapters.sandbox.slack.errors import MethodError
from adapters.sandbox.slack.objects import user_object
from adapters.sandbox.slack.records import Json, User, UserKind
from adapters.sandbox.slack.workspace import Workspace


def list_users(workspace: Workspace, arguments: Json) -> Json:
    """Pages as https://docs.slack.dev/apis/web-api/pagination says; without a limit, everybody at once."""
    total = len(workspace.users)
    start = _page_start(str(arguments.get("cursor") or ""))
    end = start + (int(arguments.get("limit") or 0) or total)
    cursor = base64.b64encode(f"user:{end}".encode()).decode() if end < total else ""
    with_locale = is_true(arguments.get("include_locale"))
    members = [user_object(workspace, user, with_locale=with_locale) for user in islice(workspace.users.values(), start, end)]
    return {"members": members, "cache_ts": int(workspace.clock().timestamp()), "response_metadata": {"next_cursor": cursor}}


def _page_start(cursor: str) -> int:
    try:
        return int(base64.b64decode(cursor, validate=True).decode().removeprefix("user:")) if cursor else 0
    except ValueError:  # binascii's is one
        raise MethodError("invalid_cursor") from None


def info(workspace: Workspace, arguments: Json) -> Json:
    user = known_user(workspace, arguments.get("user"))
    return {"user": user_object(workspace, user, with_locale=is_true(arguments.get("include_locale")))}


def lookup_by_email(workspace: Workspace, arguments: Json) -> Json:
    """Deactivated people are not found (slack.md 7)."""
    wanted = str(arguments.get("email")).casefold()
    for user in workspace.users.values():
        if user.email is not None and user.email.casefold() == wanted and user.kind not in {UserKind.DEACTIVATED, UserKind.STRANGER}:
            return {"user": user_object(workspace, user)}
    raise MethodError("users_not_found")


def known_user(workspace: Workspace, user_id: object) -> User:
    user = workspace.users.get(str(user_id))
    if user is None:
        raise MethodError("user_not_found")
    return user


def is_true(value: object) -> bool:
    return value in {True, "1", "true"}
