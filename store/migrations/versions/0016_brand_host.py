"""Where Qualtrics says that a brand's web pages are."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    op.add_column("integrations", sa.Column("brand_host", sa.Text()))
