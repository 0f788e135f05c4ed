"""What a waiting person feels: `/surveys` 200 times a second among a million invitations, idle and while a full synchronisation writes.

The bot is a process of its own: uvicorn, Bolt with its verification, and, as `surveybot serve` has it, the synchronisation of another
tenant, as fast as Qualtrics lets it: in the same process, or in a second one on the same database. Whoever types is one more process, which
also is the Slack that answers are posted to. It types on schedule, whether or not the bot keeps up, and counts from when it should have
typed. The tenant is one, too.

- acknowledged: Slack waits for that, three seconds at most. answered: the list stands in Slack.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncGenerator, Generator, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from itertools import count
from multiprocessing import get_context
from multiprocessing.connection import Connection

import uvicorn
from starlette.applications import Starlette

from adapters.promptness import answer_promptly
from adapters.qualtrics.client import QualtricsClient
from adapters.qualtrics.credentials import ApiToken
from adapters.qualtrics.pacing import DEFAULT, Pace
from adapters.slack.channel import SlackChannel
from adapters.slack.clients import OneWorkspace, make_client
from adapters.slack.directory import SlackDirectory
from adapters.slack.inbound import PATH, routes, slack_app
from adapters.slack.pacing import SlackPace
from bot.syncing.look import Progress
from bot.syncing.sync import Kind, Synchronisation
from store.gates import SqlGates
from store.unit_of_work import SqlStore
from tests.benchmarks import million, typists
from tests.benchmarks.databases import KINDS, Databases, keyring
from tests.benchmarks.measure import Figures, Goal, Line, fresh, medians
from tests.benchmarks.simulated import TOKEN, Shape, simulated
from tests.unit.core.examples import an_integration


def lines(databases: Databases, *, quick: bool) -> Iterator[Line]:
    distributions, seconds, runs = (10, 1, 1) if quick else (1000, 15, 3)
    for kind in KINDS:
        idle, *syncs = _measured(databases, kind, distributions, seconds, runs).values()
        for what in ("acknowledged", "answered"):
            yield Line(what=f"/surveys {what}, median", database=kind, figure=idle[f"{what} median"], unit="ms")
            calm = idle[f"{what} p99"]
            yield Line(what=f"/surveys {what}, p99", database=kind, figure=calm, unit="ms", goal=Goal(at_most=100))
            for where, busy in zip(("here", "in another process"), syncs, strict=True):
                p99, name, baseline = busy[f"{what} p99"], f"/surveys {what} during a sync {where}, p99", f"idle {calm:.1f} ms"
                yield Line(what=name, database=kind, figure=p99, unit="ms", goal=Goal(at_most=100))
                yield Line(what=name, database=kind, figure=p99, unit="ms", baseline=baseline, ratio=p99 / calm, goal=Goal(at_most=2))
        yield Line(what="/surveys, processor time of the bot", database=kind, figure=idle["cpu"], unit="ms")


def _measured(databases: Databases, kind: str, distributions: int, seconds: int, runs: int) -> Mapping[str, Figures]:
    """Return the figures idle, during a synchronisation in the bot's process, and during one in another process."""
    with databases.new(kind) as url, simulated(Shape(surveys=20, distributions=5, recipients=1000)) as tenant:
        fresh(million.fill, url, distributions)
        fresh(_know, url)
        with _bot(url, tenant.url) as bot, _bot(url, tenant.url) as other:
            bot.idle(seconds)  # whatever is done once is done
            ways = {"idle": partial(bot.idle, seconds), "sync": partial(bot.busy, seconds, bot), "other": partial(bot.busy, seconds, other)}
            return medians(runs, {f"commands {kind} {name}": way for name, way in ways.items()})


def _know(url: str) -> None:
    """Let the bot know who will type: else it would ask Slack."""

    async def know() -> None:
        store = SqlStore(url, keyring())
        await store.write(lambda uow: uow.members.save([million.member(number) for number in range(typists.PEOPLE)]))
        await store.close()

    asyncio.run(know())


