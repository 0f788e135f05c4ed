"""The second half of a look: its picture is applied to the tables. There is no network in here, and doing it twice changes nothing."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from bot import rules
from bot.model import Distribution, LinkType, Survey, SurveyDetails
from bot.ports import UnitOfWork
from bot.syncing.closures import closes_missing
from bot.syncing.listing import listed
from bot.syncing.look import Look

#: Surveys whose distributions are saved in one transaction.
_SURVEYS_PER_TRANSACTION = 50
#: Rows of one write transaction (reference performance.md 2: 500 to 1,000).
_ROWS_PER_TRANSACTION = 1000


async def apply_picture(look: Look) -> Collection[str]:
    """Save the picture; returns the ids of the surveys whose distributions were listed."""
    ids = look.integration_id

    def save(uow: UnitOfWork) -> tuple[int, int]:
        surveys = uow.pictures.surveys(ids)
        _ask_for_last_counts(uow, ids, surveys, look.clock())
        changed = save_surveys(uow, ids, surveys, look.started_at)
        uow.surveys.freeze_group_sizes(ids, [survey.survey_id for survey in uow.surveys.all(ids)])
        if closes_missing(uow, ids, look.kind):
            changed += uow.surveys.close_unseen(ids, look.started_at)
        return changed, 0

    await look.write(save)
    surveys = await look.store.read(lambda uow: uow.pictures.surveys(ids))
    await save_details(look, surveys)
    is_whole = await look.store.read(lambda uow: listed(uow, ids))
    order = sorted(is_whole)
    for start in range(0, len(order), _SURVEYS_PER_TRANSACTION):
        chunk = order[start : start + _SURVEYS_PER_TRANSACTION]
        whole = [survey_id for survey_id in chunk if is_whole[survey_id]]
        await look.write(
            lambda uow, chunk=chunk, whole=whole: (
                save_distributions(uow, ids, _lists(uow, ids, chunk), whole, look.clock(), counted_at=look.started_at),
                0,
            )
        )
    return order


def _ask_for_last_counts(uow: UnitOfWork, integration_id: str, surveys: Sequence[Survey], now: datetime) -> None:
    """Have those that were closed looked at by themselves: their lists are not in the picture."""
    active = {survey.survey_id for survey in uow.surveys.all(integration_id) if survey.is_active}
    for survey in surveys:
        if not survey.is_active and survey.survey_id in active:
            uow.refreshes.ask(integration_id, survey.survey_id, now)


def save_surveys(uow: UnitOfWork, integration_id: str, surveys: Sequence[Survey], seen_at: datetime) -> int:
    """Save list entries; the people of those that came back must be looked at again. Returns how many changed."""
    closed = {survey.survey_id for survey in uow.surveys.all(integration_id) if not survey.is_active}
    changed = uow.surveys.save(integration_id, surveys, seen_at).changed
    for survey in surveys:
        if survey.is_active and survey.survey_id in closed:
            uow.distributions.forget_history(integration_id, survey.survey_id)
    return changed


async def save_details(look: Look, surveys: Sequence[Survey]) -> None:
    """Save what was read of these surveys beside their list entries, which are saved already."""
    known = {survey.survey_id: survey for survey in await look.store.read(lambda uow: uow.surveys.all(look.integration_id))}
    for survey in surveys:
        if survey.details is not None or survey.details_for is not None:
            await _save_details(look, survey, known[survey.survey_id])


async def _save_details(look: Look, survey: Survey, known: Survey) -> None:
    ids, details = (look.integration_id, survey.survey_id), survey.details
    while details is not None and await look.store.write(
        lambda uow: uow.invitations.reschedule(*ids, details.ends_at, rules.NOTICE, limit=_ROWS_PER_TRANSACTION)
    ):
        pass

    def save(uow: UnitOfWork) -> None:
        if details is not None and known.details is not None and _is_prolonged(known.details, details):  # people can answer again
            uow.distributions.forget_history(*ids)
        uow.surveys.save_details(*ids, details, survey.details_for)

    await look.store.write(save)


def save_distributions(
    uow: UnitOfWork,
    integration_id: str,
    lists: Mapping[str, Sequence[Distribution]],
    whole: Collection[str],
    now: datetime,
    *,
    counted_at: datetime,
) -> int:
    """Save lists, by survey, and remember today's counts; what is missing in a whole one was deleted. Returns how many changed.

    They were read at `counted_at` or later.
    """
    inherited = [it for survey_id, distributions in lists.items() for it in _inherited(uow, integration_id, survey_id, distributions)]
    uow.counts.keep(integration_id, inherited, now)
    changed = uow.distributions.save(integration_id, inherited).changed
    uow.surveys.set_counted(integration_id, lists.keys(), counted_at)
    uow.surveys.freeze_group_sizes(integration_id, lists.keys())
    return changed + uow.distributions.mark_deleted(integration_id, whole, {distribution.distribution_id for distribution in inherited})


def _lists(uow: UnitOfWork, integration_id: str, survey_ids: Collection[str]) -> Mapping[str, Sequence[Distribution]]:
    return {survey_id: uow.pictures.distributions(integration_id, survey_id) for survey_id in survey_ids}


def _is_prolonged(before: SurveyDetails, now: SurveyDetails) -> bool:
    is_later = before.ends_at is not None and (now.ends_at is None or now.ends_at > before.ends_at)
    return is_later or (before.is_deleted and not now.is_deleted)


def _inherited(uow: UnitOfWork, integration_id: str, survey_id: str, distributions: Sequence[Distribution]) -> Iterator[Distribution]:
    """Give reminders the link type and expiry of their invite: Qualtrics tells them on invites only (reference qualtrics.md 4).

    An invite that is not listed any more is stored.
    """
    known = {distribution.distribution_id: distribution for distribution in distributions}
    if any(distribution.parent_id is not None and distribution.parent_id not in known for distribution in distributions):
        known = {it.distribution_id: it for it in uow.distributions.of_survey(integration_id, survey_id)} | known
    return (_like_its_parent(distribution, known.get(distribution.parent_id or "")) for distribution in distributions)


def _like_its_parent(distribution: Distribution, parent: Distribution | None) -> Distribution:
    if parent is None or distribution.link_type is not LinkType.UNKNOWN:
        return distribution
    expires_at = distribution.link_expires_at or parent.link_expires_at
    return replace(distribution, link_type=parent.link_type, link_expires_at=expires_at)
