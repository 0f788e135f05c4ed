"""Synchronisation: runs that look at one integration's tenant, are taken up again when they were cut off, and tell its people.

A look goes in stages, and each step is committed together with its position: first a picture of what Qualtrics lists is taken
(`listing`), then it is compared with what is known, and held back if it would close too much (`closures`), then it is applied
(`applying`); then links and histories are read (`histories`). So a process that is killed costs its successor no more than the page that
each of its readers was at.

Nothing here trusts `modifiedDate` (quirk Q1). Whoever is told is told in the same transaction that stores the reason, under a unique key.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial

from bot.errors import Forbidden, Gone, SurveybotError, Unauthorized, UserError
from bot.model import Integration
from bot.ports import Store, SurveySource, UnitOfWork
from bot.ports.records import Outcome, Run
from bot.syncing.again import forget_hints, look_again
from bot.syncing.applying import apply_picture
from bot.syncing.brand import learn_brand_host
from bot.syncing.closures import closures, comparison, name_of, set_vetoed, vetoed
from bot.syncing.histories import forget_positions, read_histories
from bot.syncing.listing import MEMORY, forget, is_fresh, show_life, take_picture
from bot.syncing.look import Kind, Look, Progress
from bot.syncing.lookups import look_up_missing
from bot.syncing.pooling import count_pools

#: The reason of a run whose picture somebody approved: it is applied whatever it closes.
APPROVED = "approved"

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Begun:
    """A run that is recorded as begun."""

    run_id: int
    run: Run
    look: Look


@dataclass(frozen=True, slots=True, kw_only=True)
class Synchronisation:
    """One integration's way from Qualtrics into the store. One process at a time may use it: the caller holds its lease."""

    source: SurveySource
    store: Store
    integration_id: str
    clock: Callable[[], datetime]
    #: Lists read at the same time.
    parallel: int = 8
    on_progress: Callable[[Progress], None] = field(default=lambda _: None)

    async def run(self, kind: Kind, reason: str = "by hand") -> Run:
        """Run once, or go on with a run that was cut off a few minutes ago, whatever its kind; what is older is listed anew.

        The first full run that succeeds fills the store and tells nobody (FEATURES B6). A survey that cannot be read is left for the next
        run, and this one is PARTIAL; one that would close too much is VETOED, its picture waits (FEATURES B5). Raises SurveybotError when
        the tenant cannot be read at all: the run is recorded as FAILED. What was stored until then stays: it is true, and reading it again
        changes nothing. A run that is cancelled goes on at the next start.
        """
        return await self._go(await self.store.write(partial(self._begin, kind, reason)))

    async def approve(self, picture: str) -> Run:
        """Apply the vetoed picture of that name (bot/syncing/closures.py), and go on from there. Raises UserError when it does not wait."""
        return await self._go(await self.store.write(partial(self._begin_approved, picture)))

    async def refresh(self, survey_ids: Collection[str]) -> Progress:
        """Look at some surveys alone, because Qualtrics hinted that something happened to them (FEATURES B11).

        There is no run and no veto. Nothing happens before the baseline. Where `postponed` is not 0 ask again later. Raises SurveybotError
        when one of the surveys cannot be read; then the others were.
        """
        look = self._look(await self.store.read(self._integration), Kind.INCREMENTAL, self.clock())
        if look.integration.baseline_at is None:
            return look.progress
        look.is_hinted = True
        try:
            await look_again(look, survey_ids)
        except Forbidden:
            raise
        except Unauthorized:
            await self.store.write(lambda uow: uow.integrations.set_unauthorized(self.integration_id, self.clock()))
            raise
        for error in look.failures.values():
            raise error
        return look.progress

    async def _go(self, begun: _Begun) -> Run:
        try:
            veto = await self._stages(begun)
        except asyncio.CancelledError:
            raise
        except BaseException as error:
            await asyncio.shield(self.store.write(partial(self._fail, begun, error)))
            raise
        return await self.store.write(partial(self._finish, begun, veto))

    async def _stages(self, begun: _Begun) -> str | None:
        """Go through a look, and return why it must not be applied, if so."""
        look, integration = begun.look, begun.look.integration
        if begun.run.reason != APPROVED:
            await take_picture(look)
            found = await self.store.read(lambda uow: comparison(uow, self.integration_id, look.kind, look.started_at))
            veto = None if integration.baseline_at is None else found.veto(integration.mass_closure_share)
            if veto is not None:
                return veto
        await read_histories(look, await apply_picture(look))
        await count_pools(look)
        await look_up_missing(look)
        await learn_brand_host(look)
        return None

    def _begin(self, kind: Kind, reason: str, uow: UnitOfWork) -> _Begun:
        now, cut_off = self.clock(), uow.runs.unfinished(self.integration_id)
        if cut_off is not None:
            run_id, run = cut_off
            if now - run.started_at < MEMORY and is_fresh(uow, self.integration_id, run.started_at, now):
                return self._resumed(uow, run_id, replace(run, resumed=run.resumed + 1))
            uow.runs.finish(run_id, replace(run, finished_at=now, outcome=Outcome.FAILED, error="cut off"))
        self._forget(uow)
        return self._started(uow, kind, reason)

    def _begin_approved(self, picture: str, uow: UnitOfWork) -> _Begun:
        kind = vetoed(uow, self.integration_id)
        if kind is None:
            raise UserError("There is nothing to approve: no synchronisation of this integration was vetoed.")
        if picture != name_of(closures(uow, self.integration_id)):
            raise UserError(f"Picture {picture} does not wait any more: by now something else would be closed. Look at that first.")
        set_vetoed(uow, self.integration_id, None, self.clock())
        return self._started(uow, kind, APPROVED)

    def _started(self, uow: UnitOfWork, kind: Kind, reason: str) -> _Begun:
        integration = self._integration(uow)
        run = Run(integration_id=self.integration_id, kind=kind, started_at=self.clock(), reason=reason)
        run_id = uow.runs.start(run)
        look = self._look(integration, kind, run.started_at)
        return self._begun(run_id, run, look)

    def _resumed(self, uow: UnitOfWork, run_id: int, run: Run) -> _Begun:
        uow.runs.finish(run_id, run)
        show_life(uow, self.integration_id, self.clock())
        look = self._look(self._integration(uow), Kind(run.kind), run.started_at)
        look.is_resumed = True
        look.calls_before += run.calls
        counts = {name: getattr(run, name) for name in ("invitations", "changed", "skipped", "told")}
        look.progress = Progress(**counts)
        log.info("sync.resumed", extra={"integration": self.integration_id, "kind": run.kind, "began": run.started_at.isoformat()})
        return self._begun(run_id, run, look)

    def _begun(self, run_id: int, run: Run, look: Look) -> _Begun:
        def record(uow: UnitOfWork, progress: Progress) -> None:
            uow.runs.finish(run_id, _counted(run, progress))
            show_life(uow, self.integration_id, self.clock())

        look.record = record
        return _Begun(run_id=run_id, run=run, look=look)

    def _look(self, integration: Integration, kind: Kind, started_at: datetime) -> Look:
        return Look(
            source=self.source,
            store=self.store,
            integration=integration,
            kind=kind,
            started_at=started_at,
            clock=self.clock,
            parallel=self.parallel,
            on_progress=self.on_progress,
            recorded_at=self.clock(),
            calls_before=-self.source.calls,
        )

    def _integration(self, uow: UnitOfWork) -> Integration:
        integration = uow.integrations.get(self.integration_id)
        if integration is None:
            raise Gone(f"there is no integration {self.integration_id}")
        return integration

    def _forget(self, uow: UnitOfWork) -> None:
        _forget(uow, self.integration_id, self.clock())

    def _fail(self, begun: _Begun, error: BaseException, uow: UnitOfWork) -> None:
        self._forget(uow)
        if isinstance(error, Unauthorized) and not isinstance(error, Forbidden):
            uow.integrations.set_unauthorized(self.integration_id, self.clock())
        self._end(begun, Outcome.FAILED, uow, error=error)

    def _finish(self, begun: _Begun, veto: str | None, uow: UnitOfWork) -> Run:
        look = begun.look
        if look.integration.unauthorized_at is not None:
            uow.integrations.set_unauthorized(self.integration_id, None)
        if veto is not None:
            set_vetoed(uow, self.integration_id, look.kind, look.started_at)
            return self._end(begun, Outcome.VETOED, uow, reason=veto)
        self._forget(uow)
        error = next(iter(look.failures.values()), None)
        if look.kind is Kind.SWEEP and error is None:
            forget_positions(uow, self.integration_id)
        if look.kind is not Kind.INCREMENTAL:
            forget_hints(uow, self.integration_id)
        if look.kind is Kind.FULL and look.integration.baseline_at is None:
            uow.integrations.set_baseline(self.integration_id, begun.run.started_at)
            log.info("sync.baseline", extra={"surveys": look.progress.surveys, "invitations": look.progress.invitations})
        return self._end(begun, Outcome.PARTIAL if error else Outcome.OK, uow, error=error)

    def _end(
        self, begun: _Begun, outcome: Outcome, uow: UnitOfWork, *, reason: str | None = None, error: BaseException | None = None
    ) -> Run:
        begun.look.show()
        told = f"{type(error).__name__}: {error}" if isinstance(error, SurveybotError) else type(error).__name__ if error else None
        counted = _counted(begun.run, begun.look.progress)
        run = replace(counted, finished_at=self.clock(), outcome=outcome, reason=reason or begun.run.reason, error=told)
        uow.runs.finish(begun.run_id, run)
        log.info("sync.finished", extra={"integration": self.integration_id, "kind": str(run.kind), "outcome": outcome})
        return run


def drop(uow: UnitOfWork, integration_id: str, now: datetime) -> bool:
    """Forget the picture that was vetoed; False when none waits."""
    is_waiting = vetoed(uow, integration_id) is not None
    if is_waiting:
        _forget(uow, integration_id, now)
    return is_waiting


def _forget(uow: UnitOfWork, integration_id: str, now: datetime) -> None:
    forget(uow, integration_id)
    set_vetoed(uow, integration_id, None, now)


def _counted(run: Run, progress: Progress) -> Run:
    return replace(
        run,
        surveys=progress.surveys,
        distributions=progress.distributions,
        invitations=progress.invitations,
        changed=progress.changed,
        skipped=progress.skipped,
        told=progress.told,
        calls=progress.calls,
    )
