"""People who type `/surveys` on schedule, whether or not the bot keeps up, and the Slack that the answers are posted to."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import statistics
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from random import Random
from urllib.parse import urlencode

import aiohttp
from aiohttp import web

from tests.benchmarks.measure import Figures

PER_S = 200
PEOPLE = 300
SECRET = "a-signing-secret"
_PATIENCE_S = 60


def typed(bot_url: str, seconds: int) -> Figures:
    """Type for so long. In milliseconds since a command was to be typed: the medians and p99 of its acknowledgement and its answer."""
    return asyncio.run(_typed(bot_url, seconds * PER_S))


@dataclass(slots=True)
class _Slack:
    """When what happened, by the number of the command; in seconds of `perf_counter`."""

    expected: int
    typed: dict[int, float] = field(default_factory=dict[int, float])
    acknowledged: dict[int, float] = field(default_factory=dict[int, float])
    answered: dict[int, float] = field(default_factory=dict[int, float])
    all_answered: asyncio.Event = field(default_factory=asyncio.Event)

    async def take(self, request: web.Request) -> web.Response:
        self.answered[int(request.match_info["number"])] = time.perf_counter()
        message = await request.json()
        assert message["text"].startswith("My active surveys"), message["text"]
        if len(self.answered) == self.expected:
            self.all_answered.set()
        return web.Response(text="ok")

    def figures(self, what: str, at: dict[int, float]) -> Figures:
        taken = [(at[number] - start) * 1000 for number, start in self.typed.items()]
        return {f"{what} median": statistics.median(taken), f"{what} p99": statistics.quantiles(taken, n=100)[98]}


async def _typed(bot_url: str, number: int) -> Figures:
    slack, random = _Slack(number), Random(7)
    async with _serving(slack) as url, aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        start = time.perf_counter() + 0.1
        async with asyncio.timeout(number / PER_S + _PATIENCE_S), asyncio.TaskGroup() as group:
            for each in range(number):
                slack.typed[each] = start + each / PER_S
                await asyncio.sleep(slack.typed[each] - time.perf_counter())
                group.create_task(_command(session, bot_url, slack, each, _fields(random.randrange(PEOPLE), f"{url}/{each}")))
            await slack.all_answered.wait()
    return {**slack.figures("acknowledged", slack.acknowledged), **slack.figures("answered", slack.answered)}


async def _command(session: aiohttp.ClientSession, bot_url: str, slack: _Slack, number: int, body: str) -> None:
    at = str(int(time.time()))
    signature = hmac.digest(SECRET.encode(), f"v0:{at}:{body}".encode(), hashlib.sha256).hex()
    headers = {
        "Content-Type": "application/x-www-form-urlencoded",
        "X-Slack-Request-Timestamp": at,
        "X-Slack-Signature": f"v0={signature}",
    }
    async with session.post(bot_url, data=body, headers=headers) as answer:
        assert (answer.status, await answer.text()) == (200, "")
    slack.acknowledged[number] = time.perf_counter()


def _fields(user: int, response_url: str) -> str:
    """What Slack sends (https://docs.slack.dev/interactivity/implementing-slash-commands)."""
    who = {"team_id": "T1", "team_domain": "acme", "user_id": f"U{user}", "user_name": f"person{user}", "api_app_id": "A1"}
    where = {"channel_id": "C1", "channel_name": "general", "is_enterprise_install": "false", "response_url": response_url}
    return urlencode({"token": "old", "command": "/surveys", "text": "", "trigger_id": "1.2.3", **who, **where})


@asynccontextmanager
async def _serving(slack: _Slack) -> AsyncGenerator[str]:
    app = web.Application()
    app.router.add_post("/response/{number}", slack.take)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}/response"
    await runner.cleanup()
