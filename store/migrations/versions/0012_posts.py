"""What is told to channels and owners, and how counts were at earlier times."""

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Nothing yet."""
