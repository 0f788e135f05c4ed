"""Timers: APScheduler in memory calls the bot's jobs. It only says when; what may run is decided where it runs."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial

# APScheduler 3 has no type stubs, and takes fractions of a second although its parameters say int.
from apscheduler.schedulers.asyncio import AsyncIOScheduler  # pyright: ignore[reportMissingTypeStubs]
from apscheduler.triggers.interval import IntervalTrigger  # pyright: ignore[reportMissingTypeStubs]

from adapters.app import Bot
from bot.errors import loggable
from bot.sync import Kind

#: Start times move by up to this share of their interval, so that many installations do not call at the same second.
JITTER = 0.1

log = logging.getLogger(__name__)


class Skipped(Exception):
    """There was no doing the work now, which says nothing about whether it can be done."""


@dataclass(slots=True)
class Job:
    """A job that says once when it breaks and once when it recovers."""

    name: str
    seconds: float
    #: May raise anything, and Skipped.
    work: Callable[[], Awaitable[object]]
    is_broken: bool = False
    #: The last run did not do its work.
    is_late: bool = False
    running: asyncio.Task[None] | None = None

    async def run(self) -> None:
        """In a task of its own: APScheduler would take a cancelled one for a failure and log its traceback."""
        self.running = asyncio.create_task(self._run())
        await asyncio.wait({self.running})

    async def stop(self) -> None:
        """Interrupt it, and wait until it has put its things in order."""
        if self.running is not None:
            self.running.cancel()
            await asyncio.wait({self.running})

    async def _run(self) -> None:
        self.is_late = True
        try:
            await self.work()
        except Skipped:
            return
        except Exception as error:  # noqa: BLE001 - whatever it is, the other jobs and this job's next time must not suffer
            if not self.is_broken:
                log.error("job.broken", extra={"job": self.name, **loggable(error)})  # noqa: TRY400 - a traceback would quote data
            self.is_broken = True
        else:
            if self.is_broken:
                log.info("job.recovered", extra={"job": self.name})
            self.is_broken = self.is_late = False


@asynccontextmanager
async def scheduled(bot: Bot) -> AsyncGenerator[None]:
    """Run the bot's jobs while the context is open, at once for the first time; late starts are coalesced into one.

    A job that broke or was skipped waits no longer than `schedule.retry`: the directory is read once a day, and without it nobody can be
    written to.
    """
    every = bot.core.settings.schedule
    jobs = (
        Job("directory", every.directory, bot.directory.refresh),
        Job("sync.full", every.full_sync, partial(_sync, bot, Kind.FULL)),
        Job("sync.incremental", every.incremental_sync, partial(_sync, bot, Kind.INCREMENTAL)),
        Job("reminders", every.reminders, bot.remind),
        Job("delivery", every.delivery, bot.deliver),
    )
    scheduler = AsyncIOScheduler(timezone=UTC, job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None})

    async def tick(job: Job) -> None:
        await job.run()
        if job.is_late and scheduler.running and every.retry < job.seconds:
            soon = datetime.now(UTC) + timedelta(seconds=every.retry)
            scheduler.modify_job(job.name, next_run_time=soon)  # pyright: ignore[reportUnknownMemberType]

    for job in jobs:
        trigger = IntervalTrigger(seconds=job.seconds, jitter=job.seconds * JITTER, timezone=UTC)  # pyright: ignore[reportArgumentType]
        scheduler.add_job(tick, trigger, (job,), id=job.name, next_run_time=datetime.now(UTC))  # pyright: ignore[reportUnknownMemberType]
    scheduler.start()
    try:
        yield
    finally:
        scheduler.pause()
        await asyncio.gather(*(job.stop() for job in jobs))
        scheduler.shutdown(wait=False)


async def _sync(bot: Bot, kind: Kind) -> None:
    if await bot.core.sync(kind) is None:
        raise Skipped
