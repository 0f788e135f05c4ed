"""The app's manifest for a host: what Slack is told about the app, made from what the code uses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from adapters.slack.inbound import PATH
from adapters.slack.oauth import REDIRECT_PATH
from adapters.slack.scopes import SCOPES
from bot.slash_commands import SLASH_COMMANDS

#: What Slack is to tell, and what for. A test holds that the app listens to these and to no others.
EVENTS: Mapping[str, str] = {
    "app_home_opened": "Draws the Home tab of the person who opened it.",
    "app_uninstalled": "Forgets the token and the people of the workspace that removed the app.",
    "tokens_revoked": "As above: Slack may tell the one, the other, or both.",
    "team_access_granted": "Reads the people of a workspace that an organisation opens to the app.",
    "team_access_revoked": "Writes no more to those whom the app does not reach any more.",
    "team_join": "Knows a new colleague at once.",
    "user_change": "Follows who left, came back, became a guest, moved to another time zone.",
}

_LONG_DESCRIPTION = """\
Qualtrics is where your organisation asks its people: engagement surveys, onboarding, quick polls. Its invitations come by e-mail, \
where they are easily missed.

*Surveybot brings them into Slack.* When a survey is sent to you, you get one direct message: what it is about, until when you can \
answer, and a button that opens it. If you have not answered, it reminds you once, a day before your link expires. The Home tab and \
`/surveys` list what is open for you.

• Only you see your surveys and your personal link: never a channel, never a colleague.
• Your answers stay in Qualtrics. Surveybot never reads them.
• `/surveys help` says what you can do, `/surveys privacy` what others can see."""


def manifest(host: str, *, socket_mode: bool = False, org: bool = False, rotation: bool = False) -> dict[str, Any]:
    """Return the manifest (https://docs.slack.dev/reference/app-manifest) for a bot that is reached at `https://{host}`.

    With Socket Mode Slack calls no URL, and none is in it. `org`: it may be installed for a whole Enterprise organisation. `rotation`: its
    tokens expire after 12 hours; once switched on for an app it cannot be switched off.
    """
    url = {} if socket_mode else {"url": f"https://{host}{PATH}"}
    redirect = {} if socket_mode else {"redirect_urls": [f"https://{host}{REDIRECT_PATH}"]}
    request_url = {f"request_{name}": value for name, value in url.items()}
    commands = [
        {"command": command.name, "description": command.does, "usage_hint": command.usage_hint, "should_escape": True, **url}
        for command in SLASH_COMMANDS.values()
    ]
    return {
        "_metadata": {"major_version": 1, "minor_version": 1},
        "display_information": {
            "name": "Surveybot",
            "description": "Your Qualtrics surveys, in time, with one button",
            "long_description": _LONG_DESCRIPTION,
        },
        "features": {
            # Read only: nobody writes into the void. Enabled: else there is no direct message.
            "app_home": {"home_tab_enabled": True, "messages_tab_enabled": True, "messages_tab_read_only_enabled": True},
            "bot_user": {"display_name": "surveybot", "always_online": True},
            "slash_commands": commands,
        },
        "oauth_config": {"scopes": _scopes(), **redirect},
        "settings": {
            "event_subscriptions": {**request_url, "bot_events": list(EVENTS)},
            "interactivity": {"is_enabled": True, **request_url},
            "org_deploy_enabled": org,
            "socket_mode_enabled": socket_mode,
            "token_rotation_enabled": rotation,
        },
    }


def _scopes() -> dict[str, list[str]]:
    """Optional ones are left out where there are none."""
    groups = {"bot": True, "bot_optional": False}
    found = {group: [scope.name for scope in SCOPES if scope.is_required is required] for group, required in groups.items()}
    return {group: names for group, names in found.items() if names}
