"""A large tenant for benchmarks: every row is computed from its number when it is looked at, so a million invitations cost no memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta

from adapters.sandbox.qualtrics.records import Contact, Distribution, Recipient, Rows, Survey, numbered
from adapters.sandbox.qualtrics.status import counted, stamp
from adapters.sandbox.qualtrics.tenant import Tenant

#: Recipient n is in the status n modulo ten.
_CYCLE = (*["Success"] * 5, "Opened", "SurveyStarted", *["SurveyFinished"] * 2, "HardBounce")


def bulk_tenant(clock: Callable[[], datetime], public_url: str, *, surveys: int, distributions: int, recipients: int) -> Tenant:
    """A large tenant that costs no memory: `surveys`, each with `distributions`, each mailed to the same `recipients` people."""
    tenant = Tenant(clock, public_url=public_url)
    bulk = _Bulk(tenant, distributions, recipients)
    contacts = Rows("CID", recipients, bulk.contact)
    tenant.directories[0].contacts = next(iter(tenant.directories[0].lists)).contacts = contacts
    tenant.surveys = Rows("SV", surveys, bulk.survey)
    tenant.survey_ids = Rows("EMD", surveys * distributions, bulk.survey_id)
    return tenant


class _Bulk:
    """Makes row number n of everything. Distribution d of survey s has the number s * distributions + d."""

    def __init__(self, tenant: Tenant, distributions: int, recipients: int) -> None:
        self._distributions, self._recipients = distributions, recipients
        self._sent_at = tenant.clock() - timedelta(days=1)
        self._owner_id = tenant.users[0].user_id
        self._list_id = next(iter(tenant.directories[0].lists)).mailing_list_id
        self._stats = self._count()

    def contact(self, number: int) -> Contact:
        return Contact(
            contact_id=numbered("CID", number),
            lookup_id=numbered("CGC", number),
            mailing_list_id=self._list_id,
            first_name="Person",
            last_name=str(number),
            email=f"person{number}@example.com",
            external_reference=None,
            created_at=self._sent_at,
        )

    def survey(self, number: int) -> Survey:
        return Survey(
            survey_id=numbered("SV", number),
            name=f"Survey {number}",
            owner_id=self._owner_id,
            created_at=self._sent_at,
            modified_at=self._sent_at,
            responses=self._distributions * self._stats["finished"],
            distributions=Rows("EMD", self._distributions, self._distribution, first=number * self._distributions),
        )

    def survey_id(self, distribution: int) -> str:
        return numbered("SV", distribution // self._distributions)

    def _distribution(self, number: int) -> Distribution:
        return Distribution(
            distribution_id=numbered("EMD", number),
            survey_id=self.survey_id(number),
            owner_id=self._owner_id,
            request_type="Invite",
            created_at=self._sent_at,
            modified_at=self._sent_at,
            send_at=self._sent_at,
            subject=f"Invitation {number}",
            mailing_list_id=self._list_id,
            expires_at=self._sent_at + timedelta(days=8),
            recipients=Rows("CID", self._recipients, self._recipient),
            stats=self._stats.copy(),
        )

    def _recipient(self, number: int) -> Recipient:
        row = Recipient(contact=self.contact(number), status="Pending")
        stamp(row, _CYCLE[number % len(_CYCLE)], self._sent_at)
        row.session_id = numbered("FS", number) if row.started_at else None
        row.response_id = numbered("R", number) if row.completed_at else None
        return row

    def _count(self) -> Counter[str]:
        """The counts of one distribution, without looking at each row."""
        stats: Counter[str] = Counter()
        for number in range(len(_CYCLE)):
            occurrences = len(range(number, self._recipients, len(_CYCLE)))
            stats.update({name: once * occurrences for name, once in counted("Invite", self._recipient(number)).items()})
        return stats
