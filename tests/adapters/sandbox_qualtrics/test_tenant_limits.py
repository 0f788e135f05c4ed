"""The simulated brand lets through at most so many calls in any window, and says how long to wait."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
from hypothesis import given
from hypothesis import strategies as st

from adapters.sandbox.qualtrics.limits import Limits
from adapters.sandbox.qualtrics.tenant import Tenant

Opener = Callable[..., httpx.AsyncClient]


@given(
    limit=st.integers(1, 5),
    gaps=st.lists(st.integers(0, 16).map(lambda quarters: quarters / 4), max_size=60),
)
def test_no_window_holds_more_than_the_limit_and_none_is_refused_without_need(limit: int, gaps: list[float]) -> None:
    limits, now, accepted = Limits(brand=100, endpoints={"/x": limit}, window_seconds=10), 0.0, list[float]()
    for gap in gaps:
        now += gap
        recent = [at for at in accepted if at > now - 10]
        wait = limits.take("/x", now)
        assert (wait is None) == (len(recent) < limit)
        if wait is None:
            accepted.append(now)
        else:
            assert 0 <= wait - (recent[-limit] + 10 - now) < 1
    assert list(limits.accepted["/x"]) == accepted
    assert limits.refused["/x"] == len(gaps) - len(accepted)


async def test_a_call_over_an_endpoints_limit_is_refused_with_the_pause_until_the_next(
    api: httpx.AsyncClient, tenant: Tenant, clock: Any
) -> None:
    tenant.limits = Limits(endpoints={"/surveys": 2})
    await api.get("/API/v3/surveys")
    clock.advance(timedelta(seconds=20))
    await api.get("/API/v3/surveys")
    refused = await api.get("/API/v3/surveys")
    assert (refused.status_code, refused.headers["Retry-After"], "result" in refused.json()) == (429, "40", False)
    assert (await api.get("/API/v3/users")).status_code == 200
    clock.advance(timedelta(seconds=40))
    assert [(await api.get("/API/v3/surveys")).status_code for _ in range(2)] == [200, 429]
    assert tenant.limits.refused == {"/surveys": 2}


async def test_all_accounts_and_endpoints_share_the_brands_limit(api: httpx.AsyncClient, tenant: Tenant, open_client: Opener) -> None:
    tenant.credentials.add_token("omar", tenant.users[1].user_id)
    omar = open_client(tenant, token="omar")
    tenant.limits = Limits(brand=2)
    statuses = [
        (await client.get(f"/API/v3{path}")).status_code for client, path in ((api, "/users"), (omar, "/surveys"), (api, "/whoami"))
    ]
    assert statuses == [200, 200, 429]


async def test_a_refused_call_does_nothing(api: httpx.AsyncClient, tenant: Tenant) -> None:
    tenant.limits = Limits(endpoints={"/eventsubscriptions": 1})
    wanted = {"topics": "*", "publicationUrl": "https://bot.test"}
    assert [(await api.post("/API/v3/eventsubscriptions", json=wanted)).status_code for _ in range(2)] == [200, 429]
    assert len(tenant.subscriptions) == 1


async def test_a_stranger_uses_up_nothing(api: httpx.AsyncClient, tenant: Tenant, open_client: Opener) -> None:
    tenant.limits = Limits(brand=1)
    assert (await open_client(tenant, token="stranger").get("/API/v3/surveys")).status_code == 401
    assert (await api.get("/API/v3/surveys")).status_code == 200


def test_the_limits_are_qualtrics_own_unless_told_otherwise() -> None:
    """Reference 11."""
    limits, paths = Limits(), ("/distributions/{id}/history", "/distributions/{id}/links", "/eventsubscriptions", "/surveys")
    for path in paths:
        while limits.take(path, 0.0) is None:
            pass
    assert {path: len(limits.accepted[path]) for path in paths} == dict(zip(paths, (300, 500, 120, 3000 - 920), strict=True))
