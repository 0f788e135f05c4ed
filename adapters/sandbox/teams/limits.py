"""How much Teams takes of a bot (reference teams.md 2.6).

https://learn.microsoft.com/en-us/microsoftteams/platform/bots/how-to/rate-limit
"""

from __future__ import annotations

from collections import defaultdict, deque
from dataclasses import dataclass, field

#: In a tenant, all calls together: so many in so many seconds.
_TENANT = ((50, 1),)
#: In one conversation, what is sent.
_CONVERSATION = ((7, 1), (8, 2), (60, 30), (1800, 3600))


@dataclass(slots=True)
class Throttle:
    _calls: dict[str, deque[float]] = field(default_factory=lambda: defaultdict(deque))

    def wait(self, conversation_id: str | None, now: float) -> int | None:
        """Count one call at `now` (seconds), or return how many seconds to wait with it. None as the conversation: it sends nothing."""
        wanted = [("", _TENANT), *([] if conversation_id is None else [(conversation_id, _CONVERSATION)])]
        for name, windows in wanted:
            calls = self._calls[name]
            for most, seconds in windows:
                if len(calls) >= most and calls[-most] > now - seconds:
                    return max(1, round(calls[-most] + seconds - now))
        for name, windows in wanted:
            self._calls[name].append(now)
            while len(self._calls[name]) > windows[-1][0]:
                self._calls[name].popleft()
        return None
