"""Jobs: start the synchronisations that are due, and those asked for by hand, one at a time an integration in all processes."""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

from bot import timetable
from bot.closures import vetoed
from bot.errors import Forbidden, Gone, SurveybotError, Unauthorized, Unavailable, UserError, loggable
from bot.model import Integration
from bot.ports import Store, SurveySource, UnitOfWork
from bot.records import Lease, Outcome, Run
from bot.sync import Kind, Progress, Synchronisation
from bot.timetable import Decision, Due, Scene

_GROUP = "sync:"
#: Rows of `runs` that decisions look back at.
_LOOK_BACK = 50

T = TypeVar("T")
OnProgress = Callable[[Progress], None]
log = logging.getLogger(__name__)


def _ignore(_: Progress) -> None:
    """Nobody watches."""


@dataclass(slots=True, kw_only=True)
class Jobs:
    """One process' share. What was started when is in the database alone, so that it does not matter which process looks."""

    store: Store
    source: Callable[[Integration], Awaitable[SurveySource]]
    #: This process among all.
    owner: str
    clock: Callable[[], datetime]
    #: Synchronisations at a time, of all integrations in all processes (FEATURES B3).
    cap: int = 3
    #: After so long without a sign of life another process takes over.
    lease: timedelta = timedelta(seconds=30)
    #: The pause after a first failure.
    retry: timedelta = timedelta(minutes=5)
    #: When this process last tried credentials that were refused, by integration.
    _tried: dict[str, datetime] = field(default_factory=dict[str, datetime])

    async def tick(self) -> None:
        """Start what is due; returns when that has ended. Call it often, and again while an earlier call still runs.

        What goes wrong with one integration is logged and recorded, and does not disturb the others.
        """
        integrations = await self.store.read(lambda uow: uow.integrations.all())
        async with asyncio.TaskGroup() as group:
            for integration in integrations:
                group.create_task(self._attend(integration.integration_id))

    async def start(self, integration_id: str, kind: Kind, reason: str = timetable.BY_HAND, on_progress: OnProgress = _ignore) -> Run:
        """Run a synchronisation now, at any hour. The run may be VETOED; then its `reason` says why, and nothing was done.

        Raises Gone for an unknown integration, and what `Synchronisation.run` raises.
        """
        integration = await self._integration(integration_id)
        if integration.unauthorized_at is not None:
            await self._try_credentials(integration)
        holder = self._holder()
        wanted = Due(kind=kind, slot=self.clock(), reason=timetable.BY_HAND)
        decision = await self._decide(integration_id, holder, wanted)
        if decision is None:
            raise _gone(integration_id)
        if not decision.is_go:
            return decision.notes[-1]
        return await self._run(integration_id, holder, kind, reason, on_progress)

    async def approve(self, integration_id: str) -> Run:
        """Apply the picture that a veto kept. Raises UserError while a synchronisation runs."""
        return await self._exclusively(integration_id, lambda sync: sync.approve())

    async def drop(self, integration_id: str) -> bool:
        """Forget the picture that a veto kept; False = there was none. Raises UserError while a synchronisation runs."""
        return await self._exclusively(integration_id, lambda sync: sync.drop())

    async def _attend(self, integration_id: str) -> None:
        try:
            await self._start_due(integration_id)
        except Exception as error:  # noqa: BLE001 - whatever it is, the other integrations and the next tick must not suffer
            log.error("sync.broken", extra={"integration": integration_id, **loggable(error)})  # noqa: TRY400 - a traceback would quote data

    async def _start_due(self, integration_id: str) -> None:
        """Look first, for that costs no writing; then decide again with the lease, since other processes look at the same time."""
        foreseen = await self.store.read(lambda uow: self._foresee(uow, integration_id))
        if foreseen is not None and foreseen.reason == timetable.UNAUTHORIZED and self._may_try(integration_id):
            await self._try_credentials(await self._integration(integration_id))
        elif foreseen is None or not (foreseen.is_go or foreseen.notes):
            return
        holder = self._holder()
        decision = await self._decide(integration_id, holder)
        if decision is not None and decision.is_go:
            await self._run(integration_id, holder, decision.kind, decision.reason)

    def _foresee(self, uow: UnitOfWork, integration_id: str) -> Decision | None:
        name, now = _name(integration_id), self.clock()
        scene = _scene(uow, integration_id, Lease.HELD if name in uow.leases.held(name) else Lease.TAKEN)
        wanted = scene and timetable.due(scene, now, self.retry)
        return timetable.decide(scene, wanted, now) if scene and wanted else None

    async def _decide(self, integration_id: str, holder: str, wanted: Due | None = None) -> Decision | None:
        """Decide on a wanted start, else on what is due; None = nothing is. The holder has the lease if, and only if, it is a go."""
        decision = await self.store.write(lambda uow: self._enter(uow, integration_id, holder, wanted))
        if decision is not None and (decision.is_go or decision.notes):
            said = {"integration": integration_id, "kind": str(decision.kind), "go": decision.is_go, "reason": decision.reason}
            log.info("sync.decision", extra={**said, "recorded": [str(note.outcome) for note in decision.notes]})
        return decision

    def _enter(self, uow: UnitOfWork, integration_id: str, holder: str, wanted: Due | None) -> Decision | None:
        name, now = _name(integration_id), self.clock()
        scene = _scene(uow, integration_id, uow.leases.take(name, holder, self.lease, group=_GROUP, at_most=self.cap))
        wanted = wanted or (scene and timetable.due(scene, now, self.retry))
        decision = timetable.decide(scene, wanted, now) if scene and wanted else None
        if decision is None or not decision.is_go:
            uow.leases.release(name, holder)
        for note in () if decision is None else decision.notes:
            uow.runs.start(note)
        return decision

    async def _run(self, integration_id: str, holder: str, kind: Kind, reason: str, on_progress: OnProgress = _ignore) -> Run:
        run = Run(integration_id=integration_id, kind=kind, started_at=self.clock(), reason=reason)
        async with self._held(integration_id, holder):
            integration = await self._integration(integration_id)
            try:
                source = await self.source(integration)
            except SurveybotError as error:
                await self.store.write(partial(self._fail, run, error))
                raise
            return await self._synchronisation(integration_id, source, on_progress).run(kind, reason)

    def _fail(self, run: Run, error: SurveybotError, uow: UnitOfWork) -> None:
        """Record a run that did not get as far as to record itself."""
        now = self.clock()
        uow.runs.start(replace(run, finished_at=now, outcome=Outcome.FAILED, error=f"{type(error).__name__}: {error}"))
        if isinstance(error, Unauthorized) and not isinstance(error, Forbidden):
            uow.integrations.set_unauthorized(run.integration_id, now)
        log.info("sync.finished", extra={"integration": run.integration_id, "kind": run.kind, "outcome": Outcome.FAILED})

    async def _exclusively(self, integration_id: str, work: Callable[[Synchronisation], Awaitable[T]]) -> T:
        integration, holder = await self._integration(integration_id), self._holder()
        name = _name(integration_id)
        if await self.store.write(lambda uow: uow.leases.take(name, holder, self.lease)) is not Lease.TAKEN:
            raise UserError(f"A synchronisation of integration {integration_id} is running. Try again when it has ended.")
        async with self._held(integration_id, holder):
            return await work(self._synchronisation(integration_id, await self.source(integration)))

    def _synchronisation(self, integration_id: str, source: SurveySource, on_progress: OnProgress = _ignore) -> Synchronisation:
        return Synchronisation(source=source, store=self.store, integration_id=integration_id, clock=self.clock, on_progress=on_progress)

    @asynccontextmanager
    async def _held(self, integration_id: str, holder: str) -> AsyncGenerator[None]:
        """Keep a taken lease alive, and release it at the end. Unavailable: it was lost, and the block was cancelled."""
        name = _name(integration_id)
        try:
            async with asyncio.TaskGroup() as group:
                beating = group.create_task(self._beat(name, holder))
                yield
                beating.cancel()
        except BaseExceptionGroup as errors:
            raise errors.exceptions[0] from errors
        finally:
            await asyncio.shield(self.store.write(lambda uow: uow.leases.release(name, holder)))

    async def _beat(self, name: str, holder: str) -> None:
        while True:
            await asyncio.sleep(self.lease.total_seconds() / 3)
            try:
                is_kept = await self.store.write(lambda uow: uow.leases.renew(name, holder, self.lease))
            except Unavailable as error:  # what cannot renew cannot write either
                log.warning("sync.lease_not_renewed", extra={"lease": name, **loggable(error)})
                continue
            if not is_kept:
                raise Unavailable("another process has taken this synchronisation over")

    async def _try_credentials(self, integration: Integration) -> None:
        """One call: perhaps they were mended."""
        name = integration.integration_id
        self._tried[name] = self.clock()
        try:
            await (await self.source(integration)).account()
        except SurveybotError as error:
            log.info("sync.still_unauthorized", extra={"integration": name, **loggable(error)})
        else:
            await self.store.write(lambda uow: uow.integrations.set_unauthorized(name, None))

    def _may_try(self, integration_id: str) -> bool:
        last = self._tried.get(integration_id)
        return last is None or last + self.retry <= self.clock()

    async def _integration(self, integration_id: str) -> Integration:
        found = await self.store.read(lambda uow: uow.integrations.get(integration_id))
        if found is None:
            raise _gone(integration_id)
        return found

    def _holder(self) -> str:
        """Each run holds its lease for itself: two of one process exclude each other too."""
        return f"{self.owner}/{uuid.uuid4().hex[:8]}"


def _gone(integration_id: str) -> Gone:
    return Gone(f"there is no integration {integration_id}")


def _name(integration_id: str) -> str:
    return f"{_GROUP}{integration_id}"


def _scene(uow: UnitOfWork, integration_id: str, lease: Lease) -> Scene | None:
    integration = uow.integrations.get(integration_id)
    if integration is None:
        return None
    unfinished = uow.runs.unfinished(integration_id)
    return Scene(
        integration=integration,
        starts=uow.runs.last_start(integration_id),
        runs=uow.runs.list(integration_id, _LOOK_BACK),
        unfinished=None if unfinished is None else unfinished[1],
        is_undecided=vetoed(uow, integration_id) is not None,
        lease=lease,
    )
