"""What can be made to go wrong in the simulated Slack, while it runs."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class RateLimited:
    """429 with `Retry-After`; the call has no effect (reference slack.md 3)."""

    retry_after_s: int = 1


@dataclass(frozen=True, slots=True)
class Status:
    """A bare HTTP status with an HTML page, as a proxy in trouble answers; the call has no effect."""

    status: int


@dataclass(frozen=True, slots=True)
class Refused:
    """`{"ok": false, "error": ...}` for a call that would have worked; it has no effect."""

    error: str


@dataclass(frozen=True, slots=True)
class LostAnswer:
    """The call takes effect, then the connection is cut before a single byte of the answer."""


Failure = RateLimited | Status | Refused | LostAnswer


@dataclass(slots=True)
class _Planned:
    failure: Failure
    method: str | None
    left: int | None


@dataclass(slots=True)
class Faults:
    #: Slack is unreachable: everything, response URLs too, answers 503 with an HTML page.
    down: bool = False
    #: Answers come this many seconds late; their effect does not.
    slow_s: float = 0.0
    _planned: list[_Planned] = field(default_factory=list["_Planned"])

    def add(self, failure: Failure, *, method: str | None = None, times: int | None = 1) -> None:
        """Let the next `times` calls (None: all) of `method` (None: of any; `response_url` is one) fail; first planned, first used."""
        self._planned.append(_Planned(failure, method, times))

    def clear(self) -> None:
        """All is well again."""
        self.down, self.slow_s = False, 0.0
        self._planned.clear()

    def take(self, method: str) -> Failure | None:
        """Return, and use up, what shall go wrong with this call."""
        if self.down:
            return Status(503)
        for planned in self._planned:
            if planned.method in {None, method}:
                return self._use(planned)
        return None

    def _use(self, planned: _Planned) -> Failure:
        if planned.left is not None:
            planned.left -= 1
            if planned.left == 0:
                self._planned.remove(planned)
        return planned.failure
