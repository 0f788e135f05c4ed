"""People: `users.*`."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence

from adapters.sandbox.slack.errors import MethodError
from adapters.sandbox.slack.objects import user_object
from adapters.sandbox.slack.records import Json, User, UserKind
from adapters.sandbox.slack.workspace import Workspace


def list_users(workspace: Workspace, arguments: Json) -> Json:
    """Pages as https://docs.slack.dev/apis/web-api/pagination says; without a limit, everybody at once."""
    users = list(workspace.users.values())
    start = _page_start(users, str(arguments.get("cursor") or ""))
    end = start + (int(arguments.get("limit") or 0) or len(users))
    cursor = base64.b64encode(f"user:{users[end].user_id}".encode()).decode() if end < len(users) else ""
    members = [user_object(workspace, user, with_locale=is_true(arguments.get("include_locale"))) for user in users[start:end]]
    return {"members": members, "cache_ts": int(workspace.clock().timestamp()), "response_metadata": {"next_cursor": cursor}}


def _page_start(users: Sequence[User], cursor: str) -> int:
    try:
        first = base64.b64decode(cursor, validate=True).decode().removeprefix("user:")
        return [user.user_id for user in users].index(first) if cursor else 0
    except (binascii.Error, ValueError):
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
