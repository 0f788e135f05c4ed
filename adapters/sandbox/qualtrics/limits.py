"""How many calls a brand may make: at most so many in any 60 seconds, over all endpoints and at each (reference qualtrics.md 11)."""

from __future__ import annotations

from array import array
from collections import Counter, defaultdict
from collections.abc import Mapping
from math import ceil

BRAND = 3000
#: By path template; an endpoint without a limit of its own has the brand's.
ENDPOINTS: Mapping[str, int] = {
    "/distributions/{id}/links": 500,
    "/distributions/{id}/history": 300,
    "/eventsubscriptions": 120,
    "/eventsubscriptions/{id}": 120,
}


class Limits:
    """Sliding windows over the accepted calls of all of a brand's accounts. Every limit is at least 1."""

    def __init__(self, *, brand: int = BRAND, endpoints: Mapping[str, int] = ENDPOINTS, window_seconds: float = 60.0) -> None:
        self._brand, self._endpoints, self._window_seconds = brand, endpoints, window_seconds
        #: When calls were let through, in order, by path template (seconds since the epoch by the tenant's clock).
        self.accepted: defaultdict[str, array[float]] = defaultdict(lambda: array("d"))
        #: The same of all endpoints together.
        self.all_accepted: array[float] = array("d")
        #: How many calls were refused, by path template.
        self.refused: Counter[str] = Counter()

    def take(self, template: str, at: float) -> int | None:
        """Let a call through (None), or refuse it: the whole seconds until one would be let through."""
        own = self.accepted[template]
        wait = max(self._wait(self.all_accepted, self._brand, at), self._wait(own, self._endpoints.get(template, self._brand), at))
        if wait > 0:
            self.refused[template] += 1
            return ceil(wait)
        self.all_accepted.append(at)
        own.append(at)
        return None

    def _wait(self, accepted: array[float], limit: int, at: float) -> float:
        """A window is full as long as the limit-th last call is in it."""
        return accepted[-limit] + self._window_seconds - at if len(accepted) >= limit else 0.0
