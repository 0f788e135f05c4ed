"""OAuth 2.0 client credentials at `/oauth2/token` (reference qualtrics.md 8; refusals by RFC 6749 section 5.2)."""

from __future__ import annotations

from base64 import b64decode
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from adapters.sandbox.qualtrics.credentials import Access, Credentials

#: The path, and the name in `Tenant.calls`.
PATH = "/oauth2/token"


async def token_answer(credentials: Credentials, request: Request, *, is_home: bool) -> Response:
    """A token, or a refusal in OAuth's form. Away from home no client is known."""
    client = _client(credentials, request.headers.get("Authorization", "")) if is_home else None
    if client is None:
        return _refused(401, "invalid_client", {"WWW-Authenticate": "Basic"})
    form = parse_qs((await request.body()).decode("utf-8", "replace"))
    if form.get("grant_type") != ["client_credentials"]:
        return _refused(400, "unsupported_grant_type")
    scopes = form.get("scope", [""])[0].split()
    if not scopes or not (client.scopes or frozenset()).issuperset(scopes):
        return _refused(400, "invalid_scope")
    granted = {
        "access_token": credentials.issue(client.user_id, scopes),
        "token_type": "Bearer",
        "expires_in": credentials.token_seconds,
        "scope": " ".join(scopes),
    }
    return JSONResponse(granted, headers={"Cache-Control": "no-store"})


def _client(credentials: Credentials, authorization: str) -> Access | None:
    """The client of an HTTP Basic header; None when it is none, or unknown."""
    scheme, _, encoded = authorization.partition(" ")
    try:
        client_id, _, client_secret = b64decode(encoded, validate=True).decode().partition(":")
    except ValueError:
        return None
    return credentials.client(client_id, client_secret) if scheme.lower() == "basic" else None


def _refused(status: int, error: str, headers: dict[str, str] | None = None) -> Response:
    return JSONResponse({"error": error}, status, headers)
