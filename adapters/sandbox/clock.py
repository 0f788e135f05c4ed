"""The sandbox's time: real time plus an offset, so that a demo and a test can jump to tomorrow without waiting."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


class SandboxClock:
    """Aware UTC time that only moves forward; callable, so it stands wherever a `Callable[[], datetime]` is wanted."""

    def __init__(self) -> None:
        self._offset = timedelta(0)

    def now(self) -> datetime:
        return datetime.now(UTC) + self._offset

    def advance(self, by: timedelta) -> None:
        """Raises ValueError for a step back: nothing in the house expects time to run backwards."""
        if by < timedelta(0):
            raise ValueError("time does not run backwards")
        self._offset += by

    __call__ = now
