"""Surveys and their distributions: what Qualtrics' lists say, and what was read about each of them since."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from operator import attrgetter
from typing import Any

from sqlalchemy import ColumnElement, Connection, RowMapping, and_, bindparam, case, exists, func, null, or_, select, update

from bot.errors import Gone
from bot.model import Distribution, DistributionStats, Pool, Survey, SurveyDetails
from bot.ports.records import Absorbed
from store import post_tables, tables
from store.statements import Row, chunks, upsert

_SURVEYS = tables.surveys
_DISTRIBUTIONS = tables.distributions
_COUNTS = tuple(field.name for field in fields(DistributionStats))
_POOLS = post_tables.pools
_POOLED = post_tables.pooled
_POOL = tuple(_POOLS.c[name].label(f"pool_{name}") for name in ("number", "counted_at", "stats"))
#: Where a survey's distributions are joined with these.
IS_POOLED = and_(_POOLED.c.survey_id == _SURVEYS.c.survey_id, _POOLED.c.distribution_id == _DISTRIBUTIONS.c.distribution_id)
_TWINS = _SURVEYS.alias()
#: A survey's, joined with its integration: the largest that was settled for it, for who sees it rounded in two ways could compare.
GROUP_SIZE = func.coalesce(
    select(func.max(_TWINS.c.group_size)).where(_TWINS.c.survey_id == _SURVEYS.c.survey_id).scalar_subquery(),
    tables.integrations.c.group_size,
)

_OWN = ("survey_id", "name", "owner_id", "is_active", "last_modified", "details_for", "counted_at")
_DETAILS = ("ends_at", "anonymity", "is_deleted")


@dataclass(frozen=True, slots=True)
class SqlSurveys:
    connection: Connection

    def save(self, integration_id: str, surveys: Sequence[Survey], seen_at: datetime) -> Absorbed:
        """That a survey was seen again is no change."""
        rows = [_survey_row(integration_id, survey, seen_at) for survey in surveys]
        changed = upsert(self.connection, _SURVEYS, ("survey_id", "integration_id"), rows, _what_was_read)
        seen = update(_SURVEYS).where(_SURVEYS.c.integration_id == integration_id, _SURVEYS.c.seen_at < seen_at).values(seen_at=seen_at)
        for chunk in chunks([survey.survey_id for survey in surveys]):
            self.connection.execute(seen.where(_SURVEYS.c.survey_id.in_(chunk)))
        return Absorbed(seen=len(rows), changed=changed)

    def save_details(self, integration_id: str, survey_id: str, details: SurveyDetails | None, details_for: datetime | None) -> None:
        known = update(_SURVEYS).where(_SURVEYS.c.integration_id == integration_id, _SURVEYS.c.survey_id == survey_id)
        self.connection.execute(known.values(**(asdict(details) if details else {}), details_for=details_for))

    def get(self, survey_ids: Collection[str]) -> Mapping[str, Survey]:
        found = (self.connection.execute(_KNOWN, {"survey_ids": chunk}) for chunk in chunks(tuple(survey_ids)))
        return {row["survey_id"]: _survey(row) for rows in found for row in rows.mappings()}

    def of(self, integration_id: str, survey_id: str) -> Survey | None:
        one = _READ.where(_SURVEYS.c.survey_id == survey_id, _SURVEYS.c.integration_id == integration_id)
        row = self.connection.execute(one).mappings().one_or_none()
        return None if row is None else _survey(row)

    def all(self, integration_id: str) -> Sequence[Survey]:
        known = _READ.where(_SURVEYS.c.integration_id == integration_id).order_by(_SURVEYS.c.survey_id)
        return [_survey(row) for row in self.connection.execute(known).mappings()]

    def freeze_group_sizes(self, integration_id: str, survey_ids: Collection[str]) -> None:
        integrations = tables.integrations
        its = select(integrations.c.group_size).where(integrations.c.integration_id == integration_id).scalar_subquery()
        is_sent = exists().where(_DISTRIBUTIONS.c.survey_key == _SURVEYS.c.key, _DISTRIBUTIONS.c.sent > 0)
        new = update(_SURVEYS).where(_SURVEYS.c.integration_id == integration_id, _SURVEYS.c.group_size.is_(None), is_sent)
        for chunk in chunks(tuple(survey_ids)):
            self.connection.execute(new.where(_SURVEYS.c.survey_id.in_(chunk)).values(group_size=its))

    def group_sizes(self, integration_id: str, survey_ids: Collection[str]) -> Mapping[str, int]:
        known = select(_SURVEYS.c.survey_id, GROUP_SIZE).join_from(_SURVEYS, tables.integrations)
        known = known.where(_SURVEYS.c.integration_id == integration_id)
        found = (self.connection.execute(known.where(_SURVEYS.c.survey_id.in_(chunk))) for chunk in chunks(tuple(survey_ids)))
        return {survey_id: k for rows in found for survey_id, k in rows}

    def set_counted(self, integration_id: str, survey_ids: Collection[str], at: datetime) -> None:
        is_older = or_(_SURVEYS.c.counted_at.is_(None), _SURVEYS.c.counted_at < at)
        counted = update(_SURVEYS).where(_SURVEYS.c.integration_id == integration_id, is_older).values(counted_at=at)
        for chunk in chunks(tuple(survey_ids)):
            self.connection.execute(counted.where(_SURVEYS.c.survey_id.in_(chunk)))

    def close_unseen(self, integration_id: str, before: datetime) -> int:
        unseen = (_SURVEYS.c.integration_id == integration_id, _SURVEYS.c.seen_at < before, _SURVEYS.c.is_active)
        return self.connection.execute(update(_SURVEYS).where(*unseen).values(is_active=False)).rowcount


@dataclass(frozen=True, slots=True)
class SqlDistributions:
    connection: Connection

    def save(self, integration_id: str, distributions: Sequence[Distribution]) -> Absorbed:
        """Raises Gone when a distribution's survey is not stored."""
        survey_keys = self._survey_keys(integration_id, {d.survey_id for d in distributions})
        rows = [_distribution_row(integration_id, survey_keys, distribution) for distribution in distributions]
        changed = upsert(self.connection, _DISTRIBUTIONS, ("integration_id", "distribution_id"), rows, _history_for)
        return Absorbed(seen=len(rows), changed=changed)

    def of_survey(self, integration_id: str, survey_id: str) -> Sequence[Distribution]:
        """In the order in which they were first seen."""
        return self.of_surveys(integration_id, [survey_id]).get(survey_id, [])

    def of_surveys(self, integration_id: str, survey_ids: Collection[str]) -> Mapping[str, Sequence[Distribution]]:
        """As `of_survey` has them."""
        known = (
            select(_DISTRIBUTIONS, _SURVEYS.c.survey_id, *_POOL)
            .join(_SURVEYS, _SURVEYS.c.key == _DISTRIBUTIONS.c.survey_key)
            .outerjoin(_POOLED, IS_POOLED)
            .outerjoin(_POOLS, and_(_POOLS.c.survey_id == _POOLED.c.survey_id, _POOLS.c.number == _POOLED.c.number))
            .where(_SURVEYS.c.integration_id == integration_id)
            .order_by(_DISTRIBUTIONS.c.key)
        )
        found: dict[str, list[Distribution]] = {}
        for chunk in chunks(tuple(survey_ids)):
            for row in self.connection.execute(known.where(_SURVEYS.c.survey_id.in_(chunk))).mappings():
                found.setdefault(row["survey_id"], []).append(_distribution(row, _pool(row)))
        return found

    def of_active(self, integration_id: str) -> Sequence[Distribution]:
        known = (
            select(_DISTRIBUTIONS, _SURVEYS.c.survey_id)
            .join(_SURVEYS, _SURVEYS.c.key == _DISTRIBUTIONS.c.survey_key)
            .where(_SURVEYS.c.integration_id == integration_id, _SURVEYS.c.is_active)
            .order_by(_DISTRIBUTIONS.c.key)
        )
        return [_distribution(row) for row in self.connection.execute(known).mappings()]

    def mark_deleted(self, integration_id: str, survey_ids: Collection[str], listed: Collection[str]) -> int:
        survey_keys = self._survey_keys(integration_id, survey_ids).values()
        live = select(_DISTRIBUTIONS.c.key, _DISTRIBUTIONS.c.distribution_id).where(~_DISTRIBUTIONS.c.is_deleted)
        known = (self.connection.execute(live.where(_DISTRIBUTIONS.c.survey_key.in_(chunk))) for chunk in chunks(tuple(survey_keys)))
        gone = [key for rows in known for key, distribution_id in rows if distribution_id not in listed]
        for chunk in chunks(gone):
            self.connection.execute(update(_DISTRIBUTIONS).where(_DISTRIBUTIONS.c.key.in_(chunk)).values(is_deleted=True))
        return len(gone)

    def set_history_for(
        self, integration_id: str, distribution_id: str, stats: DistributionStats, *, at: datetime, rows_missing: int
    ) -> None:
        known = (_DISTRIBUTIONS.c.integration_id == integration_id, _DISTRIBUTIONS.c.distribution_id == distribution_id)
        read = {"history_for": packed(stats), "history_at": at, "rows_missing": rows_missing}
        self.connection.execute(update(_DISTRIBUTIONS).where(*known).values(read))

    def forget_history(self, integration_id: str, survey_id: str) -> None:
        surveys = select(_SURVEYS.c.key).where(_SURVEYS.c.integration_id == integration_id, _SURVEYS.c.survey_id == survey_id)
        self.connection.execute(update(_DISTRIBUTIONS).where(_DISTRIBUTIONS.c.survey_key.in_(surveys)).values(history_for=None))

    def _survey_keys(self, integration_id: str, survey_ids: Collection[str]) -> Mapping[str, int]:
        known = select(_SURVEYS.c.survey_id, _SURVEYS.c.key).where(_SURVEYS.c.integration_id == integration_id)
        found = (self.connection.execute(known.where(_SURVEYS.c.survey_id.in_(chunk))) for chunk in chunks(tuple(survey_ids)))
        return {survey_id: key for rows in found for survey_id, key in rows}


