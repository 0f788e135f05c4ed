"""The two addresses for whoever watches over the process."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
from sqlalchemy import make_url

from adapters.sandbox.demo import Sandbox
from tests.adapters.conftest import on_both_databases
from tests.postgres import Postgres


@pytest.mark.parametrize(("path", "status", "body"), [("/healthz", 200, {"status": "alive"}), ("/readyz", 200, {"status": "ready"})])
async def test_a_sound_bot_is_alive_and_ready(inside: Sandbox, path: str, status: int, body: dict[str, str]) -> None:
    async with httpx.AsyncClient(base_url=inside.bot_url) as client:
        answer = await client.get(path)
    assert (answer.status_code, answer.json()) == (status, body)


@on_both_databases
async def test_without_its_database_a_bot_is_alive_and_not_ready(inside: Sandbox, request: pytest.FixtureRequest) -> None:
    async with httpx.AsyncClient(base_url=inside.bot_url) as client:
        assert (await client.get("/readyz")).status_code == 200
        _take_away(inside, request)
        answer = await client.get("/readyz")
        assert (answer.status_code, answer.json()) == (503, {"status": "the database does not answer"})
        assert (await client.get("/healthz")).status_code == 200


@pytest.mark.parametrize("path", ["/", "/sandbox/do", "/API/v3/surveys"])
async def test_there_is_nothing_else(inside: Sandbox, path: str) -> None:
    async with httpx.AsyncClient(base_url=inside.bot_url) as client:
        assert (await client.get(path)).status_code == 404
        assert (await client.get("/slack/events")).status_code == 405


def _take_away(inside: Sandbox, request: pytest.FixtureRequest) -> None:
    url = make_url(inside.bot.core.settings.database_url.get_secret_value())
    assert url.database is not None
    if url.drivername == "sqlite":
        inside.bot.core.store._reading.dispose()  # an open file outlives its name
        Path(url.database).unlink()
    else:
        postgres: Postgres = request.getfixturevalue("postgres")
        postgres.run(
            f"ALTER DATABASE {url.database} ALLOW_CONNECTIONS false",
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname LIKE 'test_%'",
        )
