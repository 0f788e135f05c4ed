"""Who sends us activities: the SDK's token check behind our own, and what it leaves open (reference teams.md 2.2, 2.3).

Everything that is wrong with a token answers 401, everything that is wrong with who is talked about 403. The SDK's check
fetches keys with blocking calls, so that it runs in a thread of its own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from typing import Any

import jwt
import requests
from botbuilder.schema import Activity
from botframework.connector.auth import (
    AuthenticateRequestResult,
    AuthenticationConfiguration,
    BotFrameworkAuthenticationFactory,
    JwtTokenExtractor,
    PasswordServiceClientCredentialFactory,
)

from adapters.teams.keys import SigningKeys
from adapters.teams.registration import Registration
from adapters.teams.wire import Incoming
from bot.errors import Unavailable

CHANNEL = "msteams"
#: For the keys, where they have to be fetched. Teams gives up after 15.
_PATIENCE_SECONDS = 10


class Refused(Exception):
    """This request is not answered."""

    def __init__(self, status: HTTPStatus) -> None:
        super().__init__(status.phrase)
        self.status = status


class Doorkeeper:
    def __init__(self, registration: Registration) -> None:
        self._registration = registration
        cloud = registration.cloud
        keys: Any = SigningKeys(cloud.openid_url)
        JwtTokenExtractor.metadataCache[cloud.openid_url] = keys
        self._pool = ThreadPoolExecutor(2, thread_name_prefix="teams-keys")
        self._authentication: Any = BotFrameworkAuthenticationFactory.create(
            validate_authority=True,
            to_channel_from_bot_login_url=cloud.login_url,
            to_channel_from_bot_oauth_scope=cloud.scope,
            to_bot_from_channel_token_issuer=cloud.issuer,
            to_bot_from_channel_open_id_metadata_url=cloud.openid_url,
            to_bot_from_emulator_open_id_metadata_url=cloud.openid_url,
            credential_factory=PasswordServiceClientCredentialFactory(registration.app_id),
            auth_configuration=AuthenticationConfiguration(),
        )

    async def admit(self, incoming: Incoming, header: str) -> AuthenticateRequestResult:
        """Return the SDK's result for an activity that Teams has sent to this bot, about its own tenant.

        Raises Refused, or Unavailable when Microsoft's keys cannot be fetched.
        """
        _check_form(header, self._registration.cloud.issuer)
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                result = await asyncio.get_running_loop().run_in_executor(self._pool, self._authenticated, incoming, header)
        except TimeoutError as error:
            raise Unavailable("Microsoft's signing keys are not told") from error
        self._check_subject(incoming)
        return result

    async def aclose(self) -> None:
        await asyncio.to_thread(self._pool.shutdown)

    def _authenticated(self, incoming: Incoming, header: str) -> AuthenticateRequestResult:
        activity = Activity(type=incoming.type, channel_id=incoming.channel_id, service_url=incoming.service_url)
        try:
            return asyncio.run(self._authentication.authenticate_request(activity, header))
        except requests.RequestException as error:
            raise Unavailable("Microsoft's signing keys cannot be fetched") from error
        except Exception as error:  # the SDK raises whatever it stumbles over
            raise Refused(HTTPStatus.UNAUTHORIZED) from error

    def _check_subject(self, incoming: Incoming) -> None:
        """What a good token leaves open: a bot's tokens are the same for all tenants, and the address to answer to is anybody's word."""
        registration = self._registration
        if incoming.channel_id != CHANNEL or incoming.tenants != {registration.tenant_id}:
            raise Refused(HTTPStatus.FORBIDDEN)
        if not registration.cloud.serves(incoming.service_url):
            raise Refused(HTTPStatus.FORBIDDEN)


def _check_form(header: str, issuer: str) -> None:
    """Refuse what the SDK would take for a token of an emulator or of another bot, which it checks differently, or without an end."""
    scheme, _, token = header.partition(" ")
    try:
        kind: Mapping[str, Any] = jwt.get_unverified_header(token)
        claims: Mapping[str, Any] = jwt.decode(token, options={"verify_signature": False})
    except jwt.PyJWTError as error:
        raise Refused(HTTPStatus.UNAUTHORIZED) from error
    if scheme != "Bearer" or kind.get("alg") != "RS256" or "kid" not in kind or claims.get("iss") != issuer or "exp" not in claims:
        raise Refused(HTTPStatus.UNAUTHORIZED)
