"""Channels that asked to be told of surveys."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.create_table(
        "subscriptions",
        sa.Column("subscription_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("workspace_id", sa.Text(), nullable=False),
        sa.Column("channel_id", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("features", sa.Text(), nullable=False),
        sa.Column("creator_id", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("zone", sa.Text(), nullable=False),
        sa.Column("weekday", sa.Integer(), nullable=False),
        sa.Column("weekly_at", sa.Text(), nullable=False),
        sa.Column("works_from", sa.Text(), nullable=False),
        sa.Column("works_until", sa.Text(), nullable=False),
        sa.Column("problem_share", sa.Float(), nullable=False),
        sa.Column("offered_at", sa.BigInteger()),
        sa.Column("paused", sa.Text()),
        sa.Column("last_post_at", sa.BigInteger()),
        sa.PrimaryKeyConstraint("subscription_id", name="pk_subscriptions"),
        sa.UniqueConstraint("workspace_id", "channel_id", "subject", name="uq_subscriptions_workspace_id_channel_id_subject"),
        sqlite_autoincrement=True,
    )
