"""Timers: APScheduler in memory calls the bot's jobs. It only says when; what may run is decided where it runs."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

# APScheduler 3 has no type stubs, and takes fractions of a second although its parameters say int.
from apscheduler.schedulers.asyncio import AsyncIOScheduler  # pyright: ignore[reportMissingTypeStubs]
from apscheduler.triggers.interval import IntervalTrigger  # pyright: ignore[reportMissingTypeStubs]

from adapters.app import Bot
from bot.errors import SurveybotError
from bot.sync import Kind

#: Start times move by up to this share of their interval, so that many installations do not call at the same second.
JITTER = 0.1

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Job:
    """A job that says once when it breaks and once when it recovers, and tries again at its next time."""

    name: str
    work: Callable[[], Awaitable[object]]
    is_broken: bool = False
    running: asyncio.Task[None] | None = None

    async def run(self) -> None:
        self.running = asyncio.current_task()
        try:
            await self.work()
        except SurveybotError as error:
            if not self.is_broken:  # no traceback: what the other side does wrong is not ours to debug
                log.error("job.broken", extra={"job": self.name, "cause": f"{type(error).__name__}: {error}"})  # noqa: TRY400
            self.is_broken = True
        else:
            if self.is_broken:
                log.info("job.recovered", extra={"job": self.name})
            self.is_broken = False


@asynccontextmanager
async def scheduled(bot: Bot) -> AsyncGenerator[None]:
    """Run the bot's jobs while the context is open; at once for the first time. Late starts are coalesced into one."""
    every = bot.core.settings.schedule
    jobs = (
        (every.directory, Job("directory", bot.directory.refresh)),
        (every.full_sync, Job("sync.full", lambda: bot.core.sync(Kind.FULL))),
        (every.incremental_sync, Job("sync.incremental", lambda: bot.core.sync(Kind.INCREMENTAL))),
        (every.reminders, Job("reminders", bot.remind)),
        (every.delivery, Job("delivery", bot.deliver)),
    )
    scheduler = AsyncIOScheduler(timezone=UTC, job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None})
    for seconds, job in jobs:
        trigger = IntervalTrigger(seconds=seconds, jitter=seconds * JITTER, timezone=UTC)  # pyright: ignore[reportArgumentType]
        scheduler.add_job(job.run, trigger, id=job.name, next_run_time=datetime.now(UTC))  # pyright: ignore[reportUnknownMemberType]
    scheduler.start()
    try:
        yield
    finally:
        scheduler.shutdown(wait=False)
        await asyncio.gather(*(job.running for _, job in jobs if job.running is not None), return_exceptions=True)
