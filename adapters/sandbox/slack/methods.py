"""The Web API methods of the simulated Slack: each takes the workspace and parsed arguments, and returns what follows `"ok": true`.

Error names are those of each method's page under https://docs.slack.dev/reference/methods and of the reference slack.md 2 and 7.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping, Sequence
from typing import cast

from adapters.sandbox.gate import Kind, Problem, problems
from adapters.sandbox.slack.objects import conversation_object, message_object, user_object, view_object
from adapters.sandbox.slack.workspace import Conversation, ConversationKind, Json, RefusedPayload, User, UserKind, Workspace

Method = Callable[[Workspace, Json], Json]


class MethodError(Exception):
    """`{"ok": false, "error": ...}`, with what some errors add."""

    def __init__(self, error: str, **details: object) -> None:
        super().__init__(error)
        self.answer: Json = {"ok": False, "error": error, **details}


def call(workspace: Workspace, method: str, arguments: Json) -> Json:
    """Return the answer of a method to an authenticated caller, with its `ok`. Raises MethodError."""
    if method not in _METHODS:
        raise MethodError("unknown_method", req_method=method)
    function, scope = _METHODS[method]
    if scope is not None and scope not in workspace.scopes:
        raise MethodError("missing_scope", needed=scope, provided=",".join(sorted(workspace.scopes)))
    return {"ok": True, **function(workspace, arguments)}


def content(workspace: Workspace, method: str, arguments: Json) -> tuple[str, list[Json]]:
    """Return text and blocks of a message that passed the gate. Raises MethodError as the live service was measured to (slack.md 2)."""
    text, blocks = str(arguments.get("text") or ""), arguments.get("blocks") or []
    if not isinstance(blocks, list):
        raise MethodError("invalid_blocks_format")
    if not text and not blocks:
        raise MethodError("no_text")
    _pass_gate(workspace, method, "message", {"text": text, "blocks": blocks})
    return text, cast("list[Json]", blocks)


def _pass_gate(workspace: Workspace, method: str, kind: Kind, payload: Json) -> None:
    """Raises MethodError: `invalid_blocks` for a message, `invalid_arguments` for a view.

    Shapes: https://github.com/slackapi/python-slack-sdk/issues/1658, https://github.com/imryche/blockkit/issues/105
    """
    found = problems(kind, payload)
    if not found:
        return
    workspace.refused.append(RefusedPayload(method=method, payload=payload, problems=tuple(found)))
    if kind == "message":
        lines = [f"{problem.message} [json-pointer:{problem.pointer}]" for problem in found]
        raise MethodError("invalid_blocks", errors=lines, response_metadata=_messages(lines))
    raise MethodError("invalid_arguments", response_metadata=_messages([f"{p.message} [json-pointer:/view{p.pointer}]" for p in found]))


def _messages(lines: Sequence[str]) -> Json:
    return {"messages": [f"[ERROR] {line}" for line in lines]}


def _auth_test(workspace: Workspace, _: Json) -> Json:
    return {
        "url": f"https://{workspace.team_domain}.slack.com/",
        "team": workspace.team_name,
        "user": workspace.users[workspace.bot_user_id].name,
        "team_id": workspace.team_id,
        "user_id": workspace.bot_user_id,
        "bot_id": workspace.bot_id,
        "is_enterprise_install": False,
    }


def _team_info(workspace: Workspace, _: Json) -> Json:
    return {"team": {"id": workspace.team_id, "name": workspace.team_name, "domain": workspace.team_domain, "email_domain": ""}}


def _chat_post_message(workspace: Workspace, arguments: Json) -> Json:
    conversation = _destination(workspace, arguments)
    text, blocks = content(workspace, "chat.postMessage", arguments)
    message = workspace.post(
        conversation.conversation_id, sender=workspace.bot_user_id, text=text, blocks=blocks, metadata=arguments.get("metadata")
    )
    return {"channel": conversation.conversation_id, "ts": message.ts, "message": message_object(workspace, message)}


def _chat_post_ephemeral(workspace: Workspace, arguments: Json) -> Json:
    conversation = _destination(workspace, arguments)
    if arguments.get("user") not in conversation.members:
        raise MethodError("user_not_in_channel")
    text, blocks = content(workspace, "chat.postEphemeral", arguments)
    message = workspace.post(
        conversation.conversation_id, sender=workspace.bot_user_id, text=text, blocks=blocks, only_for=str(arguments["user"])
    )
    return {"message_ts": message.ts}


def _chat_update(workspace: Workspace, arguments: Json) -> Json:
    """Text without blocks removes the blocks (slack.md 5)."""
    conversation, ts = _own_message(workspace, arguments, "cant_update_message")
    text, blocks = content(workspace, "chat.update", arguments)
    message = workspace.edit(conversation.conversation_id, ts, text=text, blocks=blocks, metadata=arguments.get("metadata"))
    return {"channel": conversation.conversation_id, "ts": ts, "text": text, "message": message_object(workspace, message)}


def _chat_delete(workspace: Workspace, arguments: Json) -> Json:
    conversation, ts = _own_message(workspace, arguments, "cant_delete_message")
    workspace.delete(conversation.conversation_id, ts)
    return {"channel": conversation.conversation_id, "ts": ts}


def _own_message(workspace: Workspace, arguments: Json, not_mine: str) -> tuple[Conversation, str]:
    """An ephemeral message is found by its `response_url` alone (slack.md 5)."""
    conversation = _writable(workspace, arguments)
    ts = str(arguments.get("ts"))
    message = conversation.messages.get(ts)
    if message is None or message.only_for is not None:
        raise MethodError("message_not_found")
    if message.sender != workspace.bot_user_id:
        raise MethodError(not_mine)
    return conversation, ts


def _destination(workspace: Workspace, arguments: Json) -> Conversation:
    """Where to post: a conversation, or the direct message with the user whose id was given, deactivated or not (slack.md 7)."""
    user = workspace.users.get(str(arguments.get("channel")))
    return _writable(workspace, arguments) if user is None else _direct_message(workspace, user, unknown="channel_not_found")


def _direct_message(workspace: Workspace, user: User, *, unknown: str) -> Conversation:
    if user.kind is UserKind.BOT:
        raise MethodError("cannot_dm_bot")
    if user.kind is UserKind.STRANGER:
        raise MethodError(unknown)
    return workspace.direct_message(user.user_id)


def _writable(workspace: Workspace, arguments: Json) -> Conversation:
    conversation = _visible(workspace, arguments)
    if conversation.is_archived:
        raise MethodError("is_archived")
    if workspace.bot_user_id not in conversation.members and "chat:write.public" not in workspace.scopes:
        raise MethodError("not_in_channel")
    return conversation


def _visible(workspace: Workspace, arguments: Json) -> Conversation:
    """To the bot, a private channel it is not in does not exist."""
    if "channel" not in arguments:
        raise MethodError("invalid_arguments", response_metadata=_messages(["missing required field: channel"]))
    conversation = workspace.conversations.get(str(arguments["channel"]))
    if conversation is None or (conversation.kind is not ConversationKind.PUBLIC and workspace.bot_user_id not in conversation.members):
        raise MethodError("channel_not_found")
    return conversation


def _conversations_open(workspace: Workspace, arguments: Json) -> Json:
    if arguments.get("channel"):
        return {"channel": {"id": _visible(workspace, arguments).conversation_id}}
    if not arguments.get("users"):
        raise MethodError("users_list_not_supplied")
    user = _user(workspace, arguments["users"])
    if user.kind is UserKind.DEACTIVATED:
        raise MethodError("user_disabled")
    return {"channel": {"id": _direct_message(workspace, user, unknown="user_not_found").conversation_id}}


def _conversations_info(workspace: Workspace, arguments: Json) -> Json:
    return {"channel": conversation_object(workspace, _visible(workspace, arguments))}


def _users_list(workspace: Workspace, arguments: Json) -> Json:
    """Pages as https://docs.slack.dev/apis/web-api/pagination says; without a limit, everybody at once."""
    users = list(workspace.users.values())
    start = _page_start(users, str(arguments.get("cursor") or ""))
    end = start + (int(arguments.get("limit") or 0) or len(users))
    cursor = base64.b64encode(f"user:{users[end].user_id}".encode()).decode() if end < len(users) else ""
    members = [user_object(workspace, user, with_locale=_true(arguments.get("include_locale"))) for user in users[start:end]]
    return {"members": members, "cache_ts": int(workspace.clock().timestamp()), "response_metadata": {"next_cursor": cursor}}


