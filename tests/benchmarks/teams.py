"""Messages that the bot sends in Teams of its own accord, with real tokens, to a Bot Connector on this machine in another process.

- ours: `Connector.send`, 50 at a time, and how long the event loop stood still at most.
- stock: what the SDK does for `continue_conversation`, 50 at a time, in the same way.
- idle: how long the loop of another process stood still meanwhile, where nothing is to be done: this machine does other things, too.
- at work: the most processor time that the bot took while its loop stood still; whatever else this machine does, it is not counted.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Generator, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter, process_time

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from adapters.promptness import answer_promptly
from adapters.sandbox.serving import serving
from adapters.sandbox.teams.certificate import certificate
from adapters.sandbox.teams.identity import IdentityProvider, Key
from adapters.teams.connector import Connector
from adapters.teams.registration import Cloud, Registration
from bot.gallery import gallery
from cards import teams
from tests.benchmarks.databases import Databases
from tests.benchmarks.measure import Figures, Goal, Line, fresh, medians

_APP_ID, _PASSWORD, _AT_ONCE = "11111111-2222-3333-4444-555555555555", "a-secret-of-benchmarks", 50


def lines(_databases: Databases, *, quick: bool) -> Iterator[Line]:
    ours, stock, runs = (100, 20, 1) if quick else (3000, 100, 3)
    taken = medians(runs, {"ours": lambda: fresh(_ours, ours), "stock": lambda: fresh(_stock, stock)})
    rate, baseline = taken["ours"]["rate"], taken["stock"]["rate"]
    what = "Teams, proactive sends"
    yield Line(what=what, figure=rate, unit="messages/s", goal=Goal(at_least=250))
    yield Line(
        what=what, figure=rate, unit="messages/s", baseline=f"stock SDK {baseline:.3g}", ratio=rate / baseline, goal=Goal(at_least=10)
    )
    cpu, stock_cpu = taken["ours"]["cpu_ms"], taken["stock"]["cpu_ms"]
    yield Line(what="processor time of a message", figure=cpu, unit="ms", baseline=f"stock SDK {stock_cpu:.3g}", ratio=stock_cpu / cpu)
    yield _stall("Teams, longest stall of the loop", taken["ours"], Goal(at_most=50))
    yield _stall("the same with the stock SDK", taken["stock"])


def _stall(what: str, figures: Figures, goal: Goal | None = None) -> Line:
    baseline = f"idle {figures['idle_ms']:.3g}, at work {figures['at_work_ms']:.3g}"
    return Line(what=what, figure=figures["stall_ms"], unit="ms", baseline=baseline, goal=goal)


def _ours(messages: int) -> Figures:
    return _with_microsoft(lambda registration: _send_ours(registration, messages))


def _stock(messages: int) -> Figures:
    return _with_microsoft(lambda registration: _send_stock(registration, messages))


async def _send_ours(registration: Registration, messages: int) -> Figures:
    connector, card = Connector(registration), teams.message(gallery()["new-survey"])

    async def send() -> None:
        await connector.send(registration.cloud.service_url, "a:1", card)

    try:
        return await _timed(send, messages)
    finally:
        await connector.aclose()


async def _send_stock(registration: Registration, messages: int) -> Figures:
    from botbuilder.core import CardFactory, CloudAdapterBase, MessageFactory, TurnContext
    from botbuilder.schema import ChannelAccount, ConversationAccount, ConversationReference
    from botframework.connector.auth import BotFrameworkAuthenticationFactory, PasswordServiceClientCredentialFactory

    cloud = registration.cloud
    authentication = BotFrameworkAuthenticationFactory.create(
        validate_authority=False,
        to_channel_from_bot_login_url=f"{cloud.login_url}adfs",  # MSAL asks Microsoft about any other tenant here
        to_channel_from_bot_oauth_scope=cloud.scope,
        to_bot_from_channel_token_issuer=cloud.issuer,
        oauth_url=cloud.service_url,
        to_bot_from_channel_open_id_metadata_url=cloud.openid_url,
        credential_factory=PasswordServiceClientCredentialFactory(_APP_ID, _PASSWORD),
    )
    sdk = CloudAdapterBase(authentication)
    reference = ConversationReference(
        bot=ChannelAccount(id=_APP_ID),
        user=ChannelAccount(id="1"),
        conversation=ConversationAccount(id="a:1"),
        channel_id="msteams",
        service_url=cloud.service_url,
    )
    card = teams.card(gallery()["new-survey"])

    async def turn(context: TurnContext) -> None:
        await context.send_activity(MessageFactory.attachment(CardFactory.adaptive_card(card)))

    return await _timed(lambda: sdk.continue_conversation(reference, turn, _APP_ID), messages)


async def _timed(send: Callable[[], Awaitable[object]], messages: int) -> Figures:
    left = iter(range(messages))

    async def some() -> None:
        for _ in left:
            await send()

    await send()  # what is opened once is no part of a rate
    answer_promptly()  # as `surveybot serve` does
    with _another_loop() as idle:
        begin, spent = perf_counter(), process_time()
        stalls = await _watched(asyncio.gather(*(some() for _ in range(_AT_ONCE))))
        seconds, spent = perf_counter() - begin, process_time() - spent
        idle.send("end")
        idle_ms = idle.recv()["stall_ms"]
    return {"rate": messages / seconds, "cpu_ms": spent * 1000 / messages, **stalls, "idle_ms": idle_ms}


async def _watched(work: Awaitable[object]) -> Figures:
    """How long this loop stood still at most until the work was done."""
    watch = asyncio.create_task(_longest_stall())
    await asyncio.sleep(0.01)  # it has begun
    await work
    watch.cancel()
    return await watch


async def _longest_stall() -> Figures:
    """Until it is cancelled."""
    longest = at_work = 0.0
    try:
        while True:
            before, spent = perf_counter(), process_time()
            await asyncio.sleep(0.001)
            stall = perf_counter() - before - 0.001
            longest, at_work = max(longest, stall), max(at_work, min(stall, process_time() - spent))
    except asyncio.CancelledError:
        return {"stall_ms": longest * 1000, "at_work_ms": at_work * 1000}


@contextmanager
def _another_loop() -> Generator[Connection]:
    context = get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_stand_idle, args=(there,), daemon=True)
    process.start()
    here.recv()
    yield here
    process.join()


def _stand_idle(pipe: Connection) -> None:
    async def stand_idle() -> None:
        pipe.send("begun")
        pipe.send(await _watched(asyncio.to_thread(pipe.recv)))

    asyncio.run(stand_idle())


def _with_microsoft(work: Callable[[Registration], Awaitable[Figures]]) -> Figures:
    """Run the work beside a process that plays Microsoft."""
    context = get_context("spawn")
    here, there = context.Pipe()
    with TemporaryDirectory() as folder:
        pem = certificate(Path(folder) / "server.pem")
        os.environ["REQUESTS_CA_BUNDLE"] = str(pem)
        microsoft = context.Process(target=_play_microsoft, args=(there, pem), daemon=True)
        microsoft.start()
        try:
            login, service = here.recv()
            cloud = Cloud(
                login_url=f"{login}/",
                openid_url=f"{login}/openid",
                service_hosts=frozenset({"127.0.0.1"}),
                service_url=f"{service}/",
                allows_http=True,
            )
            registration = Registration(app_id=_APP_ID, tenant_id="t", password=_PASSWORD, cloud=cloud)
            return asyncio.run(_run(work, registration))
        finally:
            here.send("end")
            microsoft.join()


async def _run(work: Callable[[Registration], Awaitable[Figures]], registration: Registration) -> Figures:
    return await work(registration)


def _play_microsoft(pipe: Connection, pem: Path) -> None:
    asyncio.run(_served(pipe, pem))


async def _served(pipe: Connection, pem: Path) -> None:
    identity = IdentityProvider(app_id=_APP_ID, password=_PASSWORD, key=Key("k1"))

    async def take(request: Request) -> Response:
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        await request.body()
        return JSONResponse({"id": "1"}) if token in identity.tokens else Response(status_code=HTTPStatus.UNAUTHORIZED)

    routes = [Route("/v3/conversations/{conversation}/activities{rest:path}", take, methods=["POST"])]
    async with serving(identity.app(), certificate=pem) as login, serving(Starlette(routes=routes)) as service:
        identity.url = login
        pipe.send((login, service))
        await asyncio.to_thread(pipe.recv)
