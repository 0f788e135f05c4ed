"""Microsoft's rules for its store that a program can check; manifest/README.md lists all of them."""

from __future__ import annotations

import json
import re
import struct
import zlib
from pathlib import Path
from typing import Any

import pytest

from adapters.teams.graph import GRAPH_PERMISSIONS
from adapters.teams.manifest import LANGUAGES, PERMISSIONS, SCOPES, _texts, package
from bot.gallery import gallery
from bot.gallery.scene import READER_IN_TEAMS
from bot.page import Buttons, Link, Respond
from bot.slash_commands import SURVEYS, parse, parse_said
from tests.adapters.teams.conftest import People, actions, title

README = Path("manifest/README.md").read_text().partition("\n# Teams app\n")[2]
FILES = package("bot.example.org", "00000000-0000-0000-0000-000000000000")
MANIFEST: dict[str, Any] = json.loads(FILES["manifest.json"])
LISTINGS: dict[str, dict[str, str]] = {"en": {f"description.{part}": text for part, text in MANIFEST["description"].items()}} | {
    language: json.loads(FILES[f"{language}.json"]) for language in LANGUAGES
}
ENGLISH = {
    "en": "speaks English",
    "de": "spricht Englisch",
    "es": "habla inglés",
    "fr": "parle anglais",
    "it": "parla inglese",
    "ja": "英語",
    "nl": "spreekt Engels",
    "pt-br": "fala inglês",
    "zh-cn": "英语",
}
#: Microsoft's products and the parts of Teams that a name must not use.
TAKEN = (
    "teams|microsoft|excel|powerpoint|word|onedrive|sharepoint|onenote|azure|surface|xbox|"
    "chat|contacts|calendar|calls|files|activity|apps|help"
)


def pixels(name: str) -> tuple[int, list[tuple[int, ...]]]:
    """Return the width of a square PNG and its pixels as red, green, blue, alpha; it must be stored plainly."""
    content = FILES[name]
    width, height, *kind = struct.unpack(">IIBBBBB", content[16:29])
    assert (height, kind) == (width, [8, 6, 0, 0, 0])
    raw = zlib.decompress(content[content.index(b"IDAT") + 4 : content.index(b"IEND") - 8])
    rows = [raw[at : at + 1 + width * 4] for at in range(0, len(raw), 1 + width * 4)]
    assert {row[0] for row in rows} == {0}
    return width, [tuple(row[at : at + 4]) for row in rows for at in range(1, len(row), 4)]


def test_rule_t01_the_schema_is_a_released_one() -> None:
    assert re.fullmatch(r"\d+\.\d+", MANIFEST["manifestVersion"])
    assert f"/v{MANIFEST['manifestVersion']}/" in MANIFEST["$schema"]


def test_rule_t02_the_name_is_its_own() -> None:
    names = {MANIFEST["name"]["short"], *(json.loads(FILES[f"{language}.json"])["name.short"] for language in LANGUAGES)}
    assert names == {"Surveybot"}
    assert not re.search(TAKEN, "surveybot")


def test_rule_t03_no_other_chat_platform_is_named() -> None:
    texts = [content.decode() for name, content in FILES.items() if name.endswith(".json")]
    assert len(texts) == 9
    assert not re.search(r"slack|discord|webex|mattermost|whatsapp|zoom|telegram|google", " ".join(texts), re.IGNORECASE)


@pytest.mark.parametrize("language", LISTINGS)
def test_rule_t04_the_short_description_is_one_sentence_about_what_people_have_of_it(language: str) -> None:
    text = LISTINGS[language]["description.short"]
    assert 20 <= len(text) <= 80
    assert "Qualtrics" in text
    assert not re.search(r"\bapp\b|surveybot|[.!。]", text, re.IGNORECASE)


@pytest.mark.parametrize("language", LISTINGS)
def test_rule_t05_the_long_description_says_what_it_does_what_it_needs_and_which_language_it_speaks(language: str) -> None:
    text = LISTINGS[language]["description.full"]
    assert len(text) <= 4000
    assert len(text.split()) <= 500
    assert text.index("Microsoft Teams") == text.index("Teams") - len("Microsoft ")
    assert ENGLISH[language] in text.split("\n")[-1]
    assert len(re.findall(r"^- ", text, re.MULTILINE)) >= 3
    assert not re.search(r"\bMS\b|MSFT|Office 365|certified|powered by|https?:", text)


