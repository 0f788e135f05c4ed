"""What is told to those who look after surveys: channels that subscribed, and owners.

As an event, a post is thin: a kind, a survey, and a mark from Qualtrics' own data or the local calendar. Whatever is found to be true is
written down once for each subscription, whoever finds it; what is not to be told is written down as well, so that it never will be.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol
from uuid import UUID, uuid5

from bot.messages import DeliveryState, MessageRef

_KEYS = UUID("0a6f3f0e-7d0b-4a55-8a3c-4f4b3f1d9e21")
#: The `subscription_id` of what an owner is told.
OWNER = 0
#: How long what was told is remembered once its survey is over. One that was first sent before that is no news to anybody.
MEMORY = timedelta(days=400)


class PostKind(StrEnum):
    """Beside those of `bot.subscriptions.Feature`, what its channel or its creator is told of a subscription itself."""

    #: Mark: none.
    LAUNCH = "launch"
    #: Mark: the percentage.
    MILESTONES = "milestones"
    #: Mark: the deadline, in seconds since 1970.
    CLOSING = "closing"
    #: Mark: its newest invitation.
    CLOSED = "closed"
    #: Mark: as above.
    RESULTS = "results"
    #: Of all surveys of a subscription. Mark: the week, `2026-W48`.
    WEEKLY = "weekly"
    #: Mark: a distribution, and how much worse than the subscription's share it is.
    DELIVERY_PROBLEMS = "delivery-problems"
    #: Who subscribed the channel to what. Mark: when, in seconds since 1970.
    SUBSCRIBED = "subscribed"
    #: Its creator has left: whoever may is asked to take it over. Mark: as above.
    OFFERED = "offered"
    #: To its creator alone. Mark: as above.
    PAUSED = "paused"
    #: To its creator alone, once: nobody can tell who reads the channel. Mark: none.
    HELD = "held"


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """Something that is true of a survey now. No two posts are the same news."""

    kind: PostKind
    #: Whose channel is told; OWNER = the survey's owner is.
    subscription_id: int
    #: "" = all of the subscription's.
    survey_id: str = ""
    mark: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """One row: ids only, never a rendered card."""

    post_id: int
    news: News
    state: DeliveryState
    created_at: datetime
    #: How many sends were begun.
    attempt: int = 0
    #: Who holds it, while somebody does.
    owner: str | None = None
    reason: str | None = None
    message: MessageRef | None = None

    @property
    def key(self) -> str:
        """What the message itself carries: an opaque id, which tells nothing about anybody."""
        return str(uuid5(_KEYS, f"{self.post_id}:{self.created_at.isoformat()}"))


class Posts(Protocol):
    def add(self, news: Sequence[News], now: datetime, *, is_told: bool) -> int:
        """Write down what is new, due at once or, where it is not to be told, SKIPPED; returns how many were new."""
        ...

    def known(self, subscription_id: int) -> Collection[News]:
        """Everything that was ever written down for a subscription."""
        ...

    def is_told(self, news: News, subscription_ids: Collection[int]) -> bool:
        """Whether any of these subscriptions has said the same, is saying it, or may have."""
        ...

    def claim(self, now: datetime, *, owner: str, lease: timedelta, limit: int) -> Sequence[Post]:
        """Take what is due, subscription by subscription. Concurrent callers get different rows. No two claims share an `owner`."""
        ...

    def begin_sending(self, post_ids: Collection[int], *, owner: str, lease_until: datetime) -> bool:
        """CLAIMED -> SENDING, counting the attempt; False when any of them is somebody else's now: then nothing is changed."""
        ...

    def finish(
        self, post_ids: Collection[int], state: DeliveryState, now: datetime, *, owner: str, reason: str | None, message: MessageRef | None
    ) -> bool:
        """End what this owner holds, or what was found UNKNOWN and was sent after all. False: it is somebody else's now."""
        ...

    def retry(self, post_ids: Collection[int], due_at: datetime, reason: str, *, owner: str) -> bool:
        """Back to READY. False: it is somebody else's now."""
        ...

    def lapse(self, now: datetime, reason: str) -> int:
        """With a lapsed lease, CLAIMED -> READY, for nothing of it was sent, and SENDING -> UNKNOWN, for `reason`. Returns how many."""
        ...

    def forget(self, before: datetime) -> int:
        """Delete what was found out `before` of surveys whose end was found and of which nothing was found since, and of subscriptions
        themselves, where it has ended. Returns how many.
        """
        ...

    def counts(self) -> Mapping[tuple[PostKind, DeliveryState], int]: ...
    def oldest_due(self) -> datetime | None:
        """The earliest `due_at` of those that have not ended, which may lie ahead; None when all have."""
        ...

    def list(self, limit: int) -> Sequence[Post]:
        """The newest first."""
        ...
