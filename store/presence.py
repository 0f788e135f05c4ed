"""Whether an integration is there to write rows of: another process may remove it at any moment."""

from __future__ import annotations

from sqlalchemy import Connection, select

from store import tables

_INTEGRATIONS = tables.integrations.c


def is_there(connection: Connection, integration_id: str) -> bool:
    """If so, it stays until this transaction ends (on SQLite, every writer is alone anyway)."""
    one = (
        select(_INTEGRATIONS.integration_id)
        .where(_INTEGRATIONS.integration_id == integration_id)
        .with_for_update(read=True, key_share=True)
    )
    return connection.execute(one).first() is not None
