"""Dynamic text is shown as it is written, or is made harmless where Slack has no way to show it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bot.page import Moment, Phrase, Strong
from cards import limits, markup

NOON = datetime(2026, 12, 1, 12, 0, tzinfo=UTC)
SHY = "\u00ad"


@pytest.mark.parametrize(
    ("text", "drawn"),
    [
        ("a < b & c > d", "a &lt; b &amp; c &gt; d"),
        ("<!channel> <@U1>", "&lt;!channel&gt; &lt;@U1&gt;"),
        ("&lt;", "&amp;lt;"),
        ("*x* _y_ ~z~ `c`", "∗x∗ ˍyˍ ∼z∼ ˋcˋ"),  # noqa: RUF001  the look-alikes
        ("snake_case 2*3 a~b", "snake_case 2*3 a~b"),
        ("> quote", f"{SHY}&gt; quote"),
        ("  > quote", f"{SHY}&gt; quote"),
        ("5 > 3", "5 &gt; 3"),
        (":tada:", f":{SHY}tada:"),
        ("at: now", "at: now"),
        ("two\nlines\t and   gaps", "two lines and gaps"),
        ("```code```", "ˋcodeˋ"),  # noqa: RUF001  the look-alikes
        ("\u202egnp.exe\u202c", "gnp.exe"),
        ("a\u200bb\ud800c\x00d", "abcd"),
        ("👩\u200d👧", "👩\u200d👧"),
        ("مرحبا\u200f", "مرحبا\u200f"),
        ("", ""),
        (" \u200d\u0301", ""),
    ],
)
def test_text_is_shown_literally(text: str, drawn: str) -> None:
    assert markup.mrkdwn((text,), "UTC", 3_000) == drawn


def test_a_name_and_its_surroundings_form_no_emoji_code_together() -> None:
    assert markup.mrkdwn((":", "tada", ":"), "UTC", 99) == f":{SHY}tada:"


def test_emphasis_is_bold_and_its_text_literal() -> None:
    assert markup.mrkdwn(("Hi", Strong("*Ana*"), "!"), "UTC", 99) == "Hi\u200b*∗Ana∗*\u200b!"  # noqa: RUF001  the look-alikes


def test_an_instant_falls_back_to_the_readers_zone_and_names_it() -> None:
    assert (
        markup.mrkdwn(("By ", Moment(NOON)), "Europe/Berlin", 99)
        == "By <!date^1796126400^{date_short_pretty} at {time}|1 Dec 2026, 13:00 (Europe/Berlin)>"
    )


def test_an_unknown_zone_is_utc() -> None:
    assert markup.date(NOON, "Mars/Olympus").endswith("|1 Dec 2026, 12:00 (UTC)>")


def test_the_last_day_that_can_be_counted_is_shown_in_utc_where_the_zone_is_past_it() -> None:
    assert markup.date(datetime.max.replace(tzinfo=UTC), "Asia/Tokyo").endswith("|31 Dec 9999, 23:59 (UTC)>")


@pytest.mark.parametrize(
    ("phrase", "limit", "drawn"),
    [
        (("&&&",), 15, "&amp;&amp;&amp;"),
        (("&&&",), 14, "&amp;&amp;…"),
        (("&&&",), 5, "…"),
        (("abcdef",), 6, "abcdef"),
        (("abcdefg",), 6, "abcde…"),
        (("abc ", Moment(NOON)), 20, "abc …"),
        (("abc ", Strong("defghijkl")), 10, "abc …"),
    ],
)
def test_what_does_not_fit_is_cut_at_a_whole_character(phrase: Phrase, limit: int, drawn: str) -> None:
    assert markup.mrkdwn(phrase, "UTC", limit) == drawn


def test_bold_text_keeps_its_own_limit_and_stays_bold() -> None:
    drawn = markup.strong("x" * 10_000)
    assert len(drawn) == limits.STRONG
    assert drawn.startswith("*x")
    assert drawn.endswith("x…*")


@pytest.mark.parametrize("text", ["", "  \n", "\u200b\u202e", "\ud800"])
def test_a_title_without_a_visible_character_has_a_placeholder(text: str) -> None:
    assert markup.visible(text, 150) == "(untitled)"


def test_top_level_text_keeps_its_lines() -> None:
    assert markup.escape("a <!here>\nb", 99) == "a &lt;!here&gt;\nb"
