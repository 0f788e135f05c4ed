"""Who calls and what they may touch: `auth.*`, `team.info`, `apps.uninstall`, and `oauth.v2.access`."""

from __future__ import annotations

from adapters.sandbox.slack.errors import MethodError, missing
from adapters.sandbox.slack.installations import Installation, Token, TokenKind
from adapters.sandbox.slack.platform import Platform
from adapters.sandbox.slack.records import Json
from adapters.sandbox.slack.web_api.users import is_true


def test(platform: Platform, token: Token, _: Json) -> Json:
    """Org-wide, Slack names the organisation where it otherwise names a workspace."""
    here = token.installation
    workspace = next(platform.workspaces_of(here))
    answer: Json = {
        "url": f"https://{workspace.team_domain}.slack.com/",
        "team": workspace.team_name,
        "user": workspace.users[token.user_id].name,
        "team_id": workspace.team_id,
        "user_id": token.user_id,
        "is_enterprise_install": here.is_org_wide,
    }
    if token.kind is TokenKind.BOT:
        answer["bot_id"] = here.bot_id
    if workspace.organisation is not None:
        answer["enterprise_id"] = workspace.enterprise_id
    if here.is_org_wide and workspace.organisation is not None:
        organisation = workspace.organisation
        answer |= {"url": f"https://{organisation.domain}.enterprise.slack.com/", "team": organisation.name, "team_id": here.enterprise_id}
    return answer


def list_teams(platform: Platform, token: Token, _: Json) -> Json:
    teams = [{"id": workspace.team_id, "name": workspace.team_name} for workspace in platform.workspaces_of(token.installation)]
    return {"teams": teams, "response_metadata": {"next_cursor": ""}}


def team_info(platform: Platform, token: Token, arguments: Json) -> Json:
    """An org-wide token that names no workspace is told of its organisation."""
    here = token.installation
    if here.is_org_wide and not arguments.get("team"):
        organisation = platform.organisations[str(here.enterprise_id)]
        return {"team": {"id": organisation.enterprise_id, "name": organisation.name, "domain": organisation.domain, "email_domain": ""}}
    workspace = platform.workspace_for(token, arguments)
    team: Json = {"id": workspace.team_id, "name": workspace.team_name, "domain": workspace.team_domain, "email_domain": ""}
    if workspace.organisation is not None:
        team |= {"enterprise_id": workspace.enterprise_id, "enterprise_name": workspace.organisation.name}
    return {"team": team}


def revoke(platform: Platform, token: Token, arguments: Json) -> Json:
    """With its bot's token an installation ends (https://docs.slack.dev/reference/methods/auth.revoke)."""
    if is_true(arguments.get("test")):
        return {"revoked": False}
    if token.kind is TokenKind.BOT:
        platform.uninstall(token.installation, "token_revoked")
    else:
        token.ended = "token_revoked"
        event: Json = {"type": "tokens_revoked", "tokens": {"oauth": [token.user_id], "bot": []}}
        platform.news.append((next(platform.workspaces_of(token.installation)), event))
    return {"revoked": True}


def uninstall(platform: Platform, token: Token, arguments: Json) -> Json:
    _authenticate_app(platform, arguments)
    platform.uninstall(token.installation)
    return {}


def exchange(platform: Platform, arguments: Json) -> Json:
    """`oauth.v2.access`: a code, once and within ten minutes, or a refresh token, once, becomes tokens."""
    _authenticate_app(platform, arguments)
    if arguments.get("grant_type") == "refresh_token":
        token = platform.tokens.refresh(str(arguments.get("refresh_token")))
        return _place(platform, token.installation) | _token(token)
    if not arguments.get("code"):
        raise MethodError("invalid_code") if "code" in arguments else missing("code")
    grant = platform.codes.spend(str(arguments["code"]), str(arguments.get("redirect_uri") or ""))
    bot = platform.install(grant.place, set(grant.scopes))
    answer = _place(platform, bot.installation) | _token(bot) | {"authed_user": {"id": grant.user_id}}
    if grant.user_scopes:
        rotates = platform.app.is_rotating
        user = platform.tokens.issue(bot.installation, TokenKind.USER, user_id=grant.user_id, scopes=grant.user_scopes, rotates=rotates)
        answer["authed_user"] |= _token(user)
    return answer


def open_connection(platform: Platform, token_value: str) -> Json:
    """`apps.connections.open`, with the app's own token: where one WebSocket can be opened."""
    if token_value != platform.app.app_token:
        platform.tokens.authenticate(token_value)
        raise MethodError("not_allowed_token_type")
    return {"url": platform.url.replace("http", "ws", 1) + platform.sockets.new_path()}


def _authenticate_app(platform: Platform, arguments: Json) -> None:
    """By the arguments, into which HTTP Basic was unfolded: the SDK sends that."""
    if arguments.get("client_id") != platform.app.client_id:
        raise MethodError("invalid_client_id")
    if arguments.get("client_secret") != platform.app.client_secret:
        raise MethodError("bad_client_secret")


def _place(platform: Platform, here: Installation) -> Json:
    organisation = platform.organisations.get(here.enterprise_id or "")
    team = None if here.team_id is None else {"id": here.team_id, "name": platform.workspaces[here.team_id].team_name}
    return {
        "app_id": platform.app.app_id,
        "team": team,
        "enterprise": None if organisation is None else {"id": organisation.enterprise_id, "name": organisation.name},
        "is_enterprise_install": here.is_org_wide,
    }


def _token(token: Token) -> Json:
    shown: Json = {"access_token": token.value, "token_type": token.kind.value, "scope": ",".join(sorted(token.scopes))}
    if token.kind is TokenKind.BOT:
        shown["bot_user_id"] = token.user_id
    if token.refresh_value is not None:
        shown |= {"refresh_token": token.refresh_value, "expires_in": 43_200}
    return shown
