"""Bring a database to the newest schema: Alembic, run from here, without an alembic.ini.

A new revision is a file in `versions/` that does what `tests/contract/store/test_schema.py` finds missing.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, event, text

from store.engine import connect, translated

#: Any number, as long as it stays: replicas that start together take turns.
_TURN = 7_316_428_905


def upgrade(url: str) -> None:
    """Apply what is missing, in one transaction. Blocks; safe to call from several processes at once. Raises Unavailable, ValueError."""
    with _connected(url) as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:turn)"), {"turn": _TURN})
        command.upgrade(_config(connection), "head")


def is_current(url: str) -> bool:
    """Whether nothing is missing. Blocks. Raises Unavailable, ValueError."""
    with _connected(url) as connection:
        heads = ScriptDirectory.from_config(_config(connection)).get_heads()
        return set(MigrationContext.configure(connection).get_current_heads()) == set(heads)


@contextmanager
def _connected(url: str) -> Generator[Connection]:
    engine = connect(url, read_only=False, connections=1)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _leave_references_alone)
    try:
        with translated(), engine.begin() as connection:
            yield connection
    finally:
        engine.dispose()


def _leave_references_alone(connection: Any, _record: object) -> None:  # noqa: ANN401 - the driver's connection has no protocol of its own
    """SQLite changes a column by copying its table, and drops none that others refer to (https://sqlite.org/lang_altertable.html, 7)."""
    connection.execute("PRAGMA foreign_keys=OFF")


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config
