"""Reads what people have to answer: their stored invitations, folded survey by survey."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime

from bot import rules
from bot.model import Invitation
from bot.ports import UnitOfWork
from bot.rules import Participation, State

_NEVER = datetime.max.replace(tzinfo=UTC)


def of_person(uow: UnitOfWork, person_id: int, now: datetime) -> list[Participation]:
    """Everything one person was ever mailed, over all integrations; surveys that are not stored are left out."""
    return _folded(uow, uow.invitations.of_person(person_id), now)


def open_of_person(uow: UnitOfWork, person_id: int, now: datetime) -> list[Participation]:
    """What one person can answer, in the order of `soonest_first`. A fraction of the work of reading everything."""
    return soonest_first(_folded(uow, uow.invitations.of_person(person_id, now), now))


def soonest_first(asked: Iterable[Participation]) -> list[Participation]:
    """What can be answered, soonest deadline first, without a deadline last."""
    still_open = [each for each in asked if each.state is State.OPEN]
    return sorted(still_open, key=lambda each: (each.closes_at or _NEVER, each.survey.name, each.survey.survey_id))


def in_survey(uow: UnitOfWork, survey_id: str, person_ids: Collection[int], now: datetime) -> Mapping[int, Participation]:
    """What one survey is to these people; whoever was never mailed is missing."""
    survey = uow.surveys.get([survey_id]).get(survey_id)
    if survey is None:
        return {}
    rows: Iterable[tuple[int, Participation | None]] = (
        (person_id, rules.participation(survey, invitations, now))
        for person_id, invitations in uow.invitations.of_people(survey_id, person_ids).items()
    )
    return {person_id: asked for person_id, asked in rows if asked is not None}


def _folded(uow: UnitOfWork, invitations: Iterable[Invitation], now: datetime) -> list[Participation]:
    by_survey: dict[str, list[Invitation]] = {}
    for invitation in invitations:
        by_survey.setdefault(invitation.survey_id, []).append(invitation)
    surveys = uow.surveys.get(by_survey)
    folded = (rules.participation(surveys[survey_id], group, now) for survey_id, group in by_survey.items() if survey_id in surveys)
    return [asked for asked in folded if asked is not None]
