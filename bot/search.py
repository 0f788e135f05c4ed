"""Finding what people type in what they read: names are compared as they look, not as they are written."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable

#: Accents, and what leaves no ink, such as the characters that turn the direction of writing.
_PASSED_OVER = frozenset({"Mn", "Cc", "Cf", "Cs"})


def folded(text: str) -> str:
    """Return it in small letters, each in its plainest form; lines and tabs are spaces."""
    if text.isascii() and text.isprintable():
        return text.casefold()
    plain = unicodedata.normalize("NFKD", " ".join(text.split())).casefold()
    return "".join(letter for letter in plain if unicodedata.category(letter) not in _PASSED_OVER)


def finder(words: str) -> Callable[[str], bool]:
    """Whether all of the words are somewhere in a folded text; a part of a word is enough."""
    wanted = folded(words).split()
    return lambda text: all(word in text for word in wanted)
