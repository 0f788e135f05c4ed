"""Tokens are renewed once, whoever asks; what cannot be renewed stops its own workspace alone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import timedelta
from typing import TypeVar

import pytest
from slack_sdk.oauth.installation_store import Bot
from slack_sdk.oauth.token_rotation.async_rotator import AsyncTokenRotator

from adapters.core import utc_now
from adapters.sandbox.serving import serving
from adapters.sandbox.slack.faults import Status
from adapters.sandbox.slack.server import slack_app
from adapters.sandbox.slack.workspace import Workspace
from adapters.slack.clients import make_client, make_session
from adapters.slack.installed import InstalledWorkspaces
from adapters.slack.renewal import Renewal
from bot.errors import Unauthorized, Unavailable
from bot.installations import Installation, Tokens
from bot.ports import UnitOfWork
from store.encryption import Keyring
from store.unit_of_work import SqlStore
from tests.contract.store.examples import NOW

T = TypeVar("T")
Process = Callable[[str], InstalledWorkspaces]


@pytest.fixture
def workspace() -> Workspace:
    workspace = Workspace(clock=utc_now, bot_token=None, signing_secret="unused")
    workspace.platform.app.is_rotating = True
    return workspace


@pytest.fixture
async def start(workspace: Workspace, database_url: str, keyring: Keyring) -> AsyncIterator[Process]:
    """Each is a process of its own as far as the database can tell."""
    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(serving(slack_app(workspace)))
        session = await stack.enter_async_context(make_session())

        def start_one(owner: str) -> InstalledWorkspaces:
            store = SqlStore(database_url, keyring)
            stack.push_async_callback(store.close)
            client, app = make_client(None, f"{url}/api/", session), workspace.platform.app
            rotator = AsyncTokenRotator(client_id=app.client_id, client_secret=app.client_secret, client=client)
            return InstalledWorkspaces(store, Renewal(store=store, clock=utc_now, owner=owner, rotator=rotator), client, utc_now)

        yield start_one


async def installed(store: SqlStore, workspace: Workspace, left: timedelta) -> Tokens:
    """Install the app, with so much of the token's life left."""
    token = workspace.platform.install(workspace.team_id, {"chat:write"})
    tokens = Tokens(access=token.value, refresh=token.refresh_value, expires_at=utc_now() + left)
    installation = Installation(
        workspace_id=workspace.team_id,
        name=workspace.team_name,
        scopes=frozenset({"chat:write"}),
        installed_at=NOW,
    )
    await store.write(lambda uow: uow.installations.save(installation, tokens))
    return tokens


def renewals(workspace: Workspace) -> int:
    return sum(call.method == "oauth.v2.access" for call in workspace.journal)


@pytest.mark.parametrize("left", [timedelta(minutes=30), timedelta(seconds=-1)], ids=["soon over", "over"])
async def test_many_askers_in_two_processes_renew_once_and_all_get_a_token_that_works(
    start: Process, store: SqlStore, workspace: Workspace, left: timedelta
) -> None:
    old = await installed(store, workspace, left)
    processes = start("one"), start("two")
    clients = await asyncio.gather(*(process.of("T0ACME") for process in processes for _ in range(5)))
    assert renewals(workspace) == 1
    for client in clients:
        assert (await client.auth_test())["ok"]
    new = await store.read(lambda uow: uow.installations.tokens("T0ACME"))
    assert new is not None
    assert new.access != old.access
    assert (await start("three").of("T0ACME")).token == new.access
    assert renewals(workspace) == 1


async def test_a_spent_refresh_token_ends_its_workspace_once_the_token_is_over_and_nobody_asks_again(
    start: Process, store: SqlStore, workspace: Workspace
) -> None:
    tokens = replace(await installed(store, workspace, timedelta(minutes=30)), refresh="xoxe-1-spent")
    await store.write(lambda uow: uow.installations.renew("T0ACME", tokens))
    process = start("one")
    assert (await process.of("T0ACME")).token == tokens.access
    it = await store.read(lambda uow: uow.installations.get("T0ACME"))
    assert it is not None
    assert it.broken_at is not None

    over = replace(tokens, expires_at=utc_now() - timedelta(seconds=1))
    await store.write(lambda uow: (uow.installations.renew("T0ACME", over), uow.installations.set_broken("T0ACME", NOW)))
    process.changed("T0ACME")
    with pytest.raises(Unauthorized, match="must be installed there again"):
        await process.of("T0ACME")
    assert await process.about("T0ACME") is None
    assert renewals(workspace) == 1


