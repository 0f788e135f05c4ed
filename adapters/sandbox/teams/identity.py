"""A simulated Microsoft identity provider: signing keys, what is signed with them, and tokens for the bot.

It is served over TLS, because MSAL takes no other; whoever asks trusts its certificate by `REQUESTS_CA_BUNDLE`.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import Any
from urllib.parse import parse_qsl

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

ISSUER = "https://api.botframework.com"
HOUR_S = 3600


@dataclass(slots=True)
class Key:
    """One signing key. Making one takes a tenth of a second."""

    kid: str
    private: rsa.RSAPrivateKey = field(default_factory=lambda: rsa.generate_private_key(65537, 2048))

    def public(self) -> dict[str, Any]:
        return json.loads(RSAAlgorithm.to_jwk(self.private.public_key())) | {"kid": self.kid, "endorsements": ["msteams"]}


@dataclass(slots=True)
class IdentityProvider:
    app_id: str
    password: str
    key: Key
    #: Where it is served, without a slash at its end.
    url: str = ""
    #: What the bot was given, newest last.
    tokens: list[str] = field(default_factory=list[str])
    #: How often keys were asked for.
    looks: int = 0
    #: How often it was asked where tokens are given.
    discoveries: int = 0
    #: What an administrator has granted the bot in Microsoft Graph.
    roles: set[str] = field(default_factory=set[str])
    #: Every address answers 503.
    is_down: bool = False

    def sign(self, service_url: str, **changes: Any) -> str:  # noqa: ANN401 - any claim
        """Return what Teams sends with an activity."""
        now = int(time.time())
        claims = {"iss": ISSUER, "aud": self.app_id, "serviceurl": service_url, "nbf": now - 60, "exp": now + HOUR_S, **changes}
        return jwt.encode(claims, self.key.private, algorithm="RS256", headers={"kid": self.key.kid})

    def app(self) -> Starlette:
        routes = [
            Route("/openid", self._metadata),
            Route("/keys", self._keys),
            Route("/{tenant}/v2.0/.well-known/openid-configuration", self._tenant),
            Route("/{tenant}/.well-known/openid-configuration", self._tenant),
            Route("/{tenant}/token", self._token, methods=["POST"]),
        ]
        return Starlette(routes=routes)

    async def _metadata(self, _request: Request) -> Response:
        return self._answer({"issuer": ISSUER, "jwks_uri": f"{self.url}/keys", "id_token_signing_alg_values_supported": ["RS256"]})

    async def _keys(self, _request: Request) -> Response:
        self.looks += 1
        return self._answer({"keys": [self.key.public()]})

    async def _tenant(self, request: Request) -> Response:
        self.discoveries += 1
        tenant = f"{self.url}/{request.path_params['tenant']}"
        found = {"issuer": f"{tenant}/v2.0", "authorization_endpoint": f"{tenant}/authorize", "token_endpoint": f"{tenant}/token"}
        return self._answer(found)

    async def _token(self, request: Request) -> Response:
        asked = dict(parse_qsl((await request.body()).decode()))
        if (asked.get("client_id"), asked.get("client_secret")) != (self.app_id, self.password):
            return self._answer({"error": "invalid_client", "error_codes": [7000215]}, 401)
        self.tokens.append(f"token-{len(self.tokens) + 1}" if asked["scope"].startswith(ISSUER) else self._graph_token())
        return self._answer({"token_type": "Bearer", "expires_in": HOUR_S, "access_token": self.tokens[-1]})

    def _graph_token(self) -> str:
        claims = {"roles": sorted(self.roles), "jti": len(self.tokens)}
        return jwt.encode(claims, self.key.private, algorithm="RS256", headers={"kid": self.key.kid})

    def _answer(self, body: dict[str, Any], status: int = 200) -> Response:
        return Response(status_code=503) if self.is_down else JSONResponse(body, status, {"Date": formatdate(usegmt=True)})