def _page_start(users: Sequence[User], cursor: str) -> int:
    try:
        first = base64.b64decode(cursor, validate=True).decode().removeprefix("user:")
        return [user.user_id for user in users].index(first) if cursor else 0
    except (binascii.Error, ValueError):
        raise MethodError("invalid_cursor") from None


def _users_info(workspace: Workspace, arguments: Json) -> Json:
    user = _user(workspace, arguments.get("user"))
    return {"user": user_object(workspace, user, with_locale=_true(arguments.get("include_locale")))}


def _users_lookup_by_email(workspace: Workspace, arguments: Json) -> Json:
    """Deactivated people are not found (slack.md 7)."""
    wanted = str(arguments.get("email")).casefold()
    for user in workspace.users.values():
        if user.email is not None and user.email.casefold() == wanted and user.kind not in {UserKind.DEACTIVATED, UserKind.STRANGER}:
            return {"user": user_object(workspace, user)}
    raise MethodError("users_not_found")


def _user(workspace: Workspace, user_id: object) -> User:
    user = workspace.users.get(str(user_id))
    if user is None:
        raise MethodError("user_not_found")
    return user


def _true(value: object) -> bool:
    return value in {True, "1", "true"}


def _views_publish(workspace: Workspace, arguments: Json) -> Json:
    user_id = _user(workspace, arguments.get("user_id")).user_id
    view = _view(workspace, "views.publish", "home", arguments)
    before = workspace.homes.get(user_id)
    if arguments.get("hash") and before is not None and before["hash"] != arguments["hash"]:
        raise MethodError("hash_conflict")
    workspace.homes[user_id] = view_object(workspace, view)
    workspace.changed()
    return {"view": workspace.homes[user_id]}


