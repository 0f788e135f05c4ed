"""A simulated tenant with a stopped clock, and HTTP clients that speak to it without a network."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from adapters.sandbox.qualtrics.seed import founded
from adapters.sandbox.qualtrics.server import qualtrics_app
from adapters.sandbox.qualtrics.tenant import Tenant

TOKEN = "sandbox-token"
URL = "http://qualtrics.test"

Opener = Callable[..., httpx.AsyncClient]
Reader = Callable[..., Awaitable[list[dict[str, Any]]]]


class StoppedClock:
    """Time that moves when a test says so."""

    def __init__(self) -> None:
        self.now = datetime(2026, 7, 1, 12, 0, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def advance(self, by: timedelta) -> None:
        self.now += by


@pytest.fixture
def clock() -> StoppedClock:
    return StoppedClock()


@pytest.fixture
def tenant(clock: StoppedClock) -> Tenant:
    return founded(clock, public_url=URL)


@pytest.fixture
async def open_client() -> AsyncIterator[Opener]:
    """Opens clients of a tenant's API, with the brand admin's token, another one, or an OAuth token (`bearer`)."""
    async with AsyncExitStack() as stack:

        def opened(
            tenant: Tenant, *, page_size: int = 7, token: str = TOKEN, bearer: str | None = None, datacenter: str | None = None
        ) -> httpx.AsyncClient:
            app = qualtrics_app(tenant, token=TOKEN, page_size=page_size, datacenter=datacenter)
            headers = {"Authorization": f"Bearer {bearer}"} if bearer else {"X-API-TOKEN": token}
            client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=URL, headers=headers)
            stack.push_async_callback(client.aclose)
            return client

        yield opened


@pytest.fixture
def api(tenant: Tenant, open_client: Opener) -> httpx.AsyncClient:
    return open_client(tenant)


@pytest.fixture
def read_all(api: httpx.AsyncClient) -> Reader:
    """Every element of a list, following `nextPage`."""

    async def read(path: str, *, client: httpx.AsyncClient = api) -> list[dict[str, Any]]:
        elements: list[dict[str, Any]] = []
        url: str | None = f"/API/v3{path}"
        while url:
            result = (await client.get(url)).raise_for_status().json()["result"]
            elements += result["elements"]
            url = result["nextPage"]
        return elements

    return read
