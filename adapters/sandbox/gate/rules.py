"""The rules over a whole payload, which neither Slack's types nor its SDK can state (reference slack.md 2 and 6a)."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from adapters.sandbox.gate.charts import MAX_CHARTS, TYPE, chart_problems
from adapters.sandbox.gate.problem import Kind, Problem

# https://docs.slack.dev/reference/block-kit/blocks
_MAX_BLOCKS: Mapping[Kind, int] = {"message": 50, "home": 100, "modal": 100}
# chat.postMessage asks for less than 4,000 characters and cuts at 40,000.
_MAX_TEXT = 4_000
# slackblocks 3.0.0 `_surfaces.py`; a message takes every block but those that only modals take.
_SURFACES: Mapping[Kind, frozenset[str]] = {
    "home": frozenset(
        {"actions", "card", "carousel", "container", "context", "data_table", "data_visualization", "divider", "header", "image", "input"}
        | {"rich_text", "section", "table", "video"}
    ),
    "modal": frozenset({"actions", "alert", "card", "context", "divider", "header", "image", "input", "rich_text", "section", "video"}),
}
_MODAL_ONLY = frozenset({"alert"})
# This bot mentions nobody: neither groups nor people (https://docs.slack.dev/messaging/formatting-message-text#mentioning-groups).
_MENTION = re.compile(r"<(?:!(?:channel|here|everyone|group|subteam)\b|@)", re.IGNORECASE)
_RICH_MENTIONS = frozenset({"broadcast", "user", "usergroup"})
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})

Node = Mapping[str, Any]


def rule_problems(kind: Kind, payload: Node) -> list[Problem]:
    """Ask every rule. They look at any JSON and leave wrong types to the schema."""
    nodes = list(_walk(payload, ""))
    blocks = [(pointer, node) for pointer, node in nodes if re.fullmatch(r"/blocks/\d+", pointer)]
    found = [
        *_count(kind, blocks),
        *_surface(kind, blocks),
        *_tables(blocks),
        *_charts(blocks),
        *_repeated("block_id", nodes),
        *_repeated("action_id", nodes),
        *(problem for pointer, node in nodes for problem in _node(pointer, node)),
    ]
    if kind == "message":
        found.extend(_text(payload))
    if kind == "modal":
        found.extend(_submit(payload, blocks))
    return found


def _walk(value: object, pointer: str) -> Iterator[tuple[str, Node]]:
    """Every object in the payload with its pointer."""
    match value:
        case dict():
            yield pointer, value
            for key, item in value.items():
                yield from _walk(item, f"{pointer}/{key}")
        case list():
            for index, item in enumerate(value):
                yield from _walk(item, f"{pointer}/{index}")
        case _:
            pass


def _count(kind: Kind, blocks: list[tuple[str, Node]]) -> Iterator[Problem]:
    if len(blocks) > _MAX_BLOCKS[kind]:
        yield Problem("/blocks", f"has {len(blocks)} blocks, more than {_MAX_BLOCKS[kind]}")


def _surface(kind: Kind, blocks: list[tuple[str, Node]]) -> Iterator[Problem]:
    for pointer, block in blocks:
        block_type = str(block.get("type"))
        if block_type in _MODAL_ONLY if kind == "message" else block_type not in _SURFACES[kind]:
            yield Problem(pointer, f"this block has no place in a {kind}")


def _tables(blocks: list[tuple[str, Node]]) -> Iterator[Problem]:
    """`only_one_table_allowed` (https://docs.slack.dev/reference/block-kit/blocks/table-block)."""
    tables = [pointer for pointer, block in blocks if block.get("type") == "table"]
    for pointer in tables[1:]:
        yield Problem(pointer, "only one table is allowed")


def _charts(blocks: list[tuple[str, Node]]) -> Iterator[Problem]:
    charts = [(pointer, block) for pointer, block in blocks if block.get("type") == TYPE]
    for pointer, block in charts:
        yield from chart_problems(pointer, block)
    for pointer, _ in charts[MAX_CHARTS:]:
        yield Problem(pointer, f"only {MAX_CHARTS} charts are allowed")


def _repeated(key: str, nodes: list[tuple[str, Node]]) -> Iterator[Problem]:
    """Ids are unique within their message or view (`@slack/types` 3.2.0 on `block_id` and `action_id`)."""
    names = [(f"{pointer}/{key}", str(node[key])) for pointer, node in nodes if key in node]
    counts = Counter(name for _, name in names)
    for pointer, name in names:
        if counts[name] > 1:
            yield Problem(pointer, f"{key} is not unique")


def _node(pointer: str, node: Node) -> Iterator[Problem]:
    match node:
        case {"type": "actions" | "context", "elements": []}:
            yield Problem(f"{pointer}/elements", "is empty")
        case {"type": "mrkdwn" | "markdown", "text": str(text)} if _MENTION.search(text):
            yield Problem(f"{pointer}/text", "mentions somebody")
        case {"type": str(inline)} if inline in _RICH_MENTIONS:
            yield Problem(pointer, "mentions somebody")
        case {"type": "button", "url": str(url)} if not _is_safe(url):
            yield Problem(f"{pointer}/url", "is not https")
        case {"title": _, "text": _, "confirm": _} if "deny" not in node:
            # Required by https://docs.slack.dev/reference/block-kit/composition-objects/confirmation-dialog-object; the types say optional.
            yield Problem(pointer, "has no deny")
        case _:
            pass


def _is_safe(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)


def _text(payload: Node) -> Iterator[Problem]:
    """Phones and screen readers read `text` alone: https://docs.slack.dev/reference/methods/chat.postMessage."""
    text = payload.get("text")
    if not isinstance(text, str) or not text.strip():
        yield Problem("/text", "is missing or empty")
    elif len(text) > _MAX_TEXT:
        yield Problem("/text", f"is longer than {_MAX_TEXT} characters")
    elif _MENTION.search(text):
        yield Problem("/text", "mentions somebody")


def _submit(payload: Node, blocks: list[tuple[str, Node]]) -> Iterator[Problem]:
    """`submit` is required when an input block is there (`@slack/types` 3.2.0, `ModalView.submit`)."""
    if "submit" not in payload and any(block.get("type") == "input" for _, block in blocks):
        yield Problem("/submit", "is missing beside an input block")
