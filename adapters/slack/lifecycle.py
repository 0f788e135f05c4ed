"""The life of an installation as Slack tells it: which one a request is about, that it was removed, or reaches other workspaces."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from typing import Any

from slack_bolt.async_app import AsyncApp, AsyncBoltContext

from adapters.slack.clients import Clients
from bot.ports import Store

log = logging.getLogger(__name__)


def installation_of(context: AsyncBoltContext) -> str | None:
    """The organisation's id for an org-wide installation, where Slack may name no team; else the team's."""
    return context.enterprise_id if context.is_enterprise_install else context.team_id


def follow_removals(app: AsyncApp, clients: Clients, store: Store) -> None:
    @app.event("app_uninstalled")
    async def uninstalled(body: dict[str, Any], context: AsyncBoltContext) -> None:
        await _revoke(clients, store, installation_of(context), body)

    @app.event("tokens_revoked")
    async def revoked(event: dict[str, Any], body: dict[str, Any], context: AsyncBoltContext) -> None:
        if (event.get("tokens") or {}).get("bot"):  # else only people's, of which there are none
            await _revoke(clients, store, installation_of(context), body)


def follow_teams(app: AsyncApp, store: Store) -> None:
    @app.event("team_access_granted")
    @app.event("team_access_revoked")
    async def changed(context: AsyncBoltContext) -> None:
        """Read the people of the organisation anew, since it let the app into other workspaces."""
        workspace_id = installation_of(context)
        if workspace_id is not None:
            await store.write(lambda uow: uow.directory_readings.forget(workspace_id))


async def _revoke(clients: Clients, store: Store, workspace_id: str | None, body: dict[str, Any]) -> None:
    """Slack repeats, delays and mixes up events: what happened before the app was installed again is over."""
    if workspace_id is None:
        return
    at = datetime.fromtimestamp(body["event_time"], UTC) + timedelta(seconds=1)  # whole seconds, rounded down
    if await store.write(lambda uow: uow.installations.revoke(workspace_id, at)):
        log.info("slack.uninstalled", extra={"workspace": workspace_id})
    clients.changed(workspace_id)
