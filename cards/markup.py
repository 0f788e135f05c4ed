"""Dynamic text made safe for Slack and Teams: the only place that escapes, removes and shortens.

Slack has no escape character for its formatting. What is known, and done here:

* `&`, `<` and `>` become entities, so no mention, broadcast or link can be written
  (https://docs.slack.dev/messaging/formatting-message-text#escaping).
* `*`, `_`, `~` and the backtick format at the edges of words alone. There they become look-alikes. Zero-width spaces would not
  help: around such characters they *start* formatting inside words. A `>` or `&gt;` that opens a line is a quote unless a soft
  hyphen stands before it (https://github.com/yhatt/jsx-slack/blob/main/docs/about-escape-and-exact-mode.md, on both).
* `:name:` is an emoji code; a soft hyphen is no part of a name.

`plain_text` objects parse nothing of this, so cards use them wherever the text needs neither emphasis nor an instant.

Teams' TextRuns parse nothing but dates, so cards use them wherever they can. Headings and facts are Markdown, and a backslash before
its characters shows on phones (https://github.com/MicrosoftDocs/msteams-docs/issues/5793). There, too, what formats becomes look-alikes,
and zero-width spaces break what would be a link, a tag, an entity, a list or a date.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import accumulate, chain, groupby
from typing import assert_never

from bot.page import Inline, Moment, Phrase, Strong
from cards import limits
from cards.instants import spoken
from cards.words import UNTITLED

_ELLIPSIS = "…"
_SOFT_HYPHEN = "\u00ad"
_ZERO_WIDTH_SPACE = "\u200b"
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_LOOK_ALIKES = str.maketrans("*＊_＿~`｀", "∗﹡ˍ⸏∼ˋˋ")  # noqa: RUF001  they are confusable on purpose

# Controls and lone surrogates; invisible characters without a meaning in a name; embeddings, overrides and isolates, which make a name
# show as another (https://www.unicode.org/reports/tr9/#Directional_Formatting_Characters). Joiners and direction marks stay.
_UNWANTED = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\u00ad\u200b\u2060-\u2065\ufeff\ufff9-\ufffb\u202a-\u202e\u2066-\u2069]")
# Categories of characters that leave no ink: controls, formats, combining marks without a letter, spaces.
_UNSEEN = {"Cc", "Cf", "Cs", "Mn", "Me", "Zs", "Zl", "Zp"}
_SPACES = re.compile(r"\s+")
_BACKTICKS = re.compile(r"`{2,}")
_AT_WORD_EDGE = re.compile(r"(?<![A-Za-z0-9])[*＊_＿~]|[*＊_＿~](?![A-Za-z0-9])|[`｀]")  # noqa: RUF001  Slack takes the full-width forms as well
_QUOTE = re.compile("^ *(?=[>＞])")  # noqa: RUF001  as above
_EMOJI = re.compile(r":(?=[\w+'-]+:)")
# `](` of a link, `<` of a tag, `&` of an entity, a backslash, `://` of an address.
_MARKDOWN_JOINT = re.compile(r"\](?=[\[(:])|[<&\\]|:(?=//)")
# A list, a heading, a quote, a rule, a definition; whatever opens a line and is no letter.
_MARKDOWN_START = re.compile(r"^(?=\s*(?:[^\w\s]|\d+[.)]))")
# Of `{{DATE(...)}}`: https://learn.microsoft.com/en-us/adaptive-cards/authoring-cards/text-features
_BRACES = re.compile(r"\{(?=\{)")


def clean(text: str) -> str:
    """Return one line of visible text: no control or direction-changing characters, no runs of spaces or backticks.

    A space at either end stays: it may be the gap between two parts of a sentence.
    """
    if text.isprintable() and "  " not in text and "``" not in text and _UNWANTED.search(text) is None:
        return text
    return _SPACES.sub(" ", _BACKTICKS.sub("`", _UNWANTED.sub("", _SPACES.sub(" ", text))))


def named(text: str) -> str:
    """Return the clean text without outer spaces, or a placeholder when there is nothing to see."""
    return _seen(clean(text)) or UNTITLED


def visible(text: str, limit: int) -> str:
    """Return `named(text)` in at most `limit` code points, for a `plain_text` object."""
    return cut(named(text), limit)


def escape(text: str, limit: int) -> str:
    """Return clean lines for a message's top-level `text`, which Slack parses for mentions and links."""
    return cut(_escaped(text), limit)


def strong(text: str) -> str:
    """Return mrkdwn that shows `text` in bold, in at most `limits.STRONG` code points."""
    return f"*{cut(_escaped(_literal(named(text))), limits.STRONG - 2)}*"


def mrkdwn(phrase: Phrase, zone: str, limit: int) -> str:
    """Return mrkdwn of at most `limit` code points that shows the phrase as it is written; "" when there is nothing to see.

    What does not fit is left out from the first whole character, emphasis or instant on, and an ellipsis says so.
    """
    return _seen(cut(chain.from_iterable(_atoms(part, zone) for part in _joined(phrase)), limit))


