"""Timers: APScheduler in memory calls the bot's jobs. It only says when; what may run is decided where it runs."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

# APScheduler 3 has no type stubs, and takes fractions of a second although its parameters say int.
from apscheduler.schedulers.asyncio import AsyncIOScheduler  # pyright: ignore[reportMissingTypeStubs]
from apscheduler.triggers.interval import IntervalTrigger  # pyright: ignore[reportMissingTypeStubs]

from adapters.app import Bot
from bot.errors import loggable

#: Start times move by up to this share of their interval, so that many installations do not call at the same second.
JITTER = 0.1
#: How often is looked which synchronisation is due, at least; seconds.
_LOOK = 5
#: How often the request log is written; seconds.
_FLUSH = 5

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


@asynccontextmanager
async def scheduled(bot: Bot) -> AsyncGenerator[None]:
    """Run the bot's jobs while the context is open, at once for the first time; late starts are coalesced into one.

    A job that broke waits no longer than `schedule.retry`: the directory is read once a day, and without it nobody can be written to.
    """
    every = bot.core.settings.schedule
    jobs = (
        Job("directory", every.directory, bot.directory.refresh),
        # A look lasts as long as the runs it started; meanwhile others look at the other integrations.
        Job("sync", min(_LOOK, every.delivery), bot.core.jobs.tick, at_once=bot.core.jobs.cap + 1),
        Job("refreshes", every.delivery, bot.core.refresher.refresh_due),
        Job("reminders", every.reminders, bot.remind),
        Job("delivery", every.delivery, bot.deliver),
        Job("request_log", _FLUSH, bot.core.request_log.flush),
    )
    scheduler = AsyncIOScheduler(timezone=UTC, job_defaults={"coalesce": True, "misfire_grace_time": None})

    async def tick(job: Job) -> None:
        await job.run()
        if job.is_broken and scheduler.running and every.retry < job.seconds:
            soon = datetime.now(UTC) + timedelta(seconds=every.retry)
            scheduler.modify_job(job.name, next_run_time=soon)  # pyright: ignore[reportUnknownMemberType]

    for job in jobs:
        trigger = IntervalTrigger(seconds=job.seconds, jitter=job.seconds * JITTER, timezone=UTC)  # pyright: ignore[reportArgumentType]
        now, at_once = datetime.now(UTC), job.at_once
        scheduler.add_job(tick, trigger, (job,), id=job.name, next_run_time=now, max_instances=at_once)  # pyright: ignore[reportUnknownMemberType]
    scheduler.start()
    try:
        yield
    finally:
        scheduler.pause()
        await asyncio.gather(*(job.stop() for job in jobs))
        scheduler.shutdown(wait=False)
