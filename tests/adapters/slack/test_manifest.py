"""The app's manifest asks Slack for what the code uses, and for nothing else; Slack's own types take it."""

from __future__ import annotations

import ast
import itertools
import json
import re
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator
from slack_bolt.async_app import AsyncApp, AsyncBoltRequest
from slack_bolt.response import BoltResponse
from slack_sdk.web.async_client import AsyncWebClient
from typer.testing import CliRunner

from adapters.cli import cli
from adapters.sandbox.slack.web_api import scope_of
from adapters.slack.inbound import PATH
from adapters.slack.manifest import EVENTS, manifest
from adapters.slack.scopes import FREE_METHODS, SCOPES
from bot.slash_commands import SLASH_COMMANDS

SCHEMA: dict[str, Any] = json.loads(Path("tests/samples/slack/manifest.schema.json").read_text())
VALIDATOR = Draft7Validator(SCHEMA)
SLACKS_EVENTS: list[str] = SCHEMA["definitions"]["ManifestEvent"]["enum"]
EXAMPLE = manifest("HOST")
NEEDED = {method for scope in SCOPES for method in scope.methods}


def called_methods() -> set[str]:
    """Every Web API method that the product's code names, by the SDK's function for it or as a string."""
    functions = {name for name in dir(AsyncWebClient) if re.fullmatch(r"(?!api_)[a-z]+_[a-zA-Z0-9_]+", name)}
    found: set[str] = set()
    for path in Path("adapters").rglob("*.py"):
        if "sandbox" not in path.parts:
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Attribute) and node.attr in functions:
                    found.add(node.attr.replace("_", "."))
                if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "api_call":
                    found.add(ast.literal_eval(node.args[0]))
    return found


async def heard(app: AsyncApp, event: str) -> bool:
    body = {"type": "event_callback", "team_id": "T0ACME", "event": {"type": event, "user": "U0ANA"}}
    request = AsyncBoltRequest(body=body, mode="socket_mode")
    return any([await listener.async_matches(req=request, resp=BoltResponse(status=200)) for listener in app._async_listeners])


@pytest.mark.parametrize("switches", list(itertools.product((False, True), repeat=3)), ids=str)
def test_slacks_types_take_every_manifest(switches: tuple[bool, bool, bool]) -> None:
    socket_mode, org, rotation = switches
    made = manifest("bot.example.org", socket_mode=socket_mode, org=org, rotation=rotation)
    assert [error.message for error in VALIDATOR.iter_errors(made)] == []
    settings = made["settings"]
    assert (settings["socket_mode_enabled"], settings["org_deploy_enabled"], settings["token_rotation_enabled"]) == switches
    assert ("https://bot.example.org" in json.dumps(made)) is not socket_mode


@pytest.mark.parametrize(
    ("path", "wrong"),
    [
        ("display_information.name", "x" * 36),
        ("display_information.description", "x" * 141),
        ("display_information.long_description", "too short"),
        ("display_information.longdescription", "misspelt"),
        ("feature", {}),
        ("features.slash_commands", []),
        ("features.bot_user.display_name", "Survey Bot"),
        ("oauth_config.scopes.bot", ["chat:wrte"]),
        ("settings.event_subscriptions.bot_events", ["app_home_openned"]),
        ("settings.interactivity.request_url", "http://bot.example.org/slack/events"),
        ("settings.socket_mode_enabled", "no"),
    ],
)
def test_slacks_types_refuse_a_wrong_one(path: str, wrong: object) -> None:
    broken = json.loads(json.dumps(EXAMPLE))
    *parents, name = path.split(".")
    place = broken
    for parent in parents:
        place = place[parent]
    place[name] = wrong
    assert not VALIDATOR.is_valid(broken)


def test_the_example_in_the_repository_is_what_the_command_prints() -> None:
    printed = CliRunner().invoke(cli, ["manifest", "slack", "--host", "HOST"])
    assert printed.exit_code == 0
    assert Path("manifest/slack.json").read_text() == printed.output
    assert json.loads(printed.output) == EXAMPLE


@pytest.mark.parametrize("host", ["", "https://bot.example.org", "bot.example.org/", "bot example", 'x","y', "bot..org"])
def test_the_command_takes_host_names_alone(host: str) -> None:
    assert CliRunner().invoke(cli, ["manifest", "slack", "--host", host]).exit_code == 2


def test_every_method_called_has_its_scope_and_every_scope_is_used() -> None:
    called = called_methods()
    assert called - FREE_METHODS == NEEDED
    assert called & FREE_METHODS == FREE_METHODS
    idle = [scope.name for scope in SCOPES if not scope.methods and not scope.events]
    assert idle == ["commands"]


@pytest.mark.parametrize("method", sorted(NEEDED | FREE_METHODS))
def test_the_simulated_slack_asks_for_the_same_scopes(method: str) -> None:
    scopes = {scope.name for scope in SCOPES if method in scope.methods} or {None}
    assert scope_of(method) in scopes


def test_commands_are_those_of_the_table_that_parses_them() -> None:
    made = {command["command"]: (command["description"], command["usage_hint"]) for command in EXAMPLE["features"]["slash_commands"]}
    assert made == {name: (command.does, command.usage_hint) for name, command in SLASH_COMMANDS.items()}
    (reason,) = [scope.reason for scope in SCOPES if scope.name == "commands"]
    assert [name for name in SLASH_COMMANDS if name not in reason] == []


async def test_events_are_those_listened_to(app: AsyncApp) -> None:
    assert {event for event in SLACKS_EVENTS if await heard(app, event)} == EVENTS.keys()
    assert {event for scope in SCOPES for event in scope.events} <= EVENTS.keys()


def test_commands_are_those_that_are_understood_with_the_hints_of_the_help() -> None:
    commands = EXAMPLE["features"]["slash_commands"]
    assert {command["command"]: command["usage_hint"] for command in commands} == {
        "/surveys": "[list | find WORDS | settings | privacy | help]",
        "/survey-stats": (
            "[open | results SURVEY | find WORDS | status"
            " | subscribe SURVEY [launch milestones closing closed results weekly delivery-problems] | unsubscribe SURVEY"
            " | list | settings | help]"
        ),
    }
    assert all(command["should_escape"] for command in commands)


def test_every_request_comes_to_the_one_url() -> None:
    commands, settings = EXAMPLE["features"]["slash_commands"], EXAMPLE["settings"]
    urls = {
        *(command["url"] for command in commands),
        settings["interactivity"]["request_url"],
        settings["event_subscriptions"]["request_url"],
    }
    assert urls == {f"https://HOST{PATH}"}


def test_people_see_the_home_tab_and_the_messages_but_cannot_write_into_the_void() -> None:
    home = EXAMPLE["features"]["app_home"]
    assert home == {"home_tab_enabled": True, "messages_tab_enabled": True, "messages_tab_read_only_enabled": True}
