"""What is done again and again: whatever becomes of it one time, there is a next time."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from bot.errors import loggable

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Job:
    """A job that says once when it breaks and once when it recovers."""

    name: str
    seconds: float
    #: May raise anything.
    work: Callable[[], Awaitable[object]]
    #: How often it may be under way at a time.
    at_once: int = 1
    is_broken: bool = False
    running: set[asyncio.Task[None]] = field(default_factory=set[asyncio.Task[None]])

    async def run(self) -> None:
        """In a task of its own: APScheduler would take a cancelled one for a failure and log its traceback."""
        task = asyncio.create_task(self._run())
        self.running.add(task)
        await asyncio.wait({task})
        self.running.discard(task)

    async def stop(self) -> None:
        """Interrupt it, and wait until it has put its things in order."""
        for task in (tasks := list(self.running)):
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    async def _run(self) -> None:
        try:
            await self.work()
        except Exception as error:  # noqa: BLE001 - whatever it is, the other jobs and this job's next time must not suffer
            if not self.is_broken:
                log.error("job.broken", extra={"job": self.name, **loggable(error)})  # noqa: TRY400 - a traceback would quote data
            self.is_broken = True
        else:
            if self.is_broken:
                log.info("job.recovered", extra={"job": self.name})
            self.is_broken = False
