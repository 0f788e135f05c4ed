"""What the outbox can do, as protocols: what is to be sent, and what was sent and lives on as a message."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from bot.events import Event, EventKind
from bot.messages import Delivery, DeliveryState, MessageRef, Queue, Reach, Showing, Shown
from bot.ports.records import Told


class Outbox(Protocol):
    def add(self, events: Sequence[Event], now: datetime) -> int:
        """Add one delivery for the person of each event whose key is new, due at once, and open again those that were SKIPPED.

        Returns how many were added or opened again.
        """
        ...

    def last_told(self, kind: EventKind, survey_id: str, person_ids: Collection[int]) -> Mapping[int, datetime]:
        """When the newest delivery of this kind and survey was added, by person."""
        ...

    def reopen_reachable(self, reach: Reach, now: datetime) -> int:
        """Open UNREACHABLE deliveries again whose person has an account within reach by now; returns how many.

        Those of people who opted out stay as they are.
        """
        ...

    def reopen_opted_out(self, person_id: int, kinds: Collection[EventKind], survey_ids: Collection[str], now: datetime) -> int:
        """Open again what a person was not told of these surveys because they had opted out; returns how many.

        Not where they were told something of the survey later.
        """
        ...

    def queues(self, now: datetime) -> Sequence[Queue]:
        """What is due, also what somebody holds already. Costs a look at each row that is not settled, in an index."""
        ...

    def claim(self, queue: Queue, now: datetime, *, owner: str, lease: timedelta, limit: int) -> Sequence[Delivery]:
        """Take what is due of a queue, the longest due first. Concurrent callers get different rows. No two claims share an `owner`."""
        ...

    def begin_sending(self, delivery_id: int, *, owner: str, lease_until: datetime) -> bool:
        """CLAIMED -> SENDING, counting the attempt; False when the claim was lost to somebody else."""
        ...

    def finish(
        self,
        delivery_id: int,
        state: DeliveryState,
        now: datetime,
        *,
        owner: str,
        reason: str | None = None,
        message: MessageRef | None = None,
        showing: Showing | None = None,
    ) -> bool:
        """End a delivery this owner holds, or one found UNKNOWN whose sender came back after all. False: it is somebody else's now."""
        ...

    def retry(self, delivery_id: int, due_at: datetime, reason: str, *, owner: str) -> bool:
        """Back to READY. False: it is somebody else's now."""
        ...

    def move(self, delivery_id: int, workspace_id: str, *, owner: str) -> bool:
        """Back to READY, for another workspace. False: it is somebody else's now."""
        ...

    def doubt(self, delivery_id: int, until: datetime, reason: str, *, owner: str) -> bool:
        """The answer was lost: leave it SENDING, to be settled after `until`. False: it is somebody else's now."""
        ...

    def release(self, owner: str) -> int:
        """Give up what this owner has claimed and not begun to send, due as it was; returns how many."""
        ...

    def lapse(self, now: datetime) -> int:
        """CLAIMED with a lapsed lease -> READY: nothing of it was sent. Returns how many."""
        ...

    def claim_lost(self, now: datetime, *, lease: timedelta, limit: int) -> Sequence[Delivery]:
        """Take SENDING rows with a lapsed lease, to be settled. They stay their sender's, should it come back after all."""
        ...

    def counts(self) -> Mapping[DeliveryState, int]: ...
    def oldest_due(self) -> datetime | None:
        """The earliest `due_at` of those that are not settled, which may lie ahead; None when all are."""
        ...

    def reasons(self) -> Mapping[str, int]:
        """How many deliveries ended unreachable, failed or unknown, by reason."""
        ...

    def list(self, limit: int) -> Sequence[Delivery]:
        """The newest deliveries first."""
        ...


class Sent(Protocol):
    """Messages that were sent and can still be edited. An edit may be repeated: it is drawn from what is true then."""

    def outdate(self, survey_id: str, person_ids: Collection[int], right: Collection[Shown], at: datetime) -> int:
        """Have what shows anything but `right` of this survey to these people looked at, no later than `at`; returns how many.

        So is whatever is being sent to them: it was drawn before.
        """
        ...

    def look_at(self, delivery_ids: Collection[int], at: datetime) -> int:
        """Have these looked at, no later than `at`; returns how many."""
        ...

    def followed(self, delivery_id: int, at: datetime) -> int:
        """Have its person's other messages about its survey looked at, no later than `at`; returns how many."""
        ...

    def of_person(self, person_id: int, limit: int) -> Sequence[Delivery]:
        """Their newest messages, the newest first."""
        ...

    def is_followed(self, delivery_id: int) -> bool:
        """Whether the same person was sent another message about the same survey after this one, which can still be edited."""
        ...

    def workspaces(self, now: datetime) -> Collection[str]:
        """Where something is to be looked at now."""
        ...

    def claim(self, workspace_id: str, now: datetime, *, lease: timedelta, limit: int) -> Sequence[Delivery]:
        """Take what is to be looked at, the longest due first. It comes again after the lease, unless it was settled."""
        ...

    def settle(self, delivery: Delivery, showing: Showing | None) -> None:
        """Record what a claimed message shows now; it is looked at again if something has happened since it was claimed."""
        ...

    def give_up(self, delivery: Delivery, reason: str) -> None:
        """Never look at it again."""
        ...

    def waiting(self) -> int:
        """How many are to be looked at, now or later."""
        ...


class Tellings(Protocol):
    """What became of the messages about a survey."""

    def of_survey(self, integration_id: str, survey_id: str) -> Sequence[Told]:
        """Everybody who was mailed, by distribution, whether or not there is a message for them. Reminders go to the same people."""
        ...
