"""A file that spreadsheets open holds text and numbers, and nothing that they would carry out."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cards.csv import table

CELLS = st.text(st.characters(codec="utf-8"), max_size=20)


def read(text: str, delimiter: str = ",") -> list[list[str]]:
    return list(csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), delimiter=delimiter))


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)", " =1", "\t=1", "\r\n=1", "\u200b=1", "\uff1d1", '=HYPERLINK("http://x")'])
def test_what_looks_like_a_formula_becomes_text(name: str) -> None:
    (row,) = read(table([[name]]))
    assert row[0].startswith("'")


def test_other_separators_find_no_cell_of_their_own() -> None:
    assert read(table([["a;=1", 'b"\t=2', "c\n=3"]]), ";")[0][0] == 'a;=1,"b"" =2","c =3"'


@given(st.lists(st.lists(CELLS, min_size=2, max_size=2), max_size=4))
def test_cells_keep_their_places_and_none_begins_like_a_formula(rows: list[list[str]]) -> None:
    found = read(table(rows))
    assert [len(row) for row in found] == [2] * len(rows)
    assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n")) for row in found for cell in row)
