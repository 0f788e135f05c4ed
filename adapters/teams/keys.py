"""The keys that Microsoft signs with: fetched with a time-out, daily, and at once when a token names one that is not known.

The SDK's own keys know no time-out, and stumble over a new key for a day (reference teams.md 2.3).
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any

import jwt
import msgspec
import requests

from bot.errors import Unavailable

_TIMEOUT_SECONDS = 5
_DAY_SECONDS = 86_400.0
#: For a key that is not known, they are fetched this often at most.
_REST_SECONDS = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningKey:
    """As the SDK asks for it."""

    public_key: Any
    #: The channels whose tokens it may sign.
    endorsements: Sequence[str]


class SigningKeys:
    """In the place of the SDK's in `JwtTokenExtractor.metadataCache`. Blocks, so that it belongs into a thread."""

    def __init__(self, openid_url: str) -> None:
        self._openid_url = openid_url
        self._keys: Mapping[str, SigningKey] = {}
        self._fetched_at = self._unknown_at = float("-inf")

    async def get(self, key_id: str) -> SigningKey:
        """Raises LookupError for a key that is not Microsoft's, and `requests.RequestException` when they cannot be fetched."""
        now = time.monotonic()
        if now - self._fetched_at > _DAY_SECONDS:
            self._keys, self._fetched_at = _fetched(self._openid_url), now
        if key_id not in self._keys and now - self._unknown_at > _REST_SECONDS:
            self._unknown_at = now
            self._keys = _fetched(self._openid_url)
        return self._keys[key_id]


def look(openid_url: str) -> tuple[int, datetime | None]:
    """Return how many keys there are, and Microsoft's time where it is told. Blocks. Raises Unavailable."""
    try:
        told = requests.get(openid_url, timeout=_TIMEOUT_SECONDS).headers.get("Date")
        return len(_fetched(openid_url)), parsedate_to_datetime(told) if told else None
    except (requests.RequestException, msgspec.MsgspecError, jwt.PyJWTError, ValueError, LookupError) as error:
        raise Unavailable("Microsoft's signing keys cannot be fetched") from error


def _fetched(openid_url: str) -> Mapping[str, SigningKey]:
    told = _json(_json(openid_url)["jwks_uri"])["keys"]
    return {key["kid"]: _signing_key(key) for key in told if key["kty"] == "RSA"}


def _signing_key(key: Mapping[str, Any]) -> SigningKey:
    return SigningKey(public_key=jwt.PyJWK(dict(key)).key, endorsements=key.get("endorsements", ()))


def _json(url: str) -> Mapping[str, Any]:
    answer = requests.get(url, timeout=_TIMEOUT_SECONDS)
    answer.raise_for_status()
    return msgspec.json.decode(answer.content, type=dict[str, Any])