@dataclass(frozen=True, slots=True)
class _Bot:
    """The running bot, from outside."""

    url: str
    _commands: Connection[object, object]

    def idle(self, seconds: int) -> Figures:
        before = self.ask("cpu")
        figures = fresh(typists.typed, self.url, seconds)
        return {**figures, "cpu": (self.ask("cpu") - before) / (seconds * typists.PER_S) * 1000}

    def busy(self, seconds: int, other: _Bot) -> Figures:
        """Type to this one while the other one, which may be this one, synchronises."""
        other.ask("start")
        figures = fresh(typists.typed, self.url, seconds)
        assert other.ask("stop"), "the synchronisation ended too soon"
        return figures

    def ask(self, command: str) -> float:
        self._commands.send(command)
        answer = self._commands.recv()
        assert isinstance(answer, float | int)
        return answer


@contextmanager
def _bot(url: str, tenant_url: str) -> Generator[_Bot]:
    ours, theirs = get_context("spawn").Pipe()
    process = get_context("spawn").Process(target=_serve, args=(theirs, url, tenant_url), daemon=True)
    process.start()
    theirs.close()
    try:
        bot_url = ours.recv()
        assert isinstance(bot_url, str)
        yield _Bot(bot_url, ours)
    finally:
        ours.send(None)
        process.join()


def _serve(commands: Connection[object, object], url: str, tenant_url: str) -> None:
    asyncio.run(_served(commands, url, tenant_url))


async def _served(commands: Connection[object, object], url: str, tenant_url: str) -> None:
    async with AsyncExitStack() as stack:
        store, gates = SqlStore(url, keyring()), SqlGates(url)
        stack.push_async_callback(store.close)
        stack.push_async_callback(gates.close)
        url = await stack.enter_async_context(_web(store, gates))
        answer_promptly()
        commands.send(url)
        numbers = count()
        while command := await asyncio.to_thread(commands.recv):
            if command == "cpu":
                commands.send(time.process_time())
                continue
            async with _synchronising(store, gates, tenant_url, f"tenant{os.getpid()}-{next(numbers)}") as running:
                commands.send(True)
                await asyncio.to_thread(commands.recv)
                commands.send(not running.done())


@asynccontextmanager
async def _web(store: SqlStore, gates: SqlGates) -> AsyncGenerator[str]:
    """The address that Slack calls. The bot lives at the moment of `million`."""
    client = make_client("xoxb-benchmark")
    assert client.session is not None
    async with client.session:
        clients = OneWorkspace("T1", client)
        app = slack_app(
            clients=clients,
            signing_secret=typists.SECRET,
            store=store,
            directory=SlackDirectory(clients, store, _now),
            channel=SlackChannel(clients, store, SlackPace(gates, _now, sends_per_minute=60)),
            keyring=keyring(),
            clock=_now,
        )
        server = uvicorn.Server(uvicorn.Config(Starlette(routes=routes(app)), port=0, log_config=None, access_log=False))
        serving = asyncio.create_task(server.serve())
        while not server.started:  # noqa: ASYNC110 - uvicorn sets no event
            await asyncio.sleep(0.01)
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}{PATH}"
        server.should_exit = True
        await serving


@asynccontextmanager
async def _synchronising(store: SqlStore, gates: SqlGates, tenant_url: str, name: str) -> AsyncGenerator[asyncio.Task[object]]:
    """A first full synchronisation of another tenant, once it writes invitations. It is interrupted at the end."""
    writes = asyncio.Event()

    def show(progress: Progress) -> None:
        if progress.invitations:
            writes.set()

    await store.write(lambda uow: uow.integrations.save(an_integration(name)))
    async with QualtricsClient(tenant_url, ApiToken(TOKEN), pace=Pace(gates, DEFAULT, name, name)) as source:
        reading = Synchronisation(source=source, store=store, integration_id=name, clock=lambda: datetime.now(UTC), on_progress=show)
        running = asyncio.create_task(reading.run(Kind.FULL))
        await writes.wait()
        yield running
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running


def _now() -> datetime:
    return million.NOW
