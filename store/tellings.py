"""What became of the messages about a survey, counted (FEATURES D9)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, and_, bindparam, case, func, literal, select

from bot.messages import DeliveryState
from bot.ports.records import Told
from store import tables

_DISTRIBUTIONS = tables.distributions
_INVITATIONS = tables.invitations
_OUTBOX = tables.outbox
_SURVEYS = tables.surveys

#: The best comes first.
_ORDER = (
    DeliveryState.SENT,
    DeliveryState.UNKNOWN,
    DeliveryState.SENDING,
    DeliveryState.CLAIMED,
    DeliveryState.READY,
    DeliveryState.SKIPPED,
    DeliveryState.UNREACHABLE,
    DeliveryState.FAILED,
)
_IS_UNREACHABLE = _OUTBOX.c.state == DeliveryState.UNREACHABLE
#: A state as its place in that order, with the reason behind it, so that the least of them is the best.
_OUTCOME = case({state: str(place) for place, state in enumerate(_ORDER)}, value=_OUTBOX.c.state) + case(
    (_IS_UNREACHABLE, func.coalesce(_OUTBOX.c.reason, "")), else_=literal("")
)


@dataclass(frozen=True, slots=True)
class SqlTellings:
    connection: Connection

    def of_survey(self, integration_id: str, survey_id: str) -> Sequence[Told]:
        rows = self.connection.execute(_COUNTED, {"integration": integration_id, "survey": survey_id})
        return [_told(*row) for row in rows]


def _told(distribution_id: str, outcome: str | None, people: int) -> Told:
    is_known = outcome != _NOBODY
    if not outcome or not is_known:
        return Told(distribution_id, is_known, None, None, people)
    return Told(distribution_id, is_known, _ORDER[int(outcome[0])], outcome[1:] or None, people)


#: What stands for an outcome where no e-mail address is known.
_NOBODY = "?"
_ONE_SURVEY = (
    select(_DISTRIBUTIONS.c.key, _DISTRIBUTIONS.c.distribution_id)
    .join(_SURVEYS, _SURVEYS.c.key == _DISTRIBUTIONS.c.survey_key)
    .where(_SURVEYS.c.survey_id == bindparam("survey"), _SURVEYS.c.integration_id == bindparam("integration"))
    .where(_DISTRIBUTIONS.c.parent_id.is_(None))
    .subquery()
)
#: One row a person and distribution: the index of the outbox by person finds theirs.
_EACH = (
    select(
        _ONE_SURVEY.c.distribution_id,
        case((_INVITATIONS.c.person_id.is_(None), _NOBODY), else_=func.min(_OUTCOME)).label("outcome"),
    )
    .join_from(_ONE_SURVEY, _INVITATIONS, _INVITATIONS.c.distribution_key == _ONE_SURVEY.c.key)
    .outerjoin(_OUTBOX, and_(_OUTBOX.c.person_id == _INVITATIONS.c.person_id, _OUTBOX.c.survey_id == bindparam("survey")))
    .where(_INVITATIONS.c.mailed)
    .group_by(_ONE_SURVEY.c.distribution_id, _INVITATIONS.c.distribution_key, _INVITATIONS.c.contact_id, _INVITATIONS.c.person_id)
    .subquery()
)
#: Built once.
_COUNTED = select(_EACH.c.distribution_id, _EACH.c.outcome, func.count()).group_by(_EACH.c.distribution_id, _EACH.c.outcome)
