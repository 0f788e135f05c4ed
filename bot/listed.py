"""What somebody may see the numbers of, and how lists show it (FEATURES D2, D6)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple, Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Rights:
    """What one person may see."""

    #: The integrations with all of their surveys: those of the brands they administer.
    integrations: frozenset[str] = frozenset()
    #: Of the surveys that are theirs or were shared with them: the integration that each is to be read from, by the survey's id.
    surveys: Mapping[str, str] = field(default_factory=dict[str, str])

    def __bool__(self) -> bool:
        """Whether there is anything at all."""
        return bool(self.integrations or self.surveys)


class Seen(NamedTuple):
    """A survey, and which integration its numbers are read from. A tuple, for a list may have thousands."""

    integration_id: str
    survey_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """One survey in a list."""

    #: Which its numbers are read from.
    integration_id: str
    survey_id: str
    name: str
    #: None where the account or its name is not known.
    owner: str | None
    #: It takes answers, and there is an invitation to it that has not expired.
    is_open: bool
    #: When the last of its open invitations ends; None = never, or it is not open.
    closes_at: datetime | None


class Lists(Protocol):
    def surveys(self, rights: Rights, now: datetime, *, only_open: bool = False, words: str = "") -> Sequence[Seen]:
        """What `rights` reach, each survey once: the open ones first, of these first what closes first.

        With `words`, those that have all of them in their name, their owner's, or their id. When single links end that have an expiry of
        their own is not looked at: that would take a look at every invitation.
        """
        ...

    def listed(self, seen: Sequence[Seen], now: datetime) -> Sequence[Listed]:
        """In the same order."""
        ...
