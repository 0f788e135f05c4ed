"""From how many people on numbers are shown, and whether people are: what is set, and what holds for a survey. Whom a survey reached."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    with op.batch_alter_table("integrations") as batch:
        batch.add_column(sa.Column("group_size", sa.Integer(), nullable=False, server_default="5"))
        batch.add_column(sa.Column("shows_people", sa.Boolean(), nullable=False, server_default=sa.false()))
    with op.batch_alter_table("integrations") as batch:
        batch.alter_column("group_size", server_default=None)
        batch.alter_column("shows_people", server_default=None)
    op.add_column("surveys", sa.Column("group_size", sa.Integer()))
    op.drop_index("ix_outbox_person_id", "outbox")
    op.create_index("ix_outbox_person_id_survey_id", "outbox", ["person_id", "survey_id"])
