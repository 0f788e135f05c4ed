"""Requests held back so that none meets a limit: the brand's and its endpoints', shared by all processes, and the integration's own."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from aiolimiter import AsyncLimiter

from adapters.qualtrics.errors import Closed
from store.gates import Closing, Limit, SqlGates, Wait

#: The longest a call waits for closed limits to open. For its turn in the queue it waits as long as the limits demand.
PATIENCE_SECONDS = 120.0
#: How long a scope is closed by a 429 that does not say: limits are per minute (reference qualtrics.md 11).
_UNTOLD_SECONDS = 15.0
#: A refusal that asks for no pause at all gets one.
_SHORTEST_SECONDS = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Calls a minute for all integrations of a brand together. The defaults are Qualtrics' (reference qualtrics.md 11)."""

    brand: int = 3000
    #: By path template; each holds for what is below it too. Calls count for the longest one that fits, and for the brand.
    endpoints: Mapping[str, int] = field(
        default_factory=lambda: {
            "/distributions/{id}/history": 300,
            "/distributions/{id}/links": 500,
            "/directories/{id}/contacts/search": 500,
            "/eventsubscriptions": 120,
            "/organizations": 5,
        }
    )

    def endpoint(self, template: str) -> str | None:
        """Return the endpoint with a limit of its own to which a call counts, if it does."""
        fitting = (it for it in self.endpoints if f"{template}/".startswith(f"{it}/"))
        return max(fitting, key=len, default=None)


DEFAULT = Limits()


class Pace:
    """`transport.Pacing` for one integration, for use in one event loop.

    Calls to an endpoint with a limit of its own take their turns in the order in which they asked, and so do all others; neither waits
    behind the other. Only the first of a queue asks the database, and no sooner than it could say yes if this were the only process.
    """

    def __init__(self, gates: SqlGates, limits: Limits, brand: str, integration_id: str, requests_per_minute: float | None = None) -> None:
        """`requests_per_minute` is the integration's own limit, beside those of the brand; None = it has none."""
        self._gates = gates
        self._limits = limits
        #: The name of what shares the limits: the brand's id, or the host's name while that is unknown. May be changed at any time.
        self.brand = brand
        self._integration_id = integration_id
        self._requests_per_minute = requests_per_minute
        self._queues: defaultdict[str | None, asyncio.Lock] = defaultdict(asyncio.Lock)
        #: For how many seconds the first of each queue has waited for closed limits.
        self._closed_seconds: defaultdict[str | None, float] = defaultdict(float)
        self._smoothers: dict[Limit, AsyncLimiter] = {}

    async def turn(self, template: str) -> float:
        """Wait until a call may be sent; return when that was (seconds since 1970 by the database's clock).

        Raises Closed when 429s keep a limit closed for more than `PATIENCE_SECONDS` of that; Unavailable where the database is.
        """
        endpoint = self._limits.endpoint(template)
        patience = self._closed_seconds[endpoint] + PATIENCE_SECONDS
        async with self._queues[endpoint]:
            for limit in self._scopes(endpoint):
                await self._smoother(limit).acquire()
            return await self._granted(endpoint, patience)

    async def throttled(self, template: str, granted_at: float, retry_after: float | None) -> None:
        """Close for everybody what a 429 came from: the endpoint if it has a limit of its own, else the brand. `retry_after` in seconds."""
        endpoint = self._limits.endpoint(template)
        seconds = _UNTOLD_SECONDS if retry_after is None else max(_SHORTEST_SECONDS, retry_after)
        await self._gates.slow(self._brand if endpoint is None else self._endpoint(endpoint), granted_at, seconds)

    async def _granted(self, endpoint: str | None, patience: float) -> float:
        """`patience` is what the queue's `_closed_seconds` may come to."""
        while isinstance(answer := await self._gates.take(self._scopes(endpoint)), Wait):
            closed = answer.closing.seconds if answer.closing else 0.0
            if answer.closing and self._closed_seconds[endpoint] + closed > patience:
                raise _closed(answer.closing, endpoint if answer.closing.limit != self._brand else None)
            await asyncio.sleep(answer.seconds)
            self._closed_seconds[endpoint] += closed
        return answer.at

    def _scopes(self, endpoint: str | None) -> list[Limit]:
        scopes = [self._brand]
        if endpoint is not None:
            scopes.append(self._endpoint(endpoint))
        if self._requests_per_minute is not None:
            scopes.append(Limit(f"{self._brand.name}:{self._integration_id}", self._requests_per_minute))
        return scopes

    @property
    def _brand(self) -> Limit:
        return Limit(f"qualtrics:{self.brand}", self._limits.brand)

    def _endpoint(self, endpoint: str) -> Limit:
        return Limit(f"{self._brand.name}:{endpoint}", self._limits.endpoints[endpoint])

    def _smoother(self, limit: Limit) -> AsyncLimiter:
        """The limit's own pace with half its burst, so that a lone process asks the database once a call and is not told to wait."""
        burst = (1 + limit.burst) / 2
        return self._smoothers.setdefault(limit, AsyncLimiter(burst, burst * limit.seconds_per_call))


def _closed(closing: Closing, endpoint: str | None) -> Closed:
    until = datetime.fromtimestamp(closing.until, UTC)
    what = f"the brand's limit for {endpoint}" if endpoint else "the limit of the whole brand"
    return Closed(f"{what} is closed until {until:%H:%M} UTC ({closing.seconds:.0f} s) because of a 429", retry_after=closing.seconds)
