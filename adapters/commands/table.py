"""A table as text: columns as wide as what is in them."""

from __future__ import annotations

from collections.abc import Sequence


def table(*rows: Sequence[str]) -> str:
    """The first row is the heading."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows)
