"""The first half of a look: what Qualtrics lists, put down page by page as a picture beside the tables, each page with its position."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from operator import attrgetter

from bot import rules
from bot.errors import Forbidden, Gone, Rejected
from bot.model import Distribution, Survey, User
from bot.ports import UnitOfWork
from bot.ports.records import Position
from bot.syncing.look import EVER, Kind, Look

#: Names of positions that belong to a look, and end with it.
USERS, SURVEYS, _LISTS = "users", "surveys", "distributions:"
#: How the last list of the accounts ended; outlives its look.
_USERS_BEFORE = "users before"
#: How old a position may be: Qualtrics may not know it any more, and the rows before it have moved.
MEMORY = timedelta(hours=6)
#: Lists are not read on, nor applied, when their process died that long ago: too much of them may be wrong by now.
_FRESH = timedelta(minutes=15)
_LIFE = "sign of life"

log = logging.getLogger(__name__)


def forget(uow: UnitOfWork, integration_id: str) -> None:
    """Clear the picture and all positions of a look."""
    uow.pictures.clear(integration_id)
    uow.positions.clear(integration_id, [USERS, SURVEYS, _LIFE])
    uow.positions.clear_all(integration_id, _LISTS)


def show_life(uow: UnitOfWork, integration_id: str, now: datetime) -> None:
    """Note that the process of a look is alive."""
    uow.positions.save(integration_id, _LIFE, Position(next=None), now)


def is_fresh(uow: UnitOfWork, integration_id: str, began_at: datetime, now: datetime) -> bool:
    """Whether a look began, or its process showed life, so lately that another one may go on with its picture."""
    return now - began_at < _FRESH or uow.positions.get(integration_id, _LIFE, now - _FRESH) is not None


def listed(uow: UnitOfWork, integration_id: str) -> Mapping[str, bool]:
    """The surveys whose distributions were listed to the end, and whether what is missing there was deleted (`_begun`)."""
    positions = uow.positions.all(integration_id, _LISTS, EVER)
    return {survey_id: not position.skipped for survey_id, position in positions.items() if position.next is None}


async def take_picture(look: Look) -> None:
    """List the surveys, and the distributions of those that can be answered; saves nothing but accounts into the tables.

    A survey whose list cannot be read is left out.
    """
    if look.kind is not Kind.INCREMENTAL:
        await _users(look)
    await _surveys(look)
    found, stored, done = await look.store.read(
        lambda uow: (
            uow.pictures.surveys(look.integration_id),
            {survey.survey_id: survey for survey in uow.surveys.all(look.integration_id)},
            listed(uow, look.integration_id),
        )
    )
    alive = [survey for survey in found if not rules.is_left_alone(survey, stored.get(survey.survey_id), look.started_at)]
    look.progress.surveys = len(alive)
    todo = [survey for survey in alive if survey.survey_id not in done]
    look.progress.lists_left = len(todo)

    async def read(survey: Survey) -> None:
        try:
            await _survey(look, survey, stored.get(survey.survey_id))
        finally:
            look.progress.lists_left -= 1
            look.show()

    await look.each(todo, attrgetter("survey_id"), read)


async def read_details(look: Look, listed: Survey, known: Survey | None) -> Survey:
    """Read a survey's end and options when its `lastModified` moved, or it was (de)activated; where refused, in full runs again.

    Returns it with its details; `details_for` tells that they were read, or refused, now.
    """
    is_settled = known is not None and known.is_active and (known.details is not None or look.kind is Kind.INCREMENTAL)
    if listed.details_for is not None or (known is not None and is_settled and known.details_for == listed.last_modified):
        return listed
    try:
        details = await look.source.survey_details(listed.survey_id)
    except (Forbidden, Gone, Rejected) as error:
        look.leave_out("details", listed.survey_id, error)
        details = known.details if known else None
    return replace(listed, details=details, details_for=listed.last_modified)


async def _users(look: Look) -> None:
    """Read the accounts; needs a brand admin's token, so being refused is no failure (FEATURES A7), but ends everybody's rights.

    Who is not listed any more loses theirs with the last page. Where records were unreadable, the missing ones may be among these: they
    stay, unless the list before had unreadable ones too, so that nobody gains more than one look by it.
    """
    its = look.integration_id

    def absorb(uow: UnitOfWork, users: Sequence[User], reached: Position) -> tuple[int, int]:
        _save(look, uow, USERS, reached)
        changed = uow.users.save(its, users).changed
        return changed + (_end_users(look, uow, reached) if reached.next is None else 0), 0

    def refused(uow: UnitOfWork) -> tuple[int, int]:
        uow.users.forget_listed(its)
        return absorb(uow, (), Position(next=None))

    begun = await _begun(look, USERS)
    if begun is not None and begun.next is None:
        return
    try:
        await look.follow(look.source.users, absorb, begun)
    except (Forbidden, Gone, Rejected) as error:
        log.warning("sync.no_users", extra={"integration": its, "cause": str(error)})
        await look.write(refused)


def _end_users(look: Look, uow: UnitOfWork, reached: Position) -> int:
    """Remove who was not listed; returns how many."""
    before = uow.positions.get(look.integration_id, _USERS_BEFORE, EVER)
    _save(look, uow, _USERS_BEFORE, reached)
    is_unsure = reached.skipped and not (before and before.skipped)
    removed = 0 if is_unsure else uow.users.remove_unlisted(look.integration_id)
    uow.users.forget_listed(look.integration_id)
    return removed


async def _surveys(look: Look) -> None:
    def absorb(uow: UnitOfWork, surveys: Sequence[Survey], reached: Position) -> tuple[int, int]:
        _save(look, uow, SURVEYS, reached)
        uow.pictures.add_surveys(look.integration_id, surveys)
        return 0, 0

    begun = await _begun(look, SURVEYS)
    if begun is None or begun.next is not None:
        await look.follow(look.source.surveys, absorb, begun)


async def _survey(look: Look, listed: Survey, known: Survey | None) -> None:
    """Details first: they may tell that the list is not worth a call."""
    survey = await read_details(look, listed, known)
    if survey is not listed:
        await look.store.write(lambda uow: uow.pictures.add_surveys(look.integration_id, [survey]))
    if rules.is_left_alone(survey, replace(survey, counted_at=known and known.counted_at), look.started_at):
        return
    name = _LISTS + survey.survey_id

    def absorb(uow: UnitOfWork, distributions: Sequence[Distribution], reached: Position) -> tuple[int, int]:
        _save(look, uow, name, reached)
        uow.pictures.add_distributions(look.integration_id, distributions)
        return 0, 0

    try:
        await look.follow(lambda after: look.source.distributions(survey.survey_id, after), absorb, await _begun(look, name))
    except (Forbidden, Gone, Rejected) as error:
        look.leave_out("distributions", survey.survey_id, error)


async def _begun(look: Look, name: str) -> Position | None:
    """How far an earlier process came.

    A list that it left in the middle counts as having an unreadable record: lists are paged by offset, so when a record before the position
    was deleted meanwhile, another one is on neither process's pages. The next look misses nothing.
    """
    if not look.is_resumed:
        return None
    position = await look.store.read(lambda uow: uow.positions.get(look.integration_id, name, EVER))
    if position is None or position.next is None:
        return position
    return replace(position, skipped=position.skipped + 1)


def _save(look: Look, uow: UnitOfWork, name: str, reached: Position) -> None:
    uow.positions.save(look.integration_id, name, reached, look.clock())
