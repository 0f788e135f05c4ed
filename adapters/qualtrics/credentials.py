"""What proves to Qualtrics who we are: an API token, or an OAuth client (reference qualtrics.md 1 and 8)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

#: What an OAuth client needs for reading what the bot reads, and nothing else.
LEAST_SCOPES = (
    "read:surveys",
    "read:distributions",
    "read:directories",
    "read:directory_contacts",
    "read:mailing_lists",
    "read:mailing_list_contacts",
    "read:users",
)
#: Besides, for event subscriptions.
PUSH_SCOPE = "manage:subscriptions"


@dataclass(frozen=True, slots=True)
class ApiToken:
    """Raises ValueError for a token that cannot stand in an HTTP header."""

    token: str = field(repr=False)

    def __post_init__(self) -> None:
        _check(self.token, "token")


@dataclass(frozen=True, slots=True)
class ClientCredentials:
    """An OAuth 2.0 client of the grant type `client_credentials`. Raises ValueError for an id or secret that Basic cannot carry."""

    client_id: str
    client_secret: str = field(repr=False)
    scopes: tuple[str, ...] = LEAST_SCOPES

    def __post_init__(self) -> None:
        _check(self.client_id, "client id")
        _check(self.client_secret, "client secret")
        if ":" in self.client_id:
            raise ValueError("the Qualtrics client id must have no colon")


Credentials = ApiToken | ClientCredentials


def _check(text: str, what: str) -> None:
    if not re.fullmatch("[!-~]+", text):
        raise ValueError(f"the Qualtrics {what} must be printable ASCII without spaces")
