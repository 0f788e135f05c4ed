"""What crosses the ports beside the model: pages of lists, runs and their outcome, positions, leases, hints, request lines."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Generic, NamedTuple, TypeVar

from bot.messages import DeliveryState
from bot.model import DistributionStats, HistoryEntry

T_co = TypeVar("T_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Batch(Generic[T_co]):
    """One page of a source's list."""

    items: tuple[T_co, ...]
    #: Records left out because a key was missing or wrong (FEATURES B7).
    skipped: int = 0
    #: Where the list goes on: give it as `after` to read from there, also in another process; None = this was the last page.
    next: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Whose credentials a source uses (`/whoami`)."""

    brand_id: str
    user_id: str
    datacenter: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestLine:
    """One request to Qualtrics, as support may see it (FEATURES A5): no token, no link, no body, no ids but Qualtrics' own request id."""

    at: datetime
    method: str
    #: `/distributions/{id}/history`: the path below the API's root, its ids left out.
    path: str
    #: None = there was no answer.
    status: int | None
    duration_ms: int
    #: `meta.requestId`, which Qualtrics' support asks for.
    request_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Absorbed:
    """What an upsert did."""

    seen: int
    changed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MailedRow:
    """A history entry with what the rules made of it, ready to be stored."""

    entry: HistoryEntry
    mailed: bool
    #: When this person is to be reminded; None = never.
    notice_at: datetime | None


class StoredRow(NamedTuple):
    """What a look must know of an invitation to see what changed. A tuple, for a hundred are made for every page of a history."""

    person_id: int | None
    status: str
    mailed: bool
    sent_at: datetime | None
    completed_at: datetime | None
    #: Where it differs from its distribution's.
    link_expires_at: datetime | None


class Told(NamedTuple):
    """People of one distribution to whom the same happened."""

    distribution_id: str
    #: Whether an e-mail address is known.
    is_known: bool
    #: The best of what became of their messages about the survey; None = none was to be sent.
    state: DeliveryState | None
    #: Of an UNREACHABLE one.
    reason: str | None
    people: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectoryReading:
    """How far a workspace's list of people was read."""

    workspace_id: str
    #: None = none is under way.
    began_at: datetime | None
    #: In an organisation: which of its workspaces is being read, in the order of their ids.
    team_id: str = ""
    #: Where its list goes on; "" = at its beginning.
    cursor: str = ""
    #: When everybody was last read.
    ended_at: datetime | None = None


class Outcome(StrEnum):
    """How a start of a synchronisation ended."""

    OK = "ok"
    #: Some surveys could not be read; the others were.
    PARTIAL = "partial"
    FAILED = "failed"
    #: It was not begun, or what it fetched was not applied; `reason` says why (FEATURES B5).
    VETOED = "vetoed"
    #: It could not start when it was due; `reason` says why. One catch-up run follows (FEATURES B4).
    MISFIRED = "misfired"


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One start of a synchronisation: what was decided, and what it brought (FEATURES B4, B5, B10)."""

    integration_id: str
    #: A `bot.syncing.sync.Kind`.
    kind: str
    started_at: datetime
    finished_at: datetime | None = None
    #: None while running, or when the process was killed: then the next start goes on where it stopped.
    outcome: Outcome | None = None
    #: Why it was started: `scheduled`, `by hand`, `catch-up`...; why it was vetoed or misfired. Never None in a finished row.
    reason: str | None = None
    surveys: int = 0
    distributions: int = 0
    #: Rows of histories read.
    invitations: int = 0
    changed: int = 0
    skipped: int = 0
    told: int = 0
    #: Requests to Qualtrics, repetitions included.
    calls: int = 0
    #: How often it was taken up again after its process had died.
    resumed: int = 0
    #: A sentence without secrets; None when it went well.
    error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """How far one of Qualtrics' lists was read."""

    #: Where to go on (`Batch.next`); None = it was read to its end.
    next: str | None
    #: Records read so far, those left out included.
    seen: int = 0
    #: Of these, records that could not be read, or that nobody can know to be read (bot/syncing/listing.py).
    skipped: int = 0
    #: A distribution's counts when the reading of its history or links began.
    began_for: DistributionStats | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Closure:
    """One survey (`distribution_id` None) or distribution that a picture would close or delete."""

    survey_id: str
    survey_name: str
    distribution_id: str | None
    #: It vanished from the list; False = it is listed as not active any more.
    is_missing: bool


class Lease(StrEnum):
    """What became of an attempt to take a lease."""

    TAKEN = "taken"
    #: Somebody else has it.
    HELD = "held"
    #: It is free, but so many of its group are taken that there is no room.
    FULL = "full"


@dataclass(frozen=True, slots=True, kw_only=True)
class Refresh:
    """Qualtrics hinted that something happened to a survey (FEATURES B11)."""

    integration_id: str
    survey_id: str
    #: How often it was asked for, so that a hint that comes during the refresh is not lost.
    hints: int
    #: When the first and when the last hint came since the last refresh.
    first_at: datetime
    last_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Gaps:
    """What histories lacked when they were read: fewer rows than Qualtrics says were sent (quirks Q9, Q10)."""

    distributions: int
    rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Throttle:
    """How far a shared limit is open."""

    #: How much of it is used since its last refusal.
    share: float = 1.0
    #: For how many seconds it is closed.
    closed_seconds: float = 0.0
