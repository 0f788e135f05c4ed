"""Where a person allows the app: `/oauth/v2/authorize`, and its page (https://docs.slack.dev/authentication/installing-with-oauth)."""

from __future__ import annotations

import html
from collections.abc import Mapping
from urllib.parse import urlencode, urlsplit

from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from adapters.sandbox.slack.codes import Consent
from adapters.sandbox.slack.platform import Platform
from adapters.sandbox.slack.records import UserKind

PATH = "/oauth/v2/authorize"
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_HEADERS = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'", "Cache-Control": "no-store"}


def authorize(platform: Platform, request: Request) -> Response:
    """Redirect with a code, or with `access_denied`; where nobody has decided yet, ask the person who looks at this page."""
    query = request.query_params
    redirect_url = query.get("redirect_uri", "")
    back = redirect_url or next(iter(platform.app.redirect_urls), "")
    problem = _problem(platform, query, back)
    if problem is not None:
        return _page(f"<h1>Something went wrong</h1><p>Slack says: <code>{problem}</code>. Go back to the app and try again.</p>", 400)
    scopes, user_scopes = _scopes(query.get("scope", "")), _scopes(query.get("user_scope", ""))
    consent = platform.consent or _decided(platform, query)
    if consent is None:
        return _page(_question(platform, query, scopes), 200)
    if consent.is_allowed:
        answer = {"code": platform.codes.issue(consent, scopes, user_scopes, redirect_url)}
    else:
        answer = {"error": "access_denied"}
    state = {"state": query["state"]} if "state" in query else {}
    return RedirectResponse(f"{back}{'&' if urlsplit(back).query else '?'}{urlencode(answer | state)}", 302)


def _problem(platform: Platform, query: QueryParams, back: str) -> str | None:
    """What Slack refuses on a page of its own, since there is nobody it could safely redirect to."""
    if query.get("client_id") != platform.app.client_id:
        return "invalid_client_id"
    allowed = any(back.startswith(url) for url in platform.app.redirect_urls) or (
        not platform.app.redirect_urls and urlsplit(back).hostname in _LOOPBACK
    )
    if not allowed:
        return "bad_redirect_uri"
    return None if _scopes(query.get("scope", "")) or _scopes(query.get("user_scope", "")) else "invalid_scope"


def _scopes(text: str) -> frozenset[str]:
    return frozenset(text.replace(" ", ",").split(",")) - {""}


def _decided(platform: Platform, query: QueryParams) -> Consent | None:
    if "decision" not in query:
        return None
    declined = platform.app.optional_scopes - set(query.getlist("optional"))
    place, _, user_id = query.get("as", "").partition("/")
    return Consent(user_id=user_id, place=place, is_allowed=query["decision"] == "allow", declined=frozenset(declined))


def _question(platform: Platform, query: QueryParams, scopes: frozenset[str]) -> str:
    """Who installs where, which optional scopes, and yes or no."""
    kept = "".join(f'<input type="hidden" name="{_h(name)}" value="{_h(value)}">' for name, value in query.multi_items())
    places = "".join(f'<option value="{_h(value)}">{_h(label)}</option>' for value, label in _places(platform).items())
    needed = "".join(f"<li><code>{_h(scope)}</code></li>" for scope in sorted(scopes - platform.app.optional_scopes))
    optional = "".join(
        f'<label><input type="checkbox" name="optional" value="{_h(scope)}" checked> <code>{_h(scope)}</code> (optional)</label><br>'
        for scope in sorted(scopes & platform.app.optional_scopes)
    )
    return (
        f"<h1>Surveybot asks for access to this simulated Slack</h1><form>{kept}<p><label>Install as <select name='as'>{places}</select>"
        f"</label></p><p>It would be able to:</p><ul>{needed}</ul><p>{optional}</p>"
        "<button name='decision' value='allow'>Allow</button> <button name='decision' value='deny'>Cancel</button></form>"
    )


def _places(platform: Platform) -> Mapping[str, str]:
    """A member of each workspace, and of each organisation where the app is ready for it."""
    found: dict[str, str] = {}
    for workspace in platform.workspaces.values():
        member = next((user for user in workspace.users.values() if user.kind is UserKind.MEMBER), None)
        if member is not None:
            found[f"{workspace.team_id}/{member.user_id}"] = f"{member.name}, in {workspace.team_name}"
            organisation = workspace.organisation
            if organisation is not None and platform.app.is_org_ready:
                found[f"{organisation.enterprise_id}/{member.user_id}"] = f"{member.name}, for all of {organisation.name}"
    return found


def _h(text: str) -> str:
    return html.escape(text)


def _page(body: str, status: int) -> Response:
    style = "body{font:16px/1.5 system-ui;max-width:36rem;margin:3rem auto;padding:0 1rem}button{font:inherit;padding:.4rem 1rem}"
    head = (
        f"<meta charset='utf-8'><meta name='viewport' content='width=device-width'><title>Slack (simulated)</title><style>{style}</style>"
    )
    return HTMLResponse(f"<!doctype html><html lang='en'>{head}{body}", status, _HEADERS)
