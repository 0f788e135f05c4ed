"""How each integration's synchronisation stands: for the admins' page, the command line, the metrics and the doctor (FEATURES B10)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from bot import numbers
from bot.model import Integration
from bot.ports import UnitOfWork
from bot.ports.records import Closure, Gaps, Lease, Run
from bot.small_groups import Shown
from bot.syncing.closures import closures, vetoed
from bot.syncing.jobs import scene_of
from bot.syncing.look import Kind
from bot.syncing.sync import APPROVED
from bot.syncing.timetable import awaits_baseline, next_start

#: Hints beyond this many surveys are not counted.
_HINTS = 10_000


class JobState(StrEnum):
    """What became of a job's newest start; every `Outcome` is one."""

    NEVER = "never run"
    RUNNING = "running"
    #: Its process died; the next start goes on where it stopped.
    CUT_OFF = "cut off"
    OK = "ok"
    PARTIAL = "partial"
    FAILED = "failed"
    VETOED = "vetoed"
    MISFIRED = "misfired"


@dataclass(frozen=True, slots=True, kw_only=True)
class JobStatus:
    """One kind of synchronisation of one integration."""

    kind: Kind
    state: JobState
    #: The newest start.
    last: Run | None
    #: The newest one that read all, or most of it.
    success: Run | None
    #: When it starts, or since when it might have; None = by hand alone, its integration is paused, or `awaits_baseline`.
    next_run: datetime | None
    #: It starts only after the first full one has succeeded.
    awaits_baseline: bool = False

    @property
    def took(self) -> timedelta | None:
        """How long the last success took."""
        return self.success.finished_at - self.success.started_at if self.success and self.success.finished_at else None

    @property
    def seen(self) -> int:
        """Records of all kinds that the last success read."""
        return self.success.surveys + self.success.distributions + self.success.invitations if self.success else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class IntegrationStatus:
    integration: Integration
    jobs: Sequence[JobStatus]
    #: What a picture that waits for a decision would close or delete; empty = none waits (FEATURES B5).
    closures: Sequence[Closure]
    gaps: Gaps
    #: Surveys that Qualtrics hinted at and that were not refreshed yet (FEATURES B11).
    hints: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """What the first full synchronisation found, as it is now (FEATURES B6)."""

    surveys: int
    open_invitations: Shown


def status(uow: UnitOfWork, now: datetime, only: Collection[str] | None = None, *, retry: timedelta) -> Sequence[IntegrationStatus]:
    """Of every integration, or of those whose ids are in `only`; `retry` is the pause after a first failure."""
    hints = Counter(refresh.integration_id for refresh in uow.refreshes.all(_HINTS))
    running = uow.leases.held("sync:")
    return [
        IntegrationStatus(
            integration=integration,
            jobs=_jobs(uow, integration, Lease.HELD if f"sync:{integration.integration_id}" in running else Lease.TAKEN, now, retry),
            closures=closures(uow, integration.integration_id),
            gaps=uow.figures.gaps(integration.integration_id),
            hints=hints[integration.integration_id],
        )
        for integration in uow.integrations.all()
        if only is None or integration.integration_id in only
    ]


def baselines(uow: UnitOfWork, found: Sequence[IntegrationStatus], now: datetime) -> Mapping[str, Baseline]:
    """By integration, of those that have one."""
    read = {it.integration.integration_id: it.integration for it in found if it.integration.baseline_at is not None}
    return {
        ids: Baseline(surveys=uow.figures.surveys(ids), open_invitations=numbers.open_invitations(uow, integration, now))
        for ids, integration in read.items()
    }


def _jobs(uow: UnitOfWork, integration: Integration, lease: Lease, now: datetime, retry: timedelta) -> Sequence[JobStatus]:
    latest = {run.kind: run for run in uow.runs.latest(integration.integration_id)}
    successes, scene = uow.runs.last_success(integration.integration_id), scene_of(uow, integration, lease)
    return [
        JobStatus(
            kind=kind,
            state=_state(latest.get(kind), is_running=lease is Lease.HELD),
            last=latest.get(kind),
            success=successes.get(kind),
            next_run=None if integration.is_paused else next_start(scene, kind, now, retry),
            awaits_baseline=awaits_baseline(integration, kind) and not integration.is_paused,
        )
        for kind in Kind
    ]


def _state(last: Run | None, *, is_running: bool) -> JobState:
    if last is None:
        return JobState.NEVER
    if last.outcome is None:
        return JobState.RUNNING if is_running else JobState.CUT_OFF
    return JobState(last.outcome)


def is_held(uow: UnitOfWork, integration: Integration) -> bool:
    """Whether an integration is not read now, so that what is known of it may be old."""
    if integration.is_paused or integration.unauthorized_at is not None or vetoed(uow, integration.integration_id) is not None:
        return True
    under_way = uow.runs.unfinished(integration.integration_id)
    return under_way is not None and under_way[1].reason == APPROVED
