"""Where people want to be written to, and where they were last seen."""

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Nothing yet."""
