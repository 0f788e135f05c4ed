"""What is told to channels and owners, and how counts were at earlier times."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.create_table(
        "posts",
        sa.Column("post_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("subscription_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("survey_id", sa.Text(), nullable=False),
        sa.Column("mark", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("lease_until", sa.BigInteger()),
        sa.Column("lease_owner", sa.Text()),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text()),
        sa.Column("workspace_id", sa.Text()),
        sa.Column("channel_id", sa.Text()),
        sa.Column("message_id", sa.Text()),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("finished_at", sa.BigInteger()),
        sa.PrimaryKeyConstraint("post_id", name="pk_posts"),
        sa.UniqueConstraint("subscription_id", "kind", "survey_id", "mark", name="uq_posts_subscription_id_kind_survey_id_mark"),
    )
    is_open = sa.text("finished_at IS NULL")
    op.create_index("ix_posts_open", "posts", ["due_at"], sqlite_where=is_open, postgresql_where=is_open)
    op.create_table(
        "day_counts",
        sa.Column("integration_id", sa.Text(), nullable=False),
        sa.Column("survey_id", sa.Text(), nullable=False),
        sa.Column("distribution_id", sa.Text(), nullable=False),
        sa.Column("day", sa.BigInteger(), nullable=False),
        sa.Column("stats", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["integration_id"], ["integrations.integration_id"], name="fk_day_counts_integration_id_integrations"),
        sa.PrimaryKeyConstraint("integration_id", "survey_id", "distribution_id", "day", name="pk_day_counts"),
    )
    op.create_index("ix_day_counts_day", "day_counts", ["day"])
