"""The bot's HTTP surface: what chats and Qualtrics call, and three addresses for whoever watches over the process."""

from __future__ import annotations

import socket
from types import FrameType

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from adapters import qualtrics_events
from adapters.app import Bot
from adapters.metrics import metrics_routes
from bot.errors import Unavailable

#: How long open requests may take to end after the process was told to stop.
GRACE_SECONDS = 5


def web(bot: Bot) -> Starlette:
    """The routes of a bot. They answer whether or not its jobs are scheduled in this process."""

    async def healthz(_request: Request) -> Response:
        return JSONResponse({"status": "alive"})

    async def readyz(_request: Request) -> Response:
        try:
            await bot.core.store.read(lambda uow: uow.integrations.all())
        except Unavailable:
            return JSONResponse({"status": "the database does not answer"}, status_code=503)
        if (trouble := await bot.trouble()) is not None:
            return JSONResponse({"status": trouble}, status_code=503)
        return JSONResponse({"status": "ready"})

    exports = bot.core.exports
    called = (*bot.routes, *qualtrics_events.routes(bot.core.store, bot.core.clock), *(exports.routes() if exports else ()))
    watched = (Route("/healthz", healthz), Route("/readyz", readyz), *metrics_routes(bot.core))
    return Starlette(routes=[*called, *watched])


async def serve_web(bot: Bot, listener: socket.socket) -> None:
    """Serve until Ctrl+C or SIGTERM. `listener` is closed at the end."""
    config = uvicorn.Config(web(bot), log_config=None, access_log=False, timeout_graceful_shutdown=GRACE_SECONDS)
    await _Server(config).serve([listener])


class _Server(uvicorn.Server):
    """Keeps to itself the signal that stopped it: uvicorn would raise it again, and kill the process before the bot has closed."""

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002 - uvicorn's signature
        self.force_exit, self.should_exit = self.should_exit, True
