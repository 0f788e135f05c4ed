"""Gathers what one person's Home tab shows."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta

from bot import authority, participations
from bot.messages import Preference
from bot.pages.home import Knowledge, Overview
from bot.ports import UnitOfWork
from bot.syncing import status
from bot.syncing.status import IntegrationStatus, JobState, is_held

_TROUBLE = frozenset({JobState.FAILED, JobState.VETOED, JobState.MISFIRED})


def overview(uow: UnitOfWork, person_id: int | None, proven: str | None, now: datetime, retry: timedelta) -> Overview:
    """`proven` is the address by which they may see surveys' numbers, None = none."""
    asked = [] if person_id is None else participations.of_person(uow, person_id, now)
    theirs = uow.users.admin_of(proven or "")
    return Overview(
        open_surveys=participations.soonest_first(asked),
        preference=Preference() if person_id is None else uow.preferences.get(person_id),
        sees_numbers=bool(authority.visible(uow, proven)),
        knowledge=_knowledge(uow, {each.invitation.integration_id for each in asked}),
        integrations=_in_order(status.status(uow, now, theirs, retry=retry)) if theirs else None,
    )


def _knowledge(uow: UnitOfWork, theirs: Collection[str]) -> Knowledge:
    """Judged by the integrations that asked this person; by all where none did."""
    every = uow.integrations.all()
    integrations = [it for it in every if it.integration_id in theirs] or every
    if not integrations:
        return Knowledge.NONE
    if all(it.baseline_at is None for it in integrations):
        return Knowledge.LEARNING
    return Knowledge.HELD if any(is_held(uow, it) for it in integrations) else Knowledge.CURRENT


def _in_order(found: Collection[IntegrationStatus]) -> tuple[int, int]:
    return len(found), sum(map(_is_troubled, found))


def _is_troubled(it: IntegrationStatus) -> bool:
    states: Iterable[JobState] = (job.state for job in it.jobs)
    return it.integration.is_paused or it.integration.unauthorized_at is not None or bool(it.closures) or not _TROUBLE.isdisjoint(states)
