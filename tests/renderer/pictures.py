"""Every example of the gallery, and every form, as pictures to look at: `make pictures`."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from bot.gallery import forms, gallery
from bot.gallery.scene import NOW, READER, READER_IN_TEAMS
from bot.page import Form, Page, PrivatePage
from cards import slack, teams

HERE = Path(__file__).parent
CHROME = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


def main(words: list[str]) -> None:
    """Draw the examples whose name has one of these words in it, or all of them, into build/pictures."""
    node = shutil.which("node")
    if not (node and CHROME and (HERE / "node_modules").is_dir()):
        sys.exit("Pictures need Node, Chromium and, once, `make renderer`.")
    pages, pages_in_teams = {**gallery(), **forms()}, {**gallery(READER_IN_TEAMS), **forms(READER_IN_TEAMS)}
    chosen = [name for name in pages if not words or any(word in name for word in words)]
    scene = {"now": NOW.isoformat(), "zone": READER.zone, "locale": READER.locale}
    out = Path("build/pictures")
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    drawn = {
        "scene": scene,
        "examples": [{"name": name, **_in_slack(name, pages[name]), "teams": teams.card(pages_in_teams[name])} for name in chosen],
    }
    (out / "examples.json").write_text(json.dumps(drawn))
    subprocess.run([node, HERE / "pictures.js", CHROME, out.resolve()], check=True)  # noqa: S603 - ours


def _in_slack(name: str, page: Page | PrivatePage | Form) -> dict[str, Any]:
    """What Slack gets, and where it shows it."""
    if isinstance(page, Form):
        return {"surface": "modal", "slack": slack.modal(page)}
    is_home = "home" in name
    return {"surface": "home" if is_home else "message", "slack": (slack.home if is_home else slack.message)(page)}


if __name__ == "__main__":
    main(sys.argv[1:])