async def test_while_slack_is_down_an_old_token_serves_and_then_it_is_renewed(
    start: Process, store: SqlStore, workspace: Workspace
) -> None:
    old = await installed(store, workspace, timedelta(minutes=30))
    workspace.faults.add(Status(503), method="oauth.v2.access", times=None)
    process = start("one")
    assert [(await process.of("T0ACME")).token for _ in range(3)] == [old.access] * 3
    assert renewals(workspace) == 1, "not at every call"
    over = replace(old, expires_at=utc_now() - timedelta(seconds=1))
    await store.write(lambda uow: uow.installations.renew("T0ACME", over))
    process.changed("T0ACME")
    with pytest.raises(Unavailable):
        await process.of("T0ACME")
    workspace.faults.clear()
    assert (await process.of("T0ACME")).token != old.access


async def test_a_wrong_client_secret_is_the_operators_and_breaks_no_installation(
    start: Process, store: SqlStore, workspace: Workspace
) -> None:
    await installed(store, workspace, timedelta(seconds=-1))
    process = start("one")
    workspace.platform.app.client_secret, right = "another", workspace.platform.app.client_secret
    with pytest.raises(Unauthorized, match="SURVEYBOT_SLACK__CLIENT_SECRET"):
        await process.of("T0ACME")
    workspace.platform.app.client_secret = right
    assert (await process.of("T0ACME")).token


async def test_tokens_of_an_installation_made_during_a_renewal_stay(store: SqlStore, workspace: Workspace, start: Process) -> None:
    old = await installed(store, workspace, timedelta(minutes=30))
    fresh = Tokens(access="xoxe.xoxb-installed-again", refresh="xoxe-1-again", expires_at=utc_now() + timedelta(hours=12))
    process = start("one")
    rotator = process._renewal.rotator

    class Slow(AsyncTokenRotator):
        async def perform_bot_token_rotation(self, *, bot: Bot, minutes_before_expiration: int = 120) -> Bot | None:
            renewed = await rotator.perform_bot_token_rotation(bot=bot, minutes_before_expiration=minutes_before_expiration)
            await store.write(lambda uow: uow.installations.renew("T0ACME", fresh))
            return renewed

    process._renewal.rotator = Slow(client_id="", client_secret="")
    assert (await process.of("T0ACME")).token == fresh.access != old.access
    stored = await store.read(lambda uow: uow.installations.tokens("T0ACME"))
    assert stored is not None
    assert stored.access == fresh.access


async def test_tokens_that_could_not_be_kept_at_first_are_kept_though_another_process_met_a_refusal_meanwhile(
    store: SqlStore, workspace: Workspace, start: Process
) -> None:
    """The old refresh token is spent: what Slack refuses then is not the installation."""
    old = await installed(store, workspace, timedelta(minutes=30))
    first, second = start("one"), start("two")
    write, failures = first._renewal.store.write, 1

    async def fail_once(work: Callable[[UnitOfWork], T]) -> T:
        nonlocal failures
        if renewals(workspace) and failures:
            failures -= 1
            raise Unavailable("the database cannot answer now")
        return await write(work)

    first._renewal.store.write = fail_once  # type: ignore[method-assign]
    for process in (first, second):
        assert (await process.of("T0ACME")).token == old.access
    assert renewals(workspace) == 2
    first.changed("T0ACME")  # as the seconds would
    new = await first.of("T0ACME")
    assert new.token != old.access
    assert (await new.auth_test())["ok"]
    it = await store.read(lambda uow: uow.installations.get("T0ACME"))
    assert it is not None
    assert it.broken_at is None
