"""Which synchronisation of an integration is due, whether it may start, and what is written down when it may not. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import takewhile

from bot.model import Integration
from bot.ports.records import Lease, Outcome, Run
from bot.schedule import Every, due_at, slot_after
from bot.syncing.sync import Kind

#: What one reads, those after it would read too: its start counts as theirs.
LARGEST_FIRST = (Kind.SWEEP, Kind.FULL, Kind.INCREMENTAL)

BY_HAND = "by hand"
SCHEDULED = "scheduled"
CATCH_UP = "catch-up of a missed start"
RETRY = "again after a failure"
RESUMED = "resumed after a stop"

PAUSED = "the integration is paused"
UNAUTHORIZED = "Qualtrics refuses the integration's credentials"
NO_BASELINE = "no full synchronisation has succeeded yet"
UNDECIDED = "a synchronisation that would close too much waits for a decision"
RUNNING = "another synchronisation of the integration is running"
CAP_REACHED = "as many synchronisations as may run at a time are running"
NO_PROCESS = "no process was running"

#: Why a start can be missed; the other reasons are for somebody to end.
_MISFIRES = {RUNNING, CAP_REACHED, NO_PROCESS}
_NOT_BEGUN: tuple[Outcome | None, ...] = (Outcome.VETOED, Outcome.MISFIRED)

#: A smaller one leaves it to a larger one that is due within this share of its span: one list less to read.
_TOGETHER = 0.2
#: Later than this share of its span, a start is missed (FEATURES B4).
_GRACE = 0.1
_LEAST_GRACE, _MOST_GRACE = timedelta(minutes=1), timedelta(minutes=10)
#: The pause after a first failure, where no other is set.
FIRST_RETRY = timedelta(minutes=5)
_LONGEST_RETRY = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What is known of an integration when it is decided what to do."""

    integration: Integration
    #: `Runs.last_start`, by kind.
    starts: Mapping[str, datetime]
    #: The newest first.
    runs: Sequence[Run]
    #: Begun and without outcome: it is under way, or its process died.
    unfinished: Run | None
    #: A picture that was vetoed waits (FEATURES B5).
    is_undecided: bool
    #: Of the integration: what became of the attempt to take it.
    lease: Lease


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """A start that is wanted."""

    kind: Kind
    #: When it was to start.
    slot: datetime
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What becomes of a wanted start."""

    kind: Kind
    #: Why it is started, or why not.
    reason: str
    is_go: bool
    #: Rows that tell why it was vetoed or missed, where that was not told yet.
    notes: Sequence[Run] = ()


def next_start(scene: Scene, kind: Kind, now: datetime, retry: timedelta) -> datetime | None:
    """When `due` will next name a kind and its hours are open, or since when that is so, if each run that is due before it starts in time.

    None = by hand alone, or not before the first full run.
    """
    integration, failed = scene.integration, _failure(scene, retry)
    if scene.unfinished is not None and scene.unfinished.kind == kind and scene.lease is not Lease.HELD:
        return now if failed is None else max(now, failed.slot)
    if awaits_baseline(integration, kind):
        return None
    if failed is not None:
        again_at = _opening(scene, failed.slot, now)
        slots = [_slot(scene, it, now) for it in Kind if not awaits_baseline(integration, it)]
        if all(slot is None or again_at < slot for slot in slots):
            if failed.kind is kind:
                return again_at
            scene = replace(scene, starts={**scene.starts, failed.kind: again_at})
    return _next(scene, kind, now)


def awaits_baseline(integration: Integration, kind: Kind) -> bool:
    """Whether a kind is scheduled, but not before a full run has succeeded."""
    return integration.baseline_at is None and kind is not Kind.FULL and _every(integration, kind).span is not None


def last_start(integration: Integration, kind: Kind, starts: Mapping[str, datetime]) -> datetime | None:
    """When this kind was last started, or one that reads all it would; the first full one is as good as a sweep."""
    known = [starts[larger] for larger in (*_larger(kind), kind) if larger in starts]
    return max(known, default=integration.baseline_at if kind is Kind.SWEEP else None)


def due(scene: Scene, now: datetime, retry: timedelta) -> Due | None:
    """What is to be started. What was cut off comes first, then what the schedule says, the largest kind for all, then what failed.

    `retry` is the pause after a failure; after each further one it is twice as long, up to an hour.
    """
    failed = _failure(scene, retry)
    is_pausing = failed is not None and now < failed.slot
    if scene.unfinished is not None and scene.lease is not Lease.HELD and not is_pausing:
        return Due(kind=Kind(scene.unfinished.kind), slot=scene.unfinished.started_at, reason=RESUMED)
    if failed is not None and not is_pausing and scene.integration.baseline_at is None:
        return failed  # nothing else could start
    for kind in LARGEST_FIRST:
        slot = _slot(scene, kind, now)
        if slot is not None and slot <= now and not _is_left_to_larger(scene, kind, now):
            return Due(kind=kind, slot=slot, reason=SCHEDULED)
    return None if is_pausing else failed


def decide(scene: Scene, wanted: Due, now: datetime) -> Decision:
    """Go or no-go (FEATURES B5), and what is to be recorded: until the kind runs again, each reason once, and one miss."""
    told, against = _told(scene, wanted.kind), _against(scene, wanted.kind)
    missed = _missed(scene, wanted, now, [against, *(reason for _, reason in told)])
    is_catch_up = any(outcome is Outcome.MISFIRED for outcome, _ in told)
    notes: list[tuple[Outcome, str]] = []
    if missed is not None and not is_catch_up:
        notes.append((Outcome.MISFIRED, missed))
    if against is not None and (wanted.reason == BY_HAND or (Outcome.VETOED, against) not in told):
        notes.append((Outcome.VETOED, against))
    return Decision(
        kind=wanted.kind,
        reason=against or (CATCH_UP if is_catch_up or missed is not None else wanted.reason),
        is_go=against is None and (wanted.reason in {BY_HAND, RESUMED} or _is_open(scene, now)),
        notes=[_note(scene, wanted.kind, *note, now) for note in notes if wanted.reason == BY_HAND or not _is_just_taken(scene)],
    )


def _every(integration: Integration, kind: Kind) -> Every:
    schedule = integration.schedule
    return {Kind.FULL: schedule.full, Kind.INCREMENTAL: schedule.incremental, Kind.SWEEP: schedule.sweep}[kind]


def _seed(integration: Integration, kind: Kind) -> str:
    """The same in all replicas, another one in other installations."""
    return f"{integration.base_url} {integration.brand_id} {integration.integration_id} {kind}"


def _larger(kind: Kind) -> Sequence[Kind]:
    return LARGEST_FIRST[: LARGEST_FIRST.index(kind)]


def _slot(scene: Scene, kind: Kind, now: datetime) -> datetime | None:
    """When the next run of a kind was to start, although its window may have closed since; None also for a sweep before the baseline."""
    integration, every = scene.integration, _every(scene.integration, kind)
    last = last_start(integration, kind, scene.starts)
    if every.span is None or (kind is Kind.SWEEP and integration.baseline_at is None):
        return None
    if last is None:
        return due_at(every, integration.schedule.window, None, now, _seed(integration, kind))
    return _slot_after(integration, kind, last)


def _slot_after(integration: Integration, kind: Kind, last: datetime) -> datetime:
    return slot_after(last, _every(integration, kind), integration.schedule.window, _seed(integration, kind))


def _next(scene: Scene, kind: Kind, now: datetime) -> datetime | None:
    """When a kind starts by its schedule; a larger one that starts before counts as its start."""
    slot = _slot(scene, kind, now)
    if slot is None:
        return None
    larger = [found for it in _larger(kind) if (found := _next(scene, it, now)) is not None]
    if larger and (min(larger) <= max(slot, now) or _is_left_to_larger(scene, kind, max(slot, now))):
        slot = _slot_after(scene.integration, kind, min(larger))
    return _opening(scene, slot, now)


def _opening(scene: Scene, slot: datetime, now: datetime) -> datetime:
    """The slot, but later where its hours have closed, or are closed."""
    window = scene.integration.schedule.window
    opening = slot if window is None else window.first_inside(max(slot, now))
    return slot if opening <= now else opening


def _is_left_to_larger(scene: Scene, kind: Kind, now: datetime) -> bool:
    span = _every(scene.integration, kind).span
    assert span is not None
    slots = (_slot(scene, larger, now) for larger in _larger(kind))
    return any(slot is not None and slot <= now + span * _TOGETHER for slot in slots)


def _failure(scene: Scene, retry: timedelta) -> Due | None:
    """The newest run once more, if it failed and is one that is scheduled."""
    begun = [run for run in scene.runs if run.outcome not in _NOT_BEGUN]
    begun.sort(key=lambda run: run.finished_at or run.started_at, reverse=True)
    failures = list(takewhile(lambda run: run.outcome is Outcome.FAILED, begun))
    # A look that was vetoed after it had begun is among the starts, too.
    if not failures or failures[0].started_at != max(scene.starts.values(), default=None):
        return None
    pause = min(retry * 2 ** min(len(failures) - 1, 10), max(retry, _LONGEST_RETRY))
    kind, again_at = Kind(failures[0].kind), (failures[0].finished_at or failures[0].started_at) + pause
    return None if _every(scene.integration, kind).span is None else Due(kind=kind, slot=again_at, reason=RETRY)


def _against(scene: Scene, kind: Kind) -> str | None:
    integration = scene.integration
    if integration.is_paused:
        return PAUSED
    if integration.unauthorized_at is not None:
        return UNAUTHORIZED
    if integration.baseline_at is None and kind is not Kind.FULL:
        return NO_BASELINE
    if scene.is_undecided and kind is Kind.INCREMENTAL:  # it would put its own picture in the place of that one; larger ones renew it
        return UNDECIDED
    return {Lease.TAKEN: None, Lease.HELD: RUNNING, Lease.FULL: CAP_REACHED}[scene.lease]


def _told(scene: Scene, kind: Kind) -> Sequence[tuple[Outcome | None, str]]:
    """What was recorded since the kind, or a larger one, was last started; the newest first."""
    since = last_start(scene.integration, kind, scene.starts)
    return [
        (run.outcome, run.reason)
        for run in scene.runs
        if run.kind == kind and (since is None or run.started_at >= since) and run.outcome in _NOT_BEGUN and run.reason is not None
    ]


def _missed(scene: Scene, wanted: Due, now: datetime, obstacles: Sequence[str | None]) -> str | None:
    """Why a scheduled start is so late that it counts as missed: the first of the obstacles; None = it does not."""
    span = _every(scene.integration, wanted.kind).span
    if wanted.reason != SCHEDULED or span is None or now - wanted.slot <= min(max(span * _GRACE, _LEAST_GRACE), _MOST_GRACE):
        return None
    cause = next((reason for reason in obstacles if reason is not None), NO_PROCESS)
    return cause if cause in _MISFIRES else None


def _is_just_taken(scene: Scene) -> bool:
    """Somebody is about to begin, perhaps the very run that is wanted."""
    return scene.lease is Lease.HELD and scene.unfinished is None


def _is_open(scene: Scene, now: datetime) -> bool:
    window = scene.integration.schedule.window
    return window is None or window.first_inside(now) == now


def _note(scene: Scene, kind: Kind, outcome: Outcome, reason: str, now: datetime) -> Run:
    its = scene.integration.integration_id
    return Run(integration_id=its, kind=kind, started_at=now, finished_at=now, outcome=outcome, reason=reason)
