"""Owners choose whether they are told, a subscription its own share of problems, and a survey remembers when its counts were read."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    with op.batch_alter_table("preferences") as batch:
        batch.add_column(sa.Column("own_surveys", sa.Boolean(), nullable=False, server_default=sa.true()))
    with op.batch_alter_table("preferences") as batch:
        batch.alter_column("own_surveys", server_default=None)
    # Nobody could choose one until now.
    op.drop_column("subscriptions", "problem_share")
    op.add_column("subscriptions", sa.Column("problem_share", sa.Float()))
    op.add_column("surveys", sa.Column("counted_at", sa.BigInteger()))
