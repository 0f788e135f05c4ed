"""Who types what they read finds it, however it was written."""

from __future__ import annotations

import pytest

from bot.search import finder, folded


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("ärzte", "A\u0308RZTEBEFRAGUNG"),
        ("a\u0308rzte", "Ärztebefragung"),
        ("cafe", "Café"),
        ("strasse", "Straße"),
        ("pulse check", "Pul\u202ese \u200bcheck"),
        ("pul\u202ese", "Pulse"),
        ("pulse 2026", "Ｐｕｌｓｅ\t２０２６"),  # noqa: RUF001 - full-width on purpose
        ("check pulse", "Pulse\ncheck"),
        ("محمد", "مُحَمَّد"),
        ("istanbul", "İSTANBUL"),
        ("🎉", "🎉🎉"),
        ("", "anything"),
        ("\u202e", "anything"),
    ],
)
def test_what_looks_alike_is_found(typed: str, name: str) -> None:
    assert finder(typed)(folded(name))


@pytest.mark.parametrize(("typed", "name"), [("%", "anything"), ("_", "anything"), (".*", "anything"), ("pulse x", "Pulse")])
def test_what_is_not_there_is_not_found(typed: str, name: str) -> None:
    assert not finder(typed)(folded(name))
