"""A tenant is at home in one data centre; another one proxies API tokens and knows no OAuth (quirks Q6, Q15)."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from adapters.sandbox.qualtrics.server import qualtrics_app
from adapters.sandbox.qualtrics.tenant import Tenant
from adapters.sandbox.serving import serving

Opener = Callable[..., httpx.AsyncClient]

SAMPLES = Path(__file__).parents[2] / "samples" / "qualtrics" / "cambridgeeducation-qualtrics_api"


def _sample(name: str) -> Any:
    return json.loads((SAMPLES / name).read_text(encoding="utf-8"))


@pytest.fixture
def abroad(tenant: Tenant, open_client: Opener) -> httpx.AsyncClient:
    return open_client(tenant, datacenter="fra1")


async def test_a_proxied_page_names_the_better_host_and_leads_there(abroad: httpx.AsyncClient, tenant: Tenant) -> None:
    """As recorded in distribution_link_collection_pagination.json."""
    recorded = _sample("distribution_link_collection_pagination.json")[0]["body"]
    sent = tenant.surveys[0].distributions[0]
    page = (await abroad.get(f"/API/v3/distributions/{sent.distribution_id}/links?surveyId={sent.survey_id}")).json()
    assert page["meta"]["notice"] == recorded["meta"]["notice"].replace("az1", "iad1")
    written, expected = urlsplit(page["result"]["nextPage"]), urlsplit(recorded["result"]["nextPage"])
    assert (written.scheme, written.netloc) == ("https", "iad1.qualtrics.com")
    assert list(parse_qs(written.query)) == list(parse_qs(expected.query))
    assert "proxyDepth=1&proxyInfo=%7B%22proxyDepth%22%3A1%7D" in written.query


async def test_a_proxied_refusal_has_the_notice_and_one_of_the_credential_has_not(
    abroad: httpx.AsyncClient, tenant: Tenant, open_client: Opener
) -> None:
    recorded = _sample("distribution_link_collection_fetch_fail.json")[0]["body"]["meta"]
    meta = (await abroad.get("/API/v3/distributions/EMD_x/links?surveyId=SV_x")).json()["meta"]
    assert (set(meta), meta["error"]) == (set(recorded), recorded["error"])
    refused = (await open_client(tenant, token="wrong", datacenter="fra1").get("/API/v3/whoami")).json()["meta"]
    assert "notice" not in refused


async def test_at_home_nothing_is_proxied(tenant: Tenant, open_client: Opener) -> None:
    assert "notice" not in (await open_client(tenant, datacenter=tenant.datacenter).get("/API/v3/whoami")).json()["meta"]


async def test_abroad_no_oauth_token_and_no_client_is_known(tenant: Tenant, open_client: Opener, abroad: httpx.AsyncClient) -> None:
    tenant.credentials.add_client("client", "secret", tenant.users[2].user_id)
    wanted: dict[str, Any] = {
        "data": {"grant_type": "client_credentials", "scope": "read:users"},
        "auth": ("client", "secret"),
    }
    token = (await open_client(tenant).post("/oauth2/token", **wanted)).json()["access_token"]
    refused = await open_client(tenant, bearer=token, datacenter="fra1").get("/API/v3/whoami")
    assert (refused.status_code, refused.json()["meta"]["error"]["errorCode"]) == (401, "DCD_7")
    assert (await open_client(tenant, bearer=token).get("/API/v3/whoami")).status_code == 200
    answer = await abroad.post("/oauth2/token", **wanted)
    assert (answer.status_code, answer.json()) == (401, {"error": "invalid_client"})


async def test_both_data_centres_can_be_served_and_the_way_home_be_walked(tenant: Tenant) -> None:
    here, there = qualtrics_app(tenant, token="t", page_size=7), qualtrics_app(tenant, page_size=7, datacenter="fra1")
    async with serving(here) as tenant.home_url, serving(there) as away, httpx.AsyncClient(headers={"X-API-TOKEN": "t"}) as client:
        first = (await client.get(f"{away}/API/v3/surveys")).json()
        assert first["meta"]["notice"].endswith(urlsplit(tenant.home_url).netloc)
        assert first["result"]["nextPage"].startswith(tenant.home_url)
        second = (await client.get(first["result"]["nextPage"])).json()
        assert (len(second["result"]["elements"]), "notice" in second["meta"]) == (6, False)
