"""Where people want to be written to, and where they were last seen."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.add_column("members", sa.Column("used_at", sa.BigInteger()))
    op.add_column("preferences", sa.Column("place", sa.Text(), nullable=False, server_default="automatic"))
    with op.batch_alter_table("preferences") as preferences:
        preferences.alter_column("place", server_default=None)
