"""Write many rows in few statements: what is stored already is not written again, and the count of changes is honest.

The statements are SQLAlchemy's, compiled once and given to the driver with values as it takes them: with Core's own way from a row to the
driver, a page's rows cost as much again (`tests/benchmarks/upsert.py`). SQLite takes them one by one in a call; PostgreSQL as one JSON
array in one parameter, for a third of what an `executemany` costs there (reference performance.md 2).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from operator import itemgetter
from typing import Any, TypeVar

import msgspec
from sqlalchemy import (
    JSON,
    ColumnElement,
    Connection,
    Dialect,
    LargeBinary,
    Select,
    Table,
    Text,
    bindparam,
    cast,
    column,
    func,
    or_,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.dialects.postgresql import psycopg
from sqlalchemy.sql.expression import literal_column

T = TypeVar("T")
Row = Mapping[str, Any]
Insert = sqlite.Insert | postgresql.Insert
#: From the proposed row (`excluded`) to those columns that take something else than its value.
Merge = Callable[[Any], Mapping[str, ColumnElement[Any]]]

#: Rows in one round trip, and values in one IN list: well below SQLite's limit of 32,766 variables.
_CHUNK = 1000
_DIALECTS: dict[str, Dialect] = {"sqlite": sqlite.dialect(), "postgresql": psycopg.dialect()}
_HOW_COUNTED = {"preserve_rowcount": True}


def chunks(items: Sequence[T]) -> Iterator[Sequence[T]]:
    """Cut what may be long into pieces that fit one statement."""
    return (items[start : start + _CHUNK] for start in range(0, len(items), _CHUNK))


def add(connection: Connection, table: Table, rows: Sequence[Row]) -> int:
    """Insert rows whose key is new, leave the others as they are; returns how many were new. All rows have the same columns."""
    return _addition(connection.dialect.name, table, tuple(rows[0])).execute(connection, rows) if rows else 0


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
    never change: naming one in an update rewrites its indexes all the same. Of several rows with the same keys the last one counts.
    """
    if not rows:
        return 0
    distinct = dict(zip(map(_values(keys), rows), rows, strict=True))
    upsertion = _upsertion(connection.dialect.name, table, tuple(rows[0]), keys=keys, fixed=fixed, merge=merge)
    return upsertion.execute(connection, tuple(distinct.values()))


@cache
def _addition(dialect: str, table: Table, names: tuple[str, ...]) -> _Write:
    return _write(dialect, table, names, _insert(dialect, table, names).on_conflict_do_nothing())


@cache
def _upsertion(
    dialect: str, table: Table, names: tuple[str, ...], *, keys: tuple[str, ...], fixed: tuple[str, ...], merge: Merge
) -> _Write:
    statement = _insert(dialect, table, names)
    excluded = statement.excluded
    values = {name: excluded[name] for name in names if name not in keys + fixed} | dict(merge(excluded))
    differs = or_(*(table.c[name].is_distinct_from(value) for name, value in values.items()))
    return _write(dialect, table, names, statement.on_conflict_do_update(index_elements=keys, set_=values, where=differs))


def _insert(dialect: str, table: Table, names: Sequence[str]) -> Insert:
    if dialect == "sqlite":
        return sqlite.insert(table).values({name: bindparam(name) for name in names})
    return postgresql.insert(table).from_select(names, _from_json(table, names))


def _from_json(table: Table, names: Sequence[str]) -> Select[Any]:
    """Read the rows in the parameter `rows`, bytes as base64."""
    is_binary = {name: isinstance(table.c[name].type, LargeBinary) for name in names}
    columns = [column(name, Text() if is_binary[name] else table.c[name].type) for name in names]
    rows = func.json_to_recordset(cast(bindparam("rows", type_=Text), JSON)).table_valued(*columns).render_derived(with_types=True)
    values = {name: rows.c[name] for name in names}
    return select(*(func.decode(it, literal_column("'base64'")) if is_binary[name] else it for name, it in values.items()))


@dataclass(frozen=True, slots=True)
class _Write:
    """An INSERT of any number of rows."""

    text: str
    #: The columns, in the order of the text.
    names: Sequence[str]
    #: How their values become what the driver takes; None = they are that.
    converters: Sequence[Callable[[Any], Any] | None]
    #: Parameters that no row has: what stands as a value in the statement.
    constants: Mapping[str, Any]
    is_json: bool

    def execute(self, connection: Connection, rows: Sequence[Row]) -> int:
        """Both drivers count what was really written, over all rows."""
        return sum(
            connection.exec_driver_sql(self.text, self._parameters(chunk), execution_options=_HOW_COUNTED).rowcount
            for chunk in chunks(rows)
        )

    def _parameters(self, rows: Sequence[Row]) -> Any:  # noqa: ANN401 - one dict, or a list of tuples
        columns = (self._column(name, converter, rows) for name, converter in zip(self.names, self.converters, strict=True))
        values = zip(*columns, strict=True)
        if self.is_json:
            return {"rows": msgspec.json.encode([dict(zip(self.names, row, strict=True)) for row in values]).decode(), **self.constants}
        return list(values)

    def _column(self, name: str, converter: Callable[[Any], Any] | None, rows: Sequence[Row]) -> Iterable[Any]:
        if name in self.constants:
            return [self.constants[name]] * len(rows)
        values = map(_values((name,)), rows)
        return map(converter, values) if converter else values


def _write(dialect: str, table: Table, names: Sequence[str], statement: Insert) -> _Write:
    compiled = statement.compile(dialect=_DIALECTS[dialect])
    ordered = compiled.positiontup or names
    converters = [_converter(table.c[name], _DIALECTS[dialect]) if name in names else None for name in ordered]
    constants = {name: value for name, value in compiled.params.items() if name not in (*names, "rows")}
    return _Write(str(compiled), ordered, converters, constants, is_json=compiled.positiontup is None)


def _converter(it: ColumnElement[Any], dialect: Dialect) -> Callable[[Any], Any] | None:
    """Bytes are bytes to both drivers, and to msgspec. A page's times are mostly the same."""
    converter = None if isinstance(it.type, LargeBinary) else it.type.dialect_impl(dialect).bind_processor(dialect)
    return converter and lru_cache(_CHUNK)(converter)


def _values(names: Sequence[str]) -> Callable[[Row], Any]:
    """Take one value of a row, or a tuple of several."""
    return itemgetter(*names)
