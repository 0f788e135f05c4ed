"""Counts distributions to too few people together, once for each, when it is their turn (bot/small_groups.py says when, and why once)."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from bot import small_groups
from bot.model import Pool
from bot.ports import UnitOfWork
from bot.rules import deadline
from bot.syncing.look import Look


async def count_pools(look: Look, only: Collection[str] | None = None) -> None:
    """Of all surveys, or `only` of some. After their histories: of whom it is not known who they are is not pooled."""
    ids, now = look.integration_id, look.clock()
    for survey_id in await look.store.read(lambda uow: uow.pools.due(ids, now)):
        if only is None or survey_id in only:
            await look.store.write(lambda uow, survey_id=survey_id: _count(uow, ids, survey_id, now))


def _count(uow: UnitOfWork, integration_id: str, survey_id: str, now: datetime) -> None:
    number = uow.pools.last(survey_id) + 1  # before what is in them: who was quicker has taken it then
    survey, distributions = uow.surveys.of(integration_id, survey_id), uow.distributions.of_survey(integration_id, survey_id)
    if survey is None:
        return
    k = uow.surveys.group_sizes(integration_id, [survey_id])[survey_id]
    found = [it for it in small_groups.families(distributions) if it.invite.stats.sent < k]
    waiting = [it for it in found if small_groups.has_waited(it.invite, deadline(it.invite.link_expires_at, survey), now)]
    people = uow.pools.people(integration_id, [it.invite.distribution_id for it in waiting])
    if members := small_groups.next_pool(waiting, people, k):
        pool = Pool(number=number, counted_at=now, stats=small_groups.total(members))
        uow.pools.add(survey_id, [it.invite.distribution_id for it in members], pool)
