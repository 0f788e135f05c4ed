"""What people see of a card where Microsoft's own renderer draws it. `make renderer` installs it; without it this is skipped."""

from __future__ import annotations

import json
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bot.gallery import gallery
from bot.gallery.scene import READER_IN_TEAMS
from bot.page import Facts, Moment, Page, Strong, Text
from cards import teams

HERE = Path(__file__).parent
CHROME = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
HOSTILE = (
    "*x* _y_ **b** [c](https://e.example)",
    "# head",
    "- item",
    "1. one",
    "<b>x</b> &amp; &lt;",
    "{{DATE(2026-12-24T16:00:00Z,SHORT)}}",
    r"a\*b",
    "`c` ~~s~~ https://e.example",
)

pytestmark = pytest.mark.skipif(
    not ((HERE / "node_modules").is_dir() and CHROME and shutil.which("node")), reason="`make renderer`, Node and Chromium"
)


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    noon = Moment(datetime(2026, 12, 24, 16, tzinfo=UTC))
    facts = Facts(tuple((text, ("of ", Strong(text), " end")) for text in HOSTILE))
    hostile = Page(title=HOSTILE[0], elements=(facts, *(Text((text, Strong(text))) for text in HOSTILE)))
    pages = {
        **gallery(READER_IN_TEAMS),
        "hostile": hostile,
        "instant": Page(title="t", elements=(Text(("at ", noon)), Facts((("At", (noon,)),)))),
    }
    file = tmp_path_factory.mktemp("cards") / "cards.json"
    file.write_text(json.dumps({name: teams.card(page) for name, page in pages.items()}))
    node = shutil.which("node")
    assert node is not None
    assert CHROME is not None
    done = subprocess.run([node, HERE / "render.js", CHROME, file], capture_output=True, check=True, timeout=60)  # noqa: S603 - ours
    return json.loads(done.stdout)


def test_microsofts_renderer_finds_nothing_wrong_with_any_page(drawn: dict[str, Any]) -> None:
    """Charts are Teams' own: it draws what stands in for them."""
    problems = {problem for page in drawn.values() for problem in page["problems"]}
    assert {problem for problem in problems if not problem.startswith('Unknown element type "Chart.')} == set()
    assert drawn.keys() > gallery().keys()


def test_hostile_names_show_as_they_are_written(drawn: dict[str, Any]) -> None:
    look_alikes = str.maketrans({"∗": "*", "ˍ": "_", "∼": "~", "ˋ": "`", "\u200b": ""})  # noqa: RUF001  what stands for what
    seen = drawn["hostile"]["text"].translate(look_alikes).replace("\n", "").replace("\t", "")
    for text in HOSTILE:
        assert f"{text}of {text} end" in seen
        assert f"{text}{text}" in seen
    assert drawn["hostile"]["links"] == 0


def test_an_instant_is_shown_in_the_zone_of_whoever_looks(drawn: dict[str, Any]) -> None:
    assert drawn["instant"]["text"].count("24 Dec 2026 17:00") == 2
