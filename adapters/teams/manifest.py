"""The app package for a host: what Teams is told about the bot, made from what the code uses."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from bot.slash_commands import STATS, SURVEYS, SlashCommand, Word, parse_said

Json = dict[str, Any]

#: Slash commands and answers for one person's eyes in shared places came with 1.29
#: (https://learn.microsoft.com/en-us/microsoft-365/extensibility/schema/).
_SCHEMA = "1.29"
#: Of the package: Teams takes a changed one for an update when this is higher.
_VERSION = "1.0.0"
#: Commands a list (schema), and the characters of each that older clients show (schema up to 1.28).
MOST_COMMANDS = 12
LONGEST_TITLE = 32
LONGEST_DESCRIPTION = 128


@dataclass(frozen=True, slots=True, kw_only=True)
class Permission:
    name: str
    #: How the bot uses it, for whoever is asked to agree: one sentence.
    reason: str
    #: The methods of `adapters.teams.connector.Connector` that it is for.
    calls: tuple[str, ...]


#: What whoever adds the app is asked to agree to. A test holds that the code uses each of them and needs no other.
PERMISSIONS: tuple[Permission, ...] = (
    Permission(
        name="identity",
        reason="Reads name and e-mail address of the people it talks to, because surveys are sent to addresses.",
        calls=("member", "members"),
    ),
    Permission(
        name="messageTeamMembers",
        reason="Writes to each person in their own chat, also what they asked for in a channel, and keeps those messages up to date.",
        calls=("open_chat", "send", "replace"),
    ),
)
#: Where the bot can be talked to, and what for.
SCOPES: Mapping[str, str] = {
    "personal": "Tells each person of the surveys that were sent to them, in their own chat, and answers there.",
    "team": "Tells a channel of the surveys it was subscribed to, and is asked there; what it knows of a person is for that person alone.",
    "groupChat": "As in a channel.",
}
_LISTING = Path(__file__).with_name("listing")
#: In the manifest itself; the others are files beside it. As Teams spells them
#: (https://learn.microsoft.com/en-us/microsoftteams/platform/concepts/build-and-test/apps-localization).
_DEFAULT_LANGUAGE = "en"
LANGUAGES = ("de", "es", "fr", "it", "ja", "nl", "pt-br", "zh-cn")


def package(host: str, app_id: str, **switches: Any) -> dict[str, bytes]:  # noqa: ANN401 - those of `manifest`
    """Return the files of the package by name; all of them belong at the root of a zip."""
    made = manifest(host, app_id, **switches)
    texts = {"manifest.json": made} | {f"{language}.json": _localised(made, language) for language in LANGUAGES}
    files = {name: (json.dumps(text, indent=2, ensure_ascii=False) + "\n").encode() for name, text in texts.items()}
    return files | {icon: (_LISTING / icon).read_bytes() for icon in made["icons"].values()}


def manifest(host: str, app_id: str, *, developer: Mapping[str, str] | None = None, installs_itself: bool = False) -> Json:
    """Return the manifest of a bot that is registered as `app_id` and reached at `https://{host}`.

    `developer`: name and addresses that take the place of the host's. `installs_itself`: people are given it by Graph, which installs no
    app that does not name its registration.
    """
    site = f"https://{host}"
    graph: Json = {"webApplicationInfo": {"id": app_id, "resource": f"api://{host}/{app_id}"}} if installs_itself else {}
    return {
        "$schema": f"https://developer.microsoft.com/json-schemas/teams/v{_SCHEMA}/MicrosoftTeams.schema.json",
        "manifestVersion": _SCHEMA,
        "version": _VERSION,
        "id": app_id,
        "developer": {"name": "Surveybot", "websiteUrl": site, "privacyUrl": site, "termsOfUseUrl": site, **(developer or {})},
        "name": {"short": "Surveybot"},
        "description": {part: _texts(_DEFAULT_LANGUAGE)[part] for part in ("short", "full")},
        "icons": {"color": "color.png", "outline": "outline.png"},
        "accentColor": "#1F5F8B",
        "localizationInfo": {
            "defaultLanguageTag": _DEFAULT_LANGUAGE,
            "additionalLanguages": [{"languageTag": language, "file": f"{language}.json"} for language in LANGUAGES],
        },
        "defaultInstallScope": "personal",
        "defaultGroupCapability": {"team": "bot", "groupchat": "bot"},
        "bots": [
            {
                "botId": app_id,
                "scopes": list(SCOPES),
                "supportsFiles": False,
                "isNotificationOnly": False,
                "supportsTargetedMessages": True,
                "commandLists": [
                    {"scopes": ["personal"], "commands": _commands(SURVEYS, STATS, is_shared=False)},
                    {
                        "scopes": ["team", "groupChat"],
                        "triggers": ["mention", "slash"],
                        "commands": _commands(STATS, SURVEYS, is_shared=True),
                    },
                ],
            }
        ],
        "permissions": [permission.name for permission in PERMISSIONS],
        "validDomains": [host.partition(":")[0]],
        **graph,
    }


def _commands(*commands: SlashCommand, is_shared: bool) -> list[Json]:
    """All that one list takes, those of the first command before the second's; `help` tells the others."""
    words = [(command, word) for command in commands for word in command.offered if is_shared or not word.is_of_channels]
    offered = [{"title": _title(command, word, is_shared=is_shared), "description": _description(word)} for command, word in words]
    return offered[:MOST_COMMANDS]


def _description(word: Word) -> str:
    does = "what you can write, and what it does" if word.verb == "help.show" else word.does
    return does[0].upper() + does[1:LONGEST_DESCRIPTION]


def _title(command: SlashCommand, word: Word, *, is_shared: bool) -> str:
    """What is chosen is what the bot is told, so that it is the same in every language: the word alone where that is enough."""
    full = f"{command.name.lstrip('/')} {word.word}"
    return word.word if parse_said(word.word, is_shared=is_shared) == parse_said(full) else full


def _localised(made: Json, language: str) -> Json:
    """A command without a translation stays English: what a file leaves out is taken from the manifest."""
    texts = _texts(language)
    said: Mapping[str, str] = texts["commands"]
    return {
        "$schema": made["$schema"].replace("MicrosoftTeams.schema", "MicrosoftTeams.Localization.schema"),
        "name.short": made["name"]["short"],
        "description.short": texts["short"],
        "description.full": texts["full"],
        **{
            f"bots[0].commandLists[{at}].commands[{place}].description": said[command["description"]]
            for at, listed in enumerate(made["bots"][0]["commandLists"])
            for place, command in enumerate(listed["commands"])
            if command["description"] in said
        },
    }


@cache
def _texts(language: str) -> Mapping[str, Any]:
    texts = tomllib.loads((_LISTING / f"{language}.toml").read_text("utf-8"))
    return {**texts, "full": texts["full"].strip()}
