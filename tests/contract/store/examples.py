"""Small values for the store's tests, and a store that knows one integration, survey and distribution."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from bot.events import Event, EventKind
from bot.messages import Member, MemberKind
from bot.model import Distribution, HistoryEntry, LinkEntry, LinkType, Status, Survey
from bot.ports import UnitOfWork
from bot.ports.records import MailedRow
from tests.unit.core.examples import an_integration

NOW = datetime(2026, 11, 23, 12, 0, 0, 161_000, tzinfo=UTC)
DAY = timedelta(days=1)
EXPIRY = NOW + 7 * DAY


def survey(survey_id: str = "SV_1", *, name: str = "Pulse", is_active: bool = True) -> Survey:
    return Survey(survey_id=survey_id, name=name, owner_id="UR_1", is_active=is_active, last_modified=NOW - 3 * DAY)


def distribution(
    distribution_id: str = "EMD_1",
    survey_id: str = "SV_1",
    *,
    link_expires_at: datetime | None = EXPIRY,
    link_type: LinkType = LinkType.INDIVIDUAL,
    request_status: str = "Done",
) -> Distribution:
    return Distribution(
        distribution_id=distribution_id,
        survey_id=survey_id,
        parent_id=None,
        owner_id="UR_1",
        request_type="Invite",
        request_status=request_status,
        send_date=NOW - DAY,
        sender_name="Ada",
        link_type=link_type,
        link_expires_at=link_expires_at,
    )


def link(
    contact_id: str = "CID_1",
    *,
    email: str | None = "ada@example.org",
    url: str | None = "https://q/links",
    expires_at: datetime | None = EXPIRY,
) -> LinkEntry:
    return LinkEntry(contact_id=contact_id, email=email, url=url, expires_at=expires_at)


def row(
    contact_id: str = "CID_1",
    *,
    status: str = Status.SUCCESS,
    url: str | None = "https://q/history",
    mailed: bool = True,
    notice_at: datetime | None = None,
) -> MailedRow:
    entry = HistoryEntry(contact_id=contact_id, status=status, url=url, sent_at=NOW - DAY, completed_at=None)
    return MailedRow(entry=entry, mailed=mailed, notice_at=notice_at)


def member(
    user_id: str = "U1", *, kind: MemberKind = MemberKind.MEMBER, email: str | None = "ada@example.org", dm: str | None = None
) -> Member:
    return Member(workspace_id="T1", user_id=user_id, kind=kind, email=email, zone="Europe/Rome", locale="it", dm_channel_id=dm)


def event(person_id: int, mark: str = "", *, kind: EventKind = EventKind.SURVEY_INVITED, survey_id: str = "SV_1") -> Event:
    return Event(kind=kind, integration_id="main", survey_id=survey_id, person_id=person_id, mark=mark)


def furnish(uow: UnitOfWork, integration_id: str = "main") -> None:
    """Store what invitations hang on: an integration, the survey SV_1, its distribution EMD_1."""
    uow.integrations.save(an_integration(integration_id))
    uow.surveys.save(integration_id, [survey()], NOW)
    uow.distributions.save(integration_id, [distribution()])
