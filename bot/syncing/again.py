"""Some surveys alone are looked at again, because Qualtrics hinted that something happened to them (FEATURES B11)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, replace

from bot.errors import Forbidden, Gone, Rejected
from bot.model import Distribution, Survey
from bot.ports import UnitOfWork
from bot.ports.records import Position
from bot.syncing.applying import save_details, save_distributions, save_surveys
from bot.syncing.histories import read_histories
from bot.syncing.listing import read_details
from bot.syncing.look import EVER, Look
from bot.syncing.pooling import count_pools

#: So many surveys are closed because a hint found them gone, until a full look: what is more may be a fault, which the veto is to judge.
_CLOSED_BY_HINTS = 3
#: The names of their positions.
_GONE = "gone:"


@dataclass(slots=True)
class _List:
    """A survey's distributions; not whole where a record was unreadable: then none that is missing was deleted."""

    distributions: list[Distribution] = field(default_factory=list[Distribution])
    is_whole: bool = True


async def look_again(look: Look, survey_ids: Collection[str]) -> None:
    """Bring these surveys up to date, and read those of their histories that moved."""
    stored = {survey.survey_id: survey for survey in await look.store.read(lambda uow: uow.surveys.all(look.integration_id))}

    async def again(survey_id: str) -> None:
        await _again(look, survey_id, stored.get(survey_id))

    await look.each(survey_ids, str, again)
    await read_histories(look, survey_ids)
    await count_pools(look, survey_ids)


def forget_hints(uow: UnitOfWork, integration_id: str) -> None:
    """After a full look hints may close surveys again."""
    uow.positions.clear_all(integration_id, _GONE)


async def _again(look: Look, survey_id: str, known: Survey | None) -> None:
    try:
        survey = await look.source.survey(survey_id)
    except Gone as error:
        if known is not None and known.is_active:
            await _close(look, known, error)
        return
    except (Forbidden, Rejected) as error:
        look.leave_out("survey", survey_id, error)
        return
    if survey.is_active:
        survey = await read_details(look, survey, known)
    await _save(look, survey, await _listed(look, survey_id))


async def _close(look: Look, known: Survey, error: Gone) -> None:
    ids = look.integration_id

    def is_one_of_few(uow: UnitOfWork) -> bool:
        before = uow.positions.all(ids, _GONE, EVER).keys() - {known.survey_id}
        if len(before) < _CLOSED_BY_HINTS:
            uow.positions.save(ids, _GONE + known.survey_id, Position(next=None), look.clock())
        return len(before) < _CLOSED_BY_HINTS

    if await look.store.write(is_one_of_few):
        await _save(look, replace(known, is_active=False), None)
    else:
        look.leave_out("survey", known.survey_id, error)


async def _listed(look: Look, survey_id: str) -> _List | None:
    found = _List()
    try:
        async for batch in look.source.distributions(survey_id):
            look.progress.skipped += batch.skipped
            found.distributions += batch.items
            found.is_whole = found.is_whole and not batch.skipped
    except (Forbidden, Gone, Rejected) as error:
        look.leave_out("distributions", survey_id, error)
        return None
    return found


async def _save(look: Look, survey: Survey, listed: _List | None) -> None:
    """Also into the picture, which may be of an earlier hour: of a look under way, or one that waits for a decision."""
    ids, survey_id = look.integration_id, survey.survey_id

    def save(uow: UnitOfWork) -> tuple[int, int]:
        changed = save_surveys(uow, ids, [survey], look.started_at)
        uow.pictures.add_surveys(ids, [survey])
        if listed is not None:
            whole = [survey_id] if listed.is_whole else []
            changed += save_distributions(uow, ids, {survey_id: listed.distributions}, whole, look.clock(), counted_at=look.started_at)
            uow.pictures.forget_distributions(ids, whole)
            uow.pictures.add_distributions(ids, listed.distributions)
        return changed, 0

    await look.write(save)
    await save_details(look, [survey])
