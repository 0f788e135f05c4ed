"""Calls held back so that none meets a limit of Slack's: one shared row a workspace and method (store/gates.py), for all processes.

Slack's limits are per app, workspace and method (https://docs.slack.dev/apis/web-api/rate-limits).
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol
from zlib import crc32

from adapters.slack.errors import DEFAULT_RETRY_AFTER_SECONDS
from bot.errors import Throttled
from bot.pace import gate_of
from store.gates import Limit, Taken, Wait

SEND = "chat.postMessage"
EDIT = "chat.update"
OPEN = "conversations.open"
READ = "conversations.history"
PEOPLE = "users.list"
TEAMS = "auth.teams.list"
#: Calls a minute: Tier 3, and Tier 2 for the lists (reference slack.md 3).
_PER_MINUTE: Mapping[str, float] = {EDIT: 50, OPEN: 50, READ: 50, PEOPLE: 20, TEAMS: 20}
#: Messages a minute into one conversation (reference slack.md 3).
_PER_CONVERSATION = 60
#: Conversations share so many rows: few of those that are written to within a second meet in one.
_BUCKETS = 1024


class Gates(Protocol):
    """`store.gates.SqlGates`."""

    async def take(self, limits: Sequence[Limit]) -> Taken | Wait: ...
    async def slow(self, limit: Limit, taken_at: float, retry_after: float) -> None: ...


class SlackPace:
    """The turns of all calls of this process, for use in one event loop. Only the first in a queue asks the database."""

    def __init__(self, gates: Gates, clock: Callable[[], datetime], *, sends_per_minute: float) -> None:
        self._gates = gates
        self._clock = clock
        self._per_minute = {**_PER_MINUTE, SEND: sends_per_minute}
        self._queues: defaultdict[Limit, asyncio.Lock] = defaultdict(asyncio.Lock)
        #: When the newest call was granted: seconds since 1970 by the database's clock.
        self._granted_at: dict[Limit, float] = {}
        #: Until when this process knows a limit to be closed.
        self._closed_until: dict[Limit, datetime] = {}

    async def turn(self, method: str, workspace_id: str, conversation: str | None = None) -> None:
        """Wait until a call may be made. Raises Throttled while a refusal keeps the method closed; Unavailable where the database is."""
        limit = self._limit(method, workspace_id)
        async with self._queues[limit]:
            while True:
                wait = await self._ask(limit, conversation)
                if wait is None:
                    return
                await asyncio.sleep(wait)

    async def at_once(self, method: str, workspace_id: str) -> None:
        """Take a turn, or raise Throttled: for calls with which somebody cannot wait."""
        if (wait := await self._ask(self._limit(method, workspace_id), None)) is not None:
            raise Throttled(f"{method} has no turn now", retry_after=wait)

    async def refused(self, method: str, workspace_id: str, retry_after: float | None) -> None:
        """Slack answered 429: close the method for the whole workspace, in all processes, for so many seconds."""
        limit, seconds = self._limit(method, workspace_id), DEFAULT_RETRY_AFTER_SECONDS if retry_after is None else max(1.0, retry_after)
        self._closed_until[limit] = self._clock() + timedelta(seconds=seconds)
        await self._gates.slow(limit, self._granted_at.get(limit, 0.0), seconds)

    def check(self, method: str, workspace_id: str) -> None:
        """Raise Throttled when a call that has had its turn should not be made after all: another one was refused since."""
        now = self._clock()
        if (closed_until := self._closed_until.get(self._limit(method, workspace_id), now)) > now:
            raise Throttled("waiting as Slack asked", retry_after=(closed_until - now).total_seconds())

    async def _ask(self, limit: Limit, conversation: str | None) -> float | None:
        """Return None for a turn, otherwise the seconds after which to ask again."""
        limits = [limit]
        if conversation is not None:
            limits.append(Limit(f"{limit.name}:{crc32(conversation.encode()) % _BUCKETS}", _PER_CONVERSATION))
        answer = await self._gates.take(limits)
        if isinstance(answer, Taken):
            self._granted_at[limit] = answer.at
            return None
        if answer.closing is not None:
            raise Throttled("waiting as Slack asked", retry_after=answer.closing.seconds)
        return answer.seconds

    def _limit(self, method: str, workspace_id: str) -> Limit:
        name = gate_of(workspace_id) if method == SEND else f"slack:{workspace_id}:{method}"
        return Limit(name, self._per_minute[method])
