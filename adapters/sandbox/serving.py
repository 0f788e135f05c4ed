"""Runs an ASGI application on a loopback port inside the current event loop: `async with serving(app) as url`."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

#: The key in `scope["extensions"]` under which an application finds what `cut_connection` needs.
_TRANSPORT = "sandbox.transport"


@asynccontextmanager
async def serving(app: ASGIApp, *, port: int = 0, grace_s: float = 1.0, certificate: Path | None = None) -> AsyncGenerator[str]:
    """Serve `app` on 127.0.0.1 while the block runs and yield its URL (no slash at its end); port 0 takes a free port.

    With a `certificate`, a PEM file that holds its key as well, it is served over TLS.
    No signal handler is installed and no task is left behind; open requests get `grace_s` to finish, then they are cancelled.
    Raises OSError when the port is taken, RuntimeError when the application's lifespan fails (uvicorn logs why).
    """
    config = uvicorn.Config(app, http=_CuttableProtocol, ws="wsproto", log_config=None, access_log=False, ssl_certfile=certificate)
    config.load()
    server = uvicorn.Server(config)
    server.lifespan = config.lifespan_class(config)
    with socket.create_server(("127.0.0.1", port)) as listener:
        # asyncio does it for sockets that it opens itself; without it, a body waits 40 ms for the client to acknowledge its headers.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            await server.startup([listener])
        except SystemExit:
            raise RuntimeError("the application did not start") from None
        try:
            yield f"{'https' if certificate else 'http'}://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            await _stop(server, grace_s)


async def cut_connection(scope: Scope) -> None:
    """Close the client's connection without a word: it has sent its request and will never know what became of it."""
    transport: asyncio.Transport = scope["extensions"][_TRANSPORT]
    transport.close()
    await asyncio.sleep(0)  # one turn of the loop, in which uvicorn notices, so that it does not try to answer 500


async def _stop(server: uvicorn.Server, grace_s: float) -> None:
    """What `Server.shutdown` does, without the tenth of a second it always sleeps: a test suite starts hundreds of servers."""
    for listening in server.servers:
        listening.close()
    connections = list(server.server_state.connections)
    for connection in connections:
        if not server.config.is_ssl:
            connection.shutdown()
    if open_requests := set(server.server_state.tasks):
        _, late = await asyncio.wait(open_requests, timeout=grace_s)
        for request in late:
            request.cancel()
        await asyncio.gather(*late, return_exceptions=True)
    if server.config.is_ssl:  # to close is to wait for the client's word, which may be gone
        for connection in connections:
            connection.transport.abort()
        for _ in range(5):  # turns of the loop that it takes to take TLS down
            await asyncio.sleep(0)
    await server.lifespan.shutdown()


class _CuttableProtocol(H11Protocol):
    """HTTP as uvicorn speaks it, with the connection's transport at the application's hand."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # pyright: ignore[reportIncompatibleMethodOverride] - as uvicorn does
        super().connection_made(transport)
        served = self.app

        async def with_transport(scope: Scope, receive: Receive, send: Send) -> None:
            scope.setdefault("extensions", {})[_TRANSPORT] = transport
            await served(scope, receive, send)  # pyright: ignore[reportArgumentType] - uvicorn and starlette type ASGI differently

        self.app = with_transport
