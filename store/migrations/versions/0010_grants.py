"""Who may see a survey's numbers beside its owner."""

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Nothing yet."""
