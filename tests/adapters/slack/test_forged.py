"""A thousand requests that are not Slack's, and genuine ones sent again: nothing comes of them."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from random import Random

import httpx
import pytest
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient
from sqlalchemy import create_engine, func, select
from starlette.applications import Starlette

from adapters.logs import QUIET
from adapters.sandbox.slack.workspace import Workspace
from adapters.slack.inbound import PATH, routes
from store import tables
from tests.adapters.slack.conftest import SECRET, TOKEN, settled
from tests.adapters.slack.forging import Attempt, Forger

REFUSALS = {400, 401, 404, 405, 413}


@pytest.fixture
async def http(app: AsyncApp) -> AsyncIterator[httpx.AsyncClient]:
    """Exceptions that leave the app are answers with status 500, as a server would make of them."""
    transport = httpx.ASGITransport(Starlette(routes=routes(app)), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://bot") as client:
        yield client


@pytest.fixture
def forger(workspace: Workspace, client: AsyncWebClient) -> Forger:
    """Slack is up before response URLs are made."""
    response_url = workspace.new_response_url("U0ANA", "C0GENERAL", None)
    workspace.response_urls[response_url.rpartition("/")[2]].uses_left = 1000
    return Forger(random=Random(4), secret=SECRET, now=int(time.time()), response_url=response_url)


async def send(http: httpx.AsyncClient, attempt: Attempt) -> int:
    headers = [(name.encode(), value.encode("utf-8")) for name, value in attempt.headers.items()]
    answer = await http.request(attempt.method, PATH, content=attempt.body, headers=headers)
    return answer.status_code


def rows(database_url: str) -> Mapping[str, int]:
    engine = create_engine(database_url)
    with engine.connect() as connection:
        counted = {
            name: connection.execute(select(func.count()).select_from(table)).scalar_one() for name, table in tables.METADATA.tables.items()
        }
    engine.dispose()
    return counted


async def test_a_thousand_forged_requests_are_all_refused_and_leave_nothing(
    http: httpx.AsyncClient, forger: Forger, workspace: Workspace, database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    """No call to Slack, no row in any table, no server error, and neither a secret nor a body in the log."""
    caplog.set_level(logging.DEBUG)
    for name, level in QUIET.items():
        caplog.set_level(level, name)
    before = rows(database_url)
    answers = {(attempt.what, number): await send(http, attempt) for number, attempt in enumerate(forger.forged() for _ in range(1000))}
    await settled()
    assert {what: status for (what, _), status in answers.items() if status not in REFUSALS} == {}
    assert len(Counter(answers.values())) >= 4, "the forger has gone stale"
    assert (workspace.journal, workspace.homes) == ([], {})
    assert rows(database_url) == before
    for secret in (SECRET, TOKEN, forger.response_url):
        assert secret not in caplog.text


async def test_a_genuine_request_that_is_sent_again_has_its_effect_once(
    http: httpx.AsyncClient, forger: Forger, workspace: Workspace, surveys: None
) -> None:
    """Ana opened her Home tab a number of times; whoever recorded that opens it no more."""
    genuine = [forger.genuine() for _ in range(30)]
    assert {await send(http, attempt) for attempt in genuine} == {200}
    await settled()
    calls = len(workspace.journal)
    assert {await send(http, attempt) for attempt in genuine for _ in range(5)} == {200}
    await settled()
    assert len(workspace.journal) == calls
