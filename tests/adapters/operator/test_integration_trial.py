"""Before credentials are stored they are tried out: what is wrong is told with its fix, and nothing that others did meanwhile is lost."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from starlette.types import Receive, Scope, Send

from adapters.qualtrics.client import QualtricsClient
from adapters.qualtrics.credentials import ClientCredentials
from adapters.sandbox.qualtrics.credentials import SCOPES
from adapters.sandbox.qualtrics.faults import Faults
from adapters.sandbox.qualtrics.server import qualtrics_app
from adapters.sandbox.serving import serving
from adapters.trial import tried
from bot.errors import UserError
from bot.model import Integration
from bot.ports import UnitOfWork
from tests.adapters.operator.conftest import CLIENT_SECRET, OTHER, TOKEN, Desk, accounts

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("secret", "faults", "parts"),
    [
        (TOKEN + "x", {}, ("GET /API/v3/whoami answered 401", "Account Settings, Qualtrics IDs, API")),
        (TOKEN, {"status": 429}, ("answered 429", "Wait a minute, then try again.")),
        (TOKEN, {"status": 503}, ("answered 503", "Does this machine reach that host, and is it your data centre?")),
        (TOKEN, {"status": 404}, ("answered 404", "The base URL does not lead to Qualtrics' API")),
        (TOKEN, {"status": 403, "prefix": "/surveys"}, ("GET /API/v3/surveys answered 403", "the permission to see surveys")),
    ],
)
async def test_what_qualtrics_refuses_is_told_with_advice_and_not_stored(
    desk: Desk, secret: str, faults: dict[str, Any], parts: tuple[str, ...]
) -> None:
    desk.inside.tenant.faults = Faults(**faults)
    ended = await desk.add(secret=secret)
    assert (ended.code, ended.out) == (1, "")
    assert all(part in ended.err for part in parts)
    assert await desk.stored("main") is None
    assert (await desk.add("Main", "--no-test", secret=secret)).code == 0
    assert await desk.secret("main") == secret


async def test_the_scopes_an_oauth_client_lacks_are_named(desk: Desk) -> None:
    admin = accounts(desk.inside)[0].user_id
    desk.inside.tenant.credentials.add_client("client", CLIENT_SECRET, admin, SCOPES - {"read:users", "read:directories"})
    ended = await desk.add("Oauth", "--client-id", "client", secret=CLIENT_SECRET)
    assert ended.code == 1
    assert ended.err.endswith("Account Settings, OAuth Client Manager: read:directories, read:users.\n")


async def test_the_data_centre_of_an_oauth_client_is_named(desk: Desk) -> None:
    client = ClientCredentials("client", CLIENT_SECRET)
    async with serving(qualtrics_app(desk.inside.tenant, datacenter="fra1")) as url:
        away = f"{url}/API/v3/"
        with pytest.raises(UserError) as refused:
            await tried(QualtricsClient(away, client), away, client, ("http://127.0.0.1:1/API/v3/", away, desk.base_url))
    assert str(refused.value).endswith(f"\nThe OAuth client belongs to another data centre: --base-url {desk.base_url}")


@pytest.mark.parametrize(("path", "code", "sentence"), [("/surveys", 1, "the permission to see surveys"), ("/users", 0, "may not list")])
async def test_a_401_to_one_call_only_is_a_matter_of_permissions(desk: Desk, path: str, code: int, sentence: str) -> None:
    desk.inside.tenant.faults = Faults(status=401, prefix=path)
    ended = await desk.add("Oauth", "--client-id", "client", secret=CLIENT_SECRET)
    assert ended.code == code
    assert sentence in ended.out + ended.err
    assert "data centre" not in ended.err


async def test_a_429_of_the_token_endpoint_holds_the_next_command_back(desk: Desk) -> None:
    desk.inside.tenant.faults = Faults(status=429, retry_after=99_999, prefix="/oauth2")
    first = await desk.add("Oauth", "--client-id", "client", secret=CLIENT_SECRET)
    asked = desk.inside.tenant.calls["/oauth2/token"]
    again = await desk.add("Oauth", "--client-id", "client", secret=CLIENT_SECRET)
    for ended in (first, again):
        assert ended.err.startswith("Nothing was asked: the limit of the whole brand is closed until ")
        assert re.search(r"\nWait 3[56]\d\d s, then try again\.\n$", ended.err)
    assert desk.inside.tenant.calls["/oauth2/token"] == asked == 1


async def test_what_others_change_while_qualtrics_is_asked_stays(desk: Desk) -> None:
    app = qualtrics_app(desk.inside.tenant)

    def others(uow: UnitOfWork) -> None:
        stored = uow.integrations.get("main")
        assert stored is not None
        uow.integrations.change(stored, replace(stored, timeout_seconds=stored.timeout_seconds + 1))
        uow.integrations.set_paused("main", is_paused=True)

    async def meanwhile(scope: Scope, receive: Receive, send: Send) -> None:
        if scope.get("path") == "/API/v3/whoami":
            await desk.change(others)
        await app(scope, receive, send)

    await desk.add("Main", "--timeout-seconds", "7")
    async with serving(meanwhile) as url:
        moved = await desk.integration("set", "main", "--base-url", f"{url}/API/v3/", "--name", "Moved")
        desk.shell.set({"SURVEYBOT_SECRET": CLIENT_SECRET})
        await desk.change(lambda uow: uow.integrations.set_paused("main", is_paused=False))
        renewed = await desk.integration("secret", "main", "--client-id", "client")
    assert (moved.code, renewed.code) == (0, 0)
    assert await desk.stored("main") == Integration(
        integration_id="main",
        name="Moved",
        base_url=f"{url}/API/v3/",
        client_id="client",
        timeout_seconds=9,
        is_paused=True,
        brand_id="sandbox",
    )


async def test_what_is_added_or_removed_while_qualtrics_is_asked_is_not_overwritten(desk: Desk) -> None:
    app = qualtrics_app(desk.inside.tenant)
    other = Integration(integration_id="main", name="Main", base_url="http://127.0.0.1:1/API/v3/")

    async def meanwhile(scope: Scope, receive: Receive, send: Send) -> None:
        if scope.get("path") == "/API/v3/whoami":
            is_there = await desk.stored("main")
            await desk.change(lambda uow: uow.integrations.remove("main", 9) if is_there else uow.integrations.save(other))
        await app(scope, receive, send)

    async with serving(meanwhile) as url:
        desk.shell.set({"SURVEYBOT_SECRET": TOKEN})
        added = await desk.integration("add", "Main", "--base-url", f"{url}/API/v3/")
        assert await desk.stored("main") == other
        changed = await desk.integration("set", "main", "--base-url", f"{url}/API/v3/", "--name", "Moved")
        assert changed.code == 0, "without a secret nothing is asked"
        gone = await desk.integration("secret", "main")
    assert added.err.startswith("There is an integration main already")
    assert (gone.code, gone.err) == (1, "main was removed meanwhile.\n")
    assert await desk.stored("main") is None


async def test_credentials_of_another_brand_do_not_take_over_what_was_read(desk: Desk) -> None:
    await desk.add()

    def of_another(uow: UnitOfWork) -> None:
        uow.integrations.set_brand("main", "other")
        uow.integrations.set_baseline("main", NOW)

    await desk.change(of_another)
    before = await desk.stored("main")
    desk.shell.set({"SURVEYBOT_SECRET": OTHER})
    for command in (["secret", "main"], ["test", "main"]):
        ended = await desk.integration(*command)
        assert (ended.code, ended.out) == (1, "")
        assert ended.err == (
            "These credentials are of the brand sandbox, and what is stored of main is of other: "
            "`surveybot integration add` adds another integration.\n"
        )
    assert (await desk.stored("main"), await desk.secret("main")) == (before, TOKEN)
    assert (await desk.integration("set", "main", "--base-url", "http://127.0.0.1:1/API/v3/", "--no-test")).code == 0
    kept = await desk.stored("main")
    assert kept is not None
    assert kept.brand_id == "other", "what is stored is still its"


async def test_the_brand_at_a_new_base_url_is_not_known_until_it_was_asked(desk: Desk) -> None:
    await desk.add()
    await desk.integration("set", "main", "--base-url", "http://127.0.0.1:1/API/v3/", "--no-test")
    moved = await desk.stored("main")
    assert moved is not None
    assert moved.brand_id is None


async def test_an_account_that_may_do_less_is_told_what_it_may(desk: Desk) -> None:
    accounts(desk.inside)[1].denied.add("users")
    ended = await desk.add(secret=OTHER)
    assert ended.code == 0
    assert "  may not list the brand's users: a Brand Admin's credentials may\n" in ended.out
    assert "same account" not in ended.out


async def test_a_wrong_data_centre_is_named_with_the_right_one(desk: Desk) -> None:
    async with serving(qualtrics_app(desk.inside.tenant, datacenter="fra1")) as url:
        desk.shell.set({"SURVEYBOT_SECRET": TOKEN})
        proxied = await desk.integration("add", "Main", "--base-url", f"{url}/API/v3/")
        assert proxied.code == 0
        assert "this is not the brand's data centre; `--base-url https://iad1.qualtrics.com/API/v3/` is faster\n" in proxied.out
        desk.shell.set({"SURVEYBOT_SECRET": CLIENT_SECRET})
        refused = await desk.integration("add", "Oauth", "--client-id", "client", "--base-url", f"{url}/API/v3/")
    assert refused.code == 1
    assert "belongs to a brand at another data centre" in refused.err


async def test_a_new_base_url_is_tried_out_first(desk: Desk) -> None:
    await desk.add()
    nowhere = "http://127.0.0.1:1/API/v3/"
    refused = await desk.integration("set", "main", "--base-url", nowhere)
    assert refused.code == 1
    assert "Does this machine reach that host" in refused.err
    kept = await desk.stored("main")
    assert (await desk.integration("set", "main", "--base-url", nowhere, "--no-test")).code == 0
    moved = await desk.stored("main")
    assert kept is not None
    assert moved is not None
    assert (kept.base_url, moved.base_url) == (desk.base_url, nowhere)
