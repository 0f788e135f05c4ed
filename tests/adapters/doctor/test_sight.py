"""Every way in which Qualtrics can fail an integration has its own sentence, and each sentence says what to do."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import permutations
from typing import Any

import pytest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from adapters.doctor import sight
from adapters.doctor.check import Level
from adapters.doctor.subject import Subject
from adapters.event_subscriptions import TOPICS
from adapters.qualtrics.client import QualtricsClient
from adapters.qualtrics.credentials import LEAST_SCOPES, PUSH_SCOPE, ApiToken, ClientCredentials, Credentials
from adapters.qualtrics.errors import Closed
from adapters.qualtrics.transport import Pacing
from adapters.sandbox.clock import SandboxClock
from adapters.sandbox.qualtrics.credentials import SCOPES
from adapters.sandbox.qualtrics.faults import Faults
from adapters.sandbox.qualtrics.limits import Limits
from adapters.sandbox.qualtrics.records import Subscription
from adapters.sandbox.qualtrics.seed import founded
from adapters.sandbox.qualtrics.server import qualtrics_app
from adapters.sandbox.qualtrics.tenant import Tenant
from adapters.sandbox.serving import serving
from bot.ports.records import RequestLine
from tests.unit.core.examples import an_integration

TOKEN, CLIENT, SECRET = "canary-token", "client-1", "canary-secret"
Report = dict[str, tuple[Level, str]]


@dataclass
class World:
    """A tenant at its home and seen from another data centre; what is not said is right."""

    tenant: Tenant
    home: str
    away: str
    stack: AsyncExitStack
    credentials: Credentials = field(default_factory=lambda: ApiToken(TOKEN))
    base_url: str = ""
    brand_id: str | None = None
    has_push: bool = False
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    slow_ms: int = sight.SLOW_MS
    patience_seconds: float = sight.PATIENCE_SECONDS
    timeout_seconds: float = 10
    pace: Pacing | None = None

    async def report(self) -> Report:
        lines: list[RequestLine] = []
        base_url = self.base_url or self.home
        push = self.credentials
        if isinstance(push, ClientCredentials):
            push = replace(push, scopes=(*LEAST_SCOPES, PUSH_SCOPE))
        integration = replace(an_integration(), base_url=base_url, brand_id=self.brand_id, timeout_seconds=self.timeout_seconds)
        async with QualtricsClient(
            base_url, self.credentials, timeout_seconds=self.timeout_seconds, attempts=1, on_request=lines.append, pace=self.pace
        ) as client:
            subject = Subject(
                integration=integration,
                credentials=self.credentials,
                client=client,
                lines=lines,
                clock=self.clock,
                roots=(self.home,),
                push=await self.stack.enter_async_context(QualtricsClient(base_url, push, attempts=1)) if self.has_push else None,
            )
            checks = await sight.seen(subject, patience_seconds=self.patience_seconds, slow_ms=self.slow_ms)
        return {check.name.removeprefix("main, "): (check.level, check.text) for check in checks}

    @property
    def admin(self) -> Any:
        return next(user for user in self.tenant.users if user.is_admin)

    async def serve(self, app: ASGIApp) -> str:
        return f"{await self.stack.enter_async_context(serving(app))}/API/v3/"


def dated(app: ASGIApp) -> ASGIApp:
    """With the `Date` that `serving` leaves out."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        async def with_date(message: Message) -> None:
            if message["type"] == "http.response.start":
                date = format_datetime(datetime.now(UTC), usegmt=True).encode()
                message = {**message, "headers": [*message["headers"], (b"date", date)]}
            await send(message)

        await app(scope, receive, with_date)

    return answer


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with AsyncExitStack() as stack:
        tenant = founded(SandboxClock(), public_url="http://127.0.0.1")
        servers = [dated(qualtrics_app(tenant, token=TOKEN, datacenter=at)) for at in (None, "fra1")]
        home, away = [f"{await stack.enter_async_context(serving(app))}/API/v3/" for app in servers]
        tenant.credentials.add_client(CLIENT, SECRET, next(user for user in tenant.users if user.is_admin).user_id)
        yield World(tenant, home, away, stack)


def worst(report: Report) -> list[tuple[str, Level, str]]:
    return [(name, level, text) for name, (level, text) in report.items() if level is not Level.OK]


