"""manifest/README.md tells of every scope, event and rule of Slack's there is, and of no other."""

from __future__ import annotations

import re
from pathlib import Path

from adapters.slack.manifest import EVENTS
from adapters.slack.scopes import SCOPES

README = Path("manifest/README.md").read_text().partition("\n# Teams app\n")[0]


def test_each_of_the_28_rules_is_a_test_and_a_line_in_the_readme() -> None:
    tests = [re.findall(r"def test_rule_(\d\d)_", path.read_text()) for path in Path(__file__).parent.glob("test_*.py")]
    numbers = [f"{number:02}" for number in range(1, 29)]
    assert sorted({number for found in tests for number in found}) == numbers
    assert re.findall(r"^\| (\d\d) \|", README, re.MULTILINE) == numbers


def test_the_readme_gives_the_reason_of_every_scope_and_event() -> None:
    scopes = [f"| `{scope.name}` | {'needed' if scope.is_required else 'optional'} | {scope.reason} |" for scope in SCOPES]
    events = [f"| `{name}` | {reason} |" for name, reason in EVENTS.items()]
    assert re.findall(r"^\| `.*\|$", README, re.MULTILINE) == [*scopes, *events]