def test_rule_t06_every_address_is_https_and_of_our_own_domain() -> None:
    found = re.findall(r'"(https?:[^"]*)"', json.dumps({**MANIFEST, "$schema": ""}))
    assert len(found) == 3
    assert [url for url in found if not url.startswith("https://bot.example.org")] == []
    assert MANIFEST["validDomains"] == ["bot.example.org"]


def test_rule_t07_the_color_icon_has_192_pixels_and_stands_on_a_plain_square() -> None:
    """The symbol lies in the middle 120: Teams rounds and cuts the rest. The ground is the accent colour."""
    width, found = pixels("color.png")
    assert width == 192
    assert {alpha for *_, alpha in found} == {255}
    ground = tuple(bytes.fromhex(MANIFEST["accentColor"][1:]))
    symbol = [divmod(at, width) for at, (*colour, _alpha) in enumerate(found) if tuple(colour) != ground]
    assert all(36 <= place < 156 for point in symbol for place in point)


def test_rule_t08_the_outline_icon_has_32_pixels_white_on_nothing_without_padding() -> None:
    width, found = pixels("outline.png")
    assert width == 32
    assert {tuple(colour) for *colour, alpha in found if alpha} == {(255, 255, 255)}
    assert {0, 255} <= {alpha for *_, alpha in found}
    drawn = [divmod(at, width) for at, (*_, alpha) in enumerate(found) if alpha]
    assert [(min(places), max(places)) for places in zip(*drawn, strict=True)] == [(0, 31), (0, 31)]


async def test_rule_t09_every_command_works_hello_and_help_too_and_none_is_a_dead_end(people: People) -> None:
    titles = [command["title"] for command in MANIFEST["bots"][0]["commandLists"][0]["commands"]]
    for text in (*titles, "Hi", "Hello", "Help"):
        card = await people.ask("ana", text)
        assert title(card) != "That did not work"
        assert list(actions(card)), text
    assert parse_said("Hello") == parse_said("Help") == parse(SURVEYS.name, "help")


def test_rule_t10_every_language_has_all_that_the_store_shows() -> None:
    """Titles are what the bot is told, so that they are the same everywhere. What is translated is what is said."""
    lists = enumerate(MANIFEST["bots"][0]["commandLists"])
    commands = {f"[{at}].commands[{place}]": command for at, listed in lists for place, command in enumerate(listed["commands"])}
    needed = {"$schema", "name.short", "description.short", "description.full"}
    needed |= {f"bots[0].commandLists{place}.description" for place in commands}
    assert [(language, lacking) for language in LANGUAGES if (lacking := needed ^ LISTINGS[language].keys())] == []
    said = {command["description"] for command in commands.values()}
    assert [(language, odd) for language in LANGUAGES if (odd := said ^ _texts(language)["commands"].keys())] == []


def test_rule_t11_permissions_are_the_least_there_are_each_with_a_reason() -> None:
    assert re.findall(r"^\| `.*\|$", README, re.MULTILINE) == [
        *(f"| `{name}` | {reason} |" for name, reason in SCOPES.items()),
        *(f"| `{permission.name}` | {permission.reason} |" for permission in PERMISSIONS),
        *(f"| `{it.name}` | {'needed' if it.is_required else 'optional'} | {it.reason} |" for it in GRAPH_PERMISSIONS),
    ]
    assert "authorization" not in MANIFEST


def test_rule_t12_a_button_that_leaves_teams_says_where_to() -> None:
    """Files of the bot's own say that they are files."""
    elements = [element for page in gallery(READER_IN_TEAMS).values() for element in page.elements]
    links = [button for element in elements if isinstance(element, Buttons) for button in element.buttons if isinstance(button, Link)]
    labels = {element.label for element in elements if isinstance(element, Respond)} | {link.label for link in links}
    assert len(labels) >= 3
    assert [label for label in labels if not re.search(r"Qualtrics|file", label)] == []


def test_each_of_the_rules_is_a_test_and_a_line_in_the_readme() -> None:
    tests = re.findall(r"def test_rule_(t\d\d)_", Path(__file__).read_text())
    assert tests == [number.lower() for number in re.findall(r"^\| (T\d\d) \|", README, re.MULTILINE)] == [f"t{n:02}" for n in range(1, 13)]
