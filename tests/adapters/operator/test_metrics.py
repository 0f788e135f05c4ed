"""What Prometheus reads: numbers by the ids of integrations, and nothing about people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from pydantic import SecretStr
from starlette.applications import Starlette

from adapters.metrics import metrics_routes
from adapters.settings import Settings
from bot.model import DistributionStats, Integration, User
from bot.ports import SurveySource, UnitOfWork
from bot.ports.records import Outcome, RequestLine, Run
from bot.posts import News, PostKind
from bot.syncing.jobs import Jobs
from store.unit_of_work import SqlStore
from tests.contract.store.examples import distribution, event, furnish
from tests.unit.core.examples import NOW, an_integration

HOUR = timedelta(hours=1)
TOKEN = "0123456789abcdef"
LINE = RequestLine(at=NOW, method="GET", path="/surveys", status=200, duration_ms=31, request_id=None)
Samples = Mapping[tuple[str, ...], float]


@dataclass(frozen=True)
class FakeCore:
    """What the route asks of a core."""

    store: SqlStore
    settings: Settings
    jobs: Jobs
    clock: object


async def asked(store: SqlStore, authorization: str | None, now: datetime = NOW, token: str | None = TOKEN) -> httpx.Response:
    settings = Settings.model_construct(metrics_token=None if token is None else SecretStr(token))
    routes = metrics_routes(FakeCore(store, settings, Jobs(store=store, source=nobody, owner="", clock=lambda: now), lambda: now))  # type: ignore[arg-type]
    headers = {} if authorization is None else {"Authorization": authorization}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(Starlette(routes=routes)), base_url="http://bot") as client:
        return await client.get("/metrics", headers=headers)


async def nobody(_: Integration) -> SurveySource:
    raise AssertionError("metrics ask Qualtrics nothing")


async def scraped(store: SqlStore, now: datetime = NOW) -> tuple[str, Samples]:
    """The text, and its samples by name and labels."""
    answer = (await asked(store, f"Bearer {TOKEN}", now)).raise_for_status()
    assert answer.headers["Content-Type"].startswith("text/plain; version=")
    families = list(text_string_to_metric_families(answer.text))
    samples = {(sample.name.removeprefix("surveybot_"), *sample.labels.values()): sample.value for it in families for sample in it.samples}
    return answer.text, samples


async def test_an_empty_installation_has_metrics(store: SqlStore) -> None:
    _, samples = await scraped(store)
    assert samples["delivery_lag_seconds",] == 0
    assert samples["deliveries", "sent"] == 0


def _live(uow: UnitOfWork) -> None:
    for name in ("main", "other"):
        furnish(uow, name)
    uow.integrations.save(replace(an_integration("other"), name="Canary group"))
    uow.integrations.set_paused("other", is_paused=True)
    uow.users.save("main", [User(user_id="UR_1", email="canary@acme.example", user_type="UT_BRANDADMIN")])
    run = Run(integration_id="main", kind="full", started_at=NOW - HOUR, finished_at=NOW - HOUR + timedelta(seconds=30), outcome=Outcome.OK)
    run = replace(run, reason="scheduled", surveys=1, distributions=2, invitations=3, changed=4, skipped=5, calls=6)
    uow.runs.finish(uow.runs.start(run), run)
    uow.distributions.save("main", [distribution("EMD_2")])
    uow.distributions.set_history_for("main", "EMD_2", DistributionStats(), at=NOW, rows_missing=7)
    uow.refreshes.ask("main", "SV_1", NOW)
    uow.posts.add([News(kind=PostKind.LAUNCH, subscription_id=1)], NOW - HOUR, is_told=True)
    uow.outbox.add([event(uow.people.ids(["canary@acme.example"])["canary@acme.example"])], NOW - 2 * HOUR)
    statuses = (200, 200, 404, 429, 503, None)
    uow.requests.add("main", [replace(LINE, status=status) for status in statuses])
    uow.requests.add("main", [replace(LINE, at=NOW - timedelta(hours=23))])


async def test_what_happens_is_counted_by_integration(store: SqlStore) -> None:
    await store.write(_live)
    text, samples = await scraped(store)
    expected = {
        ("sync_state", "main", "full", "ok"): 1,
        ("sync_state", "main", "full", "failed"): 0,
        ("sync_state", "other", "full", "never run"): 1,
        ("sync_last_success_timestamp_seconds", "main", "full"): (NOW - HOUR).timestamp(),
        ("sync_duration_seconds", "main", "full"): 30,
        ("sync_seen", "main", "full"): 6,
        ("sync_changed", "main", "full"): 4,
        ("sync_skipped", "main", "full"): 5,
        ("sync_calls", "main", "full"): 6,
        ("paused", "main"): 0,
        ("paused", "other"): 1,
        ("baseline", "main"): 0,
        ("unauthorized", "main"): 0,
        ("closures_waiting", "main"): 0,
        ("rows_missing", "main"): 7,
        ("hints_waiting", "main"): 1,
        ("deliveries", "ready"): 1,
        ("delivery_lag_seconds",): 7200,
        ("posts", "launch", "ready"): 1,
        ("posts", "closed", "sent"): 0,
        ("posts_waiting",): 1,
        ("post_lag_seconds",): 3600,
        ("qualtrics_requests", "main", "2xx"): 3,
        ("qualtrics_requests", "main", "4xx"): 1,
        ("qualtrics_requests", "main", "429"): 1,
        ("qualtrics_requests", "main", "5xx"): 1,
        ("qualtrics_requests", "main", "none"): 1,
    }
    assert {key: samples.get(key) for key in expected} == expected
    assert ("sync_next_run_timestamp_seconds", "other", "full") not in samples
    assert "canary" not in text.lower()


async def test_requests_of_yesterday_are_not_counted(store: SqlStore) -> None:
    await store.write(_live)
    _, samples = await scraped(store, NOW + timedelta(hours=2))
    assert samples["qualtrics_requests", "main", "2xx"] == 2


@pytest.mark.parametrize(
    "authorization", [None, "", TOKEN, f"Bearer {TOKEN[:-1]}", f"Bearer {TOKEN}0", f"Basic {TOKEN}", "Bearer ", "Bearer \x7f"]
)
async def test_without_the_token_nothing_is_told(store: SqlStore, authorization: str | None) -> None:
    answer = await asked(store, authorization)
    assert (answer.status_code, answer.text, answer.headers["WWW-Authenticate"]) == (401, "", "Bearer")


async def test_where_no_token_is_set_there_is_no_such_address(store: SqlStore) -> None:
    for authorization in (None, "Bearer ", "Bearer None"):
        assert (await asked(store, authorization, token=None)).status_code == 404


async def test_without_its_database_the_answer_is_503(tmp_path: Path, keyring: object) -> None:
    store = SqlStore(f"sqlite:///{tmp_path}/no/such/folder.db", keyring)  # type: ignore[arg-type]
    with pytest.raises(httpx.HTTPStatusError, match="503"):
        await scraped(store)
    await store.close()
