"""What a simulated Qualtrics tenant remembers: plain mutable records, in ordered lists that are found by id.

Times are aware UTC datetimes. How the records look on the wire is `bodies`' business, what may happen to them `tenant`'s.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Generic, Literal, TypeVar

T = TypeVar("T")
#: What can be taken away from a user, one by one.
Permission = Literal["users", "surveys", "definitions", "distributions", "history", "links", "directories", "contacts", "subscriptions"]


class Rows(Generic[T]):
    """Records in order, found by id: `count` of them are computed from their number when they are looked at, later ones are stored.

    A computed record's id is `numbered(prefix, number)`, and `first` is the number of the first. Asked for by id it is kept from then
    on, because the asker may change it; asked for in passing it is forgotten at once, so a million rows cost no memory.
    """

    def __init__(self, prefix: str = "", count: int = 0, make: Callable[[int], T] | None = None, *, first: int = 0) -> None:
        self._prefix, self._numbers, self._make = prefix, range(first, first + count), make
        self._kept: dict[int, T] = {}
        self._added: dict[str, T] = {}

    def __len__(self) -> int:
        return len(self._numbers) + len(self._added)

    def __iter__(self) -> Iterator[T]:
        return self.since(0)

    def __getitem__(self, position: int) -> T:
        for row in self.since(position):
            return row
        raise IndexError(position)

    def since(self, position: int) -> Iterator[T]:
        """The records from a position on, each computed only when it is reached."""
        for number in self._numbers[position:]:
            yield self._computed(number)
        yield from islice(self._added.values(), max(0, position - len(self._numbers)), None)

    def add(self, row_id: str, row: T) -> None:
        self._added[row_id] = row

    def remove(self, row_id: str) -> None:
        """Forget a stored record. KeyError: it is unknown, or computed."""
        del self._added[row_id]

    def get(self, row_id: str) -> T | None:
        if row_id in self._added:
            return self._added[row_id]
        number = self._number(row_id)
        return None if number is None else self._kept.setdefault(number, self._computed(number))

    def position(self, row_id: str) -> int | None:
        """Where a record stands; None when there is no such id."""
        if row_id in self._added:
            return len(self._numbers) + list(self._added).index(row_id)
        number = self._number(row_id)
        return None if number is None else self._numbers.index(number)

    def _computed(self, number: int) -> T:
        if number in self._kept:
            return self._kept[number]
        assert self._make is not None
        return self._make(number)

    def _number(self, row_id: str) -> int | None:
        tail = row_id.removeprefix(f"{self._prefix}_")
        number = int(tail) if tail.isdecimal() else -1
        return number if number in self._numbers and row_id == numbered(self._prefix, number) else None


def numbered(prefix: str, number: int) -> str:
    """An id in Qualtrics' form (prefix, underscore, 15 characters) that tells its number."""
    return f"{prefix}_{number:015d}"


@dataclass(slots=True, kw_only=True)
class User:
    user_id: str
    email: str
    first_name: str
    last_name: str
    #: `UT_FULLUSER` or `UT_BRANDADMIN`.
    user_type: str
    created_at: datetime
    denied: set[Permission] = field(default_factory=set[Permission])
    #: No credential of a disabled user is accepted.
    is_disabled: bool = False

    @property
    def is_admin(self) -> bool:
        return self.user_type == "UT_BRANDADMIN"


@dataclass(slots=True, kw_only=True)
class Contact:
    """A directory contact; one person can be several (reference qualtrics.md 6)."""

    contact_id: str
    #: `CGC_...`: the contact within its mailing list, as links and webhooks name it.
    lookup_id: str
    mailing_list_id: str
    first_name: str | None
    last_name: str | None
    email: str | None
    external_reference: str | None
    created_at: datetime
    unsubscribed: bool = False


@dataclass(slots=True, kw_only=True)
class MailingList:
    mailing_list_id: str
    name: str
    owner_id: str
    created_at: datetime
    contacts: Rows[Contact] = field(default_factory=Rows[Contact])


@dataclass(slots=True, kw_only=True)
class Directory:
    directory_id: str
    name: str | None
    is_default: bool
    contacts: Rows[Contact] = field(default_factory=Rows[Contact])
    lists: Rows[MailingList] = field(default_factory=Rows[MailingList])


@dataclass(slots=True, kw_only=True)
class Recipient:
    """One contact in one distribution: a row of its history."""

    contact: Contact
    status: str
    sent_at: datetime | None = None
    opened_at: datetime | None = None
    started_at: datetime | None = None
    completed_at: datetime | None = None
    #: `R_...`, or the text `Anonymous` when the survey anonymises responses.
    response_id: str | None = None
    session_id: str | None = None


@dataclass(slots=True, kw_only=True)
class Distribution:
    distribution_id: str
    survey_id: str
    owner_id: str
    #: `Invite`, `Reminder`, `ThankYou`, `GeneratedInvite` or `TestEmail`.
    request_type: str
    created_at: datetime
    modified_at: datetime
    send_at: datetime
    parent_id: str | None = None
    subject: str = ""
    mailing_list_id: str | None = None
    #: The one contact it went to, when it went to one only.
    contact_id: str | None = None
    link_type: str = "Individual"
    #: When its links stop working; None = never. A reminder's links live as long as its invitation's.
    expires_at: datetime | None = None
    recipients: Rows[Recipient] = field(default_factory=Rows[Recipient])
    stats: Counter[str] = field(default_factory=Counter[str])
    deleted_at: datetime | None = None


@dataclass(slots=True, kw_only=True)
class Survey:
    survey_id: str
    name: str
    owner_id: str
    created_at: datetime
    modified_at: datetime
    is_active: bool = True
    is_anonymized: bool = False
    #: Whether anybody may read the definition; otherwise 403 `QMST_2.1`.
    is_readable: bool = True
    #: Users who see it beside its owner and the brand admins.
    shared_with: set[str] = field(default_factory=set[str])
    ends_at: datetime | None = None
    deleted_at: datetime | None = None
    #: Real responses; `generated` (test) and `deleted` ones stay 0 here.
    responses: int = 0
    distributions: Rows[Distribution] = field(default_factory=Rows[Distribution])


@dataclass(slots=True, kw_only=True)
class Subscription:
    subscription_id: str
    #: One topic, or a wildcard: `*`, `surveyengine.completedResponse.*`.
    topics: str
    publication_url: str
    #: What deliveries are signed with; None: they are not signed.
    shared_key: str | None = None
    #: Deliveries that were answered with 2xx.
    successful_calls: int = 0

    def wants(self, topic: str) -> bool:
        """Whether it hears of events of a topic (without the brand)."""
        return topic == self.topics or (self.topics.endswith("*") and topic.startswith(self.topics[:-1]))
