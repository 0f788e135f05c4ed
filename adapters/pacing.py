"""Turns at limits that all processes share (store/gates.py): who comes first asks the database, what a refusal closed is closed for all."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from bot.errors import Throttled
from store.gates import Limit, Taken, Wait


class Gates(Protocol):
    """`store.gates.SqlGates`."""

    async def take(self, limits: Sequence[Limit]) -> Taken | Wait: ...
    async def slow(self, limit: Limit, taken_at: float, retry_after: float) -> None: ...


class Pace:
    """The turns of all calls of this process, for use in one event loop. A call queues at the first of its limits."""

    def __init__(self, gates: Gates, clock: Callable[[], datetime]) -> None:
        self._gates = gates
        self._clock = clock
        self._queues: defaultdict[Limit, asyncio.Lock] = defaultdict(asyncio.Lock)
        #: When the newest call was granted: seconds since 1970 by the database's clock.
        self._granted_at: dict[Limit, float] = {}
        #: Until when this process knows a limit to be closed.
        self._closed_until: dict[Limit, datetime] = {}

    async def turn(self, limit: Limit, *others: Limit) -> None:
        """Wait until a call may be made. Raises Throttled while a refusal keeps a limit closed; Unavailable where the database is."""
        async with self._queues[limit]:
            while True:
                wait = await self._ask(limit, *others)
                if wait is None:
                    return
                await asyncio.sleep(wait)

    async def at_once(self, limit: Limit) -> None:
        """Take a turn, or raise Throttled: for calls with which somebody cannot wait."""
        if (wait := await self._ask(limit)) is not None:
            raise Throttled("no call has its turn now", retry_after=wait)

    async def refused(self, limit: Limit, seconds: float) -> None:
        """A call was answered 429: close its limit, in all processes, for so many seconds."""
        self._closed_until[limit] = self._clock() + timedelta(seconds=seconds)
        await self._gates.slow(limit, self._granted_at.get(limit, 0.0), seconds)

    def check(self, limit: Limit) -> None:
        """Raise Throttled when a call that has had its turn should not be made after all: another one was refused since."""
        now = self._clock()
        if (closed_until := self._closed_until.get(limit, now)) > now:
            raise Throttled("waiting as we were asked to", retry_after=(closed_until - now).total_seconds())

    async def _ask(self, *limits: Limit) -> float | None:
        """Return None for a turn, otherwise the seconds after which to ask again."""
        answer = await self._gates.take(limits)
        if isinstance(answer, Taken):
            self._granted_at[limits[0]] = answer.at
            return None
        if answer.closing is not None:
            raise Throttled("waiting as we were asked to", retry_after=answer.closing.seconds)
        return answer.seconds
