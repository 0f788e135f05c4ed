"""What was counted once of distributions to too few people (bot/small_groups.py)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, and_, bindparam, exists, func, or_, select

from bot.model import Pool
from bot.rules import INVITE
from bot.small_groups import LIVED, WAIT
from store import post_tables, tables
from store.statements import add
from store.surveys import GROUP_SIZE, IS_POOLED, packed

_SURVEYS = tables.surveys
_DISTRIBUTIONS = tables.distributions
_INVITATIONS = tables.invitations
_POOLS = post_tables.pools
_POOLED = post_tables.pooled
_LAST = select(func.max(_POOLS.c.number)).where(_POOLS.c.survey_id == bindparam("survey"))


@dataclass(frozen=True, slots=True)
class SqlPools:
    connection: Connection

    def due(self, integration_id: str, now: datetime) -> Sequence[str]:
        sent = _DISTRIBUTIONS.c.sent
        may_be = (
            _DISTRIBUTIONS.c.request_type == INVITE,
            and_(sent > 0, sent < GROUP_SIZE),
            ~_DISTRIBUTIONS.c.is_deleted,
            _DISTRIBUTIONS.c.send_date <= now - LIVED,
            or_(_DISTRIBUTIONS.c.send_date <= now - WAIT, _DISTRIBUTIONS.c.link_expires_at <= now, _SURVEYS.c.ends_at <= now),
            ~exists().where(IS_POOLED),
        )
        found = (
            select(_SURVEYS.c.survey_id)
            .join(_DISTRIBUTIONS, _DISTRIBUTIONS.c.survey_key == _SURVEYS.c.key)
            .join(tables.integrations, tables.integrations.c.integration_id == _SURVEYS.c.integration_id)
            .where(_SURVEYS.c.integration_id == integration_id, *may_be)
            .group_by(_SURVEYS.c.survey_id)
            .having(func.sum(sent) >= 2 * func.max(GROUP_SIZE))
            .order_by(_SURVEYS.c.survey_id)
        )
        return self.connection.execute(found).scalars().all()

    def last(self, survey_id: str) -> int:
        return self.connection.execute(_LAST, {"survey": survey_id}).scalar_one() or 0

    def people(self, integration_id: str, distribution_ids: Collection[str]) -> Mapping[str, Collection[int | str]]:
        its = select(_DISTRIBUTIONS.c.distribution_id, _INVITATIONS.c.person_id, _INVITATIONS.c.contact_id).join(
            _INVITATIONS, _INVITATIONS.c.distribution_key == _DISTRIBUTIONS.c.key
        )
        theirs = (_DISTRIBUTIONS.c.integration_id == integration_id, _DISTRIBUTIONS.c.distribution_id.in_(distribution_ids))
        found = defaultdict[str, set[int | str]](set)
        for distribution_id, person_id, contact_id in self.connection.execute(its.where(*theirs)):
            found[distribution_id].add(contact_id if person_id is None else person_id)
        return found

    def add(self, survey_id: str, distribution_ids: Collection[str], pool: Pool) -> bool:
        one = {"survey_id": survey_id, "number": pool.number, "counted_at": pool.counted_at, "stats": packed(pool.stats)}
        is_new = add(self.connection, _POOLS, [one]) == 1
        if is_new:
            row = {"survey_id": survey_id, "number": pool.number}
            add(self.connection, _POOLED, [row | {"distribution_id": each} for each in distribution_ids])
        return is_new
