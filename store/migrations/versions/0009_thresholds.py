"""From how many people on a survey's numbers are shown."""

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Nothing yet."""
