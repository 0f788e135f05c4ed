"""How a database goes about what it is asked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.event import listen, remove


def plans(connection: Connection, work: Callable[[], object]) -> str:
    """The plans of all statements that `work` executes."""
    asked: list[tuple[str, Any]] = []

    def hear(_c: object, _cursor: object, statement: str, parameters: Any, *_rest: object) -> None:
        asked.append((statement, parameters))

    listen(connection, "before_cursor_execute", hear)
    work()
    remove(connection, "before_cursor_execute", hear)
    explain = "EXPLAIN QUERY PLAN " if connection.dialect.name == "sqlite" else "EXPLAIN "
    assert asked
    return "\n".join(
        str(line) for statement, parameters in asked for line in connection.exec_driver_sql(explain + statement, parameters).all()
    )
