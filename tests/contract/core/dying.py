"""A store whose process dies at a write of one's choice: nothing of that write is kept, and nothing is written after it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeVar

from bot.ports import Store, UnitOfWork
from bot.syncing.sync import Kind
from tests.contract.core.conftest import Life

T = TypeVar("T")


class Killed(Exception):
    """The process is dead."""


@dataclass
class DyingStore:
    store: Store
    #: Writes it lives to see.
    writes: int

    async def read(self, work: Callable[[UnitOfWork], T]) -> T:
        return await self.store.read(work)

    async def write(self, work: Callable[[UnitOfWork], T]) -> T:
        self.writes -= 1
        if self.writes < 0:
            raise Killed
        return await self.store.write(work)


async def die_after(life: Life, writes: int, kind: Kind = Kind.FULL) -> None:
    """Begin a run and let its process die; the first write of a run is its begin. A run of few writes lives to its end."""
    await life.store.write(lambda uow: uow.integrations.save(life.settings))
    store, life.store = life.store, DyingStore(life.store, writes)
    try:
        with suppress(Killed):
            await life.synchronisation().run(kind)
    finally:
        life.store = store
