"""How far each person is with a survey."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, case, func, select

from bot.model import Status
from bot.rules import ANSWERED
from bot.standings import Standing
from store import tables

_DISTRIBUTIONS = tables.distributions
_INVITATIONS = tables.invitations
_PEOPLE = tables.people
_SURVEYS = tables.surveys

_FAR = (Standing.NOT_BEGUN, Standing.BEGUN, Standing.ANSWERED)
_STATUS = _INVITATIONS.c.status
_HOW_FAR = case(
    (_STATUS.in_(sorted(ANSWERED)), _FAR.index(Standing.ANSWERED)),
    (_STATUS.in_([Status.SURVEY_STARTED, Status.SESSION_EXPIRED]), _FAR.index(Standing.BEGUN)),
    else_=_FAR.index(Standing.NOT_BEGUN),
)


@dataclass(frozen=True, slots=True)
class SqlStandings:
    connection: Connection

    def counts(self, integration_id: str, survey_id: str) -> Mapping[Standing, int]:
        rows = self.connection.execute(_COUNTED, {"integration": integration_id, "survey": survey_id})
        return {_FAR[far]: people for far, people in rows}

    def emails(self, integration_id: str, survey_id: str, standing: Standing, *, skip: int, limit: int) -> Sequence[str]:
        ids = {"integration": integration_id, "survey": survey_id, "far": _FAR.index(standing)}
        return self.connection.execute(_NAMED.offset(skip).limit(limit), ids).scalars().all()


#: One row a person: the distributions of the survey lead to their rows.
_EACH = (
    select(_INVITATIONS.c.person_id, func.max(_HOW_FAR).label("far"))
    .join(_DISTRIBUTIONS, _DISTRIBUTIONS.c.key == _INVITATIONS.c.distribution_key)
    .join(_SURVEYS, _SURVEYS.c.key == _DISTRIBUTIONS.c.survey_key)
    .where(_SURVEYS.c.survey_id == bindparam("survey"), _SURVEYS.c.integration_id == bindparam("integration"))
    .where(_INVITATIONS.c.mailed, _INVITATIONS.c.person_id.is_not(None))
    .group_by(_INVITATIONS.c.person_id)
    .subquery()
)
_COUNTED = select(_EACH.c.far, func.count()).group_by(_EACH.c.far)
_NAMED = (
    select(_PEOPLE.c.email)
    .join(_EACH, _EACH.c.person_id == _PEOPLE.c.person_id)
    .where(_EACH.c.far == bindparam("far"))
    .order_by(_PEOPLE.c.email)
)