def _survey_row(integration_id: str, survey: Survey, seen_at: datetime) -> Row:
    return {
        "integration_id": integration_id,
        "survey_id": survey.survey_id,
        "name": survey.name,
        "owner_id": survey.owner_id,
        "is_active": survey.is_active,
        "last_modified": survey.last_modified,
        "seen_at": seen_at,
    }


def _what_was_read(excluded: Any) -> Mapping[str, ColumnElement[Any]]:  # noqa: ANN401 - SQLAlchemy's `excluded` is dynamic
    """That a survey was seen is no change; one that was (de)activated needs its details and reminders anew."""
    has_turned = _SURVEYS.c.is_active.is_distinct_from(excluded.is_active)
    return {"seen_at": _SURVEYS.c.seen_at, "details_for": case((has_turned, null()), else_=_SURVEYS.c.details_for)}


_READ = select(*(_SURVEYS.c[name] for name in (*_OWN, *_DETAILS)))
#: Built once: asked for everybody who waits for an answer. The last one of an id wins.
_KNOWN = _READ.where(_SURVEYS.c.survey_id.in_(bindparam("survey_ids", expanding=True))).order_by(
    _SURVEYS.c.is_active, _SURVEYS.c.anonymity.is_not(None), _SURVEYS.c.integration_id
)


