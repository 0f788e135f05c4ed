"""Timers: APScheduler in memory calls the bot's jobs. It only says when; what may run is decided where it runs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

# APScheduler 3 has no type stubs, and takes fractions of a second although its parameters say int.
from apscheduler.schedulers.asyncio import AsyncIOScheduler  # pyright: ignore[reportMissingTypeStubs]
from apscheduler.triggers.interval import IntervalTrigger  # pyright: ignore[reportMissingTypeStubs]

from adapters.app import Bot
from adapters.job import Job
from adapters.slack import directory_reader
from bot.syncing.refreshing import AT_ONCE

#: Start times move by up to this share of their interval, so that many installations do not call at the same second.
JITTER = 0.1
#: How often is looked which synchronisation or directory is due, at least; seconds.
_LOOK = 5
#: Between looks for tokens that soon end, and for people to give the app to; seconds.
_RENEWALS = 60
_GIFTS = 300
#: Between deletions of what is long over; seconds.
_FORGETTING = 86400


@asynccontextmanager
async def scheduled(bot: Bot) -> AsyncGenerator[None]:
    """Run the bot's jobs while the context is open, at once for the first time; late starts are coalesced into one.

    A job that broke waits no longer than `schedule.retry`: the directory is read once a day, and without it nobody can be written to.
    """
    every = bot.core.settings.schedule
    jobs = (
        # A large workspace is read for minutes; meanwhile others look at those that were installed since.
        Job("directory", min(_LOOK, every.directory), bot.read_directories, at_once=directory_reader.AT_ONCE),
        # A look lasts as long as the runs it started; meanwhile others look at the other integrations.
        Job("sync", min(_LOOK, every.delivery), bot.core.jobs.tick, at_once=bot.core.jobs.cap + 1),
        Job("refreshes", every.delivery, bot.core.refresher.refresh_due, at_once=AT_ONCE + 1),
        Job("tokens", _RENEWALS, bot.renew_tokens),
        Job("app", _GIFTS, bot.give_app),
        Job("reminders", every.reminders, bot.remind),
        Job("announcements", every.reminders, bot.announce),
        Job("delivery", every.delivery, bot.deliver),
        Job("posts", every.delivery, bot.post),
        Job("settling", every.delivery, bot.settle),
        Job("forgetting", _FORGETTING, bot.forget),
        Job("edits", every.delivery, bot.edit),
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
