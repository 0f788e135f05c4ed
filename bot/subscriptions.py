"""What a channel asked to be told, and whether it still is."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, time
from enum import StrEnum
from typing import Protocol

from bot.messages import Conversation


class Feature(StrEnum):
    """What a channel can be told of a survey (FEATURES E1); the words are those that are typed."""

    LAUNCH = "launch"
    #: 25, 50 and 75 % have answered.
    MILESTONES = "milestones"
    #: *Active survey stats*, 24 hours before it expires (FEATURES D5).
    CLOSING = "closing"
    CLOSED = "closed"
    #: The final numbers, once it is closed.
    RESULTS = "results"
    WEEKLY = "weekly"
    #: Bounces, blocks and skips above a share.
    DELIVERY_PROBLEMS = "delivery-problems"


class Paused(StrEnum):
    """Why nothing is posted."""

    ARCHIVED = "the channel is archived or deleted"
    REMOVED = "the bot is not in the channel"
    FORBIDDEN = "the bot may not post in the channel"
    #: Nobody took it over within 14 days.
    CREATOR_LEFT = "whoever subscribed has left"
    NOT_ALLOWED = "whoever subscribed may not see any of its surveys any more"


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """One channel's wish to be told of one survey, of those whose names match a pattern, or of all that its creator may see."""

    subscription_id: int
    conversation: Conversation
    #: A survey's id (`SV_...`), a pattern of names (`Pulse*`), or `all`.
    subject: str
    features: frozenset[Feature]
    #: The chat account in the conversation's workspace whose rights count, again at every post (FEATURES E3).
    creator_id: str
    created_at: datetime
    #: IANA: of the weekly post and of the channel's working hours.
    zone: str = "UTC"
    #: When the weekly post is due in that zone; Monday is 0.
    weekday: int = 0
    weekly_at: time = time(9)
    #: Of what was sent: from here on bounces, blocks and skips are a problem.
    problem_share: float = 0.1
    #: Since when its creator is gone and the channel was asked to take it over.
    offered_at: datetime | None = None
    paused: Paused | None = None
    last_post_at: datetime | None = None


class Subscriptions(Protocol):
    """The store's side of it."""

    def add(self, subscription: Subscription) -> Subscription:
        """Store it, replacing what the same conversation has under the same subject; returns it with its id."""
        ...

    def get(self, subscription_id: int) -> Subscription | None: ...
    def of_conversation(self, conversation: Conversation) -> Sequence[Subscription]:
        """In the order in which they were made, paused ones too."""
        ...

    def active(self) -> Sequence[Subscription]:
        """Those that are not paused."""
        ...

    def remove(self, subscription_ids: Collection[int]) -> int: ...
    def pause(self, subscription_id: int, why: Paused) -> bool:
        """False when it was paused already: its creator is told once."""
        ...

    def posted(self, subscription_id: int, at: datetime) -> None: ...
