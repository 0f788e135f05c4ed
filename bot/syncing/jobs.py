"""Jobs: start the synchronisations that are due, and those asked for by hand, one at a time an integration in all processes."""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial

from bot.errors import Forbidden, Gone, SurveybotError, Unauthorized, UserError, loggable
from bot.leasing import entered, held
from bot.model import Integration
from bot.ports import Store, SurveySource, UnitOfWork
from bot.ports.records import Lease, Outcome, Run
from bot.syncing import timetable
from bot.syncing.closures import vetoed
from bot.syncing.sync import Kind, Progress, Synchronisation, drop
from bot.syncing.timetable import LARGEST_FIRST, Decision, Due, Scene

_GROUP = "sync:"
#: Rows of `runs` that decisions look back at.
_LOOK_BACK = 50

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
    retry: timedelta = timetable.FIRST_RETRY
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

    async def approve(self, integration_id: str, picture: str) -> Run:
        """Apply the picture of that name (bot/syncing/closures.py), which a veto kept, and go on from there.

        Raises UserError when it does not wait, while a synchronisation or as many as may at a time run, and for a paused integration.
        """
        name, holder = _name(integration_id), self._holder()
        integration = await entered(self.store, name, holder, lambda uow: self._take(uow, integration_id, holder, self.cap))
        async with held(self.store, name, holder, self.lease):
            if integration.is_paused:
                raise UserError(f"Integration {integration_id} is paused. Resume it first.")
            return await self._synchronisation(integration_id, await self.source(integration)).approve(picture)

    async def drop(self, integration_id: str) -> bool:
        """Forget the picture that a veto kept; False = there was none. Raises UserError while a synchronisation runs."""
        return await self.store.write(partial(self._drop, integration_id))

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
        name, integration = _name(integration_id), uow.integrations.get(integration_id)
        lease = Lease.HELD if name in uow.leases.held(name) else Lease.TAKEN
        return integration and self._decision(scene_of(uow, integration, lease))

    async def _decide(self, integration_id: str, holder: str, wanted: Due | None = None) -> Decision | None:
        """Decide on a wanted start, else on what is due; None = nothing is. The holder has the lease if, and only if, it is a go."""
        decision = await entered(self.store, _name(integration_id), holder, lambda uow: self._enter(uow, integration_id, holder, wanted))
        if decision is not None and (decision.is_go or decision.notes):
            said = {"integration": integration_id, "kind": str(decision.kind), "go": decision.is_go, "reason": decision.reason}
            log.info("sync.decision", extra={**said, "recorded": [str(note.outcome) for note in decision.notes]})
        return decision

    def _enter(self, uow: UnitOfWork, integration_id: str, holder: str, wanted: Due | None) -> Decision | None:
        name, integration = _name(integration_id), uow.integrations.get(integration_id)
        lease = uow.leases.take(name, holder, self.lease, group=_GROUP, at_most=self.cap)
        decision = integration and self._decision(scene_of(uow, integration, lease), wanted)
        if decision is None or not decision.is_go:
            uow.leases.release(name, holder)
        for note in () if decision is None else decision.notes:
            uow.runs.start(note)
        return decision

    def _decision(self, scene: Scene, wanted: Due | None = None) -> Decision | None:
        now = self.clock()
        wanted = wanted or timetable.due(scene, now, self.retry)
        return wanted and timetable.decide(scene, wanted, now)

    async def _run(self, integration_id: str, holder: str, kind: Kind, reason: str, on_progress: OnProgress = _ignore) -> Run:
        run = Run(integration_id=integration_id, kind=kind, started_at=self.clock(), reason=reason)
        async with held(self.store, _name(integration_id), holder, self.lease):
            integration = await self._integration(integration_id)
            try:
                source = await self.source(integration)
            except SurveybotError as error:
                await self.store.write(partial(self._fail, run, error))
                raise
            synchronisation = self._synchronisation(integration_id, source, on_progress)
            done = await synchronisation.run(kind, reason)
            # It may have been a smaller one, which was cut off.
            is_larger = LARGEST_FIRST.index(kind) < LARGEST_FIRST.index(Kind(done.kind))
            return await synchronisation.run(kind, reason) if is_larger else done

    def _fail(self, run: Run, error: SurveybotError, uow: UnitOfWork) -> None:
        """Record a run that did not get as far as to record itself."""
        now = self.clock()
        uow.runs.start(replace(run, finished_at=now, outcome=Outcome.FAILED, error=f"{type(error).__name__}: {error}"))
        if isinstance(error, Unauthorized) and not isinstance(error, Forbidden):
            uow.integrations.set_unauthorized(run.integration_id, now)
        log.info("sync.finished", extra={"integration": run.integration_id, "kind": run.kind, "outcome": Outcome.FAILED})

    def _take(self, uow: UnitOfWork, integration_id: str, holder: str, at_most: int | None = None) -> Integration:
        integration = uow.integrations.get(integration_id)
        if integration is None:
            raise _gone(integration_id)
        match uow.leases.take(_name(integration_id), holder, self.lease, group=_GROUP, at_most=at_most):
            case Lease.TAKEN:
                return integration
            case Lease.HELD:
                raise UserError(f"A synchronisation of integration {integration_id} is running. Try again when it has ended.")
            case Lease.FULL:
                raise UserError("As many synchronisations as may run at a time are running. Try again when one has ended.")

    def _drop(self, integration_id: str, uow: UnitOfWork) -> bool:
        holder = self._holder()
        self._take(uow, integration_id, holder)
        uow.leases.release(_name(integration_id), holder)
        return drop(uow, integration_id, self.clock())

    def _synchronisation(self, integration_id: str, source: SurveySource, on_progress: OnProgress = _ignore) -> Synchronisation:
        return Synchronisation(source=source, store=self.store, integration_id=integration_id, clock=self.clock, on_progress=on_progress)

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


def scene_of(uow: UnitOfWork, integration: Integration, lease: Lease) -> Scene:
    unfinished = uow.runs.unfinished(integration.integration_id)
    return Scene(
        integration=integration,
        starts=uow.runs.last_start(integration.integration_id),
        runs=uow.runs.list(integration.integration_id, _LOOK_BACK),
        unfinished=None if unfinished is None else unfinished[1],
        is_undecided=vetoed(uow, integration.integration_id) is not None,
        lease=lease,
    )


def _gone(integration_id: str) -> Gone:
    return Gone(f"there is no integration {integration_id}")


def _name(integration_id: str) -> str:
    return f"{_GROUP}{integration_id}"
