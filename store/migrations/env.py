"""Called by Alembic: run the migrations on the connection that `store.migrations` opened."""

from __future__ import annotations

from alembic import context

from store.tables import METADATA

context.configure(connection=context.config.attributes["connection"], target_metadata=METADATA)
context.run_migrations()
