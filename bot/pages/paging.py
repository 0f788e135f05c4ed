"""Long lists, a page at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from bot.page import Action, Button, Buttons, Element, Note, phrase
from bot.pages.reader import Reader

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Where:
    """Which page of how many; pages count from 1."""

    page: int
    pages: int


def on_page(items: Sequence[T], page: int, size: int) -> tuple[Sequence[T], Where]:
    """What is on a page, or on the nearest one that there is."""
    pages = max(-(-len(items) // size), 1)
    page = min(max(page, 1), pages)
    return items[(page - 1) * size : page * size], Where(page, pages)


def pager(where: Where, turn: Action, reader: Reader) -> Iterator[Element]:
    """The way to the pages before and after; `turn` is what shows a page, but for its number."""
    if where.pages == 1:
        return
    yield Note(phrase(reader.say("Page {page} of {pages}"), page=str(where.page), pages=str(where.pages)))
    turns: Mapping[int, str] = {where.page - 1: reader.say("Previous page"), where.page + 1: reader.say("Next page")}
    buttons = (
        Button(label=label, action=Action(verb=turn.verb, data={**turn.data, "page": str(to)}))
        for to, label in turns.items()
        if 1 <= to <= where.pages
    )
    yield Buttons(tuple(buttons))
