"""What people chose for themselves."""

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Filled in by the change that needs it."""
