"""What a waiting person feels: the page *My active surveys* among a million invitations, and the drawing of cards.

- page: `actions.handle` of `surveys.list` for people with 100 invitations each, of which about 66 are open, or none: finding the person,
  the invitations and the surveys in one snapshot, folding them, making the page.
- card: `cards.slack.message` and `json.dumps`, against slack_sdk's block models of the same blocks, `to_dict` and `json.dumps`. The models
  are handed finished texts: escaping, limits and the plain text are in our figure alone.
"""

from __future__ import annotations

import asyncio
import json
import statistics
from collections.abc import Callable, Iterator
from random import Random
from time import perf_counter
from typing import Any

from slack_sdk.models.blocks import (
    ActionsBlock,
    Block,
    ButtonElement,
    ContextBlock,
    DividerBlock,
    HeaderBlock,
    MarkdownTextObject,
    PlainTextObject,
    SectionBlock,
)

from bot import actions
from bot.gallery import gallery
from bot.messages import Request, Surface
from bot.page import Action, Entry, Page
from bot.pages import PAGE_SIZE
from cards import slack
from store.unit_of_work import SqlStore
from tests.benchmarks import million
from tests.benchmarks.databases import KINDS, Databases, keyring
from tests.benchmarks.measure import Figures, Goal, Line, fresh, medians

_CARDS = ("new-survey", "my-active-surveys-second-page")


def lines(databases: Databases, *, quick: bool) -> Iterator[Line]:
    distributions, runs = (10, 1) if quick else (1000, 3)
    for kind in KINDS:
        taken = _measured(databases, kind, distributions, runs)
        yield Line(what="page My active surveys, median", database=kind, figure=taken["median"], unit="ms", goal=Goal(at_most=100))
        yield Line(what="page My active surveys, p99", database=kind, figure=taken["p99"], unit="ms", goal=Goal(at_most=100))
    cards = medians(runs, {"cards": lambda: fresh(_cards)})["cards"]
    for name in _CARDS:
        ours, theirs = cards[name], cards[f"{name} slack_sdk"]
        baseline, ratio = f"slack_sdk {theirs:.0f} us", theirs / ours
        yield Line(what=f"card {name}", figure=ours, unit="us", baseline=baseline, ratio=ratio, goal=Goal(at_least=10))
    yield Line(what=f"card {_CARDS[0]}", figure=cards[_CARDS[0]], unit="us", goal=Goal(at_most=25))


def _measured(databases: Databases, kind: str, distributions: int, runs: int) -> Figures:
    with databases.new(kind) as url:
        fresh(million.fill, url, distributions)
        return medians(runs, {f"page {kind}": lambda: fresh(_pages, url, distributions)})[f"page {kind}"]


def _pages(url: str, distributions: int) -> Figures:
    return asyncio.run(_shown(url, distributions))


async def _shown(url: str, distributions: int) -> Figures:
    """Show their list to 300 people, one after the other; everybody has `distributions` // 10 invitations."""
    store, random, seconds = SqlStore(url, keyring()), Random(7), list[float]()
    for _ in range(300):
        number = random.randrange(million.PEOPLE)
        request = Request(member=million.member(number), action=Action(verb="surveys.list"), surface=Surface.PRIVATE)
        start = perf_counter()
        page = await actions.handle(store, request, million.NOW)
        seconds.append(perf_counter() - start)
        assert isinstance(page, Page)
        entries = sum(isinstance(element, Entry) for element in page.elements)
        assert entries == min(PAGE_SIZE, million.open_surveys(number, distributions)), (number, entries)
    await store.close()
    return {"median": statistics.median(seconds) * 1000, "p99": statistics.quantiles(seconds, n=100)[98] * 1000}


def _cards() -> Figures:
    figures: dict[str, float] = {}
    for name in _CARDS:
        page = gallery()[name]
        blocks = slack.message(page)["blocks"]
        assert [_model(block).to_dict() for block in blocks] == blocks
        figures[name] = _microseconds(lambda page=page: json.dumps(slack.message(page)))
        figures[f"{name} slack_sdk"] = _microseconds(lambda blocks=blocks: json.dumps([_model(block).to_dict() for block in blocks]))
    return figures


def _microseconds(work: Callable[[], object]) -> float:
    """The median of seven loops of 200."""
    loops: list[float] = []
    for _ in range(7):
        start = perf_counter()
        for _ in range(200):
            work()
        loops.append((perf_counter() - start) / 200 * 1e6)
    return statistics.median(loops)


def _model(block: dict[str, Any]) -> Block:
    """Build a block as a program that uses slack_sdk's models would, from its finished texts."""
    match block:
        case {"type": "header"}:
            return HeaderBlock(text=_text(block["text"]))
        case {"type": "section", "fields": fields}:
            return SectionBlock(fields=[_text(field) for field in fields])
        case {"type": "section", "text": text}:
            return SectionBlock(text=_text(text), accessory=_button(block["accessory"]) if "accessory" in block else None)
        case {"type": "context"}:
            return ContextBlock(elements=[_text(element) for element in block["elements"]])
        case {"type": "actions"}:
            return ActionsBlock(elements=[_button(element) for element in block["elements"]])
        case _:
            return DividerBlock()


def _text(text: dict[str, Any]) -> Any:
    if text["type"] == "plain_text":
        return PlainTextObject(text=text["text"], emoji=text["emoji"])
    return MarkdownTextObject(text=text["text"], verbatim=text["verbatim"])


def _button(button: dict[str, Any]) -> ButtonElement:
    optional = {name: button[name] for name in ("value", "url", "style", "accessibility_label") if name in button}
    return ButtonElement(text=_text(button["text"]), action_id=button["action_id"], **optional)
