"""Tables as CSV (RFC 4180) that spreadsheets take for text and numbers alone."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable

from cards import markup

#: What spreadsheets take for the beginning of a formula, or strip in front of one
#: (https://owasp.org/www-community/attacks/CSV_Injection).
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
#: Tells spreadsheets that it is UTF-8.
_MARK = "\ufeff"


def table(rows: Iterable[Iterable[str]]) -> str:
    """Write rows of cells, quoted, for programs that expect other separators. What looks like a formula gets an apostrophe in front."""
    written = io.StringIO(newline="")
    csv.writer(written, quoting=csv.QUOTE_ALL).writerows([_harmless(cell) for cell in row] for row in rows)
    return _MARK + written.getvalue()


def _harmless(cell: str) -> str:
    text = markup.clean(cell).strip()
    return f"'{text}" if text.startswith(_FORMULA) else text
