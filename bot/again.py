"""Some surveys alone are looked at again, because Qualtrics hinted that something happened to them (FEATURES B11)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from bot import rules
from bot.applying import save_details, save_distributions
from bot.errors import Forbidden, Gone, Rejected
from bot.histories import read_histories
from bot.listing import read_details
from bot.look import Look
from bot.model import Distribution, Survey


async def look_again(look: Look, survey_ids: Collection[str]) -> None:
    """Bring these surveys up to date, and read those of their histories that moved."""
    stored = {survey.survey_id: survey for survey in await look.store.read(lambda uow: uow.surveys.all(look.integration_id))}

    async def again(survey_id: str) -> None:
        await _again(look, survey_id, stored.get(survey_id))

    await look.each(survey_ids, str, again)
    await read_histories(look, survey_ids)


async def _again(look: Look, survey_id: str, known: Survey | None) -> None:
    try:
        survey = await look.source.survey(survey_id)
    except Gone:
        if known is not None:
            await _save(look, replace(known, is_active=False), None)
        return
    except (Forbidden, Rejected) as error:
        look.leave_out("survey", survey_id, error)
        return
    if survey.is_active:
        survey = await read_details(look, survey, known)
    is_over = rules.is_left_alone(survey, survey if survey.details else known, look.started_at)
    await _save(look, survey, None if is_over else await _listed(look, survey_id))


async def _listed(look: Look, survey_id: str) -> Sequence[Distribution] | None:
    listed: list[Distribution] = []
    try:
        async for batch in look.source.distributions(survey_id):
            look.progress.skipped += batch.skipped
            listed += batch.items
    except (Forbidden, Gone, Rejected) as error:
        look.leave_out("distributions", survey_id, error)
        return None
    return listed


async def _save(look: Look, survey: Survey, listed: Sequence[Distribution] | None) -> None:
    """Also into the picture, which may be of an earlier hour: of a look under way, or one that waits for a decision."""
    ids = look.integration_id
    await look.write(lambda uow: (uow.surveys.save(ids, [survey], look.started_at).changed, 0))
    await save_details(look, [survey])
    if listed is not None:
        await look.write(lambda uow: (save_distributions(uow, ids, {survey.survey_id: listed}), 0))
    await look.store.write(lambda uow: (uow.pictures.add_surveys(ids, [survey]), uow.pictures.add_distributions(ids, listed or ())))
