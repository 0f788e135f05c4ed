"""Write many rows in few statements: what is stored already is not written again, and the count of changes is honest."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Connection, Table, or_
from sqlalchemy.dialects import postgresql, sqlite

T = TypeVar("T")
Row = Mapping[str, Any]
Insert = sqlite.Insert | postgresql.Insert
#: From the proposed row (`excluded`) to those columns that take something else than its value.
Merge = Callable[[Any], Mapping[str, ColumnElement[Any]]]

#: Rows in one round trip, and values in one IN list: well below SQLite's limit of 32,766 variables.
_CHUNK = 1000
_INSERT: dict[str, Callable[[Table], Insert]] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}


def chunks(items: Sequence[T]) -> Iterator[Sequence[T]]:
    """Cut what may be long into pieces that fit one statement."""
    return (items[start : start + _CHUNK] for start in range(0, len(items), _CHUNK))


def add(connection: Connection, table: Table, rows: Sequence[Row]) -> int:
    """Insert rows whose key is new, leave the others as they are; returns how many were new."""
    return _execute(connection, _addition(connection.dialect.name, table), rows)


def _no_merge(_: Any) -> Mapping[str, ColumnElement[Any]]:  # noqa: ANN401 - SQLAlchemy's `excluded` is dynamic
    return {}


def upsert(
    connection: Connection,
    table: Table,
    keys: tuple[str, ...],
    rows: Sequence[Row],
    merge: Merge = _no_merge,
    *,
    fixed: tuple[str, ...] = (),
) -> int:
    """Insert rows; where `keys` are known, update what differs. Returns how many rows were new or differed.

    All rows have the same columns; a column they lack is left alone, unless `merge` (a function of a module) names it. `fixed` columns
    never change: naming one in an update rewrites its indexes all the same.
    """
    if not rows:
        return 0
    updated = tuple(name for name in rows[0] if name not in keys + fixed)
    return _execute(connection, _upsertion(connection.dialect.name, table, keys, updated, merge), rows)


@cache
def _addition(dialect: str, table: Table) -> Insert:
    return _INSERT[dialect](table).on_conflict_do_nothing()


@cache
def _upsertion(dialect: str, table: Table, keys: tuple[str, ...], updated: tuple[str, ...], merge: Merge) -> Insert:
    statement = _INSERT[dialect](table)
    excluded = statement.excluded
    values = {name: excluded[name] for name in updated} | dict(merge(excluded))
    differs = or_(*(table.c[name].is_distinct_from(value) for name, value in values.items()))
    return statement.on_conflict_do_update(index_elements=keys, set_=values, where=differs)


def _execute(connection: Connection, statement: Insert, rows: Sequence[Row]) -> int:
    """Both drivers add up what an `executemany` really wrote; RETURNING is a third as fast on psycopg (reference performance.md 2)."""
    counting = statement.execution_options(preserve_rowcount=True)
    return sum(connection.execute(counting, chunk).rowcount for chunk in chunks(rows))
