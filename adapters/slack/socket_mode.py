"""Socket Mode: Slack is heard over a connection of our own making, where nothing can call us (https://docs.slack.dev/apis/events-api/using-socket-mode)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from adapters.slack.clients import make_client, make_session
from adapters.slack.errors import fields, translated
from bot.errors import Rejected, Unauthorized


class SocketMode:
    """An open connection, which the SDK opens again whenever it breaks or Slack asks for it."""

    def __init__(self, handler: AsyncSocketModeHandler) -> None:
        self._handler = handler

    async def is_connected(self) -> bool:
        return await self._handler.client.is_connected()


@asynccontextmanager
async def connected(app: AsyncApp, app_token: str, api_url: str) -> AsyncGenerator[SocketMode]:
    """Hand what Slack says to the app. Raises Unauthorized (the app token) or Unavailable at once, where the SDK would try for ever."""
    async with make_session() as session:
        client = make_client(None, api_url, session)
        url = await open_url(client, app_token)
        handler = AsyncSocketModeHandler(app, app_token, logger=_logger(), web_client=client)
        handler.client.wss_uri = url
        try:
            await handler.connect_async()
            yield SocketMode(handler)
        finally:
            await _close(handler)


async def open_url(client: AsyncWebClient, app_token: str) -> str:
    """Ask where to connect to. Raises Unauthorized or Unavailable."""
    try:
        with translated("apps.connections.open", repeatable=True):
            return str(fields(await client.apps_connections_open(app_token=app_token))["url"])
    except (Rejected, Unauthorized) as error:
        where = "Slack app page, Basic Information, App-Level Tokens; it needs the scope connections:write, and Socket Mode enabled"
        raise Unauthorized(f"{error}: is SURVEYBOT_SLACK__APP_TOKEN right? ({where})") from error


async def _close(handler: AsyncSocketModeHandler) -> None:
    """The SDK cancels its tasks, and does not wait for them."""
    client = handler.client
    tasks = [task for task in (client.message_processor, client.current_session_monitor, client.message_receiver) if task is not None]
    await handler.close_async()
    if tasks:
        await asyncio.wait(tasks)


def _logger() -> logging.Logger:
    """What the SDK says quotes addresses that hold tickets, and messages; that something is wrong it may say."""
    logger = logging.getLogger(__name__)
    if not logger.filters:
        logger.addFilter(_without_text)
    logger.setLevel(logging.WARNING)
    return logger


def _without_text(record: logging.LogRecord) -> bool:
    record.msg, record.args, record.exc_info = "slack.socket_trouble", (), None
    return True