def date(at: datetime, zone: str) -> str:
    """Return Slack's token for an instant in each reader's own zone; the fallback is written in `zone` and names it.

    https://docs.slack.dev/messaging/formatting-message-text#date-formatting
    """
    return f"<!date^{int(at.timestamp())}^{{date_short_pretty}} at {{time}}|{spoken(at, zone)}>"


def card_text(text: str, limit: int) -> str:
    """Return `visible(text, limit)` for a text of an Adaptive Card that is not Markdown."""
    return cut(_unbraced(named(text)), limit)


def runs(phrase: Phrase, zone: str, limit: int) -> list[tuple[str, bool]]:
    """Return the phrase as texts of TextRuns, each with its emphasis: `limit` code points at most; [] when nothing is to be seen."""
    found: list[tuple[str, bool]] = []
    for part in _joined(phrase):
        text = cut(_pieces(part, zone), limit)
        if text:
            found.append((text, isinstance(part, Strong)))
        limit -= len(text)
    return found if _seen("".join(text for text, _ in found)) else []


def markdown(phrase: Phrase, zone: str, limit: int) -> str:
    """Return Markdown of at most `limit` code points that shows the phrase as it is written, or a placeholder for one without ink."""
    return _seen(cut(chain.from_iterable(_markdown(part, zone) for part in _joined(phrase)), limit)) or UNTITLED


def unmarked(lines: str) -> str:
    """Return clean lines as Markdown that shows them as they are written."""
    return "\n".join(_unmarked(_unbraced(line)) for line in lines.split("\n"))


def card_date(at: datetime, zone: str) -> str:
    """Write an instant in the reader's zone; where that is not known, as the functions that Teams fills in on the reader's device."""
    if zone != "UTC":
        return spoken(at, zone)
    stamp = f"{at:%Y-%m-%dT%H:%M:%SZ}"
    return f"{{{{DATE({stamp},SHORT)}}}} {{{{TIME({stamp})}}}}"


def cut(atoms: Iterable[str], limit: int) -> str:
    """Join what fits into `limit` code points; when something does not, end with an ellipsis."""
    whole = list(atoms)
    if len(text := "".join(whole)) <= limit:
        return text
    ends = list(accumulate(map(len, whole)))
    return "".join(whole[: bisect_right(ends, limit - len(_ELLIPSIS))]) + _ELLIPSIS


def _joined(phrase: Phrase) -> Iterator[Inline]:
    """Join neighbouring strings: what Slack reads as one text is made literal as one text."""
    for are_texts, parts in groupby(phrase, key=lambda part: isinstance(part, str)):
        if are_texts:
            yield "".join(part for part in parts if isinstance(part, str))
        else:
            yield from parts


def _atoms(part: Inline, zone: str) -> Sequence[str]:
    """Break a part into the pieces that must stay whole."""
    match part:
        case str():
            return _escaped(_literal(clean(part)))
        case Strong(text):
            # Zero-width spaces let emphasis begin and end inside a word (see the module's docstring).
            return [f"{_ZERO_WIDTH_SPACE}{strong(text)}{_ZERO_WIDTH_SPACE}"]
        case Moment(at):
            return [date(at, zone)]
        case _:
            assert_never(part)


def _pieces(part: Inline, zone: str) -> Sequence[str]:
    """Break a part into the pieces of a TextRun that must stay whole."""
    match part:
        case str():
            return _unbraced(clean(part))
        case Strong(text):
            return cut(_unbraced(named(text)), limits.STRONG)
        case Moment(at):
            return [card_date(at, zone)]
        case _:
            assert_never(part)


def _markdown(part: Inline, zone: str) -> Sequence[str]:
    pieces = _pieces(part, zone)
    match part:
        case str():
            return _unmarked("".join(pieces))
        case Strong():
            # Zero-width spaces within let emphasis begin and end beside punctuation (https://spec.commonmark.org/0.31.2/#left-flanking-delimiter-run).
            return [f"**{_ZERO_WIDTH_SPACE}{_unmarked(''.join(pieces))}{_ZERO_WIDTH_SPACE}**"]
        case Moment():
            return [piece if piece.startswith("{{") else _unmarked(piece) for piece in pieces]
        case _:
            assert_never(part)


def _unmarked(text: str) -> str:
    broken = _MARKDOWN_JOINT.sub(lambda found: found[0] + _ZERO_WIDTH_SPACE, text.translate(_LOOK_ALIKES))
    return _MARKDOWN_START.sub(_ZERO_WIDTH_SPACE, broken)


def _unbraced(text: str) -> str:
    return _BRACES.sub("{" + _ZERO_WIDTH_SPACE, text)


def _literal(text: str) -> str:
    plain = _AT_WORD_EDGE.sub(lambda found: found[0].translate(_LOOK_ALIKES), text)
    return _QUOTE.sub(_SOFT_HYPHEN, _EMOJI.sub(f":{_SOFT_HYPHEN}", plain))


def _escaped(text: str) -> list[str]:
    return [_ENTITIES.get(c, c) for c in text]


def _seen(text: str) -> str:
    """Strip outer spaces; "" for text without a visible character."""
    return text.strip() if any(unicodedata.category(c) not in _UNSEEN for c in text) else ""
