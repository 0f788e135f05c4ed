"""Slack's store rules about what the app asks for and how it presents itself; manifest/README.md lists all of them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from adapters.sandbox.slack.workspace import Workspace
from adapters.slack.manifest import EVENTS, manifest
from adapters.slack.scopes import REQUIRED, SCOPES, missing_scopes
from tests.adapters.slack.test_manifest import FREE_METHODS, NEEDED, SLACKS_EVENTS, called_methods, heard

MANIFEST = manifest("bot.example.org")
LISTING: dict[str, str] = MANIFEST["display_information"]


def test_rule_01_scopes_are_the_least_there_are_each_with_a_reason() -> None:
    """The reason says how the bot uses it, not what the scope is."""
    assert called_methods() - FREE_METHODS == NEEDED
    for scope in SCOPES:
        assert scope.reason.endswith(".")
        assert len(scope.reason.split()) >= 6
        assert scope.name not in scope.reason


def test_rule_02_no_restricted_or_legacy_scope_is_asked_for() -> None:
    """Nobody's messages, files or searches, nothing of administrators, and nothing in a person's own name."""
    scopes = MANIFEST["oauth_config"]["scopes"]
    assert scopes.keys() <= {"bot", "bot_optional"}
    names = {name for group in scopes.values() for name in group}
    refused = (
        r"admin.*|identity.*|search.*|read|post|client|triggers:.*|workflow\.steps:.*|files:.*|chat:write\.customize|(?!im:).*:history"
    )
    assert [name for name in names if re.fullmatch(refused, name)] == []
    assert not [name for name in REQUIRED if name.endswith(":history")]


async def test_rule_03_optional_scopes_stay_optional(client: AsyncWebClient, workspace: Workspace) -> None:
    workspace.scopes.clear()
    workspace.scopes |= REQUIRED
    assert await missing_scopes(client) == []
    workspace.scopes -= {"users:read.email"}
    assert await missing_scopes(client) == ["users:read.email"]


async def test_rule_04_only_needed_events_are_asked_for(app: AsyncApp) -> None:
    assert {event for event in SLACKS_EVENTS if await heard(app, event)} == set(MANIFEST["settings"]["event_subscriptions"]["bot_events"])
    assert all(reason.endswith(".") for reason in EVENTS.values())


def test_rule_05_the_name_is_its_own_and_the_short_description_has_ten_words_at_most() -> None:
    """No "Slack" in the name; no formatting in the description."""
    assert "slack" not in LISTING["name"].casefold()
    assert "slack" not in MANIFEST["features"]["bot_user"]["display_name"]
    assert len(LISTING["name"]) <= 35
    assert len(LISTING["description"].split()) <= 10
    assert not re.search(r"[*_~`<>]", LISTING["description"])


def test_rule_06_the_long_description_says_what_the_service_is_the_problem_and_how_it_works_in_slack() -> None:
    text = LISTING["long_description"]
    assert 175 <= len(text) <= 4000
    for said in ("Qualtrics is", "easily missed", "into Slack", "Home tab", "/surveys", "help"):
        assert said in text


def test_rule_07_every_address_is_https() -> None:
    found = list(_urls(MANIFEST))
    assert len(found) >= 3
    assert [url for url in found if not url.startswith("https://bot.example.org/")] == []
    assert "http://" not in Path("manifest/slack.json").read_text()


def _urls(value: Any) -> list[str]:
    return re.findall(r'"(https?:[^"]*)"', json.dumps(value))


@pytest.mark.parametrize("switch", ["socket_mode", "org", "rotation"])
def test_no_switch_asks_for_more(switch: str) -> None:
    assert manifest("bot.example.org", **{switch: True})["oauth_config"]["scopes"] == MANIFEST["oauth_config"]["scopes"]
