"""How to speak to SQLite and to PostgreSQL: the only place that knows which of the two it is."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import DBAPIError, OperationalError

from bot.errors import Unavailable

#: Every wait ends; each value can be overruled in the URL's query. SQLite: seconds to wait for another writer.
_LIMITS = {
    "sqlite": {"timeout": "10"},
    "postgresql": {"connect_timeout": "10", "options": "-c statement_timeout=60s -c lock_timeout=10s"},
}
_DRIVERS = {
    "sqlite": "sqlite",
    "postgres": "postgresql+psycopg",
    "postgresql": "postgresql+psycopg",
    "postgresql+psycopg": "postgresql+psycopg",
}


def connect(url: str, *, read_only: bool, connections: int, durable: bool = True) -> Engine:
    """Make an engine for `sqlite:///path` or `postgresql://...`; connects at first use. Raises ValueError for any other URL.

    A transaction begun on a read-only engine sees one snapshot and cannot write; on the other one it is alone among SQLite's writers.
    Where it is not `durable`, a power cut may undo its last transactions, and no others.
    """
    parsed = _parse(url) if durable else _undurable(_parse(url))
    # Parameters hold e-mail addresses, and errors are logged.
    engine = create_engine(parsed, pool_size=connections, max_overflow=0, pool_pre_ping=True, hide_parameters=True)
    if engine.dialect.name == "sqlite":
        _prepare_sqlite(engine, read_only=read_only, synchronous="FULL" if durable else "NORMAL")
    elif read_only:
        engine = engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    return engine


@contextmanager
def translated() -> Generator[None]:
    """Raise Unavailable where the database cannot be reached, is locked, full, or gave up a transaction for another one's sake."""
    try:
        yield
    except DBAPIError as error:
        if isinstance(error, OperationalError) or error.connection_invalidated:
            raise Unavailable("the database cannot answer now") from error
        raise


def _parse(url: str) -> URL:
    parsed = make_url(url)
    driver = _DRIVERS.get(parsed.drivername)
    if driver is None:
        raise ValueError("the database URL must begin with sqlite:/// or postgresql://")
    if driver == "sqlite" and parsed.database in {None, "", ":memory:"}:
        raise ValueError("the SQLite URL must name a file (sqlite:///path/to/file.db): readers and the writer share it")
    limits = _LIMITS[driver.partition("+")[0]]
    return parsed.set(drivername=driver, query={**limits, **parsed.query})


def _undurable(url: URL) -> URL:
    """SQLite is told by a PRAGMA."""
    if "options" not in url.query:
        return url
    return url.set(query={**url.query, "options": f"{url.query['options']} -c synchronous_commit=off"})


def _prepare_sqlite(engine: Engine, *, read_only: bool, synchronous: str) -> None:
    """WAL, so that readers do not wait for the writer; FULL, because the outbox must survive a power cut (reference performance.md 2).

    NORMAL for what need not. Never OFF: its checkpoints would risk the rows of the durable ones too.

    BEGIN is ours, since the driver's own would let two writers start and then fail one of them
    (https://docs.sqlalchemy.org/en/21/dialects/sqlite.html#sqlite-enabling-transactions).
    """
    begin = "BEGIN" if read_only else "BEGIN IMMEDIATE"
    pragmas = ("journal_mode=WAL", f"synchronous={synchronous}", "foreign_keys=ON", f"query_only={int(read_only)}")

    def on_connect(connection: Any, _record: object) -> None:  # noqa: ANN401 - the driver's connection has no protocol of its own
        connection.isolation_level = None
        for pragma in pragmas:
            connection.execute(f"PRAGMA {pragma}")

    def on_begin(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    event.listen(engine, "connect", on_connect)
    event.listen(engine, "begin", on_begin)
