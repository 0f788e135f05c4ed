"""What a person allows when the app asks to be installed, and the codes that stand for it until they are spent."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from adapters.sandbox.slack.errors import MethodError

_CODE_LIFE = timedelta(minutes=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """What the person says whom Slack asks whether the app may be installed."""

    user_id: str
    #: A workspace's id, or an organisation's for an org-wide installation.
    place: str
    is_allowed: bool = True
    #: Optional scopes that are not granted.
    declined: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """What a code stands for."""

    user_id: str
    place: str
    scopes: frozenset[str]
    user_scopes: frozenset[str]
    redirect_url: str
    expires_at: datetime


class Codes:
    """Each good once, for ten minutes, and with the redirect URL it was asked with."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._grants: dict[str, Grant] = {}
        self._spent: set[str] = set()

    def issue(self, consent: Consent, scopes: frozenset[str], user_scopes: frozenset[str], redirect_url: str) -> str:
        code = secrets.token_hex(16)
        self._grants[code] = Grant(
            user_id=consent.user_id,
            place=consent.place,
            scopes=scopes - consent.declined,
            user_scopes=user_scopes,
            redirect_url=redirect_url,
            expires_at=self._clock() + _CODE_LIFE,
        )
        return code

    def spend(self, code: str, redirect_url: str) -> Grant:
        """Raises MethodError; the redirect URL may be left out where it was left out before."""
        grant = self._grants.get(code)
        if code in self._spent:
            raise MethodError("code_already_used")
        if grant is None or self._clock() > grant.expires_at:
            raise MethodError("invalid_code")
        if redirect_url != grant.redirect_url:
            raise MethodError("bad_redirect_uri")
        self._spent.add(code)
        return grant
