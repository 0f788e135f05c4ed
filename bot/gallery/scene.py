"""What all examples of the gallery have in common: when they are read, by whom, and the name that must do no harm."""

from __future__ import annotations

from datetime import UTC, datetime

from bot.pages import Reader

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
READER = Reader(locale="en-GB", zone="Europe/Berlin")
HOSTILE = "*x* <!channel> & `y` <https://evil.example|click>"
