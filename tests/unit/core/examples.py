"""Surveys, distributions and invitations with every field filled, to be varied by tests."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.model import Anonymity, Distribution, DistributionStats, Integration, Invitation, LinkType, Status, Survey, SurveyDetails
from bot.rules import Participation, participation

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
DAY = timedelta(days=1)


def an_integration(integration_id: str = "main", **values: Any) -> Integration:
    return Integration(integration_id=integration_id, name="Main", base_url="https://fra1.qualtrics.com/API/v3/", **values)


def a_survey(
    ends_at: datetime | None = None, anonymity: Anonymity = Anonymity.IDENTIFIED, *, is_deleted: bool = False, **values: Any
) -> Survey:
    details = SurveyDetails(ends_at=ends_at, anonymity=anonymity, is_deleted=is_deleted)
    survey = Survey(
        survey_id="SV_1", name="Engagement", owner_id="UR_1", is_active=True, last_modified=NOW - 9 * DAY, details=details, details_for=NOW
    )
    return replace(survey, **values)


def a_distribution(**values: Any) -> Distribution:
    distribution = Distribution(
        distribution_id="EMD_1",
        survey_id="SV_1",
        parent_id=None,
        owner_id="UR_1",
        request_type="Invite",
        request_status="Done",
        send_date=NOW - DAY,
        sender_name="People team",
        link_type=LinkType.INDIVIDUAL,
        link_expires_at=NOW + 7 * DAY,
        stats=DistributionStats(sent=10),
    )
    return replace(distribution, **values)


def an_invitation(**values: Any) -> Invitation:
    invitation = Invitation(
        integration_id="main",
        survey_id="SV_1",
        distribution_id="EMD_1",
        contact_id="CID_1",
        person_id=1,
        status=Status.SUCCESS,
        mailed=True,
        sent_at=NOW - DAY,
        completed_at=None,
        link_expires_at=NOW + 7 * DAY,
        sender_name="People team",
        link_type=LinkType.INDIVIDUAL,
    )
    return replace(invitation, **values)


def asked(survey: Survey | None = None, *invitations: Invitation) -> Participation:
    found = participation(survey or a_survey(), invitations or (an_invitation(),), NOW)
    assert found is not None
    return found
