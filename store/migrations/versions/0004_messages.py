"""What every sent message shows, and when it is to be edited."""

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Filled in by the change that needs it."""
