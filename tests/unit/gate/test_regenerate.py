"""The limits in the doc comments of Slack's types become limits of the schema."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from adapters.sandbox.gate import regenerate

STRING = {"type": "string"}
REF = {"$ref": "#/definitions/PlainTextElement"}
LIST = {"type": "array", "items": REF}


def text_of(ref: dict[str, Any], length: int) -> dict[str, Any]:
    return {"allOf": [ref, {"properties": {"text": {"maxLength": length}}}]}


@pytest.mark.parametrize(
    ("name", "node", "comment", "limits"),
    [
        ("id", STRING, "Maximum length for this field is 255 characters.", {"maxLength": 255}),
        ("text", STRING, "The minimum length is 1 and maximum length is 3,000 characters.", {"minLength": 1, "maxLength": 3000}),
        ("text", STRING, "Limit 12,000 characters max.", {"maxLength": 12_000}),
        ("author", STRING, "Must be less than 50 characters.", {"maxLength": 49}),
        ("image_url", STRING, "The URL.", {"maxLength": 3000}),
        ("title", REF, "Must be a text with a\nmaximum length of 24 characters.", text_of(REF, 24)),
        (
            "fields",
            LIST,
            "Maximum number of items is 10. Maximum length for the text in each item is 2000 characters.",
            {"maxItems": 10, "items": text_of(REF, 2000)},
        ),
        ("options", LIST, "A maximum of 10 options are allowed.", {"maxItems": 10}),
        (
            "rows",
            {"type": "array", "items": LIST},
            "Maximum 100 rows. Each row has a max of 20 table cells.",
            {"maxItems": 100, "items": {**LIST, "maxItems": 20}},
        ),
        ("value", STRING, "Sent along.", {}),
    ],
)
def test_a_limit_is_read_from_its_comment(name: str, node: dict[str, Any], comment: str, limits: dict[str, Any]) -> None:
    limited: dict[str, Any] = copy.deepcopy({**node, "description": comment})
    regenerate._limit(name, limited)
    expected = {key: value for key, value in node.items() if not ("allOf" in limits and key == "$ref")} | limits
    assert regenerate._without_comments(limited) == expected
