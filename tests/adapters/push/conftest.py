"""The address that Qualtrics calls, over a real database, and the deliveries that were recorded."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from sqlalchemy import create_engine, select
from starlette.applications import Starlette

from adapters.qualtrics_events import path, routes
from bot.ports.records import Refresh
from store import tables
from store.unit_of_work import SqlStore
from tests.unit.core.examples import an_integration

RECORDED = json.loads(
    (Path(__file__).parents[2] / "samples" / "qualtrics" / "kyma-connector-tools" / "signed_deliveries.json").read_text("utf-8")
)["deliveries"]
KEY = "kyma4ever"
BRAND = "sapdevelopment"
FORM = "application/x-www-form-urlencoded"
#: What must never be seen outside a delivery.
CANARY = "canary"


def signature(text: str, key: str = KEY) -> str:
    return hmac.digest(key.encode(), text.encode(), hashlib.sha512).hex()


def a_message(**fields: Any) -> dict[str, Any]:
    """A completed response as of 2020, with every field."""
    return {
        "Status": "Complete",
        "SurveyID": "SV_1",
        "RecipientID": f"CGC_{CANARY}",
        "ResponseEventContext": f"{CANARY} context",
        "DistributionID": f"EMD_{CANARY}",
        "ResponseID": f"R_{CANARY}1",
        "CompletedDate": "2026-11-23 12:31:40",
        "CreatorID": f"UR_{CANARY}",
        "BrandID": BRAND,
    } | fields


def signed(text: str, key: str = KEY, **more: str) -> bytes:
    """The body of a delivery of `text`."""
    return urlencode({"Topic": f"{BRAND}.{CANARY}", "HMAC": signature(text, key), "MSG": text} | more).encode()


def delivered(key: str = KEY, **fields: Any) -> bytes:
    """The body that tells `a_message` with these fields; those that are None are left out."""
    return signed(json.dumps({name: value for name, value in a_message(**fields).items() if value is not None}), key)


@dataclass
class Endpoint:
    """Our side, asked as Qualtrics asks; time moves when a test says so."""

    store: SqlStore
    now: datetime = datetime(2026, 11, 23, 12, tzinfo=UTC)
    http: httpx.AsyncClient = field(init=False)

    def __post_init__(self) -> None:
        self.http = self.serving(self.store)

    def serving(self, store: Any, **options: Any) -> httpx.AsyncClient:
        app = Starlette(routes=routes(store, lambda: self.now, **{"patience_seconds": 30, **options}))
        return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://bot.test")

    async def post(self, body: Any, integration_id: str = "main", **headers: str) -> int:
        """Every answer is empty, whatever it says."""
        response = await self.http.post(path(integration_id), content=body, headers={"Content-Type": FORM, **headers})
        assert response.content == b""
        return response.status_code

    async def add(self, integration_id: str = "main", *keys: str, **values: Any) -> None:
        await self.store.write(lambda u: u.integrations.save(an_integration(integration_id, **values)))
        await self.store.write(lambda u: u.integrations.set_push_keys(integration_id, keys))

    async def hints(self) -> list[Refresh]:
        return list(await self.store.read(lambda u: u.refreshes.all(10_000)))

    async def hinted(self) -> dict[str, int]:
        """How often each survey was hinted at."""
        return {hint.survey_id: hint.hints for hint in await self.hints()}

    def wait(self, **span: float) -> None:
        self.now += timedelta(**span)


@pytest.fixture
async def endpoint(store: SqlStore) -> AsyncIterator[Endpoint]:
    """With the integration `main`, which knows the key of the recordings."""
    it = Endpoint(store)
    await it.add("main", KEY)
    async with it.http:
        yield it


def everything(database_url: str) -> str:
    """All that stands in the tables."""
    engine = create_engine(database_url.replace("postgresql://", "postgresql+psycopg://"))
    with engine.connect() as connection:
        rows = {table.name: connection.execute(select(table)).all() for table in tables.METADATA.sorted_tables}
    engine.dispose()
    return repr(rows)
