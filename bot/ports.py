"""What the core asks of the outside, as protocols. Adapters and `store/` implement them; nothing else crosses the border.

Errors are those of `bot/errors.py`. Network ports are async; the store is not: a unit of work is a plain function that runs as one
transaction in a thread, so no network call can ever stand inside a transaction.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Generic, Protocol, TypeVar

from bot.events import Event, EventKind
from bot.messages import Delivery, DeliveryState, Member, MemberKind, MessageRef
from bot.model import (
    Contact,
    Directory,
    Distribution,
    DistributionStats,
    HistoryEntry,
    Integration,
    Invitation,
    LinkEntry,
    PersonalLink,
    Survey,
    SurveyDetails,
    User,
)
from bot.page import Page, PrivatePage

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Batch(Generic[T_co]):
    """One page of a source's list."""

    items: tuple[T_co, ...]
    #: Records left out because a key was missing or wrong (FEATURES B7).
    skipped: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Whose credentials a source uses (`/whoami`)."""

    brand_id: str
    user_id: str
    datacenter: str | None


class SurveySource(Protocol):
    """Qualtrics, read only. Lists come page by page, in Qualtrics' order; a page repeats nothing of itself or of the page before.

    Every method may raise Unavailable (after its own retries), Unauthorized, Gone, Rejected or Malformed. Pages yielded before an
    error are good.
    """

    async def account(self) -> Account: ...
    def users(self) -> AsyncIterator[Batch[User]]: ...
    def surveys(self) -> AsyncIterator[Batch[Survey]]: ...
    async def survey_details(self, survey_id: str) -> SurveyDetails: ...
    def distributions(self, survey_id: str) -> AsyncIterator[Batch[Distribution]]: ...
    def history(self, distribution_id: str) -> AsyncIterator[Batch[HistoryEntry]]: ...
    def links(self, distribution_id: str, survey_id: str) -> AsyncIterator[Batch[LinkEntry]]: ...
    def directories(self) -> AsyncIterator[Batch[Directory]]: ...
    async def contact(self, directory_id: str, contact_id: str) -> Contact: ...


class Channel(Protocol):
    """A chat platform's way to one person."""

    async def turn(self) -> None:
        """Wait until one more message may be sent at this channel's own pace. Raises Throttled while the platform asked for a pause."""
        ...

    async def send(self, member: Member, page: Page | PrivatePage) -> MessageRef:
        """Send a direct message, once.

        Raises Throttled (not sent; wait), Unavailable (not sent; try again), Ambiguous (perhaps sent), Gone or Rejected (never will be),
        Unauthorized (our own access is broken).
        """
        ...


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One synchronisation run, for status pages."""

    integration_id: str
    kind: str
    started_at: datetime
    finished_at: datetime | None = None
    #: `ok`, `partial` (some surveys could not be read; the others were), `failed`, or None while running.
    outcome: str | None = None
    surveys: int = 0
    distributions: int = 0
    invitations: int = 0
    changed: int = 0
    skipped: int = 0
    told: int = 0
    #: A sentence without secrets; None when it went well.
    error: str | None = None


class Integrations(Protocol):
    def ensure(self, integration_id: str, name: str) -> Integration:
        """Return the stored integration, adding it when new."""
        ...

    def all(self) -> Sequence[Integration]: ...
    def set_baseline(self, integration_id: str, at: datetime) -> None: ...


class Users(Protocol):
    def save(self, integration_id: str, users: Sequence[User]) -> Absorbed: ...


class Surveys(Protocol):
    def save(self, integration_id: str, surveys: Sequence[Survey], seen_at: datetime) -> Absorbed:
        """Upsert list entries; `details` of stored rows are kept, and `details_for` too unless `is_active` changed.

        `seen_at` never goes back, so that a run that started earlier and ends later closes nothing.
        """
        ...

    def save_details(self, integration_id: str, survey_id: str, details: SurveyDetails | None, details_for: datetime | None) -> None:
        """Store what was read for a survey's `last_modified`; None = it could not be read, and what is stored stays."""
        ...

    def get(self, survey_ids: Collection[str]) -> Mapping[str, Survey]:
        """By id, whichever integration sees it; the active one where several see the same survey differently."""
        ...

    def all(self, integration_id: str) -> Sequence[Survey]: ...
    def close_unseen(self, integration_id: str, before: datetime) -> int:
        """Mark surveys last seen before `before` as not active (they vanished from the list); returns how many changed."""
        ...


class Distributions(Protocol):
    def save(self, integration_id: str, distributions: Sequence[Distribution]) -> Absorbed:
        """Upsert; `history_for` of stored rows is kept, and cleared where `link_expires_at` changed."""
        ...

    def of_survey(self, integration_id: str, survey_id: str) -> Sequence[Distribution]: ...
    def set_history_for(self, integration_id: str, distribution_id: str, stats: DistributionStats) -> None: ...
    def forget_history(self, integration_id: str, survey_id: str) -> None:
        """Clear `history_for` of a survey's distributions: all of them are to be read again."""
        ...


class People(Protocol):
    def ids(self, emails: Collection[str]) -> Mapping[str, int]:
        """Return `person_id` by (lower-cased) e-mail address, adding people who are new."""
        ...

    def find(self, email: str) -> int | None: ...
    def email(self, person_id: int) -> str | None: ...


