"""The app's manifest asks Slack for what the code uses, and for nothing else."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import adapters.slack
from adapters.slack.inbound import COMMAND, PATH

MANIFEST: dict[str, Any] = json.loads(Path("manifest/slack.json").read_text())
SOURCE = "".join(path.read_text() for path in Path(adapters.slack.__path__[0]).glob("*.py"))
#: The scope each method needs: https://docs.slack.dev/reference/methods
SCOPES = {
    "auth_test": None,
    "chat_postMessage": "chat:write",
    "conversations_open": "im:write",
    "users_info": "users:read",
    "users_list": "users:read",
    "views_publish": None,
}


def test_scopes_are_those_of_the_methods_called() -> None:
    called = set(re.findall(r"client\.([a-z]+_\w+)\(", SOURCE))
    assert called == SCOPES.keys()
    # `commands` for /surveys; the e-mail address in what users:read returns has a scope of its own.
    assert set(MANIFEST["oauth_config"]["scopes"]["bot"]) == {*filter(None, SCOPES.values()), "commands", "users:read.email"}


def test_events_are_those_listened_to() -> None:
    assert MANIFEST["settings"]["event_subscriptions"]["bot_events"] == re.findall(r'@app\.event\("(\w+)"\)', SOURCE)


def test_every_request_comes_to_the_one_url() -> None:
    (command,) = MANIFEST["features"]["slash_commands"]
    assert (command["command"], command["should_escape"]) == (COMMAND, True)
    settings = MANIFEST["settings"]
    urls = {command["url"], settings["interactivity"]["request_url"], settings["event_subscriptions"]["request_url"]}
    assert urls == {f"https://HOST{PATH}"}


def test_people_see_the_home_tab_and_the_messages_but_cannot_write_into_the_void() -> None:
    home = MANIFEST["features"]["app_home"]
    assert home == {"home_tab_enabled": True, "messages_tab_enabled": True, "messages_tab_read_only_enabled": True}
