"""What the tables tell about an integration: its last synchronisations, what waits for a decision, gaps, and refused calls."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from http import HTTPStatus

from adapters.doctor.check import Check, Finding, Level
from bot.syncing.look import Kind
from bot.syncing.status import IntegrationStatus, JobState, JobStatus

#: A start that is this late is more than jitter or a busy moment.
_LATE = timedelta(minutes=15)

#: How many requests ended with which status (None = no answer) in the last 24 hours.
Statuses = Mapping[int | None, int]


def remembered(it: IntegrationStatus, statuses: Statuses, now: datetime) -> Iterator[Check]:
    """One check of each job, and one of each thing that somebody should know."""
    name = it.integration.integration_id
    if it.integration.is_paused:
        yield Check(f"{name}, paused", Level.WARN, f"nothing is read, nobody is reminded; `surveybot integration resume {name}` ends it")
    else:
        yield from (Check(f"{name}, {job.kind} sync", *_job(name, job, now)) for job in it.jobs)
    yield Check(f"{name}, picture", *_picture(it))
    yield Check(f"{name}, gaps", *_gaps(it))
    yield Check(f"{name}, limits", *_limits(it, statuses))
    if unanswered := statuses.get(None, 0):
        longer = f"`surveybot integration set {name} --timeout-seconds N` waits longer than {it.integration.timeout_seconds:g} s"
        yield Check(f"{name}, answers", Level.WARN, f"{unanswered} requests of the last 24 hours got none; {longer}")


def _job(name: str, job: JobStatus, now: datetime) -> Finding:
    run, again = job.last, f"`surveybot sync run --integration {name}` runs it now"
    if run is None:
        missing = f"never ran; is `surveybot serve` running? {again}"
        return (Level.WARN, missing) if job.kind is Kind.FULL else (Level.OK, "never ran")
    began = f"{run.started_at:%Y-%m-%d %H:%M} UTC"
    match job.state:
        case JobState.FAILED:
            return Level.FAIL, f"the run of {began} failed: {run.error or run.reason}; {again}"
        case JobState.PARTIAL:
            return Level.WARN, f"the run of {began} left surveys out: {run.error or run.reason}; they are tried again at the next run"
        case JobState.VETOED | JobState.MISFIRED:
            return Level.WARN, f"{job.state} at {began}: {run.error or run.reason}"
        case JobState.CUT_OFF:
            return Level.WARN, f"its process died after {began}; the next start goes on there; is `surveybot serve` running? {again}"
        case JobState.NEVER | JobState.RUNNING | JobState.OK:
            return _punctual(job, began, now)


def _punctual(job: JobStatus, began: str, now: datetime) -> Finding:
    if job.state is JobState.OK and job.next_run is not None and job.next_run < now - _LATE:
        return Level.WARN, f"due since {job.next_run:%Y-%m-%d %H:%M} UTC; is `surveybot serve` running?"
    return Level.OK, f"{job.state}, {began}"


def _picture(it: IntegrationStatus) -> Finding:
    if not it.closures:
        return Level.OK, "none waits for a decision"
    surveys = sum(closure.distribution_id is None for closure in it.closures)
    name = it.integration.integration_id
    return Level.FAIL, (
        f"what was read would close {surveys} surveys and delete {len(it.closures) - surveys} distributions, and waits: "
        f"`surveybot sync picture --integration {name}` shows them and their id; `approve` with that id, or `drop`, decides"
    )


def _gaps(it: IntegrationStatus) -> Finding:
    if not it.gaps.rows:
        return Level.OK, "none"
    again = f"`surveybot sync run --sweep --integration {it.integration.integration_id}`"
    lacking = f"{it.gaps.rows} rows of {it.gaps.distributions} distributions are missing in what Qualtrics lists"
    return Level.WARN, f"{lacking}; the nightly sweep looks again, {again} at once"


def _limits(it: IntegrationStatus, statuses: Statuses) -> Finding:
    own = it.integration.requests_per_minute
    if refused := statuses.get(HTTPStatus.TOO_MANY_REQUESTS, 0):
        lower = f"`surveybot integration set {it.integration.integration_id} --requests-per-minute N`"
        return (
            Level.WARN,
            f"{refused} requests of the last 24 hours were refused (429): others use the brand's limits too; {lower} takes less",
        )
    return Level.OK, f"no request of the last 24 hours was refused; own limit {'off' if own is None else f'{own:g} a minute'}"
