"""OAuth 2.0 client credentials of the simulated tenant: tokens with an end and with scopes, and refusals in OAuth's own form."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest

from adapters.sandbox.qualtrics.faults import Faults
from adapters.sandbox.qualtrics.tenant import Tenant

Opener = Callable[..., httpx.AsyncClient]

CLIENT = ("client", "secret")


@pytest.fixture
def oauth(tenant: Tenant, open_client: Opener) -> httpx.AsyncClient:
    """Asks for tokens; its client acts as the brand admin and may read surveys and users."""
    tenant.credentials.add_client(*CLIENT, tenant.users[2].user_id, scopes=("read:surveys", "read:users"))
    return open_client(tenant)


async def _ask(oauth: httpx.AsyncClient, *, scope: str = "read:surveys", grant_type: str = "client_credentials") -> httpx.Response:
    return await oauth.post("/oauth2/token", data={"grant_type": grant_type, "scope": scope}, auth=CLIENT)


async def _call(tenant: Tenant, open_client: Opener, answer: httpx.Response, path: str = "/surveys") -> httpx.Response:
    return await open_client(tenant, bearer=answer.json()["access_token"]).get(f"/API/v3{path}")


async def test_a_token_tells_its_kind_life_and_scopes_and_acts_as_its_user(
    oauth: httpx.AsyncClient, tenant: Tenant, open_client: Opener
) -> None:
    answer = await _ask(oauth, scope="read:surveys read:users")
    granted = answer.json()
    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-store")
    assert set(granted) == {"access_token", "token_type", "expires_in", "scope"}
    assert (granted["token_type"], granted["expires_in"], granted["scope"]) == ("Bearer", 3600, "read:surveys read:users")
    assert (await _call(tenant, open_client, answer, "/whoami")).json()["result"]["userId"] == tenant.users[2].user_id
    assert tenant.calls["/oauth2/token"] == 1


@pytest.mark.parametrize("authorization", ["", "Basic !", "Basic Y2xpZW50Ondyb25n", "Bearer Y2xpZW50OnNlY3JldA==", "Basic Y2xpZW50"])
async def test_an_unknown_client_is_refused(oauth: httpx.AsyncClient, authorization: str) -> None:
    answer = await oauth.post("/oauth2/token", data={"grant_type": "client_credentials"}, headers={"Authorization": authorization})
    assert (answer.status_code, answer.json()) == (401, {"error": "invalid_client"})
    assert answer.headers["WWW-Authenticate"] == "Basic"


@pytest.mark.parametrize("scope", ["", "read:distributions", "read:surveys manage:all"])
async def test_a_scope_the_client_has_not_is_refused(oauth: httpx.AsyncClient, scope: str) -> None:
    answer = await _ask(oauth, scope=scope)
    assert (answer.status_code, answer.json()) == (400, {"error": "invalid_scope"})


async def test_another_grant_is_refused(oauth: httpx.AsyncClient) -> None:
    answer = await _ask(oauth, grant_type="password")
    assert (answer.status_code, answer.json()) == (400, {"error": "unsupported_grant_type"})


async def test_the_token_endpoint_can_fail_alone(oauth: httpx.AsyncClient, tenant: Tenant) -> None:
    tenant.faults = Faults(status=503, times=1, prefix="/oauth2")
    assert (await oauth.get("/API/v3/surveys")).status_code == 200
    assert [(await _ask(oauth)).status_code for _ in range(2)] == [503, 200]


async def test_a_token_ends_when_it_said(oauth: httpx.AsyncClient, tenant: Tenant, open_client: Opener, clock: Any) -> None:
    tenant.credentials.token_seconds = 60
    answer = await _ask(oauth)
    assert answer.json()["expires_in"] == 60
    clock.advance(timedelta(seconds=59))
    assert (await _call(tenant, open_client, answer)).status_code == 200
    clock.advance(timedelta(seconds=1))
    refused = await _call(tenant, open_client, answer)
    assert (refused.status_code, refused.json()["meta"]["error"]["errorCode"]) == (401, "DCD_7")


async def test_revoked_tokens_are_refused_while_new_ones_and_api_tokens_work(
    oauth: httpx.AsyncClient, tenant: Tenant, open_client: Opener
) -> None:
    old = await _ask(oauth)
    tenant.credentials.revoke_tokens()
    assert (await _call(tenant, open_client, old)).status_code == 401
    assert (await _call(tenant, open_client, await _ask(oauth))).status_code == 200
    assert (await oauth.get("/API/v3/surveys")).status_code == 200


async def test_an_oauth_token_is_no_api_token(oauth: httpx.AsyncClient, tenant: Tenant, open_client: Opener) -> None:
    token = (await _ask(oauth)).json()["access_token"]
    assert (await open_client(tenant, token=token).get("/API/v3/surveys")).status_code == 401


async def test_a_call_outside_the_scopes_is_forbidden(oauth: httpx.AsyncClient, tenant: Tenant, open_client: Opener) -> None:
    answer = await _ask(oauth)
    statuses = {path: (await _call(tenant, open_client, answer, path)).status_code for path in ("/surveys", "/users", "/directories")}
    assert statuses == {"/surveys": 200, "/users": 403, "/directories": 403}


@pytest.mark.parametrize(("scope", "status"), [("read:subscriptions", 403), ("write:subscriptions", 200), ("manage:subscriptions", 200)])
async def test_writing_needs_another_scope_than_reading_and_managing_is_both(
    oauth: httpx.AsyncClient, tenant: Tenant, open_client: Opener, scope: str, status: int
) -> None:
    tenant.credentials.add_client(*CLIENT, tenant.users[2].user_id)
    client = open_client(tenant, bearer=(await _ask(oauth, scope=scope)).json()["access_token"])
    answer = await client.post("/API/v3/eventsubscriptions", json={"topics": "*", "publicationUrl": "https://bot.test"})
    assert answer.status_code == status
    assert (await client.get("/API/v3/eventsubscriptions")).status_code == (403 if scope.startswith("write") else 200)
