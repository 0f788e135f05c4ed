"""Taking a lease, and keeping it while something is done that one process at a time may do."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TypeVar

from bot.errors import Unavailable, loggable
from bot.ports import Store, UnitOfWork

T = TypeVar("T")

log = logging.getLogger(__name__)


async def entered(store: Store, name: str, holder: str, work: Callable[[UnitOfWork], T]) -> T:
    """Commit `work`, which may take a lease. It does so, too, when the caller is cancelled meanwhile: then the lease is given back."""
    try:
        return await store.write(work)
    except asyncio.CancelledError:
        await asyncio.shield(_release(store, name, holder))
        raise


@asynccontextmanager
async def held(store: Store, name: str, holder: str, lease: timedelta) -> AsyncGenerator[None]:
    """Keep a taken lease alive, and release it at the end. Unavailable: it was lost, and the block was cancelled."""
    try:
        async with asyncio.TaskGroup() as group:
            beating = group.create_task(_beat(store, name, holder, lease))
            yield
            beating.cancel()
    except BaseExceptionGroup as errors:
        raise errors.exceptions[0] from errors
    finally:
        await asyncio.shield(_release(store, name, holder))


async def _release(store: Store, name: str, holder: str) -> None:
    try:
        await store.write(lambda uow: uow.leases.release(name, holder))
    except Unavailable as error:  # it lapses by itself, which must not hide how the block ended
        log.warning("lease.not_released", extra={"lease": name, **loggable(error)})


async def _beat(store: Store, name: str, holder: str, lease: timedelta) -> None:
    while True:
        await asyncio.sleep(lease.total_seconds() / 3)
        try:
            is_kept = await store.write(lambda uow: uow.leases.renew(name, holder, lease))
        except Unavailable as error:  # what cannot renew cannot write either
            log.warning("lease.not_renewed", extra={"lease": name, **loggable(error)})
            continue
        if not is_kept:
            raise Unavailable("another process has taken this over")
