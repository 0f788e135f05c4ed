"""What readings of people have in common in all chats: when one is due, where it goes on, and that one process at a time does it."""

from __future__ import annotations

import uuid
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

from bot.leasing import entered, held
from bot.ports import Store, UnitOfWork
from bot.ports.records import DirectoryReading, Lease

#: Clocks of processes may differ by so much: one that is behind writes down an event as if it had come before the reading began.
SKEW = timedelta(minutes=1)
#: A reading that was left this long ago is begun anew: what it told is old, and Slack may have dropped its cursor.
_RESUMABLE = timedelta(hours=6)
_LEASE = timedelta(seconds=60)


def is_due(uow: UnitOfWork, workspace_id: str, now: datetime, every: timedelta) -> bool:
    reading = uow.directory_readings.get(workspace_id)
    return reading is None or reading.ended_at is None or reading.ended_at <= now - every


def begin(uow: UnitOfWork, workspace_id: str, now: datetime) -> tuple[DirectoryReading, bool]:
    """Return the reading to go on with, and whether it was begun earlier."""
    last = uow.directory_readings.get(workspace_id)
    if last is not None and last.began_at is not None and now - last.began_at < _RESUMABLE:
        return last, True
    begun = DirectoryReading(workspace_id=workspace_id, began_at=now, ended_at=last and last.ended_at)
    uow.directory_readings.save(begun)
    return begun, False


@asynccontextmanager
async def alone(store: Store, workspace_id: str, owner: str) -> AsyncGenerator[bool]:
    """Hold the lease of a workspace's reading; False = another process has it."""
    name, holder = f"directory:{workspace_id}", f"{owner}:{uuid.uuid4().hex[:8]}"
    if await entered(store, name, holder, lambda uow: uow.leases.take(name, holder, _LEASE)) is not Lease.TAKEN:
        yield False
        return
    async with held(store, name, holder, _LEASE):
        yield True
