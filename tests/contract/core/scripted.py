"""A survey source whose tenant is a few dictionaries: fast enough for property tests. The real client has the sandbox's tenant."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, TypeVar

from bot.errors import Gone
from bot.model import (
    Anonymity,
    Contact,
    Directory,
    Distribution,
    DistributionStats,
    HistoryEntry,
    LinkEntry,
    Survey,
    SurveyDetails,
    User,
)
from bot.ports.records import Account, Batch
from tests.unit.core.examples import NOW, a_distribution, a_survey

T = TypeVar("T")


@dataclass
class ScriptedSource:
    """Answers from its dictionaries and counts its calls; `errors` are raised, by call, after `pages_before_error` pages."""

    survey_list: dict[str, Survey] = field(default_factory=dict)
    details: dict[str, SurveyDetails] = field(default_factory=dict)
    sent: dict[str, Distribution] = field(default_factory=dict)
    #: By distribution and contact.
    rows: dict[str, dict[str, HistoryEntry]] = field(default_factory=dict)
    addresses: dict[str, dict[str, LinkEntry]] = field(default_factory=dict)
    contacts: dict[str, str] = field(default_factory=dict)
    directory_list: tuple[Directory, ...] = (Directory(directory_id="POOL_1", name=None, is_default=True),)
    user_list: tuple[User, ...] = ()
    errors: dict[str, Exception] = field(default_factory=dict)
    pages_before_error: int = 0
    #: Raised when a list is read on from a position.
    refused_positions: dict[str, Exception] = field(default_factory=dict)
    host: str | None = "acme.qualtrics.com"
    page_size: int = 2
    #: Bad records on each page of these calls.
    skipped: int = 0
    skips: tuple[str, ...] = ("users", "surveys")
    called: Counter[str] = field(default_factory=Counter)
    pages: Counter[str] = field(default_factory=Counter)

    def put(self, survey_id: str = "SV_1", *, ends_at: datetime | None = None, **values: Any) -> None:
        self.survey_list[survey_id] = replace(a_survey(survey_id=survey_id, details=None, details_for=None), **values)
        self.details[survey_id] = SurveyDetails(ends_at=ends_at, anonymity=Anonymity.IDENTIFIED)

    def send(
        self, distribution_id: str, people: dict[str, str | None], survey_id: str = "SV_1", status: str = "Success", **values: object
    ) -> None:
        """Send a survey to contacts (`CID -> e-mail`), six hours ago: histories of what is older are not read at every look."""
        values = {"send_date": NOW - timedelta(hours=6), **values}
        self.sent[distribution_id] = replace(a_distribution(distribution_id=distribution_id, survey_id=survey_id), **values)
        self.rows[distribution_id] = {}
        self.addresses[distribution_id] = {}
        for contact_id, email in people.items():
            url = f"https://acme.qualtrics.com/jfe/form/{survey_id}?Q_CHL=email&Q_DL={distribution_id}_{contact_id}"
            self.addresses[distribution_id][contact_id] = LinkEntry(
                contact_id=contact_id, email=email, url=url, expires_at=self.sent[distribution_id].link_expires_at
            )
            self.rows[distribution_id][contact_id] = HistoryEntry(contact_id=contact_id, status="", url=url, sent_at=NOW, completed_at=None)
            self.move(distribution_id, contact_id, status)

    def move(self, distribution_id: str, contact_id: str, status: str, completed_at: datetime | None = None) -> None:
        entry = self.rows[distribution_id][contact_id]
        sent_at = self.sent[distribution_id].send_date
        self.rows[distribution_id][contact_id] = replace(entry, status=status, sent_at=sent_at, completed_at=completed_at)
        states = Counter(entry.status for entry in self.rows[distribution_id].values())
        stats = DistributionStats(
            sent=sum(states.values()) - states["Pending"],
            opened=states["Opened"],
            started=states["SurveyStarted"] + states["SessionExpired"],
            finished=states["SurveyFinished"],
            bounced=states["HardBounce"],
        )
        self.sent[distribution_id] = replace(self.sent[distribution_id], stats=stats)

    @property
    def calls(self) -> int:
        return self.called.total()

    async def account(self) -> Account:
        return Account(brand_id="acme", user_id="UR_1", datacenter="fra1")

    def users(self, after: str | None = None) -> AsyncIterator[Batch[User]]:
        return self._pages("users", self.user_list, after)

    def surveys(self, after: str | None = None) -> AsyncIterator[Batch[Survey]]:
        return self._pages("surveys", tuple(self.survey_list.values()), after)

    async def survey(self, survey_id: str) -> Survey:
        self._called(f"survey {survey_id}")
        if survey_id not in self.survey_list:
            raise Gone(f"survey {survey_id} was deleted")
        return self.survey_list[survey_id]

    async def survey_details(self, survey_id: str) -> SurveyDetails:
        self._called(f"details {survey_id}")
        return self.details[survey_id]

    async def brand_host(self, survey_id: str) -> str | None:
        self._called(f"brand host {survey_id}")
        return self.host

    def distributions(self, survey_id: str, after: str | None = None) -> AsyncIterator[Batch[Distribution]]:
        return self._pages(f"distributions {survey_id}", tuple(d for d in self.sent.values() if d.survey_id == survey_id), after)

    def history(self, distribution_id: str, after: str | None = None) -> AsyncIterator[Batch[HistoryEntry]]:
        return self._pages(f"history {distribution_id}", tuple(self.rows[distribution_id].values()), after)

    def links(self, distribution_id: str, survey_id: str, after: str | None = None) -> AsyncIterator[Batch[LinkEntry]]:
        assert self.sent[distribution_id].survey_id == survey_id
        return self._pages(f"links {distribution_id}", tuple(self.addresses[distribution_id].values()), after)

    def directories(self) -> AsyncIterator[Batch[Directory]]:
        return self._pages("directories", self.directory_list)

    async def contact(self, directory_id: str, contact_id: str) -> Contact:
        self._called(f"contact {contact_id}")
        assert directory_id == self.directory_list[0].directory_id
        return Contact(contact_id=contact_id, email=self.contacts.get(contact_id))

    async def _pages(self, call: str, items: Sequence[T], after: str | None = None) -> AsyncIterator[Batch[T]]:
        """`called` counts readings from the start, `pages` all pages. A position is the number of records before it."""
        self.called[call] += after is None
        if after is not None and call in self.refused_positions:
            raise self.refused_positions[call]
        for page, start in enumerate(range(int(after or 0), max(len(items), 1), self.page_size)):
            if call in self.errors and page >= self.pages_before_error:
                raise self.errors[call]
            self.pages[call] += 1
            end = start + self.page_size
            following = str(end) if end < len(items) else None
            yield Batch(tuple(items[start:end]), self.skipped if call in self.skips else 0, following)

    def _called(self, call: str) -> None:
        self.called[call] += 1
        if call in self.errors:
            raise self.errors[call]
