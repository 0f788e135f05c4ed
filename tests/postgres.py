"""A PostgreSQL server for the tests of one process. Databases cost 50 ms each, so tests hand the same one on, emptied in 2 ms."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from sqlalchemy import Engine, NullPool, create_engine, text
from sqlalchemy.exc import DBAPIError

from store.migrations import upgrade
from store.tables import METADATA

_TEMPLATE = "template_surveybot"
#: Deleted rows stay in the files of a database, so it is handed on so many times only.
_MOST_TESTS = 25
_OBJECTS = "SELECT array_agg(oid::regclass::text ORDER BY oid) FROM pg_class WHERE relnamespace = 'public'::regnamespace"
_EMPTY = "; ".join(
    (
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()",
        "SET session_replication_role = replica",  # references are not looked after
        *(f"DELETE FROM {table.name}" for table in METADATA.sorted_tables),  # noqa: S608 - our own tables
        "SELECT setval(seqrelid, 1, false) FROM pg_sequence",
    )
)


class Postgres:
    def __init__(self, folder: Path, uri: Callable[[str], str]) -> None:
        self.folder = folder
        self._uri = uri
        self._numbers = count()
        self._admin = self._engine("postgres")
        self._shared: _Shared | None = None
        self.run("ALTER SYSTEM SET fsync = off", "SELECT pg_reload_conf()", f"CREATE DATABASE {_TEMPLATE}")
        upgrade(uri(_TEMPLATE))

    @contextmanager
    def database(self, template: str) -> Generator[str]:
        """A new database."""
        name = self._create(template)
        yield self._uri(name)
        self._drop(name)

    @contextmanager
    def migrated(self) -> Generator[str]:
        """A migrated database without rows."""
        if self._shared is None:
            name = self._create(_TEMPLATE)
            self._shared = _Shared(name, self._engine(name))
        shared = self._shared
        yield self._uri(shared.name)
        if not shared.is_as_new():
            self._shared = None
            self._drop(shared.name)

    def run(self, *statements: str) -> None:
        with self._admin.connect() as connection:
            for statement in statements:
                connection.execute(text(statement))

    def _create(self, template: str) -> str:
        name = f"test_{next(self._numbers)}"
        self.run(f"CREATE DATABASE {name} TEMPLATE {template}")
        return name

    def _drop(self, name: str) -> None:
        self.run(f"DROP DATABASE {name} WITH (FORCE)")

    def _engine(self, name: str) -> Engine:
        url = self._uri(name).replace("postgresql://", "postgresql+psycopg://")
        return create_engine(url, isolation_level="AUTOCOMMIT", poolclass=NullPool)


class _Shared:
    """A database that tests hand on."""

    def __init__(self, name: str, engine: Engine) -> None:
        self.name = name
        self._engine = engine
        self._tests = 0
        self._objects = self._emptied()

    def is_as_new(self) -> bool:
        """End all connections, delete all rows, restart all counters; whether it can be handed on after that."""
        self._tests += 1
        try:
            return self._emptied() == self._objects and self._tests < _MOST_TESTS
        except DBAPIError:
            return False

    def _emptied(self) -> list[str]:
        with self._engine.connect() as connection:
            connection.exec_driver_sql(_EMPTY)
            return connection.exec_driver_sql(_OBJECTS).scalar_one()
