"""Hints become looks: a survey that Qualtrics said something about is read again, once for a burst, by one process at a time."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from bot.errors import Forbidden, Gone, Rejected, SurveybotError, Unavailable, loggable
from bot.look import Progress
from bot.model import Integration
from bot.ports import Store, UnitOfWork
from bot.records import Lease, Refresh

#: A burst is over when nothing came for this long; one that does not end is not waited for longer than that.
QUIET = timedelta(seconds=2)
LONGEST_WAIT = timedelta(seconds=10)
#: After the first failure, and after many.
FIRST_PAUSE = timedelta(seconds=15)
LONGEST_PAUSE = timedelta(minutes=10)
#: Surveys of one integration that are read at the same time.
PARALLEL = 4
#: For reading one survey; one that takes longer may be read by two processes, which changes nothing.
_LEASE = timedelta(minutes=1)
_MANY = 10_000

log = logging.getLogger(__name__)


class Reads(Protocol):
    """The part of a `bot.sync.Synchronisation` that is used here."""

    async def refresh(self, survey_ids: Collection[str]) -> Progress: ...


@dataclass(frozen=True, slots=True)
class _Pause:
    until: datetime
    step: timedelta


@dataclass(slots=True, kw_only=True)
class Refresher:
    """This process' share of the work. What fails is tried again after growing pauses, which it keeps in memory."""

    store: Store
    synchronise: Callable[[Integration], Awaitable[Reads]]
    #: This process among all.
    owner: str
    clock: Callable[[], datetime]
    #: Of an integration (its id), because Qualtrics did not answer; or of a survey, because not all of it could be read yet.
    _pauses: dict[str | Refresh, _Pause] = field(default_factory=dict[str | Refresh, _Pause])

    async def refresh_due(self) -> None:
        """Read the surveys that were hinted at and are quiet now. Raises Unavailable when the store does not answer."""
        now = self.clock()
        self._pauses = {what: pause for what, pause in self._pauses.items() if pause.until + LONGEST_PAUSE > now}
        due = self._due(await self.store.read(lambda uow: uow.refreshes.all(_MANY)))
        async with asyncio.TaskGroup() as group:
            for integration_id in {refresh.integration_id for refresh in due}:
                group.create_task(self._refresh_integration(integration_id))

    async def _refresh_integration(self, integration_id: str) -> None:
        try:
            if await self._holds(integration_id):
                await self._refresh_held(integration_id)
        except SurveybotError as error:
            self._postpone(integration_id, error)

    async def _refresh_held(self, integration_id: str) -> None:
        """Hints are read once more, now that the lease is ours: another process may just have followed them."""
        try:
            integration, hints = await self.store.read(lambda uow: (uow.integrations.get(integration_id), uow.refreshes.all(_MANY)))
            due = [refresh for refresh in self._due(hints) if refresh.integration_id == integration_id]
            if integration is not None:
                await self._refresh_surveys(integration, due)
        finally:
            await self.store.write(lambda uow: uow.leases.release(_lease(integration_id), self.owner))

    async def _refresh_surveys(self, integration: Integration, due: Sequence[Refresh]) -> None:
        """Whatever is not read now will be read whole, once its integration is resumed or has its first full synchronisation."""
        if integration.is_paused or integration.baseline_at is None:
            await self.store.write(lambda uow: _done(uow, due))
            return
        synchronisation, slots = await self.synchronise(integration), asyncio.Semaphore(PARALLEL)

        async def one(refresh: Refresh) -> None:
            async with slots:
                await self._refresh_survey(synchronisation, refresh)

        async with asyncio.TaskGroup() as group:
            for refresh in due:
                group.create_task(one(refresh))

    async def _refresh_survey(self, synchronisation: Reads, refresh: Refresh) -> None:
        try:
            if not self._is_paused(refresh.integration_id) and await self._holds(refresh.integration_id):
                await self._follow(synchronisation, refresh)
        except SurveybotError as error:
            self._postpone(refresh.integration_id, error)

    async def _follow(self, synchronisation: Reads, refresh: Refresh) -> None:
        try:
            progress = await synchronisation.refresh({refresh.survey_id})
        except (Gone, Forbidden, Rejected) as error:
            log.info("refresh.given_up", extra={"integration": refresh.integration_id, "survey": refresh.survey_id, **loggable(error)})
        else:
            self._pauses.pop(refresh.integration_id, None)
            if progress.postponed and self._pause(refresh).step < LONGEST_PAUSE:
                return  # what is not read after so many looks is left to the next synchronisation
        await self.store.write(lambda uow: uow.refreshes.done(refresh))

    def _due(self, hints: Sequence[Refresh]) -> Sequence[Refresh]:
        now = self.clock()
        ripe = (refresh for refresh in hints if now - refresh.last_at >= QUIET or now - refresh.first_at >= LONGEST_WAIT)
        return [refresh for refresh in ripe if not (self._is_paused(refresh) or self._is_paused(refresh.integration_id))]

    def _is_paused(self, what: str | Refresh) -> bool:
        return what in self._pauses and self.clock() < self._pauses[what].until

    def _pause(self, what: str | Refresh, at_least: float = 0) -> _Pause:
        """Twice as long as the last time."""
        before = self._pauses.get(what)
        step = FIRST_PAUSE if before is None else min(2 * before.step, LONGEST_PAUSE)
        self._pauses[what] = _Pause(self.clock() + max(step, timedelta(seconds=at_least)), step)
        return self._pauses[what]

    def _postpone(self, integration_id: str, error: SurveybotError) -> None:
        """Of surveys that fail together, the first one counts."""
        if not self._is_paused(integration_id):
            retry_after = error.retry_after if isinstance(error, Unavailable) else None
            pause = self._pause(integration_id, retry_after or 0)
            log.warning("refresh.postponed", extra={"integration": integration_id, "until": str(pause.until), **loggable(error)})

    async def _holds(self, integration_id: str) -> bool:
        """Take or renew the lease."""
        return await self.store.write(lambda uow: uow.leases.take(_lease(integration_id), self.owner, _LEASE)) is Lease.TAKEN


def _lease(integration_id: str) -> str:
    return f"refresh:{integration_id}"


def _done(uow: UnitOfWork, refreshes: Sequence[Refresh]) -> None:
    for refresh in refreshes:
        uow.refreshes.done(refresh)
