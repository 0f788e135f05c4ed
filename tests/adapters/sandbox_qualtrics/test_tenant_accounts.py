"""Every credential acts as one user, and sees and may do what that user sees and may do."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from adapters.sandbox.qualtrics.records import Permission, Survey
from adapters.sandbox.qualtrics.tenant import Tenant

Opener = Callable[..., httpx.AsyncClient]
Reader = Callable[..., Awaitable[list[dict[str, Any]]]]


@pytest.fixture
def omar(tenant: Tenant, open_client: Opener) -> httpx.AsyncClient:
    """Calls as the second user, who owns the later surveys and administers nothing."""
    tenant.credentials.add_token("omar", tenant.users[1].user_id)
    return open_client(tenant, token="omar")


@pytest.fixture
def foreign(tenant: Tenant) -> Survey:
    """A survey that is not Omar's, with a distribution."""
    return tenant.surveys[0]


async def test_whoami_answers_with_the_user_of_the_credential(omar: httpx.AsyncClient, api: httpx.AsyncClient) -> None:
    names = [(await client.get("/API/v3/whoami")).json()["result"]["firstName"] for client in (omar, api)]
    assert names == ["Omar", "Brigitte"]


async def test_who_is_no_brand_admin_lists_their_own_and_shared_surveys_only(
    omar: httpx.AsyncClient, read_all: Reader, tenant: Tenant, foreign: Survey
) -> None:
    own = {survey.survey_id for survey in tenant.surveys if survey.owner_id == tenant.users[1].user_id and not survey.deleted_at}
    assert {survey["id"] for survey in await read_all("/surveys", client=omar)} == own
    tenant.share(foreign.survey_id, tenant.users[1].user_id)
    assert {survey["id"] for survey in await read_all("/surveys", client=omar)} == own | {foreign.survey_id}
    assert len(own) < len(await read_all("/surveys"))


@pytest.mark.parametrize(
    ("path", "refusal"),
    [
        ("/surveys/{survey}", (404, "GSI_2")),
        ("/survey-definitions/{survey}", (403, "QMST_2.1")),
        ("/survey-definitions/{survey}/metadata", (403, "QMST_2.1")),
        ("/distributions?surveyId={survey}", (403, "QMST_2.1")),
        ("/distributions/{sent}?surveyId={survey}", (404, "GED_3")),
        ("/distributions/{sent}/history", (404, "GED_3")),
        ("/distributions/{sent}/links?surveyId={survey}", (404, "GED_3")),
    ],
)
async def test_somebody_elses_survey_is_refused_until_it_is_shared(
    omar: httpx.AsyncClient, tenant: Tenant, foreign: Survey, path: str, refusal: tuple[int, str]
) -> None:
    url = "/API/v3" + path.format(survey=foreign.survey_id, sent=foreign.distributions[0].distribution_id)
    refused = await omar.get(url)
    assert (refused.status_code, refused.json()["meta"]["error"]["errorCode"]) == refusal
    tenant.share(foreign.survey_id, tenant.users[1].user_id)
    assert (await omar.get(url)).status_code == 200


async def test_only_brand_admins_list_users_and_subscriptions_but_everybody_reads_themselves(
    omar: httpx.AsyncClient, api: httpx.AsyncClient, tenant: Tenant
) -> None:
    for path in ("/users", "/eventsubscriptions", f"/users/{tenant.users[0].user_id}"):
        assert ((await omar.get(f"/API/v3{path}")).status_code, (await api.get(f"/API/v3{path}")).status_code) == (403, 200)
    assert (await omar.get(f"/API/v3/users/{tenant.users[1].user_id}")).json()["result"]["firstName"] == "Omar"


PATHS: dict[Permission, str] = {
    "users": "/users",
    "surveys": "/surveys",
    "definitions": "/survey-definitions/{survey}/options",
    "distributions": "/distributions?surveyId={survey}",
    "history": "/distributions/{sent}/history",
    "links": "/distributions/{sent}/links?surveyId={survey}",
    "directories": "/directories",
    "contacts": "/directories/{directory}/contacts",
    "subscriptions": "/eventsubscriptions",
}


@pytest.mark.parametrize("denied", PATHS)
async def test_a_permission_can_be_taken_away_alone(api: httpx.AsyncClient, tenant: Tenant, foreign: Survey, denied: Permission) -> None:
    tenant.users[2].denied.add(denied)
    names = {
        "survey": foreign.survey_id,
        "sent": foreign.distributions[0].distribution_id,
        "directory": tenant.directories[0].directory_id,
    }
    statuses = {name: (await api.get(f"/API/v3{path.format(**names)}")).status_code for name, path in PATHS.items()}
    assert statuses == dict.fromkeys(PATHS, 200) | {denied: 403}


async def test_a_disabled_user_is_refused_and_listed_as_disabled(omar: httpx.AsyncClient, read_all: Reader, tenant: Tenant) -> None:
    tenant.users[1].is_disabled = True
    refused = await omar.get("/API/v3/whoami")
    assert (refused.status_code, refused.json()["meta"]["error"]["errorCode"]) == (401, "DCD_7")
    assert [user["accountStatus"] for user in await read_all("/users")] == ["active", "disabled", "active"]


async def test_a_revoked_token_is_refused_while_the_others_work(omar: httpx.AsyncClient, api: httpx.AsyncClient, tenant: Tenant) -> None:
    tenant.credentials.revoke("omar")
    assert [(await client.get("/API/v3/whoami")).status_code for client in (omar, api)] == [401, 200]