def _views_open(workspace: Workspace, arguments: Json) -> Json:
    user_id = workspace.use_trigger(str(arguments.get("trigger_id")))
    if user_id is None:
        raise MethodError("expired_trigger_id")
    workspace.modals[user_id] = view_object(workspace, _view(workspace, "views.open", "modal", arguments))
    workspace.changed()
    return {"view": workspace.modals[user_id]}


def _view(workspace: Workspace, method: str, kind: Kind, arguments: Json) -> Json:
    view = arguments.get("view")
    if not isinstance(view, dict):
        raise MethodError("invalid_arguments", response_metadata=_messages(["must provide an object [json-pointer:/view]"]))
    _pass_gate(workspace, method, kind, cast("Json", view))
    return cast("Json", view)


def _blocks_validate(_: Workspace, arguments: Json) -> Json:
    """Judge without keeping: https://docs.slack.dev/reference/methods/blocks.validate"""
    given = [name for name in ("blocks", "message", "view") if arguments.get(name) is not None]
    if len(given) != 1:
        raise MethodError("invalid_arguments", response_metadata=_messages(["provide exactly one of blocks, message, view"]))
    name, payload = given[0], arguments[given[0]]
    if name == "blocks":
        found = [(p.pointer.removeprefix("/blocks"), p) for p in problems("message", {"text": "any", "blocks": payload})]
    else:
        kind = "message" if name == "message" else "home" if payload.get("type") == "home" else "modal"
        found = [(p.pointer, p) for p in problems(kind, payload)]
    if found:
        raise MethodError(f"invalid_{name}", errors=[_validation_error(pointer, problem) for pointer, problem in found])
    return {}


def _validation_error(pointer: str, problem: Problem) -> Json:
    return {"pointer": pointer, "code": "failed_constraint", "message": problem.message}


#: Each method with the scope it needs.
_METHODS: Mapping[str, tuple[Method, str | None]] = {
    "auth.test": (_auth_test, None),
    "blocks.validate": (_blocks_validate, None),
    "chat.delete": (_chat_delete, "chat:write"),
    "chat.postEphemeral": (_chat_post_ephemeral, "chat:write"),
    "chat.postMessage": (_chat_post_message, "chat:write"),
    "chat.update": (_chat_update, "chat:write"),
    "conversations.info": (_conversations_info, "channels:read"),
    "conversations.open": (_conversations_open, "im:write"),
    "team.info": (_team_info, "team:read"),
    "users.info": (_users_info, "users:read"),
    "users.list": (_users_list, "users:read"),
    "users.lookupByEmail": (_users_lookup_by_email, "users:read.email"),
    "views.open": (_views_open, None),
    "views.publish": (_views_publish, None),
}
