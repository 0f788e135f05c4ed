"""Where the chat app is installed, and what gives it access there."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """A workspace or a whole organisation that installed the app."""

    #: Slack team id `T...`, or the organisation's `E...` when all its workspaces share one installation.
    workspace_id: str
    name: str
    #: Granted when it was installed last.
    scopes: frozenset[str]
    installed_at: datetime
    #: When the platform refused to renew the token; installing the app again mends it.
    broken_at: datetime | None = None
    #: When the app was removed; its tokens and people were forgotten then.
    revoked_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    access: str = field(repr=False)
    #: Good for one renewal; None = the access token lives until it is revoked.
    refresh: str | None = field(default=None, repr=False)
    expires_at: datetime | None = None


class Installations(Protocol):
    def save(self, installation: Installation, tokens: Tokens) -> None:
        """Keep a new installation; one that is known is replaced."""
        ...

    def get(self, workspace_id: str) -> Installation | None: ...
    def all(self) -> Sequence[Installation]:
        """Return every one, removed ones too, by their ids."""
        ...

    def tokens(self, workspace_id: str) -> Tokens | None:
        """Raises Malformed when the key they were encrypted with is missing."""
        ...

    def renew(self, workspace_id: str, tokens: Tokens) -> None:
        """Put new tokens in the place of the old ones; nothing where the app was removed meanwhile."""
        ...

    def set_broken(self, workspace_id: str, at: datetime) -> None: ...
    def revoke(self, workspace_id: str, at: datetime) -> bool:
        """Forget tokens and people; the row stays, so that an operator can see what was. Repeating it changes nothing.

        False, and nothing is done, when the app was installed again since `at`, or not known there at all.
        """
        ...

    def forget(self, workspace_id: str) -> bool:
        """As `revoke`, and the row goes, too; so do the people of a workspace whose token is in the settings. False = nothing was known."""
        ...


class OAuthStates(Protocol):
    """Installations that were begun: each state is good once, until it expires."""

    def add(self, state: str, expires_at: datetime, now: datetime) -> None: ...
    def take(self, state: str, now: datetime) -> bool: ...


class Offered(StrEnum):
    """What became of giving somebody the app who had not added it."""

    INSTALLED = "installed"
    NO_ACCOUNT = "no account with this address"
    #: A policy of the tenant, say.
    REFUSED = "refused"


class AppOffers(Protocol):
    """People who get the app unasked. Who ever had it, and removed it, is left alone."""

    def claim(self, workspace_id: str, domains: Collection[str], now: datetime, until: datetime, limit: int) -> Mapping[int, str]:
        """Return addresses, by person, of some who wait for a message and are in no chat; nobody else is told of them before `until`.

        `domains` are those of the addresses that count, in lower case.
        """
        ...

    def record(self, person_id: int, outcome: Offered | None, due_at: datetime | None) -> None:
        """Write down what became of it, and when to ask again (None = never). No outcome: nobody could be asked."""
        ...

    def counts(self) -> Mapping[Offered, int]: ...
