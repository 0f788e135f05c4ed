"""The first schema."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "inbox",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_inbox"),
    )
    op.create_index("ix_inbox_seen_at", "inbox", ["seen_at"])
    op.create_table(
        "integrations",
        sa.Column("integration_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("baseline_at", sa.BigInteger()),
        sa.PrimaryKeyConstraint("integration_id", name="pk_integrations"),
    )
    op.create_table(
        "members",
        sa.Column("workspace_id", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("email", sa.Text()),
        sa.Column("zone", sa.Text(), nullable=False),
        sa.Column("locale", sa.Text(), nullable=False),
        sa.Column("dm_channel_id", sa.Text()),
        sa.PrimaryKeyConstraint("workspace_id", "user_id", name="pk_members"),
    )
    op.create_index("ix_members_email", "members", ["email"])
    op.create_table(
        "people",
        sa.Column("person_id", KEY, nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("person_id", name="pk_people"),
        sa.UniqueConstraint("email", name="uq_people_email"),
    )
    op.create_table(
        "outbox",
        sa.Column("delivery_id", KEY, nullable=False),
        sa.Column("event_key", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("integration_id", sa.Text(), nullable=False),
        sa.Column("survey_id", sa.Text(), nullable=False),
        sa.Column("person_id", KEY, nullable=False),
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
        sa.ForeignKeyConstraint(["person_id"], ["people.person_id"], name="fk_outbox_person_id"),
        sa.PrimaryKeyConstraint("delivery_id", name="pk_outbox"),
        sa.UniqueConstraint("event_key", name="uq_outbox_event_key"),
    )
    op.create_index(
        "ix_outbox_open", "outbox", ["due_at"], sqlite_where=sa.text("finished_at IS NULL"), postgresql_where=sa.text("finished_at IS NULL")
    )
    op.create_index("ix_outbox_person_id", "outbox", ["person_id"])
    op.create_table(
        "runs",
        sa.Column("run_id", KEY, nullable=False),
        sa.Column("integration_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("finished_at", sa.BigInteger()),
        sa.Column("outcome", sa.Text()),
        sa.Column("surveys", sa.Integer(), nullable=False),
        sa.Column("distributions", sa.Integer(), nullable=False),
        sa.Column("invitations", sa.Integer(), nullable=False),
        sa.Column("changed", sa.Integer(), nullable=False),
        sa.Column("skipped", sa.Integer(), nullable=False),
        sa.Column("told", sa.Integer(), nullable=False),
        sa.Column("error", sa.Text()),
        sa.ForeignKeyConstraint(["integration_id"], ["integrations.integration_id"], name="fk_runs_integration_id"),
        sa.PrimaryKeyConstraint("run_id", name="pk_runs"),
    )
    op.create_index("ix_runs_newest", "runs", ["integration_id", "kind", "run_id"])
    op.create_table(
        "surveys",
        sa.Column("key", KEY, nullable=False),
        sa.Column("integration_id", sa.Text(), nullable=False),
        sa.Column("survey_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("owner_id", sa.Text(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("last_modified", sa.BigInteger()),
        sa.Column("ends_at", sa.BigInteger()),
        sa.Column("anonymity", sa.Text()),
        sa.Column("is_deleted", sa.Boolean()),
        sa.Column("details_for", sa.BigInteger()),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["integration_id"], ["integrations.integration_id"], name="fk_surveys_integration_id"),
        sa.PrimaryKeyConstraint("key", name="pk_surveys"),
        sa.UniqueConstraint("survey_id", "integration_id", name="uq_surveys_survey_id_integration_id"),
    )
    op.create_table(
        "users",
        sa.Column("integration_id", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("email", sa.Text()),
        sa.Column("first_name", sa.Text(), nullable=False),
        sa.Column("last_name", sa.Text(), nullable=False),
        sa.Column("user_type", sa.Text()),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["integration_id"], ["integrations.integration_id"], name="fk_users_integration_id"),
        sa.PrimaryKeyConstraint("integration_id", "user_id", name="pk_users"),
    )
    op.create_table(
        "distributions",
        sa.Column("key", KEY, nullable=False),
        sa.Column("integration_id", sa.Text(), nullable=False),
        sa.Column("distribution_id", sa.Text(), nullable=False),
        sa.Column("survey_key", KEY, nullable=False),
        sa.Column("parent_id", sa.Text()),
        sa.Column("owner_id", sa.Text(), nullable=False),
        sa.Column("request_type", sa.Text(), nullable=False),
        sa.Column("request_status", sa.Text(), nullable=False),
        sa.Column("send_date", sa.BigInteger()),
        sa.Column("sender_name", sa.Text()),
        sa.Column("link_type", sa.Text(), nullable=False),
        sa.Column("link_expires_at", sa.BigInteger()),
        sa.Column("sent", sa.Integer(), nullable=False),
        sa.Column("failed", sa.Integer(), nullable=False),
        sa.Column("started", sa.Integer(), nullable=False),
        sa.Column("bounced", sa.Integer(), nullable=False),
        sa.Column("opened", sa.Integer(), nullable=False),
        sa.Column("skipped", sa.Integer(), nullable=False),
        sa.Column("finished", sa.Integer(), nullable=False),
        sa.Column("complaints", sa.Integer(), nullable=False),
        sa.Column("blocked", sa.Integer(), nullable=False),
        sa.Column("history_for", sa.Text()),
        sa.ForeignKeyConstraint(["integration_id"], ["integrations.integration_id"], name="fk_distributions_integration_id"),
        sa.ForeignKeyConstraint(["survey_key"], ["surveys.key"], name="fk_distributions_survey_key"),
        sa.PrimaryKeyConstraint("key", name="pk_distributions"),
        sa.UniqueConstraint("integration_id", "distribution_id", name="uq_distributions_integration_id_distribution_id"),
    )
    op.create_index("ix_distributions_survey_key", "distributions", ["survey_key"])
    op.create_table(
        "invitations",
        sa.Column("distribution_key", KEY, nullable=False),
        sa.Column("contact_id", sa.Text(), nullable=False),
        sa.Column("survey_key", sa.BigInteger(), nullable=False),
        sa.Column("person_id", KEY),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("mailed", sa.Boolean(), nullable=False),
        sa.Column("sent_at", sa.BigInteger()),
        sa.Column("completed_at", sa.BigInteger()),
        sa.Column("link", sa.LargeBinary()),
        sa.Column("link_expires_at", sa.BigInteger()),
        sa.Column("notice_at", sa.BigInteger()),
        sa.Column("looked_up_at", sa.BigInteger()),
        sa.ForeignKeyConstraint(["distribution_key"], ["distributions.key"], name="fk_invitations_distribution_key"),
        sa.ForeignKeyConstraint(["person_id"], ["people.person_id"], name="fk_invitations_person_id"),
        sa.PrimaryKeyConstraint("distribution_key", "contact_id", name="pk_invitations"),
    )
    op.create_index(
        "ix_invitations_notice",
        "invitations",
        ["notice_at"],
        sqlite_where=sa.text("notice_at IS NOT NULL"),
        postgresql_where=sa.text("notice_at IS NOT NULL"),
    )
    op.create_index(
        "ix_invitations_person",
        "invitations",
        ["person_id", "survey_key"],
        sqlite_where=sa.text("person_id IS NOT NULL"),
        postgresql_where=sa.text("person_id IS NOT NULL"),
    )
    op.create_index(
        "ix_invitations_nobody",
        "invitations",
        ["distribution_key"],
        sqlite_where=sa.text("person_id IS NULL AND mailed = 1"),
        postgresql_where=sa.text("person_id IS NULL AND mailed"),
    )
