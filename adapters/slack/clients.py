"""A client for each place where the app is installed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import aiohttp
from slack_sdk.web.async_client import AsyncWebClient

from bot.errors import Gone, Unauthorized

#: The longest a call may take; the lease of a delivery must be longer (reference performance.md 7.1).
TIMEOUT_SECONDS = 10
#: Shorter, so that a connection that never came about can be told from an answer that was lost.
_CONNECT_TIMEOUT_SECONDS = 5


class Clients(Protocol):
    """Where the app is installed. A workspace id is that of the installation: a team's (`T...`), or an organisation's (`E...`)."""

    async def workspaces(self) -> Sequence[str]:
        """Return the ids of all installations that are in use."""
        ...

    async def about(self, installation_id: str | None) -> str | None:
        """Return the id of the installation that a request from Slack is about, by the one it names; None = nothing can be done there."""
        ...

    async def of(self, workspace_id: str) -> AsyncWebClient:
        """Return the client to call with now, and to keep no longer than for that.

        Raises Gone when the app is not installed there, Unauthorized when its token is dead.
        """
        ...

    @property
    def without_access(self) -> AsyncWebClient:
        """The client for what needs no token: an answer at the address that came with a request."""
        ...

    def changed(self, workspace_id: str) -> None:
        """Its installation changed: what is known of it is old."""
        ...


class OneWorkspace:
    """`Clients` of a bot whose one token is in its settings."""

    def __init__(self, workspace_id: str, client: AsyncWebClient) -> None:
        self._workspace_id = workspace_id
        self._client = client

    async def workspaces(self) -> Sequence[str]:
        return [self._workspace_id]

    async def about(self, installation_id: str | None) -> str | None:  # noqa: ARG002 - it can be no other
        return self._workspace_id

    async def of(self, workspace_id: str) -> AsyncWebClient:
        if workspace_id != self._workspace_id:
            raise Gone("the app is not installed in this workspace")
        return self._client

    @property
    def without_access(self) -> AsyncWebClient:
        return self._client

    def changed(self, workspace_id: str) -> None:
        """Its token is that of the settings."""


async def of_place(clients: Clients, workspace_id: str) -> AsyncWebClient:
    """Return the client to call with about a conversation. Unauthorized instead of Gone: it is the app that went, and not that."""
    try:
        return await clients.of(workspace_id)
    except Gone as error:
        raise Unauthorized(str(error)) from error


def is_org(workspace_id: str) -> bool:
    """Whether the installation is that of a whole organisation: some methods then want a `team_id` (reference slack.md 1)."""
    return workspace_id.startswith("E")


def make_session() -> aiohttp.ClientSession:
    """To be called in the event loop that uses it; the caller's to close."""
    return aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=TIMEOUT_SECONDS, connect=_CONNECT_TIMEOUT_SECONDS))


def make_client(token: str | None, base_url: str | None = None, session: aiohttp.ClientSession | None = None) -> AsyncWebClient:
    """Return a client that never repeats a call by itself: the SDK's default posts twice when a connection drops (performance.md 7.2).

    Without `session` it gets one of its own, which is the caller's to close: `await client.session.close()`.
    """
    return AsyncWebClient(
        token=token,
        base_url=base_url or AsyncWebClient.BASE_URL,
        timeout=TIMEOUT_SECONDS,
        session=session or make_session(),
        retry_handlers=[],
    )
