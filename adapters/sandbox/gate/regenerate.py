"""Makes `slack_types.schema.json` anew from Slack's published TypeScript types. Needs npm: `python -m adapters.sandbox.gate.regenerate`.

The types state no lengths and counts, their doc comments do: those are read and put into the schema, so no number is typed by hand but
the few in `_CORRECTIONS` and `_UNSTATED`.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

TARGET = Path(__file__).with_name("slack_types.schema.json")
_PACKAGES = ("@slack/types@3.2.0", "ts-json-schema-generator@2.9.0")
_ENTRY = """import type { HomeView, KnownBlock, ModalView } from '@slack/types';
export interface Everything { blocks: Blocks; home: HomeView; modal: ModalView }
export type Blocks = KnownBlock[];
"""
_TSCONFIG = {
    "compilerOptions": {"strict": True, "module": "nodenext", "moduleResolution": "nodenext", "target": "es2022", "skipLibCheck": True},
    "files": ["everything.ts"],
}

_LENGTH = re.compile(r"(max(?:imum)? length|limit|less than)\D{0,60}?([\d,]+) characters", re.IGNORECASE)
_COUNT = re.compile(r"max(?:imum)?(?: number of [a-z ]+ is| of)? (\d+)", re.IGNORECASE)
_CELLS = re.compile(r"max of (\d+) table cells")
_NOT_EMPTY = "minimum length is 1"

#: (definition, property) -> what the doc comments lack or say wrong (reference slack.md 2).
_CORRECTIONS: dict[tuple[str, str], dict[str, Any]] = {
    ("PlainTextOption", "value"): {"maxLength": 150},
    ("MrkdwnOption", "value"): {"maxLength": 150},
    ("Overflow", "options"): {"maxItems": 5},
}
#: Lengths of properties that go by these names everywhere, where no comment says them.
_UNSTATED = {"image_url": 3000, "alt_text": 2000, "placeholder": 150}

Schema = dict[str, Any]


def main() -> None:
    with TemporaryDirectory() as folder:
        definitions = _generated(Path(folder))
    definitions["KnownBlock"] = _by_type(definitions["KnownBlock"], definitions)
    # A view's blocks may be "any object with a type" besides: that would let everything through.
    definitions["AnyBlock"] = {"$ref": "#/definitions/KnownBlock"}
    for name in ("Block", "Everything"):
        del definitions[name]
    for definition in definitions.values():
        for name, node in _properties(definition):
            _limit(name, node)
    for (definition, name), limits in _CORRECTIONS.items():
        definitions[definition]["properties"][name].update(limits)
    TARGET.write_text(json.dumps(_without_comments(definitions), indent=1, sort_keys=True) + "\n")


def _generated(folder: Path) -> dict[str, Schema]:
    (folder / "everything.ts").write_text(_ENTRY)
    (folder / "tsconfig.json").write_text(json.dumps(_TSCONFIG))
    _run(folder, "npm", "install", "--no-audit", "--no-fund", *_PACKAGES)
    options = ("--path", "everything.ts", "--tsconfig", "tsconfig.json", "--type", "Everything", "--no-type-check")
    return json.loads(_run(folder, "npx", "ts-json-schema-generator", *options))["definitions"]


def _run(folder: Path, program: str, *arguments: str) -> str:
    path = shutil.which(program) or program
    return subprocess.run([path, *arguments], cwd=folder, check=True, stdout=subprocess.PIPE, text=True).stdout  # noqa: S603  our own words


def _by_type(union: Schema, definitions: dict[str, Schema]) -> Schema:
    """Choose the block by its `type` instead of trying all: several times faster, and the error is that of the block which was meant."""
    types = {_type(definitions[ref["$ref"].rpartition("/")[2]]): ref for ref in union["anyOf"]}
    choices = [{"if": {"properties": {"type": {"const": name}}}, "then": ref} for name, ref in types.items()]
    return {"type": "object", "required": ["type"], "properties": {"type": {"enum": list(types)}}, "allOf": choices}


def _type(definition: Schema) -> str:
    return (definition.get("anyOf") or [definition])[0]["properties"]["type"]["const"]


def _properties(definition: Schema) -> Iterator[tuple[str, Schema]]:
    yield from definition.get("properties", {}).items()
    for alternative in (*definition.get("anyOf", ()), *definition.get("allOf", ())):
        yield from _properties(alternative)


def _limit(name: str, node: Schema) -> None:
    comment = " ".join(node.get("description", "").split())
    length = _length(comment) or _UNSTATED.get(name)
    if node.get("type") == "array":
        _limit_array(node, comment, length)
    elif node.get("type") == "string":
        node |= {"maxLength": length} if length else {}
        node |= {"minLength": 1} if _NOT_EMPTY in comment.lower() else {}
    elif length:
        _limit_text_of(node, length)


def _limit_array(node: Schema, comment: str, length: int | None) -> None:
    if count := _COUNT.search(comment):
        node["maxItems"] = int(count[1])
    if cells := _CELLS.search(comment):
        node["items"]["maxItems"] = int(cells[1])
    if length:
        _limit_text_of(node["items"], length)


def _limit_text_of(node: Schema, length: int) -> None:
    """Limit a text object where it is used: beside a `$ref` other keywords are ignored, so both go into an `allOf`."""
    used = {key: node.pop(key) for key in ("$ref", "anyOf") if key in node}
    node["allOf"] = [used, {"properties": {"text": {"maxLength": length}}}]


def _length(comment: str) -> int | None:
    found = _LENGTH.search(comment)
    if not found:
        return None
    return int(found[2].replace(",", "")) - (found[1].lower() == "less than")


def _without_comments(value: object) -> object:
    match value:
        case dict():
            return {key: _without_comments(item) for key, item in value.items() if not (key == "description" and isinstance(item, str))}
        case list():
            return [_without_comments(item) for item in value]
        case _:
            return value


if __name__ == "__main__":
    main()
