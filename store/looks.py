"""Looks under way: how far Qualtrics' lists were read, and what they listed that is not applied yet."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec
from sqlalchemy import Connection, delete, or_, select

from bot.model import Distribution, Survey
from bot.ports.records import Position
from store import tables
from store.statements import Row, chunks, upsert
from store.surveys import packed, unpacked

_POSITIONS = tables.positions
_PICTURES = tables.pictures


@dataclass(frozen=True, slots=True)
class SqlPositions:
    connection: Connection

    def get(self, integration_id: str, name: str, since: datetime) -> Position | None:
        one = select(_POSITIONS.c.next, _POSITIONS.c.seen, _POSITIONS.c.skipped, _POSITIONS.c.began_for).where(
            _POSITIONS.c.integration_id == integration_id, _POSITIONS.c.name == name, _POSITIONS.c.saved_at >= since
        )
        row = self.connection.execute(one).one_or_none()
        return None if row is None else Position(next=row.next, seen=row.seen, skipped=row.skipped, began_for=unpacked(row.began_for))

    def save(self, integration_id: str, name: str, position: Position, now: datetime) -> None:
        row = {
            "integration_id": integration_id,
            "name": name,
            "next": position.next,
            "seen": position.seen,
            "skipped": position.skipped,
            "began_for": None if position.began_for is None else packed(position.began_for),
            "saved_at": now,
        }
        upsert(self.connection, _POSITIONS, ("integration_id", "name"), [row])

    def all(self, integration_id: str, prefix: str, since: datetime) -> Mapping[str, Position]:
        theirs = select(_POSITIONS.c.name, _POSITIONS.c.next, _POSITIONS.c.seen, _POSITIONS.c.skipped, _POSITIONS.c.began_for).where(
            _POSITIONS.c.integration_id == integration_id,
            _POSITIONS.c.name.startswith(prefix, autoescape=True),
            or_(_POSITIONS.c.next.is_(None), _POSITIONS.c.saved_at >= since),
        )
        return {
            row.name.removeprefix(prefix): Position(next=row.next, seen=row.seen, skipped=row.skipped, began_for=unpacked(row.began_for))
            for row in self.connection.execute(theirs)
        }

    def clear(self, integration_id: str, names: Collection[str]) -> None:
        theirs = delete(_POSITIONS).where(_POSITIONS.c.integration_id == integration_id)
        for chunk in chunks(tuple(names)):
            self.connection.execute(theirs.where(_POSITIONS.c.name.in_(chunk)))

    def clear_all(self, integration_id: str, prefix: str) -> None:
        theirs = delete(_POSITIONS).where(_POSITIONS.c.integration_id == integration_id)
        self.connection.execute(theirs.where(_POSITIONS.c.name.startswith(prefix, autoescape=True)))


@dataclass(frozen=True, slots=True)
class SqlPictures:
    connection: Connection

    def add_surveys(self, integration_id: str, surveys: Sequence[Survey]) -> None:
        self._add([_row(integration_id, survey.survey_id, "", survey) for survey in surveys])

    def add_distributions(self, integration_id: str, distributions: Sequence[Distribution]) -> None:
        self._add([_row(integration_id, it.survey_id, it.distribution_id, it) for it in distributions])

    def surveys(self, integration_id: str) -> Sequence[Survey]:
        """In the order of their ids."""
        bodies = select(_PICTURES.c.body).where(_PICTURES.c.integration_id == integration_id, _PICTURES.c.distribution_id == "")
        return [_SURVEY.decode(body) for body in self.connection.execute(bodies.order_by(_PICTURES.c.survey_id)).scalars()]

    def distributions(self, integration_id: str, survey_id: str) -> Sequence[Distribution]:
        bodies = select(_PICTURES.c.body).where(_PICTURES.c.integration_id == integration_id, _PICTURES.c.survey_id == survey_id)
        listed = bodies.where(_PICTURES.c.distribution_id != "").order_by(_PICTURES.c.distribution_id)
        return [_DISTRIBUTION.decode(body) for body in self.connection.execute(listed).scalars()]

    def distribution_ids(self, integration_id: str) -> Mapping[str, Collection[str]]:
        ids = select(_PICTURES.c.survey_id, _PICTURES.c.distribution_id).where(
            _PICTURES.c.integration_id == integration_id, _PICTURES.c.distribution_id != ""
        )
        by_survey: dict[str, list[str]] = {}
        for survey_id, distribution_id in self.connection.execute(ids):
            by_survey.setdefault(survey_id, []).append(distribution_id)
        return by_survey

    def forget_distributions(self, integration_id: str, survey_ids: Collection[str]) -> None:
        theirs = delete(_PICTURES).where(_PICTURES.c.integration_id == integration_id, _PICTURES.c.distribution_id != "")
        for chunk in chunks(tuple(survey_ids)):
            self.connection.execute(theirs.where(_PICTURES.c.survey_id.in_(chunk)))

    def clear(self, integration_id: str) -> None:
        self.connection.execute(delete(_PICTURES).where(_PICTURES.c.integration_id == integration_id))

    def _add(self, rows: Sequence[Row]) -> None:
        upsert(self.connection, _PICTURES, ("integration_id", "survey_id", "distribution_id"), rows)


_SURVEY = msgspec.json.Decoder(Survey)
_DISTRIBUTION = msgspec.json.Decoder(Distribution)


def _row(integration_id: str, survey_id: str, distribution_id: str, body: Survey | Distribution) -> Row:
    text = msgspec.json.encode(body).decode()
    return {"integration_id": integration_id, "survey_id": survey_id, "distribution_id": distribution_id, "body": text}
