"""The bot's own access token: asked for once an hour by one caller, while the others go on with the one they have."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from functools import partial
from typing import Any

import msal
import requests
from msal.exceptions import MsalServiceError

from adapters.teams.registration import AppKind, Registration
from bot.errors import SurveybotError, Unauthorized, Unavailable

_TIMEOUT_SECONDS = 10
#: Of a token's life; after it a new one is asked for.
_FRESH = 0.8


class BotToken:
    """The SDK's own credentials would ask the identity provider for every message, in the event loop."""

    def __init__(self, registration: Registration) -> None:
        self._registration = registration
        self._asking = asyncio.Lock()
        self._token = ""
        self._fresh_until = self._good_until = 0.0
        #: Of the last time that none could be had, and when that was.
        self._failure: tuple[SurveybotError, float] | None = None

    async def get(self) -> str:
        """Return a token that is good now. Without one, raises Unauthorized (our registration is wrong) or Unavailable."""
        now = time.monotonic()
        is_good = now < self._good_until
        if now >= self._fresh_until and not (is_good and self._asking.locked()):
            async with self._asking:
                try:
                    await self._renew(now)
                except SurveybotError:
                    if not is_good:
                        raise
        return self._token

    def drop(self, token: str) -> None:
        """Forget a token that was refused."""
        if token == self._token:
            self._fresh_until = self._good_until = 0.0

    async def _renew(self, asked_at: float) -> None:
        now = time.monotonic()
        if now < self._fresh_until:  # another caller has just done it
            return
        if self._failure is not None and asked_at < self._failure[1]:  # or could not
            raise self._failure[0]
        try:
            await self._replace(now)
        except SurveybotError as error:
            self._failure = error, time.monotonic()
            raise

    async def _replace(self, now: float) -> None:
        answer = await asyncio.to_thread(_answer, self._registration)
        if "access_token" not in answer:
            codes = "".join(f" AADSTS{code}" for code in answer.get("error_codes") or ())
            raise Unauthorized(f"the identity provider gives the bot no token: {answer.get('error')}{codes}")
        seconds = float(answer.get("expires_in", 0))
        self._fresh_until, self._good_until, self._token = now + _FRESH * seconds, now + seconds, str(answer["access_token"])


def _answer(registration: Registration) -> Mapping[str, Any]:
    try:
        return _ask(registration)
    except (OSError, MsalServiceError) as error:  # those of requests, or certificates that cannot be read
        raise Unavailable("the identity provider does not answer") from error
    except (KeyError, ValueError) as error:  # no such tenant, an answer in no shape of theirs
        raise Unauthorized("the identity provider knows no such tenant or identity") from error


def _ask(registration: Registration) -> Mapping[str, Any]:
    """By a client made anew, for MSAL would answer with the token that is to be replaced."""
    scope = registration.cloud.scope
    if registration.kind is AppKind.MANAGED_IDENTITY:
        http: Any = requests.Session()
        http.request = partial(http.request, timeout=_TIMEOUT_SECONDS)
        identity = msal.ManagedIdentityClient(msal.UserAssignedManagedIdentity(client_id=registration.app_id), http_client=http)
        return identity.acquire_token_for_client(resource=scope)
    app = msal.ConfidentialClientApplication(
        registration.app_id,
        client_credential=registration.password,
        authority=registration.authority,
        instance_discovery=False,
        timeout=_TIMEOUT_SECONDS,
    )
    return app.acquire_token_for_client([f"{scope}/.default"]) or {}
