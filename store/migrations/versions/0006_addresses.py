"""Where conversations in Teams are written to."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.create_table(
        "addresses",
        sa.Column("workspace_id", sa.Text(), nullable=False),
        sa.Column("conversation_id", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text()),
        sa.Column("service_url", sa.Text(), nullable=False),
        sa.Column("is_closed", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "conversation_id", name="pk_addresses"),
    )
    op.create_index("ix_addresses_user", "addresses", ["workspace_id", "user_id"])
