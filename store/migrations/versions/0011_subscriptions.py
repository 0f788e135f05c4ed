"""Channels that asked to be told of surveys."""

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Nothing yet."""
