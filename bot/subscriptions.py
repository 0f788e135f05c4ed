"""What a channel asked to be told, and whether it still is."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, time
from enum import StrEnum
from typing import Protocol

from bot.messages import Conversation

#: The subject of a subscription to everything that its creator may see.
ALL = "all"
#: From this share of what was to be sent on bounces, blocks, skips and failures are a problem, unless the settings name another one.
PROBLEM_SHARE = 0.1


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
    OUTSIDERS = "people of other organisations read the channel"
    GUESTS = "guests read the channel"
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
    #: Since when these features are in force: what happened before is not posted.
    created_at: datetime
    #: IANA: of all times here.
    zone: str = "UTC"
    #: When the weekly post is due; Monday is 0.
    weekday: int = 0
    weekly_at: time = time(9)
    #: The channel's working hours, Monday to Friday.
    works_from: time = time(9)
    works_until: time = time(17)
    #: Of what was to be sent: from here on bounces, blocks, skips and failures are a problem; None = as the settings say.
    problem_share: float | None = None
    #: Since when its creator is gone and the channel was asked to take it over.
    offered_at: datetime | None = None
    paused: Paused | None = None
    last_post_at: datetime | None = None


def is_of_many(subject: str) -> bool:
    """Whether it is a pattern, or all."""
    return subject == ALL or "*" in subject


def covers(subject: str, survey_id: str, name: str) -> bool:
    """Whether a subscription with this subject is about that survey; patterns are of whole names, in capitals or not.

    What was found between two stars is not looked for elsewhere (`(?>`): a few stars more would take minutes of everybody's.
    """
    if subject == ALL:
        return True
    if "*" not in subject:
        return subject == survey_id
    first, *between, last = (re.escape(part) for part in " ".join(subject.split()).casefold().split("*"))
    pattern = "".join((first, *(f"(?>.*?{part})" for part in between), ".*", last))
    return re.fullmatch(pattern, " ".join(name.split()).casefold()) is not None


class Subscriptions(Protocol):
    """The store's side of it."""

    def add(self, subscription: Subscription) -> Subscription:
        """Store it, replacing what the same conversation has under the same subject; returns it with its id, which is given here.

        What is replaced keeps its id and its last post.
        """
        ...

    def get(self, subscription_id: int) -> Subscription | None: ...
    def of_conversation(self, conversation: Conversation) -> Sequence[Subscription]:
        """In the order in which they were made, paused ones too."""
        ...

    def all(self) -> Sequence[Subscription]: ...
    def active(self) -> Sequence[Subscription]:
        """Those that are not paused."""
        ...

    def remove(self, subscription_ids: Collection[int]) -> int: ...
    def forget_paused(self, before: datetime) -> int:
        """Remove those that were paused, and last posted, `before`; returns how many."""
        ...

    def pause(self, subscription_id: int, why: Paused) -> bool:
        """False when it was paused already: its creator is told once."""
        ...

    def resume(self, subscription_id: int) -> bool:
        """Post again, whyever it was paused. False when it was not."""
        ...

    def offer(self, subscription_id: int, at: datetime | None) -> bool:
        """Remember since when the channel is asked to take it over; None = it need not be any more. False when nothing changes."""
        ...

    def take_over(self, subscription_id: int, creator_id: str) -> None:
        """Somebody else's rights count from now on; it is neither offered nor paused any more."""
        ...

    def posted(self, subscription_id: int, at: datetime) -> None: ...
