"""`/metrics` for Prometheus: the synchronisation, the outbox and the requests to Qualtrics, by ids of integrations alone.

No name and no address is in it: whoever may read metrics need not be allowed to know them.
"""

from __future__ import annotations

import hmac
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import product

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from adapters.core import Core
from bot.errors import Unavailable
from bot.installations import Offered
from bot.messages import DeliveryState
from bot.pace import Backlog, Rate, backlogs
from bot.ports import UnitOfWork
from bot.posts import PostKind
from bot.syncing.status import IntegrationStatus, JobState, JobStatus, status

_DAY = timedelta(hours=24)
_OPEN = (DeliveryState.READY, DeliveryState.CLAIMED, DeliveryState.SENDING)


def metrics_routes(core: Core) -> Sequence[Route]:
    """The numbers come from the database, so every replica tells the same ones. Without it the answer is 503.

    Who does not send the token from the settings gets 401. Without such a setting the address does not exist.
    """
    token = core.settings.metrics_token
    if token is None:
        return ()
    expected = f"Bearer {token.get_secret_value()}".encode()

    async def metrics(request: Request) -> Response:
        if not hmac.compare_digest(request.headers.get("Authorization", "").encode(), expected):
            return Response(status_code=401, headers={"WWW-Authenticate": "Bearer"})
        now = core.clock()
        try:
            numbers = await core.store.read(lambda uow: _Numbers.of(uow, now, core.jobs.retry, core.settings.sends_per_minute))
        except Unavailable:
            return Response("the database does not answer\n", 503, media_type="text/plain")
        return Response(metrics_text(numbers.families()), media_type=CONTENT_TYPE_LATEST)

    return (Route("/metrics", metrics),)


