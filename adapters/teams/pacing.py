"""Calls held back so that none meets the limit of Teams, which is one for all that a bot does in a tenant (reference teams.md 2.6)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from adapters.pacing import Gates, Pace
from adapters.teams.errors import DEFAULT_RETRY_AFTER_SECONDS
from bot.pace import gate_of
from store.gates import Limit

#: People are read in the background.
_ROSTERS_PER_MINUTE = 600


class TeamsPace:
    """Messages, edits and rosters have turns of their own, so that no message waits for the others; a refusal closes all, for all."""

    def __init__(self, gates: Gates, clock: Callable[[], datetime], tenant_id: str, *, per_minute: float) -> None:
        self._pace = Pace(gates, clock)
        self._sends, self._edits = Limit(gate_of(tenant_id), per_minute), Limit(f"teams:{tenant_id}:edit", per_minute)
        self._people = Limit(f"teams:{tenant_id}:people", min(per_minute, _ROSTERS_PER_MINUTE))

    async def turn(self) -> None:
        """Wait until one more message may be sent. Raises Throttled while Teams has asked for a pause; Unavailable without a database."""
        await self._pace.turn(self._sends)

    async def edit_turn(self) -> None:
        """As `turn`, for edits."""
        await self._pace.turn(self._edits)

    async def people_turn(self) -> None:
        """As `turn`, for pages of rosters."""
        await self._pace.turn(self._people)

    async def refused(self, retry_after: float | None) -> None:
        """Teams answered 429: close the tenant, in all processes, for so many seconds."""
        for limit in (self._sends, self._edits, self._people):
            await self._pace.refused(limit, DEFAULT_RETRY_AFTER_SECONDS if retry_after is None else max(1.0, retry_after))

    def check(self) -> None:
        """Raise Throttled when a call that has had its turn should not be made after all: another one was refused since."""
        self._pace.check(self._sends)
