"""The app package asks Teams for what the code uses, and for nothing else; Microsoft's own schema takes it."""

from __future__ import annotations

import inspect
import io
import json
import re
import zipfile
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft4Validator
from typer.testing import CliRunner

from adapters.cli import cli
from adapters.sandbox.teams.tenant import Conversation
from adapters.teams.connector import Connector
from adapters.teams.manifest import LANGUAGES, LONGEST_DESCRIPTION, LONGEST_TITLE, MOST_COMMANDS, PERMISSIONS, SCOPES, manifest, package
from bot.slash_commands import SLASH_COMMANDS, parse, parse_said
from tests.adapters.teams.conftest import People, title

SAMPLES = Path("tests/samples/teams")
VALIDATOR = Draft4Validator(json.loads((SAMPLES / "MicrosoftTeams.schema.json").read_text()))
LANGUAGE_VALIDATOR = Draft4Validator(json.loads((SAMPLES / "MicrosoftTeams.Localization.schema.json").read_text()))
NOBODY = "00000000-0000-0000-0000-000000000000"
EXAMPLE = manifest("bot.example.org", NOBODY)
BOT = EXAMPLE["bots"][0]


def run(*arguments: str) -> int:
    return CliRunner().invoke(cli, ["manifest", "teams", *arguments]).exit_code


@pytest.mark.parametrize("installs_itself", [False, True])
def test_microsofts_schema_takes_the_manifest_and_every_language(installs_itself: bool) -> None:
    files = package("bot.example.org:8443", NOBODY, installs_itself=installs_itself)
    made = json.loads(files["manifest.json"])
    assert [error.message for error in VALIDATOR.iter_errors(made)] == []
    assert ("webApplicationInfo" in made) is installs_itself
    for language in made["localizationInfo"]["additionalLanguages"]:
        texts = json.loads(files[language["file"]])
        assert [error.message for error in LANGUAGE_VALIDATOR.iter_errors(texts)] == []
        known = {"$schema", "name.short", "description.short", "description.full"}
        assert [key for key in texts.keys() - known if not isinstance(said(made, key), str)] == []


def said(made: Any, path: str) -> Any:
    """What a language's key stands for in the manifest; KeyError or IndexError where that is nothing."""
    for name, place in re.findall(r"(\w+)(?:\[(\d+)])?", path):
        made = made[name][int(place)] if place else made[name]
    return made


@pytest.mark.parametrize(
    ("path", "wrong"),
    [
        ("name.short", "x" * 31),
        ("id", "surveybot"),
        ("bots.0.scopes", ["groupchat"]),
        ("bots.0.commandLists.0.commands", [{"title": "list"}] * (MOST_COMMANDS + 1)),
        ("bots.0.commandLists.1.triggers", ["/"]),
        ("permissions", ["everything"]),
        ("accentColor", "blue"),
        ("extra", 1),
    ],
)
def test_microsofts_schema_refuses_a_wrong_one(path: str, wrong: object) -> None:
    broken = json.loads(json.dumps(EXAMPLE))
    *parents, name = path.split(".")
    place = broken
    for parent in parents:
        place = place[int(parent)] if parent.isdigit() else place[parent]
    place[name] = wrong
    assert not VALIDATOR.is_valid(broken)


def test_the_example_in_the_repository_is_what_the_command_writes(tmp_path: Path) -> None:
    """`make manifests` writes it anew. Everything is at the root of the zip, and nothing else is in it."""
    target = tmp_path / "app.zip"
    assert run("--host", "bot.example.org", "--app-id", NOBODY, "--out", str(target)) == 0
    with zipfile.ZipFile(io.BytesIO(target.read_bytes())) as zipped:
        written = {name: zipped.read(name) for name in zipped.namelist()}
    assert written == {path.name: path.read_bytes() for path in Path("manifest/teams").iterdir()}
    assert set(written) == {"manifest.json", "color.png", "outline.png", *(f"{language}.json" for language in LANGUAGES)}
    assert json.loads(written["manifest.json"]) == EXAMPLE


def test_the_command_names_the_publisher_and_refuses_what_teams_would(tmp_path: Path) -> None:
    target, good = tmp_path / "app.zip", ("--host", "bot.example.org", "--app-id", NOBODY.replace("0", "A"))
    out = ("--out", str(target))
    assert run(*good, *out, "--developer", "Acme", "--privacy", "https://acme.example/privacy") == 0
    made = json.loads(zipfile.ZipFile(target).read("manifest.json"))
    home = "https://bot.example.org"
    assert made["developer"] == {
        "name": "Acme",
        "websiteUrl": home,
        "privacyUrl": "https://acme.example/privacy",
        "termsOfUseUrl": home,
    }
    assert {made["id"], BOT["botId"].replace("0", "a")} == {NOBODY.replace("0", "a")}
    for wrong in (("--host", "https://x"), ("--app-id", "x"), ("--developer", "x" * 33), ("--terms", "http://x")):
        assert run(*good, *out, *wrong) == 2


def test_commands_are_those_of_the_table_that_parses_them() -> None:
    """Every word that is offered can be chosen, and what is chosen is understood as that word."""
    surveys, stats = ([(word, parse(name, word.word)) for word in command.offered] for name, command in SLASH_COMMANDS.items())
    chosen = [
        [parse_said(command["title"], is_shared="team" in listed["scopes"]) for command in listed["commands"]]
        for listed in BOT["commandLists"]
    ]
    personal = [action for word, action in (*surveys, *stats) if not word.is_of_channels]
    assert chosen == [personal, [action for _, action in (*stats, *surveys)][:MOST_COMMANDS]]
    commands = [command for listed in BOT["commandLists"] for command in listed["commands"]]
    assert max(len(command["title"]) for command in commands) <= LONGEST_TITLE
    assert max(len(command["description"]) for command in commands) <= LONGEST_DESCRIPTION
    assert all(len({command["title"] for command in listed["commands"]}) == len(listed["commands"]) for listed in BOT["commandLists"])


def test_slash_commands_are_offered_in_shared_places_alone() -> None:
    """In a personal chat there are none: answers for one pair of eyes are made for places with many."""
    assert [(listed["scopes"], listed.get("triggers")) for listed in BOT["commandLists"]] == [
        (["personal"], None),
        (["team", "groupChat"], ["mention", "slash"]),
    ]
    assert BOT["supportsTargetedMessages"] is True


def test_every_call_has_its_permission_and_every_permission_is_used() -> None:
    called = {name for name, method in vars(Connector).items() if inspect.iscoroutinefunction(method) and not name.startswith("_")}
    assert called - {"aclose"} == {call for permission in PERMISSIONS for call in permission.calls}
    assert EXAMPLE["permissions"] == [permission.name for permission in PERMISSIONS]


@pytest.mark.parametrize(("scope", "kind"), [("personal", "personal"), ("team", "channel"), ("groupChat", "groupChat")])
async def test_every_scope_is_one_where_the_bot_answers(people: People, scope: str, kind: str) -> None:
    place = people.tenant.personal("ana") if kind == "personal" else Conversation(conversation_id="19:x", kind=kind, members=["ana"])
    people.tenant.conversations[place.conversation_id] = place
    assert title(await people.ask("ana", "<at>Surveybot</at> surveys", place)) == "My active surveys"
    assert scope in SCOPES


def test_scopes_are_the_three_there_are() -> None:
    assert BOT["scopes"] == list(SCOPES) == ["personal", "team", "groupChat"]