async def test_a_brand_administrator_sees_everything(world: World) -> None:
    report = await world.report()
    assert worst(report) == []
    assert report["access"][1] == f"brand sandbox, account {world.admin.user_id}, data centre iad1"
    assert report["users"][1] == "3 accounts of the brand"
    assert report["history"][1].startswith("readable: ")
    assert "with an address" in report["links"][1]
    assert report["contacts"][1] == "readable"
    assert report["push"][1].startswith("off: ")


async def test_an_account_with_few_rights_works_for_its_own_surveys(world: World) -> None:
    owner = world.tenant.users[0]
    world.tenant.credentials.add_token("owners", owner.user_id)
    world.credentials = ApiToken("owners")
    report = await world.report()
    assert [(name, level) for name, level, _ in worst(report)] == [("users", Level.WARN)]
    own = sum(survey.owner_id == owner.user_id and not survey.deleted_at for survey in world.tenant.surveys)
    assert report["surveys"][1] == f"{own} of which {own} its own, 0 of others"


async def test_an_oauth_client_with_the_least_scopes_sees_all_but_subscriptions(world: World) -> None:
    world.tenant.credentials.add_client(CLIENT, SECRET, world.admin.user_id, LEAST_SCOPES)
    world.credentials = ClientCredentials(CLIENT, SECRET)
    assert worst(await world.report()) == []


# What a test does to the world, and what the doctor says of it: the check, how bad it is, a part of what is wrong, and the fix.


def wrong_token(world: World) -> None:
    world.credentials = ApiToken("canary-wrong")


def disabled_account(world: World) -> None:
    world.brand_id, world.admin.is_disabled = "sandbox", True


def api_forbidden(world: World) -> None:
    world.tenant.faults = Faults(status=403, prefix="/whoami")


def wrong_client(world: World) -> None:
    world.credentials = ClientCredentials(CLIENT, "canary-wrong")


def scope_missing(world: World) -> None:
    world.tenant.credentials.add_client(CLIENT, SECRET, world.admin.user_id, SCOPES - {"read:users", "read:directories"})
    world.credentials = ClientCredentials(CLIENT, SECRET)


def oauth_account_disabled(world: World) -> None:
    world.credentials, world.admin.is_disabled = ClientCredentials(CLIENT, SECRET), True


def oauth_elsewhere(world: World) -> None:
    world.credentials, world.base_url = ClientCredentials(CLIENT, SECRET), world.away


def token_elsewhere(world: World) -> None:
    world.base_url = world.away


def wrong_base_url(world: World) -> None:
    world.base_url = world.home.replace("/v3", "/v2")


def limits_used_up(world: World) -> None:
    world.tenant.faults = Faults(status=429, retry_after=30)


def token_limits_used_up(world: World) -> None:
    world.credentials = ClientCredentials(CLIENT, SECRET)
    world.tenant.faults = Faults(status=429, prefix="/oauth2", retry_after=77)


def closed(world: World) -> None:
    world.pace = _Closed()


def refused_once_known(world: World) -> None:
    world.credentials = ClientCredentials(CLIENT, SECRET)
    world.tenant.faults = Faults(status=401, prefix="/surveys")


class _Closed:
    async def turn(self, template: str) -> float:
        raise Closed(f"the limit of the whole brand is closed until 12:34 UTC (396 s) because of a 429, {template}")

    async def throttled(self, template: str, granted_at: float, retry_after: float | None) -> None:
        raise AssertionError(template, granted_at, retry_after)


def in_trouble(world: World) -> None:
    world.tenant.faults = Faults(status=503)


def hangs_up(world: World) -> None:
    world.tenant.faults = Faults(hangs_up=True)


def malformed(world: World) -> None:
    world.tenant.faults = Faults(broken_json_next=99)


def too_slow(world: World) -> None:
    world.tenant.faults, world.timeout_seconds = Faults(slow_seconds=5), 0.05


def too_late(world: World) -> None:
    world.tenant.faults, world.patience_seconds = Faults(slow_seconds=5), 0.05


def slow(world: World) -> None:
    world.slow_ms = 0


def clock_ahead(world: World) -> None:
    world.clock = lambda: datetime.now(UTC) + timedelta(minutes=3)


def clock_behind(world: World) -> None:
    world.clock = lambda: datetime.now(UTC) - timedelta(minutes=2)


