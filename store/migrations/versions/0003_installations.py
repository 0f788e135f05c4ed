"""Workspaces and organisations that installed the Slack app, with their tokens."""

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Filled in by the change that needs it."""
