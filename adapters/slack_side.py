"""The bot's side in Slack: what it hears there and how it answers, opened and closed in order."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass

from starlette.routing import Route

from adapters.core import Core
from adapters.slack.channel import SlackChannel
from adapters.slack.clients import Clients
from adapters.slack.directory import SlackDirectory
from adapters.slack.directory_reader import DirectoryReader
from adapters.slack.inbound import routes, slack_app
from adapters.slack.oauth import INSTALL_PATH
from adapters.slack.pacing import SlackPace
from adapters.slack.scopes import missing
from adapters.slack.socket_mode import SocketMode, connected
from adapters.slack_access import open_access, told
from bot.errors import SurveybotError
from bot.ports import Store

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class SlackSide:
    clients: Clients
    channel: SlackChannel
    directory_reader: DirectoryReader
    #: What Slack, and whoever installs the app, call.
    routes: Sequence[Route]
    #: None = Slack calls.
    socket: SocketMode | None

    async def renew_tokens(self) -> None:
        """Renew what soon ends, so that nobody who clicks waits for it. What cannot be renewed is logged there."""
        for workspace_id in await self.clients.workspaces():
            with suppress(SurveybotError):
                await self.clients.of(workspace_id)

    async def trouble(self) -> str | None:
        """Why nobody is heard now."""
        return None if self.socket is None or await self.socket.is_connected() else "Slack is not connected"


@asynccontextmanager
async def open_slack(core: Core) -> AsyncGenerator[SlackSide]:
    """Raises Unauthorized or Unavailable when Slack does not know the one token, or does not answer."""
    slack = core.settings.slack
    async with AsyncExitStack() as stack:
        await _tell_missing_scopes(core.store)
        access = await stack.enter_async_context(open_access(slack, core.store, core.clock, core.owner))
        pace = SlackPace(core.gates, core.clock, sends_per_minute=60 * slack.sends_per_second)
        channel = SlackChannel(access.clients, core.store, pace, allow_guests_in_channels=slack.allow_guests_in_channels)
        app = slack_app(
            clients=access.clients,
            signing_secret=None if slack.app_token else told(slack.signing_secret),
            store=core.store,
            directory=SlackDirectory(access.clients, core.store, core.clock),
            channel=channel,
            keyring=core.settings.keyring,
            clock=core.clock,
            handle=core.handle,
        )
        yield SlackSide(
            clients=access.clients,
            channel=channel,
            directory_reader=_directory_reader(core, access.clients, pace),
            routes=[*access.routes, *([] if slack.app_token else routes(app))],
            socket=await stack.enter_async_context(connected(app, told(slack.app_token), slack.api_url)) if slack.app_token else None,
        )


def _directory_reader(core: Core, clients: Clients, pace: SlackPace) -> DirectoryReader:
    return DirectoryReader(
        clients=clients,
        store=core.store,
        pace=pace,
        readings=core.readings(),
        clock=core.clock,
    )


async def _tell_missing_scopes(store: Store) -> None:
    """An update of Surveybot may need more than was granted when it was installed."""
    for it in await store.read(lambda uow: uow.installations.all()):
        if it.revoked_at is None and (lacking := missing(it.scopes)):
            again = f"{INSTALL_PATH}?team={it.workspace_id}"
            log.warning("slack.scopes_missing", extra={"workspace": it.workspace_id, "scopes": lacking, "install_again": again})
