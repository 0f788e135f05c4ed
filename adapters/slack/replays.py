"""Requests that were recorded and are sent again while their signature still counts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

#: Slack's own verifier believes a signature for five minutes before and five minutes after its timestamp.
_COUNTS_SECONDS = 600.0


@dataclass(slots=True)
class Replays:
    """The signatures this process has seen lately.

    A signature covers a timestamp and a body, and no two bodies of Slack's are alike: commands and presses carry a `trigger_id`, events an
    `event_id`. What Slack itself repeats it signs anew. So whoever comes with the same signature is not Slack, or a proxy that tries again.

    In memory, so that no command waits for the database: at 200 requests a second these are 120,000 signatures, some 20 MB. A process that
    has not seen the first one, or was started since, still carries a replay out: it answers the person who had asked, or saves the same
    settings again. Whatever is added that must not happen twice needs a key in the database, as events have.
    """

    #: Seconds, of a clock that is never set back.
    clock: Callable[[], float]
    #: When each was first seen, the oldest first.
    _seen: dict[str, float] = field(default_factory=dict[str, float])

    def first_time(self, signature: str) -> bool:
        now = self.clock()
        while self._seen and self._seen[oldest := next(iter(self._seen))] <= now - _COUNTS_SECONDS:
            del self._seen[oldest]
        if signature in self._seen:
            return False
        self._seen[signature] = now
        return True
