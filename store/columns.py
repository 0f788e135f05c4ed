"""What columns are made of: types that keep what the core relies on, and short ways to write the columns that many tables have."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, Dialect, ForeignKey, Integer, MetaData, Text, TypeDecorator

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


class Instant(TypeDecorator[datetime]):
    """An aware datetime as whole milliseconds since 1970 UTC, rounded down: Qualtrics' own precision, so values survive the round trip."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:  # noqa: ARG002 - the signature is SQLAlchemy's
        return None if value is None else (value - _EPOCH) // _MILLISECOND

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - the signature is SQLAlchemy's
        return None if value is None else _EPOCH + value * _MILLISECOND


class Word(TypeDecorator[StrEnum]):
    """A member of a closed `StrEnum`, stored as its word."""

    impl = Text
    cache_ok = True

    def __init__(self, kind: type[StrEnum]) -> None:
        super().__init__()
        self.kind = kind

    def process_result_value(self, value: str | None, dialect: Dialect) -> StrEnum | None:  # noqa: ARG002 - the signature is SQLAlchemy's
        return None if value is None else self.kind(value)


#: Surrogate keys. SQLite numbers rows by itself only where the type is exactly INTEGER.
Key = BigInteger().with_variant(Integer, "sqlite")

METADATA = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)


def text(name: str, *, nullable: bool = False) -> Column[Any]:
    return Column(name, Text, nullable=nullable)


def instant(name: str, *, nullable: bool = True) -> Column[Any]:
    return Column(name, Instant, nullable=nullable)


def count(name: str) -> Column[Any]:
    return Column(name, Integer, nullable=False)


def flag(name: str) -> Column[Any]:
    return Column(name, Boolean, nullable=False)


def word(name: str, kind: type[StrEnum], *, nullable: bool = False) -> Column[Any]:
    return Column(name, Word(kind), nullable=nullable)


def belongs_to(owner: Column[Any], name: str | None = None, *, nullable: bool = False, **options: Any) -> Column[Any]:  # noqa: ANN401 - as `Column` takes them
    """A reference to the row that `owner` is the key of."""
    return Column[Any](name or owner.name, ForeignKey(owner), nullable=nullable, **options)
