"""What all examples of the gallery have in common: when they are read, by whom, the name that must do no harm, and a sending."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from bot.model import Distribution, DistributionStats, LinkType
from bot.pages import Reader

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
READER = Reader(locale="en-GB", zone="Europe/Berlin")
READER_IN_TEAMS = replace(READER, slash="")
HOSTILE = "*x* <!channel> & `y` <https://evil.example|click>"
DAY = timedelta(days=1)
SENT = Distribution(
    distribution_id="EMD_1",
    survey_id="SV_1",
    parent_id=None,
    owner_id="UR_1",
    request_type="Invite",
    request_status="Done",
    send_date=NOW - 9 * DAY,
    sender_name="People team",
    link_type=LinkType.INDIVIDUAL,
    link_expires_at=NOW + DAY,
    stats=DistributionStats(sent=412, opened=318, started=271, finished=243, bounced=58, blocked=12, skipped=6),
)
