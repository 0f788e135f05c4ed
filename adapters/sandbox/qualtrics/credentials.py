"""Who may call a simulated tenant: API tokens and OAuth clients, each acting as one of its users (reference qualtrics.md 8)."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

_FOR_EVERY_VERB = (
    "contact_frequency_rules contact_transactions directory_contacts distributions divisions groups libraries mailing_list_contacts"
    " mailing_lists participants samples subscriptions survey_responses survey_sessions surveys users tickets"
)
_NEVER_WRITTEN = "activity_logs directories organizations"
#: The scopes of reference 8, but for those of a single verb.
SCOPES = frozenset(
    {f"{verb}:{what}" for verb in ("manage", "read", "write") for what in _FOR_EVERY_VERB.split()}
    | {f"{verb}:{what}" for verb in ("manage", "read") for what in _NEVER_WRITTEN.split()}
    | {"manage:all"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """What the bearer of a token may do: what its user may, within its scopes."""

    user_id: str
    #: None: an API token, which has no scopes and no end.
    scopes: frozenset[str] | None = None
    expires_at: datetime | None = None

    def covers(self, scope: str | None) -> bool:
        """Whether the token is good for calls that need this scope; `manage` covers `read` and `write`."""
        if self.scopes is None or scope is None:
            return True
        return not self.scopes.isdisjoint({scope, f"manage:{scope.partition(':')[2]}", "manage:all"})


class Credentials:
    """All credentials of one tenant."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        #: How long an OAuth token issued from now on lives; seconds.
        self.token_seconds = 3600
        self._access: dict[str, Access] = {}
        self._clients: dict[tuple[str, str], Access] = {}

    def add_token(self, token: str, user_id: str) -> None:
        """Let an API token act as a user."""
        self._access[token] = Access(user_id=user_id)

    def add_client(self, client_id: str, client_secret: str, user_id: str, scopes: Collection[str] = SCOPES) -> None:
        """Let an OAuth client ask for tokens that act as a user, with some or all of these scopes."""
        self._clients[client_id, client_secret] = Access(user_id=user_id, scopes=frozenset(scopes))

    def client(self, client_id: str, client_secret: str) -> Access | None:
        """What a client may ask for at most; None when there is no such client."""
        return self._clients.get((client_id, client_secret))

    def issue(self, user_id: str, scopes: Collection[str]) -> str:
        """A new OAuth token."""
        token = secrets.token_urlsafe(24)
        expires_at = self._clock() + timedelta(seconds=self.token_seconds)
        self._access[token] = Access(user_id=user_id, scopes=frozenset(scopes), expires_at=expires_at)
        return token

    def revoke(self, token: str) -> None:
        """End one token of either kind. KeyError: it is unknown."""
        del self._access[token]

    def revoke_tokens(self) -> None:
        """End every OAuth token issued so far."""
        self._access = {token: access for token, access in self._access.items() if access.scopes is None}

    def access(self, token: str) -> Access | None:
        """What a token is good for; None when it is unknown or has expired."""
        access = self._access.get(token)
        return None if access is None or (access.expires_at and access.expires_at <= self._clock()) else access