class Invitations(Protocol):
    def save_links(self, integration_id: str, distribution_id: str, links: Sequence[LinkEntry], people: Mapping[str, int]) -> Absorbed:
        """Upsert person, link expiry and (where none is stored yet) the link. `people` is by e-mail address."""
        ...

    def save_history(self, integration_id: str, distribution_id: str, rows: Sequence[MailedRow]) -> Absorbed:
        """Upsert status, times, notice and (where the entry has one) the link. A row no link was seen for has no person yet."""
        ...

    def set_person(self, integration_id: str, distribution_id: str, contact_id: str, person_id: int | None, at: datetime) -> None:
        """Record what a look-up of this contact brought (None = no e-mail address), and when."""
        ...

    def without_person(self, integration_id: str, tried_before: datetime, limit: int) -> Sequence[Invitation]:
        """Mailed invitations whose e-mail address is not known and was not looked up since `tried_before`; never tried ones first."""
        ...

    def lacks_people(self, integration_id: str, distribution_id: str) -> bool:
        """Whether there are mailed invitations whose e-mail address is not known."""
        ...

    def of_contacts(self, integration_id: str, distribution_id: str, contact_ids: Collection[str]) -> Mapping[str, Invitation]: ...

    def of_people(self, survey_id: str, person_ids: Collection[int]) -> Mapping[int, Sequence[Invitation]]:
        """All invitations to one survey of each of these people, over all integrations and distributions."""
        ...

    def of_person(self, person_id: int) -> Sequence[Invitation]:
        """Everything one person was ever sent, over all integrations."""
        ...

    def link(self, invitation: Invitation) -> PersonalLink | None:
        """Decrypt the link for the person it is stored for; None when there is none. The only way to a personal link."""
        ...

    def due(self, now: datetime, limit: int) -> Sequence[Invitation]:
        """Invitations whose `notice_at` has come, earliest first."""
        ...

    def clear_notice(self, invitations: Sequence[Invitation]) -> None: ...

    def reschedule(self, integration_id: str, survey_id: str, ends_at: datetime | None, notice: timedelta, limit: int) -> int:
        """Set `notice_at` of up to `limit` open invitations anew: `notice` before the earlier of link expiry and `ends_at`.

        Returns how many moved; 0 = all are right.
        """
        ...


class Outbox(Protocol):
    def add(self, events: Sequence[Event], now: datetime) -> int:
        """Add one delivery for the person of each event whose key is new, due at once, and open again those that were SKIPPED.

        Returns how many were added or opened again.
        """
        ...

    def last_told(self, kind: EventKind, survey_id: str, person_ids: Collection[int]) -> Mapping[int, datetime]:
        """When the newest delivery of this kind and survey was added, by person."""
        ...

    def reopen_reachable(self, kinds: Collection[MemberKind], now: datetime) -> int:
        """Open UNREACHABLE deliveries again whose person has an account of one of these kinds by now; returns how many."""
        ...

    def claim(self, now: datetime, *, owner: str, lease: timedelta, limit: int) -> Sequence[Delivery]:
        """Take due deliveries, most urgent first; also those whose claim has lapsed. Concurrent callers get different rows."""
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
    ) -> bool:
        """End a delivery this owner holds, or one found UNKNOWN whose sender came back after all. False: it is somebody else's now."""
        ...

    def retry(self, delivery_id: int, due_at: datetime, reason: str, *, owner: str) -> bool:
        """Back to READY. False: it is somebody else's now."""
        ...

    def abandon_lapsed(self, now: datetime) -> int:
        """SENDING with a lapsed lease -> UNKNOWN: the sender died in mid-call. Returns how many."""
        ...

    def counts(self) -> Mapping[DeliveryState, int]: ...
    def reasons(self) -> Mapping[str, int]:
        """How many deliveries ended unreachable, failed or unknown, by reason."""
        ...

    def list(self, limit: int) -> Sequence[Delivery]:
        """The newest deliveries first."""
        ...


class Members(Protocol):
    def save(self, members: Sequence[Member]) -> Absorbed:
        """Upsert; a known `dm_channel_id` is kept when the new value has none."""
        ...

    def get(self, workspace_id: str, user_id: str) -> Member | None: ...
    def by_email(self, email: str) -> Sequence[Member]: ...
    def set_dm_channel(self, workspace_id: str, user_id: str, channel_id: str) -> None: ...
    def counts(self) -> Mapping[str, int]:
        """How many accounts by kind, and `no e-mail` among the members."""
        ...


class Inbox(Protocol):
    def first_time(self, key: str, now: datetime) -> bool:
        """Remember an incoming event's id; False when it was seen before. Survives restarts; forgets after a day."""
        ...


class Runs(Protocol):
    def start(self, run: Run) -> int: ...
    def finish(self, run_id: int, run: Run) -> None: ...
    def latest(self, integration_id: str) -> Sequence[Run]:
        """The newest run of each kind."""
        ...


class UnitOfWork(Protocol):
    """One transaction."""

    @property
    def integrations(self) -> Integrations: ...
    @property
    def users(self) -> Users: ...
    @property
    def surveys(self) -> Surveys: ...
    @property
    def distributions(self) -> Distributions: ...
    @property
    def people(self) -> People: ...
    @property
    def invitations(self) -> Invitations: ...
    @property
    def outbox(self) -> Outbox: ...
    @property
    def members(self) -> Members: ...
    @property
    def inbox(self) -> Inbox: ...
    @property
    def runs(self) -> Runs: ...


class Store(Protocol):
    """The bot's memory. The only ways in are these two; both commit on return and roll back on any exception."""

    async def read(self, work: Callable[[UnitOfWork], T]) -> T:
        """Run `work` on a consistent snapshot; it must not write. Many at once."""
        ...

    async def write(self, work: Callable[[UnitOfWork], T]) -> T:
        """Run `work` as one write transaction. Writers of this process queue in one thread. Raises Unavailable when the database is."""
        ...
