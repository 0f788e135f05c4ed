"""Several integrations with their settings and secrets; resumable looks, leases, push, the request log and shared limits.

Integrations were configured in the environment until now. What was stored of them is kept: adding an integration under the same id
takes it over, its base URL and secret are asked for then.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    _integrations()
    _distributions()
    _runs()
    _looks()
    _shared()


def _integrations() -> None:
    added = (
        (sa.Column("base_url", sa.Text(), nullable=False), ""),
        (sa.Column("client_id", sa.Text()), None),
        (sa.Column("secret", sa.LargeBinary()), None),
        (sa.Column("push_keys", sa.LargeBinary()), None),
        (sa.Column("requests_per_minute", sa.Float()), None),
        (sa.Column("timeout_seconds", sa.Float(), nullable=False), "120"),
        (sa.Column("connect_timeout_seconds", sa.Float(), nullable=False), "10"),
        (sa.Column("keeps_request_log", sa.Boolean(), nullable=False), sa.true()),
        (sa.Column("full_sync", sa.Text(), nullable=False), "1 h"),
        (sa.Column("incremental_sync", sa.Text(), nullable=False), "15 min"),
        (sa.Column("sweep_sync", sa.Text(), nullable=False), "daily"),
        (sa.Column("sync_window", sa.Text()), None),
        (sa.Column("mass_closure_share", sa.Float(), nullable=False), "0.2"),
        (sa.Column("is_paused", sa.Boolean(), nullable=False), sa.true()),
        (sa.Column("brand_id", sa.Text()), None),
        (sa.Column("unauthorized_at", sa.BigInteger()), None),
    )
    _add("integrations", added)


def _distributions() -> None:
    added = (
        (sa.Column("is_deleted", sa.Boolean(), nullable=False), sa.false()),
        (sa.Column("history_at", sa.BigInteger()), None),
        (sa.Column("rows_missing", sa.Integer()), None),
    )
    _add("distributions", added)


def _runs() -> None:
    _add(
        "runs",
        (
            (sa.Column("reason", sa.Text()), None),
            (sa.Column("calls", sa.Integer(), nullable=False), "0"),
            (sa.Column("resumed", sa.Integer(), nullable=False), "0"),
        ),
    )


def _looks() -> None:
    op.create_table(
        "positions",
        sa.Column("integration_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("next", sa.Text()),
        sa.Column("seen", sa.Integer(), nullable=False),
        sa.Column("skipped", sa.Integer(), nullable=False),
        sa.Column("began_for", sa.Text()),
        sa.Column("saved_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("integration_id", "name", name="pk_positions"),
        _integration("positions"),
    )
    op.create_table(
        "pictures",
        sa.Column("integration_id", sa.Text(), nullable=False),
        sa.Column("survey_id", sa.Text(), nullable=False),
        sa.Column("distribution_id", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("integration_id", "survey_id", "distribution_id", name="pk_pictures"),
        _integration("pictures"),
    )
    op.create_table(
        "refreshes",
        sa.Column("integration_id", sa.Text(), nullable=False),
        sa.Column("survey_id", sa.Text(), nullable=False),
        sa.Column("hints", sa.Integer(), nullable=False),
        sa.Column("first_at", sa.BigInteger(), nullable=False),
        sa.Column("last_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("integration_id", "survey_id", name="pk_refreshes"),
        _integration("refreshes"),
    )
    op.create_table(
        "request_log",
        sa.Column("request_key", KEY, nullable=False),
        sa.Column("integration_id", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("status", sa.Integer()),
        sa.Column("duration_ms", sa.Integer(), nullable=False),
        sa.Column("request_id", sa.Text()),
        sa.PrimaryKeyConstraint("request_key", name="pk_request_log"),
        _integration("request_log"),
    )
    op.create_index("ix_request_log_at", "request_log", ["at"])


def _shared() -> None:
    op.create_table(
        "leases",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("held_until", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_leases"),
    )
    op.create_table(
        "gates",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("arrival", sa.BigInteger(), nullable=False),
        sa.Column("closed_until", sa.BigInteger(), nullable=False),
        sa.Column("share", sa.Float(), nullable=False),
        sa.Column("slowed_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_gates"),
    )


def _integration(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["integration_id"], ["integrations.integration_id"], name=f"fk_{table}_integration_id_integrations")


def _add(table: str, added: tuple[tuple[sa.Column, str | sa.ColumnElement | None], ...]) -> None:
    """Add columns. Those that may not be NULL get a value in the rows that are there, and no default for later ones."""
    for column, value in added:
        column.server_default = None if value is None else sa.DefaultClause(value)
        op.add_column(table, column)
    with op.batch_alter_table(table) as batch:
        for column, value in added:
            if value is not None:
                batch.alter_column(column.name, server_default=None)