def lists_used_up(world: World) -> None:
    world.tenant.limits = Limits(endpoints={"/distributions/{id}/history": 1})
    world.tenant.limits.take("/distributions/{id}/history", world.tenant.clock().timestamp())


def nothing_visible(world: World) -> None:
    owner = world.tenant.users[1]
    for survey in world.tenant.surveys:
        survey.owner_id = world.tenant.users[0].user_id
    world.tenant.credentials.add_token("nobodys", owner.user_id)
    world.credentials = ApiToken("nobodys")


def push_lost(world: World) -> None:
    world.has_push = True


def subscribe(world: World, topics: Sequence[str] = TOPICS, successful_calls: int = 0) -> None:
    world.has_push = True
    url = "https://bot.acme.example/qualtrics/events/main"
    for number, topic in enumerate(topics):
        made = Subscription(subscription_id=f"SUB_{number}", topics=topic, publication_url=url, shared_key="canary-key")
        made.successful_calls = successful_calls
        world.tenant.subscriptions.add(made.subscription_id, made)


def subscribe_to_some(world: World) -> None:
    subscribe(world, TOPICS[:1])


def push_scope_missing(world: World) -> None:
    world.has_push = True
    world.tenant.credentials.add_client(CLIENT, SECRET, world.admin.user_id, LEAST_SCOPES)
    world.credentials = ClientCredentials(CLIENT, SECRET)


def denied(permission: str) -> Callable[[World], None]:
    def deny(world: World) -> None:
        world.has_push = True
        world.admin.denied.add(permission)

    deny.__name__ = f"may_not_read_{permission}"
    return deny


Row = tuple[Callable[[World], None], str, Level, str, str]
FAULTS: list[Row] = [
    (wrong_token, "access", Level.FAIL, "does not know the API token (401 DCD_7)", "`surveybot integration secret main`"),
    (disabled_account, "access", Level.FAIL, "does not know the API token any more", "let the account be enabled"),
    (api_forbidden, "access", Level.FAIL, "may not use the API", "a brand administrator allows it"),
    (wrong_client, "access", Level.FAIL, "refuses the OAuth client", "`surveybot integration secret main --client-id ID`"),
    (scope_missing, "access", Level.FAIL, "may not have read:directories, read:users;", "OAuth Client Manager"),
    (oauth_account_disabled, "access", Level.FAIL, "gives the OAuth client a token and does not accept it", "enabled?"),
    (
        oauth_elsewhere,
        "access",
        Level.FAIL,
        "wrong data centre: the OAuth client",
        "`surveybot integration set main --base-url http://127.0.0.1",
    ),
    (token_elsewhere, "access", Level.WARN, "wrong data centre: every call", "--base-url https://iad1.qualtrics.com/API/v3/`"),
    (wrong_base_url, "access", Level.FAIL, "answered 404", "--base-url https://DATACENTRE.qualtrics.com/API/v3/`"),
    (limits_used_up, "access", Level.FAIL, "because of its limits (429); wait 30 s", "--requests-per-minute N`"),
    (token_limits_used_up, "access", Level.FAIL, "because of its limits (429); wait 77 s", "--requests-per-minute N`"),
    (closed, "access", Level.FAIL, "nothing was asked: the limit of the whole brand is closed until", "--requests-per-minute N`"),
    (refused_once_known, "surveys", Level.FAIL, "forbidden", "share the surveys with the account"),
    (in_trouble, "access", Level.FAIL, "in trouble (503)", "https://status.qualtrics.com"),
    (hangs_up, "access", Level.FAIL, "got no answer (RemoteProtocolError)", "does this machine reach 127.0.0.1"),
    (malformed, "access", Level.FAIL, "answered something unexpected", "is a proxy in between"),
    (too_slow, "access", Level.FAIL, "got no answer (ReadTimeout)", "within the time-outs of 10 and 0.05 s"),
    (too_late, "access", Level.WARN, "no answer within 0.05 s", "try again later"),
    (slow, "speed", Level.WARN, "the slowest of", "--timeout-seconds N`"),
    (clock_ahead, "clock", Level.WARN, "ahead of Qualtrics", "let NTP set its clock"),
    (clock_behind, "clock", Level.WARN, "behind Qualtrics", "let NTP set its clock"),
    (lists_used_up, "history", Level.FAIL, "because of its limits (429)", "--requests-per-minute N`"),
    (nothing_visible, "surveys", Level.WARN, "none is visible", "share the surveys with the account"),
    (denied("surveys"), "surveys", Level.FAIL, "no survey is known", "share the surveys with the account"),
    (denied("definitions"), "survey options", Level.WARN, "most cautious sentence on privacy", "with Edit"),
    (denied("distributions"), "distributions", Level.FAIL, "no mailing of a survey is known", "with Distribute"),
    (denied("history"), "history", Level.FAIL, "who answered, stays unknown", "with Distribute"),
    (denied("links"), "links", Level.FAIL, "personal links of invited people stay unknown", "with Distribute"),
    (denied("directories"), "directories", Level.WARN, "addresses that links do not tell", "to see the XM Directory"),
    (denied("contacts"), "contacts", Level.WARN, "addresses that links do not tell", "to see the XM Directory"),
    (denied("users"), "users", Level.WARN, "`/surveys status` is shown to nobody", "use a brand administrator's account"),
    (denied("subscriptions"), "push", Level.WARN, "subscriptions cannot be seen or changed", "use a brand administrator's account"),
    (push_lost, "push", Level.FAIL, "no subscription that leads here", "`surveybot push register --integration main"),
    (subscribe_to_some, "push", Level.WARN, "nothing is told of controlpanel.activateSurvey", "`surveybot push register"),
    (push_scope_missing, "push", Level.WARN, "forbidden: event", "the scope manage:subscriptions"),
    (subscribe, "push", Level.WARN, "nothing was delivered yet", "is that URL reached from outside?"),
]


