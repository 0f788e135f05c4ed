"""What holds in Slack holds in Teams: every scenario runs for both, or says in one word why it is one chat's own."""

from __future__ import annotations

import inspect
from importlib import import_module
from pathlib import Path
from types import FunctionType

TESTS = Path(__file__).parents[1]
#: Where an end-to-end test of one chat's adapter has its twin: a module of the other's, or in one word why there is none.
SLACK = {
    "slack/test_channel": "teams/test_channel",
    "slack/test_channels": "teams/test_channels",
    "slack/test_directory": "teams/test_inbound",
    "slack/test_directory_reader": "teams/test_directory_reader",
    "slack/test_errors": "teams/test_channel",
    "slack/test_forged": "teams/test_tokens",
    "slack/test_forms": "teams/test_surfaces",
    "slack/test_inbound": "teams/test_inbound",
    "slack/test_manifest": "teams/test_manifest",
    "slack/test_origins": "teams/test_origins",
    "slack/test_readership": "teams/test_channels",
    "slack/test_replays": "teams/test_inbound",
    "slack/test_signatures": "teams/test_tokens",
    "slack_install/test_installing": "OAuth",
    "slack_install/test_operating": "teams/test_doctor",
    "slack_install/test_renewing": "teams/test_token",
    "slack_install/test_socket_mode": "WebSocket",
}
TEAMS = {
    "teams/test_installer": "Graph",
    "teams/test_mounted": "slack_install/test_operating",
    "teams/test_store_rules": "slack/store_rules/test_all_rules",
}


def modules(*folders: str) -> set[str]:
    return {f"{folder}/{path.stem}" for folder in folders for path in (TESTS / "adapters" / folder).glob("test_*.py")}


def test_every_scenario_runs_for_each_chat_or_says_in_one_word_why_not() -> None:
    names = sorted(path.stem for path in Path(__file__).parent.glob("test_*.py") if path != Path(__file__))
    found = [each for name in names for each in vars(import_module(f"tests.scenarios.{name}")).values() if isinstance(each, FunctionType)]
    scenarios = [each for each in found if each.__name__.startswith("test_")]
    assert len(scenarios) > 10
    for scenario in scenarios:
        whys = [mark.args[0] for mark in getattr(scenario, "pytestmark", ()) if mark.name == "only"]
        runs_for_each = not {"house", "both"}.isdisjoint(inspect.signature(scenario).parameters)
        assert runs_for_each != any(len(why.split()) == 1 for why in whys), scenario.__name__


def test_every_end_to_end_test_of_one_chats_adapter_has_its_twin_or_says_in_one_word_why_not() -> None:
    assert modules("slack", "slack_install") == SLACK.keys()
    assert modules("teams") == TEAMS.keys() | {it for it in SLACK.values() if "/" in it}
    for twin in (*SLACK.values(), *TEAMS.values()):
        assert (TESTS / "adapters" / f"{twin}.py").is_file() if "/" in twin else twin.isalpha()
