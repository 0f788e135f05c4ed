"""Gathers what pages and posts say of a survey's numbers: all of it is guarded by `bot.small_groups` before it leaves here."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from bot import rules, small_groups
from bot.listed import Listed
from bot.model import Distribution, Integration, Survey
from bot.ports import UnitOfWork
from bot.small_groups import Guarded, Shown
from bot.trend import Point, trend

#: Nobody looks for the results of a mail that somebody sent to try it out; it has no recipients either (quirk Q2).
_TEST = "TestEmail"
#: Of the curve of its answers.
_POINTS = 14


@dataclass(frozen=True, slots=True, kw_only=True)
class SurveyNumbers:
    """One survey as one integration sees it."""

    integration: Integration
    survey: Survey
    #: The owner's name; None = not known.
    owner: str | None
    #: From how many people on numbers are shown.
    k: int
    #: The newest first, without tests.
    distributions: Sequence[Distribution]
    numbers: Guarded
    #: Somebody can answer.
    is_open: bool
    #: When the last invitation ends; None = never, or it is not open.
    closes_at: datetime | None
    #: How its numbers grew.
    history: Sequence[Point] = ()

    @property
    def has_small(self) -> bool:
        """Some of its invitations went to too few people to be counted alone, or to nobody yet."""
        return any(it.invite.pool is not None or it.invite.stats.sent < self.k for it in small_groups.families(self.distributions))

    def of(self, distribution: Distribution) -> Guarded:
        return small_groups.of_distribution(distribution, self.distributions, self.k)


def of_survey(uow: UnitOfWork, integration_id: str, survey_id: str, now: datetime) -> SurveyNumbers | None:
    """None = it is not there. Whether somebody may see it is `bot.authority`'s to say."""
    integration, survey = uow.integrations.get(integration_id), uow.surveys.of(integration_id, survey_id)
    if integration is None or survey is None:
        return None
    every, k = uow.distributions.of_survey(integration_id, survey_id), uow.surveys.group_sizes(integration_id, [survey_id])[survey_id]
    history = trend(every, uow.counts.of_survey(integration_id, survey_id), k, now, points=_POINTS)
    return replace(_made(integration, survey, every, k, now), owner=uow.users.name(integration_id, survey.owner_id), history=history)


def of_surveys(uow: UnitOfWork, integration: Integration, survey_ids: Collection[str], now: datetime) -> Iterator[SurveyNumbers]:
    """The same for many, without their owners' names and their history; those that are not there are missing."""
    integration_id = integration.integration_id
    wanted = frozenset(survey_ids)
    surveys = [it for it in uow.surveys.all(integration_id) if it.survey_id in wanted]
    distributions = uow.distributions.of_surveys(integration_id, survey_ids)
    sizes = uow.surveys.group_sizes(integration_id, survey_ids)
    return (_made(integration, it, distributions.get(it.survey_id, ()), sizes[it.survey_id], now) for it in surveys)


def of_listed(uow: UnitOfWork, listed: Sequence[Listed], now: datetime) -> Mapping[str, Guarded]:
    """Of each survey in a part of a list, by its id."""
    by_integration: dict[str, list[str]] = {}
    for each in listed:
        by_integration.setdefault(each.integration_id, []).append(each.survey_id)
    found: dict[str, Guarded] = {}
    for integration_id, survey_ids in by_integration.items():
        distributions = uow.distributions.of_surveys(integration_id, survey_ids)
        sizes = uow.surveys.group_sizes(integration_id, survey_ids)
        found.update({name: small_groups.of_survey(distributions.get(name, ()), sizes[name], now) for name in survey_ids})
    return found


def open_invitations(uow: UnitOfWork, integration: Integration, now: datetime) -> Shown:
    """How many wait for an answer, of those of whom numbers are shown and who can answer. Pools were counted once, and are left out."""
    integration_id = integration.integration_id
    surveys = {it.survey_id: it for it in uow.surveys.all(integration_id) if it.is_active}
    sizes = uow.surveys.group_sizes(integration_id, surveys)
    cohorts = (
        small_groups.guard(small_groups.total([family]), sizes[survey_id])
        for survey_id, every in uow.distributions.of_surveys(integration_id, surveys).items()
        for family in small_groups.cohorts(every, sizes[survey_id], now)[0]
        if rules.has_answers(family.invite, surveys[survey_id], now)
    )
    return small_groups.combine(cohorts).rest("finished")


def _made(integration: Integration, survey: Survey, every: Sequence[Distribution], k: int, now: datetime) -> SurveyNumbers:
    is_gone = survey.details is not None and survey.details.is_deleted
    open_ones = [] if is_gone else [each for each in every if rules.has_answers(each, survey, now)]
    ends = [rules.deadline(each.link_expires_at, survey) for each in open_ones]
    known = [end for end in ends if end is not None]
    return SurveyNumbers(
        integration=integration,
        survey=survey,
        owner=None,
        k=k,
        distributions=sorted((each for each in every if each.request_type != _TEST), key=_newest_first),
        numbers=small_groups.of_survey(every, k, now),
        is_open=bool(open_ones),
        closes_at=max(known) if known and len(known) == len(ends) else None,
    )


def _newest_first(distribution: Distribution) -> tuple[bool, float, str]:
    at = distribution.send_date or distribution.created_at
    return at is None, -at.timestamp() if at else 0, distribution.distribution_id
