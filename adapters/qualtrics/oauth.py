"""Access tokens of an OAuth client: kept in memory, renewed ahead of their end by one caller at a time (reference qualtrics.md 8)."""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import Awaitable, Callable
from http import HTTPStatus

from adapters.qualtrics import wire
from adapters.qualtrics.addresses import Addresses
from adapters.qualtrics.credentials import ClientCredentials
from adapters.qualtrics.errors import ClientRefused, ScopesRefused, retry_after
from adapters.qualtrics.line import Answer
from bot.errors import Malformed, Rejected, SurveybotError, Throttled, Unavailable, loggable

log = logging.getLogger(__name__)
#: A token is renewed when less than this is left of its life, or less than a fifth of it.
_AHEAD_SECONDS = 300
#: After a renewal ahead of the end failed.
_PAUSE_SECONDS = 30


class AccessTokens:
    """The current one, for many callers at once."""

    def __init__(self, ask: Callable[[], Awaitable[wire.AccessToken]], clock: Callable[[], float] = time.monotonic) -> None:
        """`clock` counts seconds and never jumps."""
        self._ask = ask
        self._clock = clock
        self._renewing = asyncio.Lock()
        self._token = ""
        self._renew_at = self._ends_at = -math.inf
        self._asked = 0
        self._failure: SurveybotError | None = None

    async def current(self) -> str:
        """Return a token that has not ended. Whoever notices that its end is near renews it; the others go on with it meanwhile."""
        if self._clock() < self._renew_at or (self._is_good() and self._renewing.locked()):
            return self._token
        try:
            return await self._renewed(self._token)
        except SurveybotError as error:
            if not self._is_good():
                raise
            self._renew_at = self._clock() + _PAUSE_SECONDS
            log.warning("qualtrics.token_not_renewed", extra=loggable(error))
            return self._token

    async def instead_of(self, refused: str) -> str:
        """Return a token for one that Qualtrics refused; a burst of refusals asks for one."""
        if self._token == refused:
            self._renew_at = self._ends_at = -math.inf
        return await self._renewed(refused)

    async def _renewed(self, old: str) -> str:
        """Ask for a new token, unless somebody did while this caller waited: then their token or their failure is the answer."""
        asked = self._asked
        async with self._renewing:
            if self._token != old and self._is_good():
                return self._token
            if self._asked != asked and self._failure:
                raise self._failure
            await self._renew()
            return self._token

    async def _renew(self) -> None:
        start, self._failure = self._clock(), None
        try:
            it = await self._ask()
        except SurveybotError as error:
            self._failure = error
            raise
        else:
            self._token = it.access_token
            self._ends_at = start + it.expires_in
            self._renew_at = self._ends_at - min(_AHEAD_SECONDS, it.expires_in / 5)
        finally:
            self._asked += 1

    def _is_good(self) -> bool:
        return self._clock() < self._ends_at


async def ask_for_token(send: Callable[..., Awaitable[Answer]], addresses: Addresses, client: ClientCredentials) -> wire.AccessToken:
    """`send` is `Line.send`. Raises ClientRefused, Throttled, Unavailable without an answer, Malformed or Rejected for an odd one."""
    url = addresses.token_endpoint
    answer = await send(
        "POST",
        url,
        addresses.template(url),
        is_repeatable=True,
        auth=(client.client_id, client.client_secret),
        data={"grant_type": "client_credentials", "scope": " ".join(client.scopes)},
    )
    if answer.status != HTTPStatus.OK:
        raise _refusal(answer, url.host, client)
    try:
        return wire.access_token(answer.body)
    except wire.UNREADABLE:  # never chained: it may quote the token
        raise Malformed("POST /oauth2/token answered something unexpected") from None


def _refusal(answer: Answer, host: str, client: ClientCredentials) -> SurveybotError:
    word = wire.oauth_error(answer.body)
    match answer.status:
        case HTTPStatus.TOO_MANY_REQUESTS:
            return Throttled(f"POST /oauth2/token answered {answer.status}", retry_after=retry_after(answer.headers))
        case status if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            return Unavailable(f"POST /oauth2/token answered {answer.status}", retry_after=retry_after(answer.headers))
        case _ if word == "invalid_scope":
            return ScopesRefused(f"the OAuth client may not have all the scopes it asks for: {' '.join(client.scopes)}")
        case HTTPStatus.BAD_REQUEST | HTTPStatus.UNAUTHORIZED | HTTPStatus.FORBIDDEN:
            return ClientRefused(
                f"{host} gives the OAuth client no access token ({word or answer.status}): its id or secret is wrong or revoked, "
                "or it belongs to a brand at another data centre"
            )
        case _:
            return Rejected(f"POST /oauth2/token answered {answer.status}")