@pytest.mark.parametrize("row", FAULTS, ids=[row[0].__name__ for row in FAULTS])
async def test_each_fault_is_named_with_its_fix(world: World, row: Row) -> None:
    fault, name, level, wrong, fix = row
    fault(world)
    report = await world.report()
    assert report[name][0] is level
    assert wrong in report[name][1]
    assert fix in report[name][1]
    assert "canary" not in str(report)


def test_no_two_faults_share_a_sentence() -> None:
    said = [(name, wrong) for _, name, _, wrong, _ in FAULTS]
    assert len(set(said)) == len(said)
    assert not [(one, other) for one, other in permutations(said, 2) if one[0] == other[0] and one[1] in other[1]]


async def test_credentials_that_get_lost_on_the_way_are_told_apart_from_wrong_ones(world: World) -> None:
    app = qualtrics_app(world.tenant, token=TOKEN)

    async def without_token(scope: Scope, receive: Receive, send: Send) -> None:
        if "headers" in scope:
            scope["headers"] = [(name, value) for name, value in scope["headers"] if name != b"x-api-token"]
        await app(scope, receive, send)

    world.base_url = await world.serve(without_token)
    level, text = (await world.report())["access"]
    assert level is Level.FAIL
    assert "got no credentials (400 ATP_2)" in text
    assert "X-API-TOKEN; let it pass" in text


async def test_an_odd_400_of_the_token_endpoint_is_not_told_as_missing_scopes(world: World) -> None:
    world.credentials = ClientCredentials(CLIENT, SECRET)
    world.tenant.faults = Faults(status=400, prefix="/oauth2")
    level, text = (await world.report())["access"]
    assert level is Level.FAIL
    assert "its id or secret is wrong" in text
    assert "read:" not in text


async def test_what_cannot_be_reached_names_the_host(world: World) -> None:
    world.base_url = "http://127.0.0.1:1/API/v3/"
    level, text = (await world.report())["access"]
    assert level is Level.FAIL
    assert "got no answer (ConnectError); does this machine reach 127.0.0.1:1 " in text


async def test_a_working_subscription_tells_where_it_leads_and_how_often_it_did(world: World) -> None:
    subscribe(world, successful_calls=4)
    level, text = (await world.report())["push"]
    assert level is Level.OK
    assert "controlpanel.activateSurvey to https://bot.acme.example/qualtrics/events/main, 4 deliveries" in text


async def test_an_empty_tenant_is_no_fault_of_permissions(world: World) -> None:
    empty = Tenant(SandboxClock(), public_url="http://127.0.0.1")
    world.base_url = await world.serve(qualtrics_app(empty, token=TOKEN))
    assert [name for name, _, _ in worst(await world.report())] == ["surveys"]


async def test_without_access_nothing_else_is_asked(world: World) -> None:
    wrong_token(world)
    assert list(await world.report()) == ["access"]
