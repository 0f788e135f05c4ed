"""The migrations build exactly the schema that `store/tables.py` describes."""

from __future__ import annotations

import subprocess
import sys

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, text

from bot.errors import Unavailable
from store.engine import connect
from store.migrations import is_current, upgrade
from store.tables import METADATA


def test_the_migrated_schema_is_the_described_one(database_url: str) -> None:
    engine = connect(database_url, read_only=False, connections=1)
    with engine.begin() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        difference = compare_metadata(context, METADATA)
    engine.dispose()
    assert difference == []


def test_the_migrated_indexes_hold_the_described_rows(empty_database_url: str) -> None:
    """Alembic's comparison does not see the condition of a partial index, and SQLite uses one only where a query repeats it."""
    engine = connect(empty_database_url, read_only=False, connections=1)
    with engine.begin() as connection:
        METADATA.create_all(connection)
        described = _indexes(connection)
        METADATA.drop_all(connection)
    upgrade(empty_database_url)
    with engine.begin() as connection:
        assert _indexes(connection) == described
    engine.dispose()


def test_a_database_is_current_once_it_was_upgraded_and_upgrading_it_again_changes_nothing(empty_database_url: str) -> None:
    assert not is_current(empty_database_url)
    upgrade(empty_database_url)
    upgrade(empty_database_url)
    assert is_current(empty_database_url)


def test_processes_that_upgrade_at_the_same_time_take_turns(empty_database_url: str) -> None:
    program = "import sys; from store.migrations import upgrade; upgrade(sys.argv[1])"
    processes = [subprocess.Popen([sys.executable, "-c", program, empty_database_url]) for _ in range(3)]  # noqa: S603 - our own program
    assert [process.wait(60) for process in processes] == [0, 0, 0]
    assert is_current(empty_database_url)


@pytest.mark.parametrize("url", ["sqlite:////no/such/folder/surveybot.db", "postgresql://nobody@127.0.0.1:1/nothing"])
def test_a_database_out_of_reach_is_unavailable(url: str) -> None:
    with pytest.raises(Unavailable):
        upgrade(url)
    with pytest.raises(Unavailable):
        is_current(url)


@pytest.mark.parametrize("url", ["mysql://localhost/surveybot", "sqlite://", "sqlite:///:memory:"])
def test_a_url_that_names_neither_a_sqlite_file_nor_postgresql_is_refused_with_the_right_form(url: str) -> None:
    with pytest.raises(ValueError, match="sqlite:///"):
        connect(url, read_only=True, connections=1)


def _indexes(connection: Connection) -> set[str]:
    known = {
        "sqlite": "SELECT sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL",
        "postgresql": "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename <> 'alembic_version'",
    }
    found = set(connection.execute(text(known[connection.dialect.name])).scalars())
    assert any("WHERE" in definition for definition in found)
    return found
