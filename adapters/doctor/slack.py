"""What Slack says to the app's tokens now: one check for each workspace, and one for Socket Mode."""

from __future__ import annotations

from collections.abc import AsyncIterator

from adapters.core import Core
from adapters.doctor.check import Check, Finding, Level
from adapters.slack.clients import Clients, make_client, make_session
from adapters.slack.oauth import INSTALL_PATH
from adapters.slack.scopes import missing_scopes
from adapters.slack.socket_mode import open_url
from adapters.slack_access import open_access, told
from bot.errors import Gone, SurveybotError, Throttled, Unauthorized, Unavailable


async def seen(core: Core) -> AsyncIterator[Check]:
    if not core.settings.slack.is_set:
        return
    by_oauth = core.settings.slack.client_id is not None
    try:
        async with open_access(core.settings.slack, core.store, core.clock, core.owner) as access:
            workspaces = await access.clients.workspaces()
            for workspace_id in workspaces:
                name = f"Slack, {workspace_id}" if by_oauth else "Slack"
                yield Check(name, *await _workspace(core, access.clients, workspace_id))
            if not workspaces:
                yield Check("Slack", Level.WARN, f"nobody has installed the app; open {INSTALL_PATH} of this bot's address")
    except SurveybotError as error:
        yield Check("Slack", Level.FAIL, _fix(core, error, ""))
    if core.settings.slack.app_token is not None:
        yield Check("Slack, Socket Mode", *await _socket_mode(core))


async def _workspace(core: Core, clients: Clients, workspace_id: str) -> Finding:
    try:
        lacking = await missing_scopes(await clients.of(workspace_id))
    except SurveybotError as error:
        return Level.FAIL, _fix(core, error, workspace_id)
    if not lacking:
        return Level.OK, f"workspace {workspace_id}, all scopes"
    by_hand = "add that under OAuth & Permissions, then install the app again"
    return Level.FAIL, f"the app lacks {', '.join(lacking)}; {by_hand if core.settings.slack.client_id is None else _again(workspace_id)}"


async def _socket_mode(core: Core) -> Finding:
    try:
        async with make_session() as session:
            await open_url(make_client(None, core.settings.slack.api_url, session), told(core.settings.slack.app_token))
    except SurveybotError as error:
        return Level.FAIL, str(error)
    return Level.OK, "Slack accepts the app token"


def _fix(core: Core, error: SurveybotError, workspace_id: str) -> str:
    match error:
        case Unauthorized() | Gone() if core.settings.slack.client_id is not None:
            return f"{error}; {_again(workspace_id)}"
        case Unauthorized():
            return f"{error}; copy SURVEYBOT_SLACK__BOT_TOKEN anew from the Slack app page, OAuth & Permissions"
        case Throttled():
            return f"{error}; wait a minute"
        case Unavailable():
            return f"{error}; does this machine reach {core.settings.slack.api_url}?"
        case _:
            return str(error)


def _again(workspace_id: str) -> str:
    return f"an administrator installs it again at {INSTALL_PATH}?team={workspace_id} of this bot's address"
