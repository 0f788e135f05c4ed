"""How far the lists of people were read, and who was last told of when."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.create_table(
        "directory_readings",
        sa.Column("workspace_id", sa.Text(), nullable=False),
        sa.Column("began_at", sa.BigInteger()),
        sa.Column("team_id", sa.Text(), nullable=False),
        sa.Column("cursor", sa.Text(), nullable=False),
        sa.Column("ended_at", sa.BigInteger()),
        sa.PrimaryKeyConstraint("workspace_id", name="pk_directory_readings"),
    )
    op.add_column("members", sa.Column("seen_at", sa.BigInteger()))
    op.add_column("members", sa.Column("has_unconfirmed_email", sa.Boolean(), nullable=False, server_default=sa.false()))
    with op.batch_alter_table("members") as members:
        members.alter_column("has_unconfirmed_email", server_default=None)
