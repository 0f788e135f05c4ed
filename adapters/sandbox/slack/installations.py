"""Where the app is installed, and the tokens that were issued for it: they expire, are refreshed once each, and can be revoked.

https://docs.slack.dev/authentication/tokens and https://docs.slack.dev/authentication/using-token-rotation
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from adapters.sandbox.slack.errors import MethodError

TOKEN_LIFE = timedelta(hours=12)


@dataclass(slots=True, kw_only=True, eq=False)
class Installation:
    """The app in one workspace, or in a whole organisation."""

    #: None: org-wide.
    team_id: str | None
    enterprise_id: str | None
    bot_user_id: str
    bot_id: str
    #: Granted to the bot. Scopes are additive: an install that asks for fewer takes none away.
    scopes: set[str]

    @property
    def is_org_wide(self) -> bool:
        return self.team_id is None


class TokenKind(StrEnum):
    BOT = "bot"
    USER = "user"


@dataclass(slots=True, kw_only=True, eq=False)
class Token:
    value: str
    kind: TokenKind
    installation: Installation
    #: The bot's user, or the person who gave a user token.
    user_id: str
    scopes: set[str]
    #: None: lives until it is revoked.
    expires_at: datetime | None = None
    #: Spent by its first use.
    refresh_value: str | None = None
    #: The error that calls with it get from now on.
    ended: str | None = None


class Tokens:
    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._tokens: dict[str, Token] = {}

    def issue(
        self,
        installation: Installation,
        kind: TokenKind = TokenKind.BOT,
        *,
        user_id: str | None = None,
        scopes: Iterable[str] = (),
        rotates: bool = False,
        value: str | None = None,
    ) -> Token:
        """A new token; a bot's scopes are its installation's, now and later."""
        is_bot = kind is TokenKind.BOT
        prefix = ("xoxe.{}-1-" if rotates else "{}-").format("xoxb" if is_bot else "xoxp")
        token = Token(
            value=value or prefix + secrets.token_hex(16),
            kind=kind,
            installation=installation,
            user_id=user_id or installation.bot_user_id,
            scopes=installation.scopes if is_bot else set(scopes),
            expires_at=self._clock() + TOKEN_LIFE if rotates else None,
            refresh_value=f"xoxe-1-{secrets.token_hex(16)}" if rotates else None,
        )
        self._tokens[token.value] = token
        return token

    def authenticate(self, value: str) -> Token:
        """Raises MethodError for a token that is unknown, expired or ended."""
        token = self._tokens.get(value)
        if token is None:
            raise MethodError("invalid_auth" if value else "not_authed")
        if token.ended is not None:
            raise MethodError(token.ended)
        if token.expires_at is not None and self._clock() >= token.expires_at:
            raise MethodError("token_expired")
        return token

    def refresh(self, refresh_value: str) -> Token:
        """Exchange a refresh token, once, for a new pair; the access token it came with lives until its own end."""
        for token in self._tokens.values():
            if token.refresh_value == refresh_value and token.ended is None:
                token.refresh_value = None
                return self.issue(token.installation, token.kind, user_id=token.user_id, scopes=token.scopes, rotates=True)
        raise MethodError("invalid_refresh_token")

    def living(self, installation: Installation) -> list[Token]:
        return [token for token in self._tokens.values() if token.installation is installation and token.ended is None]

    def end(self, installation: Installation, error: str) -> list[Token]:
        """End every token of an installation; return those that lived."""
        ended = self.living(installation)
        for token in ended:
            token.ended = error
        return ended
