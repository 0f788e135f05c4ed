"""`serving` runs an application on loopback, and leaves nothing behind."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import aiohttp
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from adapters.sandbox.serving import serving


async def _hello(_: Request) -> PlainTextResponse:
    return PlainTextResponse("hello")


APP = Starlette(routes=[Route("/", _hello)])


async def _get(url: str) -> str:
    async with aiohttp.ClientSession() as session, session.get(url) as response:
        return await response.text()


async def test_two_applications_run_side_by_side_and_are_gone_afterwards() -> None:
    handler, tasks = signal.getsignal(signal.SIGINT), asyncio.all_tasks()
    async with serving(APP) as one, serving(APP) as two:
        assert one != two
        assert await _get(one) == await _get(two) == "hello"
        assert signal.getsignal(signal.SIGINT) == handler
    with pytest.raises(aiohttp.ClientConnectorError):
        await _get(one)
    assert asyncio.all_tasks() == tasks


async def test_a_given_port_is_used_and_free_again_afterwards() -> None:
    async with serving(APP) as url:
        port = int(url.rpartition(":")[2])
    async with serving(APP, port=port) as again:
        assert again == url
        assert await _get(again) == "hello"
        with pytest.raises(OSError, match="in use"):
            async with serving(APP, port=port):
                pass


async def test_an_open_idle_connection_is_closed_at_the_end() -> None:
    async with aiohttp.ClientSession() as session:
        async with serving(APP) as url, session.get(url) as response:
            assert await response.text() == "hello"
        with pytest.raises(aiohttp.ClientConnectionError):
            await session.get(url)


async def test_a_request_that_never_ends_is_cancelled() -> None:
    begun, end = asyncio.Event(), asyncio.Event()

    async def endless(_: Request) -> PlainTextResponse:
        begun.set()
        await end.wait()
        return PlainTextResponse("never")

    async with serving(Starlette(routes=[Route("/", endless)]), grace_s=0) as url:
        waiting = asyncio.create_task(_get(url))
        await begun.wait()
    assert await waiting == "Internal Server Error"


async def test_an_application_that_cannot_start_says_so_and_frees_its_port() -> None:
    @asynccontextmanager
    async def failing(_: Starlette) -> AsyncGenerator[None]:
        raise OSError("no database")
        yield

    with pytest.raises(RuntimeError, match="did not start"):
        async with serving(Starlette(lifespan=failing)):
            pass
