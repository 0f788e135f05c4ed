"""Hints become looks: a survey that Qualtrics said something about is read again, once for a burst, by one process at a time."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from typing import Protocol

from bot.errors import Forbidden, Gone, Rejected, SurveybotError, Unavailable, loggable
from bot.leasing import entered, held
from bot.model import Integration
from bot.ports import Store, UnitOfWork
from bot.ports.records import Lease, Refresh
from bot.syncing.look import Progress

#: A burst is over when nothing came for this long; one that does not end is not waited for longer than that.
QUIET = timedelta(seconds=2)
LONGEST_WAIT = timedelta(seconds=10)
#: A survey is not read again sooner: whoever has one delivery can send it again and again.
REST = timedelta(seconds=30)
#: After the first failure, and after many.
FIRST_PAUSE = timedelta(seconds=15)
LONGEST_PAUSE = timedelta(minutes=10)
#: Surveys of one integration that are read at the same time, and integrations.
PARALLEL = 4
AT_ONCE = 8
#: After so long without a sign of life another process takes over.
_LEASE = timedelta(minutes=1)
_MANY = 10_000

log = logging.getLogger(__name__)


class Reads(Protocol):
    """The part of a `bot.syncing.sync.Synchronisation` that is used here."""

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
    #: When surveys were last read, as long as that matters.
    _read_at: dict[tuple[str, str], datetime] = field(default_factory=dict[tuple[str, str], datetime])
    #: Integrations that are being read.
    _under_way: set[str] = field(default_factory=set[str])

    async def refresh_due(self) -> None:
        """Read the surveys that were hinted at and are quiet now. Raises Unavailable when the store does not answer.

        Call it again while an earlier call still reads: it takes the other integrations, as long as fewer than `AT_ONCE` are under way.
        """
        self._forget()
        due = self._due(await self.store.read(lambda uow: uow.refreshes.all(_MANY)))
        waiting = dict.fromkeys(refresh.integration_id for refresh in due if refresh.integration_id not in self._under_way)
        async with asyncio.TaskGroup() as group:
            for integration_id in islice(waiting, AT_ONCE - len(self._under_way)):
                self._under_way.add(integration_id)
                task = group.create_task(self._refresh_integration(integration_id))
                task.add_done_callback(lambda _, ended=integration_id: self._under_way.discard(ended))

    async def _refresh_integration(self, integration_id: str) -> None:
        name = f"refresh:{integration_id}"
        try:
            if await entered(self.store, name, self.owner, lambda uow: uow.leases.take(name, self.owner, _LEASE)) is Lease.TAKEN:
                async with held(self.store, name, self.owner, _LEASE):
                    await self._refresh_held(integration_id)
        except Exception as error:  # noqa: BLE001 - whatever it is, the other integrations must not suffer
            self._postpone(integration_id, error)

    async def _refresh_held(self, integration_id: str) -> None:
        """Hints are read once more, now that the lease is ours: another process may just have followed them."""
        integration, hints = await self.store.read(lambda uow: (uow.integrations.get(integration_id), uow.refreshes.all(_MANY)))
        if integration is not None:  # else its hints are gone too
            await self._refresh_surveys(integration, [refresh for refresh in self._due(hints) if refresh.integration_id == integration_id])

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
            if not self._is_paused(refresh.integration_id):
                await self._follow(synchronisation, refresh)
        except Exception as error:  # noqa: BLE001 - whatever it is, the other surveys must not suffer
            self._postpone(refresh.integration_id, error)

    async def _follow(self, synchronisation: Reads, refresh: Refresh) -> None:
        try:
            postponed = (await synchronisation.refresh({refresh.survey_id})).postponed
            self._pauses.pop(refresh.integration_id, None)
        except (Gone, Forbidden, Rejected) as error:
            log.info("refresh.given_up", extra={"integration": refresh.integration_id, "survey": refresh.survey_id, **loggable(error)})
            postponed = 0
        self._read_at[_survey(refresh)] = self.clock()
        if postponed and self._pause(refresh).step < LONGEST_PAUSE:
            return  # what is not read after so many looks is left to the next synchronisation
        await self.store.write(lambda uow: uow.refreshes.done(refresh))

    def _due(self, hints: Sequence[Refresh]) -> Sequence[Refresh]:
        now = self.clock()
        ripe = (refresh for refresh in hints if now - refresh.last_at >= QUIET or now - refresh.first_at >= LONGEST_WAIT)
        rested = (refresh for refresh in ripe if now - self._read_at.get(_survey(refresh), now - REST) >= REST)
        return [refresh for refresh in rested if not (self._is_paused(refresh) or self._is_paused(refresh.integration_id))]

    def _forget(self) -> None:
        now = self.clock()
        self._pauses = {what: pause for what, pause in self._pauses.items() if pause.until + LONGEST_PAUSE > now}
        self._read_at = {survey: at for survey, at in self._read_at.items() if now - at < REST}

    def _is_paused(self, what: str | Refresh) -> bool:
        return what in self._pauses and self.clock() < self._pauses[what].until

    def _pause(self, what: str | Refresh, at_least: float = 0) -> _Pause:
        """Twice as long as the last time."""
        before = self._pauses.get(what)
        step = FIRST_PAUSE if before is None else min(2 * before.step, LONGEST_PAUSE)
        self._pauses[what] = _Pause(self.clock() + max(step, timedelta(seconds=at_least)), step)
        return self._pauses[what]

    def _postpone(self, integration_id: str, error: Exception) -> None:
        """Of surveys that fail together, the first one counts."""
        if not self._is_paused(integration_id):
            retry_after = error.retry_after if isinstance(error, Unavailable) else None
            pause = self._pause(integration_id, retry_after or 0)
            level = logging.WARNING if isinstance(error, SurveybotError) else logging.ERROR
            log.log(level, "refresh.postponed", extra={"integration": integration_id, "until": str(pause.until), **loggable(error)})


def _survey(refresh: Refresh) -> tuple[str, str]:
    return refresh.integration_id, refresh.survey_id


def _done(uow: UnitOfWork, refreshes: Sequence[Refresh]) -> None:
    for refresh in refreshes:
        uow.refreshes.done(refresh)
