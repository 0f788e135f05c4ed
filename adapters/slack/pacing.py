"""Calls held back so that none meets a limit of Slack's: one shared row a workspace and method (store/gates.py), for all processes.

Slack's limits are per app, workspace and method (https://docs.slack.dev/apis/web-api/rate-limits).
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Protocol
from zlib import crc32

from adapters.pacing import Gates, Pace
from adapters.slack.errors import DEFAULT_RETRY_AFTER_SECONDS, translated
from bot.errors import Throttled
from bot.pace import gate_of
from store.gates import Limit

SEND = "chat.postMessage"
EDIT = "chat.update"
OPEN = "conversations.open"
READ = "conversations.history"
PLACE = "conversations.info"
ONLOOKERS = "conversations.members"
PERSON = "users.info"
PEOPLE = "users.list"
TEAMS = "auth.teams.list"
#: Calls a minute: Tier 3, Tier 2 for the lists, Tier 4 for people (reference slack.md 3).
_PER_MINUTE: Mapping[str, float] = {EDIT: 50, OPEN: 50, READ: 50, PLACE: 50, ONLOOKERS: 100, PERSON: 100, PEOPLE: 20, TEAMS: 20}
#: Messages a minute into one conversation (reference slack.md 3).
_PER_CONVERSATION = 60
#: Conversations share so many rows: few of those that are written to within a second meet in one.
_BUCKETS = 1024


class Pacing(Protocol):
    """What callers need of a `SlackPace`."""

    async def turn(self, method: str, workspace_id: str) -> None: ...
    async def refused(self, method: str, workspace_id: str, retry_after: float | None) -> None: ...


@asynccontextmanager
async def heeding(pace: Pacing, method: str, workspace_id: str, *, repeatable: bool = False) -> AsyncGenerator[None]:
    """Translate errors of one call; a 429 closes the method for everybody in this workspace."""
    try:
        with translated(method, repeatable=repeatable):
            yield
    except Throttled as error:
        await pace.refused(method, workspace_id, error.retry_after)
        raise


class SlackPace:
    """The turns of all calls of this process, for use in one event loop."""

    def __init__(self, gates: Gates, clock: Callable[[], datetime], *, sends_per_minute: float) -> None:
        self._pace = Pace(gates, clock)
        self._per_minute = {**_PER_MINUTE, SEND: sends_per_minute}

    async def turn(self, method: str, workspace_id: str, conversation: str | None = None) -> None:
        """Wait until a call may be made. Raises Throttled while a refusal keeps the method closed; Unavailable where the database is."""
        limit = self._limit(method, workspace_id)
        bucket = conversation and f"{limit.name}:{crc32(conversation.encode()) % _BUCKETS}"
        await self._pace.turn(limit, *([Limit(bucket, _PER_CONVERSATION)] if bucket else []))

    async def at_once(self, method: str, workspace_id: str) -> None:
        """Take a turn, or raise Throttled: for calls with which somebody cannot wait."""
        await self._pace.at_once(self._limit(method, workspace_id))

    async def refused(self, method: str, workspace_id: str, retry_after: float | None) -> None:
        """Slack answered 429: close the method for the whole workspace, in all processes, for so many seconds."""
        seconds = DEFAULT_RETRY_AFTER_SECONDS if retry_after is None else max(1.0, retry_after)
        await self._pace.refused(self._limit(method, workspace_id), seconds)

    def check(self, method: str, workspace_id: str) -> None:
        """Raise Throttled when a call that has had its turn should not be made after all: another one was refused since."""
        self._pace.check(self._limit(method, workspace_id))

    def _limit(self, method: str, workspace_id: str) -> Limit:
        name = gate_of(workspace_id) if method == SEND else f"slack:{workspace_id}:{method}"
        return Limit(name, self._per_minute[method])
