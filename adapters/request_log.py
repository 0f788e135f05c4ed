"""Keeps the request log out of the requests' way: lines wait in memory until they are written all at once (FEATURES A5)."""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

from adapters.job import Job
from bot.errors import Unavailable
from bot.model import Integration
from bot.ports import Store, UnitOfWork
from bot.ports.records import RequestLine

#: Lines that are older are deleted.
KEPT = timedelta(hours=24)
#: How often that is looked after where no line comes.
_DELETING = timedelta(minutes=10)
_WRITING_SECONDS = 5
#: Of these, the oldest give way: more is not asked of Qualtrics in three minutes.
_ROOM = 10_000


class RequestLog:
    """What is not flushed is lost with the process."""

    def __init__(self, store: Store, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._clock = clock
        self._waiting: deque[tuple[str, RequestLine]] = deque(maxlen=_ROOM)
        self._deleted_at = clock()

    def sink(self, integration: Integration) -> Callable[[RequestLine], None]:
        """What a client of this integration tells its requests to; it costs nothing and never fails."""
        if not integration.keeps_request_log:
            return _forget
        return lambda line: self._waiting.append((integration.integration_id, line))

    @asynccontextmanager
    async def written(self, every_seconds: float = _WRITING_SECONDS) -> AsyncGenerator[None]:
        """Flush again and again while the context is open, and at its end."""
        job, over = Job("request_log", every_seconds, self.flush), asyncio.get_running_loop().create_future()

        async def write() -> None:
            while not (await asyncio.wait({over}, timeout=every_seconds))[0]:
                await job.run()

        writing = asyncio.create_task(write())
        try:
            yield
        finally:
            over.set_result(None)
            await writing
            await job.run()

    async def flush(self) -> None:
        """Write what waits in one transaction, and delete what is old. Raises Unavailable, and then all of it waits on."""
        now = self._clock()
        if not self._waiting and now - self._deleted_at < _DELETING:
            return
        taken, self._waiting = self._waiting, deque(maxlen=_ROOM)
        try:
            await self._store.write(lambda uow: _write(uow, taken, now - KEPT))
        except Unavailable:
            self._waiting = deque([*taken, *self._waiting], maxlen=_ROOM)
            raise
        self._deleted_at = now


def _forget(_: RequestLine) -> None:
    """Keep no log."""


def _write(uow: UnitOfWork, taken: Iterable[tuple[str, RequestLine]], before: datetime) -> None:
    lines: defaultdict[str, list[RequestLine]] = defaultdict(list)
    for integration_id, line in taken:
        lines[integration_id].append(line)
    for integration_id, its in lines.items():
        uow.requests.add(integration_id, its)
    uow.requests.forget(before)
