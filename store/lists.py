"""Lists of the surveys whose numbers somebody may see."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, and_, case, func, literal, or_, select

from bot.listed import Listed, Rights
from bot.rules import INVITE, REMINDER
from store import tables
from store.among import among, texts
from store.columns import Instant

_SURVEYS = tables.surveys
_DISTRIBUTIONS = tables.distributions
_USERS = tables.users
_NEVER = datetime(9999, 1, 1, tzinfo=UTC)
_IS_OWNER = and_(_USERS.c.integration_id == _SURVEYS.c.integration_id, _USERS.c.user_id == _SURVEYS.c.owner_id)


@dataclass(frozen=True, slots=True)
class SqlLists:
    connection: Connection

    def surveys(self, rights: Rights, now: datetime, *, only_open: bool = False) -> Sequence[Listed]:
        """Where several integrations see a survey, the first row that `rights` reach is the one `Grants.integration_of` chooses."""
        asked = _everything(now).where(
            or_(_SURVEYS.c.integration_id.in_(sorted(rights.integrations)), among(_SURVEYS.c.survey_id, "survey_ids"))
        )
        rows = self.connection.execute(asked.where(_SURVEYS.c.is_active) if only_open else asked, {"survey_ids": texts(rights.surveys)})
        found: dict[str, Row[Any]] = {}
        for row in rows:
            if row.integration_id in rights.integrations or rights.surveys.get(row.survey_id) == row.integration_id:
                found.setdefault(row.survey_id, row)
        listed = (_listed(row, now) for row in found.values())
        return sorted((each for each in listed if each.is_open or not only_open), key=_order)


def _everything(now: datetime) -> Select[Any]:
    """All surveys, the better of several rows first, with the last end of an invitation that lives."""
    sent = _DISTRIBUTIONS.c
    asks = or_(sent.request_type == INVITE, and_(sent.request_type == REMINDER, sent.parent_id.is_not(None)))
    lives = (asks, sent.send_date <= now, ~sent.is_deleted)
    ends = func.coalesce(sent.link_expires_at, literal(_NEVER, Instant))
    last = select(func.max(ends)).where(sent.survey_key == _SURVEYS.c.key, *lives, ends > now).scalar_subquery()
    columns = (_SURVEYS.c[name] for name in ("survey_id", "integration_id", "name", "is_deleted", "ends_at"))
    return (
        select(*columns, _USERS.c.first_name, _USERS.c.last_name, case((_SURVEYS.c.is_active, last)).label("last_end"))
        .outerjoin(_USERS, _IS_OWNER)
        .order_by(_SURVEYS.c.is_active.desc(), _SURVEYS.c.anonymity.is_not(None).desc(), _SURVEYS.c.integration_id)
    )


def _listed(row: Row[Any], now: datetime) -> Listed:
    end = min(row.last_end or now, row.ends_at or _NEVER)
    is_open = end > now and not row.is_deleted
    return Listed(
        integration_id=row.integration_id,
        survey_id=row.survey_id,
        name=row.name,
        owner=" ".join(part for part in (row.first_name, row.last_name) if part) or None,
        is_open=is_open,
        closes_at=end if is_open and end < _NEVER else None,
    )


def _order(listed: Listed) -> tuple[bool, datetime, str, str]:
    return not listed.is_open, listed.closes_at or _NEVER, listed.name.casefold(), listed.survey_id
