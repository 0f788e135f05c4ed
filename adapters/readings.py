"""What readings of people have in common in all chats: when one is due, where it goes on, and that one process at a time does it."""

from __future__ import annotations

import logging
import uuid
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot.errors import SurveybotError, loggable
from bot.leasing import entered, held
from bot.ports import Store, UnitOfWork
from bot.ports.records import DirectoryReading, Lease

#: Clocks of processes may differ by so much: one that is behind writes down an event as if it had come before the reading began.
_SKEW = timedelta(minutes=1)
#: A reading that was left this long ago is begun anew: what it told is old, and Slack may have dropped its cursor.
_RESUMABLE = timedelta(hours=6)
_LEASE = timedelta(seconds=60)

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Readings:
    """When this process reads which workspace, and what went wrong there."""

    store: Store
    #: This process among all.
    owner: str
    clock: Callable[[], datetime]
    #: From one whole reading of a workspace to the next, whichever process reads it, and from one that failed here.
    every: timedelta
    retry: timedelta
    #: By workspace, each with when it may be tried again.
    _failures: dict[str, tuple[SurveybotError, datetime]] = field(default_factory=dict[str, tuple[SurveybotError, datetime]])

    async def take(self, workspace_id: str, read: Callable[[], Awaitable[object]]) -> None:
        """Read where that is due. What goes wrong is kept, for `raise_failure`."""
        now, (known, again_at) = self.clock(), self._failures.get(workspace_id, (None, None))
        if again_at is not None and now < again_at:
            return
        try:
            if await self.store.read(lambda uow: _is_due(uow, workspace_id, now - self.every)):
                await read()
            self._failures.pop(workspace_id, None)
        except SurveybotError as error:
            if known is None:
                log.warning("directory.not_read", extra={"workspace": workspace_id, **loggable(error)})
            self._failures[workspace_id] = error, self.clock() + min(self.retry, self.every)

    def raise_failure(self, workspaces: Collection[str]) -> None:
        """Raise what went wrong in one of them, now or last; the others are no more."""
        for workspace_id in self._failures.keys() - set(workspaces):
            del self._failures[workspace_id]
        for error, _ in self._failures.values():
            raise error

    @asynccontextmanager
    async def alone(self, workspace_id: str) -> AsyncGenerator[bool]:
        """Hold the lease of a workspace's reading; False = another process has it."""
        name, holder = f"directory:{workspace_id}", f"{self.owner}:{uuid.uuid4().hex[:8]}"
        if await entered(self.store, name, holder, lambda uow: uow.leases.take(name, holder, _LEASE)) is not Lease.TAKEN:
            yield False
            return
        async with held(self.store, name, holder, _LEASE):
            yield True

    async def begin(self, workspace_id: str) -> tuple[DirectoryReading, bool]:
        """Return the reading to go on with, and whether it was begun earlier."""
        return await self.store.write(lambda uow: _begin(uow, workspace_id, self.clock()))


def ended(uow: UnitOfWork, reading: DirectoryReading, now: datetime) -> datetime:
    """Write down that it is done; returns since when somebody must have been seen who has not left."""
    uow.directory_readings.save(DirectoryReading(workspace_id=reading.workspace_id, began_at=None, ended_at=now))
    return (reading.began_at or now) - _SKEW


def _begin(uow: UnitOfWork, workspace_id: str, now: datetime) -> tuple[DirectoryReading, bool]:
    last = uow.directory_readings.get(workspace_id)
    if last is not None and last.began_at is not None and now - last.began_at < _RESUMABLE:
        return last, True
    begun = DirectoryReading(workspace_id=workspace_id, began_at=now, ended_at=last and last.ended_at)
    uow.directory_readings.save(begun)
    return begun, False


def _is_due(uow: UnitOfWork, workspace_id: str, ended_by: datetime) -> bool:
    reading = uow.directory_readings.get(workspace_id)
    return reading is None or reading.ended_at is None or reading.ended_at <= ended_by
