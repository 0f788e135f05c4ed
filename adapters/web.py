"""The bot's HTTP surface: what Slack calls, and two addresses for whoever watches over the process."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from adapters.app import Bot
from adapters.slack.inbound import routes
from bot.errors import Unavailable


def web(bot: Bot) -> Starlette:
    """The routes of a bot. They answer whether or not its jobs are scheduled in this process."""

    async def healthz(_request: Request) -> Response:
        return JSONResponse({"status": "alive"})

    async def readyz(_request: Request) -> Response:
        try:
            await bot.core.store.read(lambda uow: uow.integrations.all())
        except Unavailable:
            return JSONResponse({"status": "the database does not answer"}, status_code=503)
        return JSONResponse({"status": "ready"})

    return Starlette(routes=[*routes(bot.slack), Route("/healthz", healthz), Route("/readyz", readyz)])
