"""The Web API of the simulated Slack: what a method needs, and what follows `"ok": true`.

Error names are those of each method's page under https://docs.slack.dev/reference/methods and of the reference slack.md 2 and 7.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from adapters.sandbox.slack.errors import MethodError, missing
from adapters.sandbox.slack.installations import Token
from adapters.sandbox.slack.platform import Platform
from adapters.sandbox.slack.records import Json
from adapters.sandbox.slack.web_api import access, chat, content, conversations, users, views
from adapters.sandbox.slack.workspace import Workspace

#: Methods about a workspace, each with the scope it needs.
_IN_A_WORKSPACE: Mapping[str, tuple[Callable[[Workspace, Json], Json], str | None]] = {
    "blocks.validate": (content.validate, None),
    "chat.delete": (chat.delete, "chat:write"),
    "chat.postEphemeral": (chat.post_ephemeral, "chat:write"),
    "chat.postMessage": (chat.post_message, "chat:write"),
    "chat.update": (chat.update, "chat:write"),
    "conversations.history": (conversations.history, "im:history"),
    "conversations.info": (conversations.info, "channels:read"),
    "conversations.members": (conversations.members, "channels:read"),
    "conversations.open": (conversations.open_conversation, "im:write"),
    "users.info": (users.info, "users:read"),
    "users.list": (users.list_users, "users:read"),
    "users.lookupByEmail": (users.lookup_by_email, "users:read.email"),
    "views.open": (views.open_view, None),
    "views.publish": (views.publish, None),
    "views.push": (views.push, None),
    "views.update": (views.update, None),
}
#: Methods about whoever calls.
_BY_TOKEN: Mapping[str, tuple[Callable[[Platform, Token, Json], Json], str | None]] = {
    "apps.uninstall": (access.uninstall, None),
    "auth.revoke": (access.revoke, None),
    "auth.teams.list": (access.list_teams, None),
    "auth.test": (access.test, None),
    "team.info": (access.team_info, "team:read"),
}
#: Methods that anybody may call.
_OPEN: Mapping[str, Callable[[Platform, Json], Json]] = {"oauth.v2.access": access.exchange}
#: With an org-wide token these must be told which workspace is meant (https://docs.slack.dev/enterprise/organization-ready-apps).
_NEED_TEAM_ID = frozenset({"conversations.list", "users.list"})


def call(platform: Platform, token_value: str, method: str, arguments: Json) -> tuple[Json, frozenset[str]]:
    """Return the answer of a method, with its `ok`, and the scopes of the caller. Raises MethodError."""
    if method in _OPEN:
        platform.count(method, "")
        return {"ok": True, **_OPEN[method](platform, arguments)}, frozenset()
    if method == "apps.connections.open":
        platform.count(method, "")
        return {"ok": True, **access.open_connection(platform, token_value)}, frozenset({"connections:write"})
    token = platform.tokens.authenticate(token_value)
    if method in _BY_TOKEN:
        work, scope = _BY_TOKEN[method]
        _require(scope, token)
        platform.count(method, token.installation.team_id or str(token.installation.enterprise_id))
        return {"ok": True, **work(platform, token, arguments)}, frozenset(token.scopes)
    if method not in _IN_A_WORKSPACE:
        raise MethodError("unknown_method", req_method=method)
    function, scope = _IN_A_WORKSPACE[method]
    _require(scope, token)
    if token.installation.is_org_wide and method in _NEED_TEAM_ID and not arguments.get("team_id"):
        raise missing("team_id")
    workspace = platform.workspace_for(token, arguments)
    platform.count(method, workspace.team_id, arguments.get("channel"))
    return {"ok": True, **function(workspace, arguments)}, frozenset(token.scopes)


def scope_of(method: str) -> str | None:
    """The scope that a method asks for; None: any token, or nobody's. Raises KeyError for a method that is not simulated."""
    return None if method in {*_OPEN, "apps.connections.open"} else (_BY_TOKEN.get(method) or _IN_A_WORKSPACE[method])[1]


def _require(scope: str | None, token: Token) -> None:
    if scope is not None and scope not in token.scopes:
        raise MethodError("missing_scope", needed=scope, provided=",".join(sorted(token.scopes)))