def _survey(row: RowMapping) -> Survey:
    is_read = row["anonymity"] is not None
    return Survey(
        survey_id=row["survey_id"],
        name=row["name"],
        owner_id=row["owner_id"],
        is_active=row["is_active"],
        last_modified=row["last_modified"],
        details=SurveyDetails(ends_at=row["ends_at"], anonymity=row["anonymity"], is_deleted=row["is_deleted"]) if is_read else None,
        details_for=row["details_for"],
        counted_at=row["counted_at"],
    )


def _distribution_row(integration_id: str, survey_keys: Mapping[str, int], distribution: Distribution) -> Row:
    if distribution.survey_id not in survey_keys:
        raise Gone(f"survey {distribution.survey_id} of distribution {distribution.distribution_id} is not stored")
    return {
        "integration_id": integration_id,
        "distribution_id": distribution.distribution_id,
        "survey_key": survey_keys[distribution.survey_id],
        "parent_id": distribution.parent_id,
        "owner_id": distribution.owner_id,
        "request_type": distribution.request_type,
        "request_status": distribution.request_status,
        "send_date": distribution.send_date,
        "sender_name": distribution.sender_name,
        "link_type": distribution.link_type,
        "link_expires_at": distribution.link_expires_at,
        "created_at": distribution.created_at,
        "subject": distribution.subject,
        "is_deleted": distribution.is_deleted,
        **asdict(distribution.stats),
    }


def _history_for(excluded: Any) -> Mapping[str, ColumnElement[Any]]:  # noqa: ANN401 - SQLAlchemy's `excluded` is dynamic
    """A moved expiry moves every reminder, and one that came back has dead rows no more: the history has to be read again."""
    has_moved = or_(
        _DISTRIBUTIONS.c.link_expires_at.is_distinct_from(excluded.link_expires_at),
        _DISTRIBUTIONS.c.is_deleted.is_distinct_from(excluded.is_deleted),
    )
    return {"history_for": case((has_moved, null()), else_=_DISTRIBUTIONS.c.history_for)}


def _distribution(row: RowMapping, pool: Pool | None = None) -> Distribution:
    return Distribution(
        distribution_id=row["distribution_id"],
        survey_id=row["survey_id"],
        parent_id=row["parent_id"],
        owner_id=row["owner_id"],
        request_type=row["request_type"],
        request_status=row["request_status"],
        send_date=row["send_date"],
        sender_name=row["sender_name"],
        link_type=row["link_type"],
        link_expires_at=row["link_expires_at"],
        created_at=row["created_at"],
        subject=row["subject"],
        stats=stats_of(row),
        is_deleted=row["is_deleted"],
        history_for=unpacked(row["history_for"]),
        history_at=row["history_at"],
        rows_missing=row["rows_missing"],
        pool=pool,
    )


def _pool(row: RowMapping) -> Pool | None:
    stats = unpacked(row["pool_stats"])
    return None if stats is None else Pool(number=row["pool_number"], counted_at=row["pool_counted_at"], stats=stats)


def stats_of(row: RowMapping) -> DistributionStats:
    return DistributionStats(**{name: row[name] for name in _COUNTS})


def packed(stats: DistributionStats) -> str:
    return ",".join(map(str, attrgetter(*_COUNTS)(stats)))


def unpacked(text: str | None) -> DistributionStats | None:
    return None if text is None else DistributionStats(**dict(zip(_COUNTS, map(int, text.split(",")), strict=True)))
