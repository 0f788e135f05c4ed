"""Each integration has one client, with the settings and the secret that are stored now; those of one brand share its limits."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from adapters.connections import Connections
from adapters.sandbox.demo import Sandbox
from adapters.sandbox.qualtrics.faults import Faults
from bot.errors import Unavailable, UserError
from bot.model import Integration
from bot.ports import UnitOfWork
from bot.ports.records import Outcome, RequestLine
from bot.syncing.look import Kind
from store import tables
from store.engine import connect

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.fixture
def connections(inside: Sandbox) -> Connections:
    return inside.bot.core.connections


async def acme(inside: Sandbox) -> Integration:
    stored = await inside.bot.core.store.read(lambda uow: uow.integrations.get("acme"))
    assert stored is not None
    return stored


async def test_the_brand_is_learned_and_stored_when_a_client_is_opened(inside: Sandbox, connections: Connections) -> None:
    assert (await acme(inside)).brand_id is None
    client = await connections.source(await acme(inside))
    assert (await acme(inside)).brand_id == "sandbox"
    assert await connections.source(await acme(inside)) is client
    assert inside.tenant.calls["/whoami"] == 1


@pytest.mark.parametrize(
    ("changes", "is_other"),
    [
        ({"name": "Other", "mass_closure_share": 0.9, "group_size": 9, "shows_people": True}, False),
        ({"is_paused": True, "baseline_at": NOW, "unauthorized_at": NOW}, False),
        ({"timeout_seconds": 9}, True),
        ({"connect_timeout_seconds": 9}, True),
        ({"requests_per_minute": 600}, True),
        ({"keeps_request_log": False}, True),
    ],
)
async def test_a_change_that_matters_opens_another_client(
    inside: Sandbox, connections: Connections, changes: dict[str, Any], is_other: bool
) -> None:
    first = await connections.source(await acme(inside))
    second = await connections.source(replace(await acme(inside), **changes))
    assert (second is not first) == is_other
    assert (await second.account()).brand_id == (await first.account()).brand_id == "sandbox"


async def test_a_new_secret_is_used_from_the_next_time_on(inside: Sandbox, connections: Connections) -> None:
    first = await connections.source(await acme(inside))
    inside.tenant.credentials.add_token("another-token", inside.tenant.users[0].user_id)
    await inside.bot.core.store.write(lambda uow: uow.integrations.set_secret("acme", "another-token"))
    second = await connections.source(await acme(inside))
    assert (await first.account()).user_id != (await second.account()).user_id == inside.tenant.users[0].user_id


async def test_without_a_secret_there_is_no_client(inside: Sandbox, connections: Connections) -> None:
    bare = replace(await acme(inside), integration_id="bare")
    await inside.bot.core.store.write(lambda uow: uow.integrations.save(bare))
    with pytest.raises(UserError, match="bare has no secret: `surveybot integration secret bare` stores one"):
        await connections.source(bare)


async def test_an_integration_without_a_secret_fails_and_is_not_taken_for_refused(inside: Sandbox) -> None:
    core, bare = inside.bot.core, replace(await acme(inside), integration_id="bare")
    await core.store.write(lambda uow: uow.integrations.save(bare))
    with pytest.raises(UserError):
        await core.jobs.start("bare", Kind.FULL)
    assert await core.store.read(lambda uow: uow.integrations.get("bare")) == bare
    (run,) = await core.store.read(lambda uow: uow.runs.list("bare", 9))
    assert (run.outcome, "has no secret" in (run.error or "")) == (Outcome.FAILED, True)


@pytest.mark.parametrize(("brand", "baseline", "is_refused"), [("other", NOW, True), ("other", None, False), (None, NOW, False)])
async def test_another_brand_is_not_mixed_with_what_was_read_of_the_first(
    inside: Sandbox, connections: Connections, brand: str | None, baseline: datetime | None, is_refused: bool
) -> None:
    def read_before(uow: UnitOfWork) -> None:
        uow.integrations.set_brand("acme", brand)
        if baseline is not None:
            uow.integrations.set_baseline("acme", baseline)

    await inside.bot.core.store.write(read_before)
    with pytest.raises(UserError, match="of the brand sandbox, and what is stored of acme is of other") if is_refused else nullcontext():
        await connections.source(await acme(inside))
    assert (await acme(inside)).brand_id == ("other" if is_refused else "sandbox")


async def test_a_client_that_could_not_be_opened_is_opened_the_next_time(inside: Sandbox, connections: Connections) -> None:
    inside.tenant.faults = Faults(status=503)
    with pytest.raises(Unavailable):
        await connections.source(await acme(inside))
    inside.tenant.faults = Faults()
    assert await (await connections.source(await acme(inside))).survey(next(iter(inside.tenant.surveys)).survey_id)


async def test_requests_are_logged_where_the_integration_wants_it(inside: Sandbox, connections: Connections) -> None:
    core = inside.bot.core

    async def logged() -> list[str]:
        await core.request_log.flush()
        lines = await core.store.read(lambda uow: uow.requests.list(since=datetime.now(UTC) - timedelta(hours=1)))
        return [f"{name} {line.path} {line.status}" for name, line in lines]

    silent = replace(await acme(inside), keeps_request_log=False)
    await (await connections.source(silent)).account()
    assert await logged() == []
    await connections.source(await acme(inside))
    assert await logged() == ["acme /whoami 200"]


async def test_settings_that_are_tried_out_are_logged_too_once_they_are_stored(inside: Sandbox, connections: Connections) -> None:
    core, secret = inside.bot.core, await inside.bot.core.store.read(lambda uow: uow.integrations.secret("acme")) or ""
    silent = replace(await acme(inside), keeps_request_log=False)
    stored, never = replace(silent, keeps_request_log=True), replace(silent, keeps_request_log=True, integration_id="never")
    told: list[RequestLine] = []
    for integration in (silent, stored, never):
        async with connections.unstored(integration, secret, on_request=told.append) as client:
            await client.account()
    await core.request_log.flush()
    lines = await core.store.read(lambda uow: uow.requests.list(since=datetime.now(UTC) - timedelta(hours=1)))
    assert ([name for name, _ in lines], len(told)) == (["acme"], 3)


async def test_integrations_of_one_brand_share_its_limits_and_keep_their_own(inside: Sandbox, connections: Connections) -> None:
    store, first = inside.bot.core.store, replace(await acme(inside), requests_per_minute=6000)
    second = replace(first, integration_id="second")
    secret = await store.read(lambda uow: uow.integrations.secret("acme")) or ""
    for integration in (first, second):
        await store.write(lambda uow, it=integration: uow.integrations.save(it))
        await store.write(lambda uow, it=integration: uow.integrations.set_secret(it.integration_id, secret))
        await (await connections.source(integration)).account()
    engine = connect(inside.bot.core.settings.database_url.get_secret_value(), read_only=True, connections=1)
    with engine.begin() as connection:
        names = set(connection.execute(select(tables.gates.c.name)).scalars())
    engine.dispose()
    assert {"qualtrics:sandbox", "qualtrics:sandbox:acme", "qualtrics:sandbox:second"} <= names
    assert all(name.startswith(("qualtrics:sandbox", "qualtrics:127.0.0.1")) for name in names)
