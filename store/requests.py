"""The request log: what was asked of Qualtrics lately, for support (FEATURES A5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from http import HTTPStatus

from sqlalchemy import Connection, RowMapping, delete, func, insert, or_, select

from bot.ports.records import RequestLine
from store import tables
from store.presence import is_there
from store.statements import chunks

_LOG = tables.request_log


@dataclass(frozen=True, slots=True)
class SqlRequests:
    connection: Connection

    def add(self, integration_id: str, lines: Sequence[RequestLine]) -> None:
        for chunk in chunks(lines) if is_there(self.connection, integration_id) else ():
            self.connection.execute(insert(_LOG), [{"integration_id": integration_id, **asdict(line)} for line in chunk])

    def forget(self, before: datetime) -> None:
        self.connection.execute(delete(_LOG).where(_LOG.c.at < before))

    def list(
        self, *, since: datetime, integration_id: str | None = None, failed_only: bool = False, limit: int = 1000
    ) -> Sequence[tuple[str, RequestLine]]:
        wanted = select(_LOG).where(_LOG.c.at >= since).order_by(_LOG.c.at.desc(), _LOG.c.request_key.desc()).limit(limit)
        if integration_id is not None:
            wanted = wanted.where(_LOG.c.integration_id == integration_id)
        if failed_only:
            wanted = wanted.where(or_(_LOG.c.status.is_(None), _LOG.c.status >= HTTPStatus.BAD_REQUEST))
        return [(row["integration_id"], _line(row)) for row in self.connection.execute(wanted).mappings()]

    def statuses(self, since: datetime) -> Mapping[tuple[str, int | None], int]:
        counted = select(_LOG.c.integration_id, _LOG.c.status, func.count()).where(_LOG.c.at >= since)
        rows = self.connection.execute(counted.group_by(_LOG.c.integration_id, _LOG.c.status))
        return {(integration_id, status): number for integration_id, status, number in rows}


def _line(row: RowMapping) -> RequestLine:
    return RequestLine(
        at=row["at"],
        method=row["method"],
        path=row["path"],
        status=row["status"],
        duration_ms=row["duration_ms"],
        request_id=row["request_id"],
    )
