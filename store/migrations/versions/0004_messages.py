"""What every sent message shows, and when it is to be edited; what waits is found by workspace and survey.

Of messages sent before this nobody knows what they show: they are looked at when their reader comes by. Rows that wait find their
workspace when they are drawn. Those that were in the middle of a call carry no key to be found by: whether they arrived stays unknown,
as it did before.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    for name, kind in (
        ("closes_at", sa.BigInteger()),
        ("shown", sa.Text()),
        ("fingerprint", sa.Text()),
        ("edit_at", sa.BigInteger()),
        ("edit_refused", sa.Text()),
    ):
        op.add_column("outbox", sa.Column(name, kind))
    op.execute(
        "UPDATE outbox SET state = 'unknown', finished_at = COALESCE(lease_until, due_at), reason = 'the sender stopped in the middle of a call' "
        "WHERE state = 'sending' AND finished_at IS NULL"
    )
    op.drop_index("ix_outbox_open", "outbox")
    _index("ix_outbox_open", ["workspace_id", "survey_id", "kind", "due_at", "closes_at"], "finished_at IS NULL")
    _index("ix_outbox_leased", ["lease_until"], "finished_at IS NULL AND lease_until IS NOT NULL")
    _index("ix_outbox_edits", ["workspace_id", "edit_at"], "edit_at IS NOT NULL")


def _index(name: str, columns: list[str], where: str) -> None:
    op.create_index(name, "outbox", columns, sqlite_where=sa.text(where), postgresql_where=sa.text(where))
