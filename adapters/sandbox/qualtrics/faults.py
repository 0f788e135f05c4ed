"""How a simulated tenant can fail on purpose: refusals, broken bodies and slowness, switched while it runs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True, kw_only=True)
class Faults:
    """Replace `tenant.faults` by one of these; a fresh `Faults()` is a healthy tenant."""

    #: Answer with this HTTP status (429, 500, 503, 504...) instead of working.
    status: int | None = None
    #: How many calls get `status`; None = all until this is replaced.
    times: int | None = None
    #: `Retry-After` in seconds beside `status`.
    retry_after: int | None = None
    #: How many further answers are cut off in the middle, with status 200.
    broken_json_next: int = 0
    #: Every answer comes this much later.
    slow_seconds: float = 0.0
    #: Only paths (below `/API/v3`) that begin so are touched: `/distributions`.
    prefix: str = "/"

    def touches(self, path: str) -> bool:
        return path.startswith(self.prefix)

    def refusal(self) -> int | None:
        """The status to refuse this call with; counts it."""
        if self.status is None or self.times == 0:
            return None
        if self.times is not None:
            self.times -= 1
        return self.status

    def breaks(self) -> bool:
        """Whether this answer is to be cut off; counts it."""
        is_broken = self.broken_json_next > 0
        self.broken_json_next -= is_broken
        return is_broken
