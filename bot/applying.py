"""The second half of a look: its picture is applied to the tables. There is no network in here, and doing it twice changes nothing."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from bot import rules
from bot.closures import closes_missing
from bot.listing import LISTS
from bot.look import Look
from bot.model import Distribution, LinkType, Survey
from bot.ports import UnitOfWork

#: Surveys whose distributions are saved in one transaction.
_SURVEYS_PER_TRANSACTION = 50
#: Rows of one write transaction (reference performance.md 2: 500 to 1,000).
_ROWS_PER_TRANSACTION = 1000


async def apply_picture(look: Look) -> Collection[str]:
    """Save the picture; returns the ids of the surveys whose distributions were listed."""
    ids = look.integration_id

    def save(uow: UnitOfWork) -> tuple[int, int]:
        surveys = uow.pictures.surveys(ids)
        changed = uow.surveys.save(ids, surveys, look.started_at).changed
        if closes_missing(uow, ids, look.kind):
            changed += uow.surveys.close_unseen(ids, look.started_at)
        return changed, 0

    await look.write(save)
    surveys = await look.store.read(lambda uow: uow.pictures.surveys(ids))
    await save_details(look, surveys)
    listed = sorted(name.removeprefix(LISTS) for name in await look.store.read(lambda uow: uow.positions.finished(ids, LISTS)))
    for start in range(0, len(listed), _SURVEYS_PER_TRANSACTION):
        chunk = listed[start : start + _SURVEYS_PER_TRANSACTION]
        await look.write(
            lambda uow, chunk=chunk: (
                save_distributions(uow, ids, {survey_id: uow.pictures.distributions(ids, survey_id) for survey_id in chunk}),
                0,
            )
        )
    return listed


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
        if known.details is not None and known.details_for is None:  # it came back, and its people must be looked at again
            uow.distributions.forget_history(*ids)
        uow.surveys.save_details(*ids, details, survey.details_for)

    await look.store.write(save)


def save_distributions(uow: UnitOfWork, integration_id: str, listed: Mapping[str, Sequence[Distribution]]) -> int:
    """Save whole lists, by survey; what is not listed any more was deleted. Returns how many changed."""
    inherited = [distribution for distributions in listed.values() for distribution in _inherited(distributions)]
    changed = uow.distributions.save(integration_id, inherited).changed
    return changed + uow.distributions.mark_deleted(
        integration_id, listed.keys(), {distribution.distribution_id for distribution in inherited}
    )


def _inherited(distributions: Sequence[Distribution]) -> Sequence[Distribution]:
    """Give reminders the link type and expiry of their invite: Qualtrics tells them on invites only (reference qualtrics.md 4)."""
    known = {distribution.distribution_id: distribution for distribution in distributions}
    return [_like_its_parent(distribution, known.get(distribution.parent_id or "")) for distribution in distributions]


def _like_its_parent(distribution: Distribution, parent: Distribution | None) -> Distribution:
    if parent is None or distribution.link_type is not LinkType.UNKNOWN:
        return distribution
    expires_at = distribution.link_expires_at or parent.link_expires_at
    return replace(distribution, link_type=parent.link_type, link_expires_at=expires_at)
