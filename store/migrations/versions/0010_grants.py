"""Who may see a survey's numbers beside its owner, and what its distributions are called."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.create_table(
        "grants",
        sa.Column("integration_id", sa.Text(), nullable=False),
        sa.Column("survey_id", sa.Text(), nullable=False),
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("granted_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["integration_id"], ["integrations.integration_id"], name="fk_grants_integration_id"),
        sa.ForeignKeyConstraint(["person_id"], ["people.person_id"], name="fk_grants_person_id"),
        sa.PrimaryKeyConstraint("integration_id", "survey_id", "person_id", name="pk_grants"),
    )
    op.create_index("ix_grants_person_id", "grants", ["person_id"])
    op.add_column("distributions", sa.Column("created_at", sa.BigInteger()))
    op.add_column("distributions", sa.Column("subject", sa.Text()))
    op.create_index("ix_users_email", "users", ["email"])
    op.create_index("ix_surveys_owner", "surveys", ["integration_id", "owner_id"])