def metrics_text(families: Iterable[Metric]) -> bytes:
    """Write them in Prometheus' text format."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Collected(list(families)))
    return generate_latest(registry)


@dataclass(frozen=True, slots=True, eq=False)  # a registry wants it hashable
class _Collected(Collector):
    """What a registry collects from."""

    families: Sequence[Metric]

    def collect(self) -> Iterable[Metric]:
        return self.families


@dataclass(frozen=True, slots=True, kw_only=True)
class _Numbers:
    """One snapshot of the database."""

    now: datetime
    integrations: Sequence[IntegrationStatus]
    deliveries: Mapping[DeliveryState, int]
    oldest_due: datetime | None
    #: What channels and owners are told.
    posts: Mapping[tuple[PostKind, DeliveryState], int]
    oldest_post_due: datetime | None
    backlog: Sequence[Backlog]
    #: Sent messages that are to be looked at.
    edits: int
    #: Personal chats in Teams by what they are.
    chats: Mapping[str, int]
    #: People in Teams who were given the app, or could not be.
    offers: Mapping[Offered, int]
    #: By integration and status class.
    requests: Mapping[tuple[str, str], int]

    @classmethod
    def of(cls, uow: UnitOfWork, now: datetime, retry: timedelta, sends_per_minute: Rate) -> _Numbers:
        requests: Counter[tuple[str, str]] = Counter()
        for (integration_id, http_status), number in uow.requests.statuses(now - _DAY).items():
            requests[integration_id, _status_class(http_status)] += number
        return cls(
            now=now,
            integrations=status(uow, now, retry=retry),
            deliveries=uow.outbox.counts(),
            oldest_due=uow.outbox.oldest_due(),
            posts=uow.posts.counts(),
            oldest_post_due=uow.posts.oldest_due(),
            backlog=backlogs(uow, now, sends_per_minute),
            edits=uow.sent.waiting(),
            chats=uow.addresses.counts(),
            offers=uow.app_offers.counts(),
            requests=requests,
        )

    def families(self) -> Iterable[Metric]:
        yield from _of_integrations(self.integrations)
        yield from _of_jobs(self.integrations)
        counts = {(str(state),): self.deliveries.get(state, 0) for state in DeliveryState}
        yield _gauge("deliveries", "Messages to people, by what became of them.", ("state",), counts)
        yield _gauge("delivery_lag_seconds", "How long the oldest message that is due waits.", (), {(): self._lag(self.oldest_due)})
        posts = {(str(kind), str(state)): self.posts.get((kind, state), 0) for kind in PostKind for state in DeliveryState}
        yield _gauge("posts", "What channels and owners are told, by what became of it.", ("kind", "state"), posts)
        yield _gauge("posts_waiting", "What they are to be told.", (), {(): sum(self.posts.get(it, 0) for it in product(PostKind, _OPEN))})
        yield _gauge("post_lag_seconds", "How long the oldest of it that is due waits.", (), {(): self._lag(self.oldest_post_due)})
        waiting = {(it.workspace_id,): it for it in self.backlog}
        sizes, spans = ({key: value(it) for key, it in waiting.items()} for value in (_messages, _seconds))
        yield _gauge("deliveries_waiting", "Messages that are due.", ("workspace",), sizes)
        yield _gauge("deliveries_waiting_seconds", "How long sending them takes at the allowed rate.", ("workspace",), spans)
        yield _gauge("edits_waiting", "Sent messages that are to be looked at.", (), {(): self.edits})
        chats = {(state.replace(" ", "_"),): number for state, number in self.chats.items()}
        yield _gauge("teams_chats", "Personal chats in Teams; whose are closed have removed or blocked the bot.", ("state",), chats)
        offers = {(outcome.name.lower(),): number for outcome, number in self.offers.items()}
        yield _gauge("teams_app_given", "People who were given the app in Teams, or could not be.", ("outcome",), offers)
        yield _gauge("qualtrics_requests", "Requests of the last 24 hours, where the log is on.", ("integration", "status"), self.requests)

    def _lag(self, due_at: datetime | None) -> float:
        return max(self.now - due_at, timedelta()).total_seconds() if due_at else 0


def _messages(backlog: Backlog) -> float:
    return backlog.messages


def _seconds(backlog: Backlog) -> float:
    return backlog.takes.total_seconds()


def _status_class(http_status: int | None) -> str:
    """429 stands by itself: it says that the limits are set too high."""
    if http_status is None:
        return "none"
    return "429" if http_status == 429 else f"{http_status // 100}xx"  # noqa: PLR2004 - it is shown as the number it is


def _of_integrations(found: Sequence[IntegrationStatus]) -> Iterable[Metric]:
    def gauge(name: str, help_text: str, values: Iterable[float]) -> Metric:
        ids = ((it.integration.integration_id,) for it in found)
        return _gauge(name, help_text, ("integration",), dict(zip(ids, values, strict=True)))

    yield gauge("paused", "1 = an operator paused it.", (it.integration.is_paused for it in found))
    yield gauge("unauthorized", "1 = Qualtrics refuses its credentials.", (it.integration.unauthorized_at is not None for it in found))
    yield gauge("baseline", "1 = its first full synchronisation has succeeded.", (it.integration.baseline_at is not None for it in found))
    yield gauge("closures_waiting", "Surveys and distributions whose closing waits for a decision.", (len(it.closures) for it in found))
    yield gauge("rows_missing", "Rows that histories lacked of those sent.", (it.gaps.rows for it in found))
    yield gauge("hints_waiting", "Surveys that wait for a refresh.", (it.hints for it in found))


def _of_jobs(found: Sequence[IntegrationStatus]) -> Iterable[Metric]:
    jobs = {(it.integration.integration_id, job.kind): job for it in found for job in it.jobs}
    states = {(*labels, state): job.state is state for labels, job in jobs.items() for state in JobState}
    yield _gauge("sync_state", "1 = what became of the newest start.", ("integration", "kind", "state"), states)
    for name, (help_text, value) in _JOB_GAUGES.items():
        known = {labels: number for labels, job in jobs.items() if (number := value(job)) is not None}
        yield _gauge(name, help_text, ("integration", "kind"), known)


def _succeeded_at(job: JobStatus) -> float | None:
    return job.success and job.success.started_at.timestamp()


def _next_run(job: JobStatus) -> float | None:
    return job.next_run and job.next_run.timestamp()


def _gauge(name: str, help_text: str, labels: Sequence[str], values: Mapping[tuple[str, ...], float]) -> Metric:
    family = GaugeMetricFamily(f"surveybot_{name}", help_text, labels=labels)
    for key, value in values.items():
        family.add_metric(key, float(value))
    return family


_JOB_GAUGES: Mapping[str, tuple[str, Callable[[JobStatus], float | None]]] = {
    "sync_last_success_timestamp_seconds": ("When the last success began.", _succeeded_at),
    "sync_next_run_timestamp_seconds": ("When the next run is due.", _next_run),
    "sync_duration_seconds": ("How long the last success took.", lambda job: None if job.took is None else job.took.total_seconds()),
    "sync_seen": ("Records the last success read.", lambda job: job.success and job.seen),
    "sync_changed": ("Records the last success changed.", lambda job: job.success and job.success.changed),
    "sync_skipped": ("Records the last success could not read.", lambda job: job.success and job.success.skipped),
    "sync_calls": ("Requests the last success took.", lambda job: job.success and job.success.calls),
}
