"""What Slack would refuse of a `data_visualization` block, which neither `@slack/types` 3.2.0 nor `slack_sdk` 3.47.0 knows.

https://docs.slack.dev/reference/block-kit/blocks/data-visualization-block; where copies of that page differ, the smaller limit counts
(reference slack.md 2).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from jsonschema import Draft7Validator

from adapters.sandbox.gate.problem import Problem

TYPE = "data_visualization"
#: Charts in one message.
MAX_CHARTS = 2

_LABEL = {"type": "string", "minLength": 1, "maxLength": 20}
_AXIS_TITLE = {"type": "string", "maxLength": 50}
_NUMBER = {"type": "number"}


def _object(required: Mapping[str, Any], **optional: Any) -> Mapping[str, Any]:  # noqa: ANN401 - any JSON schema
    return {"type": "object", "required": list(required), "properties": {**required, **optional}, "additionalProperties": False}


def _list(items: Mapping[str, Any], most: int) -> Mapping[str, Any]:
    return {"type": "array", "items": items, "minItems": 1, "maxItems": most}


_SEGMENT = _object({"label": _LABEL, "value": {"type": "number", "exclusiveMinimum": 0}})
_SERIES = _object({"name": _LABEL, "data": _list(_object({"label": _LABEL, "value": _NUMBER}), 20)})
_AXES = _object({"categories": _list(_LABEL, 20)}, x_label=_AXIS_TITLE, y_label=_AXIS_TITLE)
_CHARTS = {
    "pie": _object({"type": {"const": "pie"}, "segments": _list(_SEGMENT, 6)}),
    **{kind: _object({"type": {"const": kind}, "series": _list(_SERIES, 6), "axis_config": _AXES}) for kind in ("line", "bar", "area")},
}


def _block(chart: Mapping[str, Any]) -> Draft7Validator:
    title = {"type": "string", "minLength": 1, "maxLength": 50}
    block = _object({"type": {"const": TYPE}, "title": title, "chart": chart}, block_id={"type": "string", "maxLength": 255})
    return Draft7Validator(block)


_VALIDATORS = {kind: _block(chart) for kind, chart in _CHARTS.items()}
_UNKNOWN_KIND = _block(_object({"type": {"enum": sorted(_CHARTS)}}))


def chart_problems(pointer: str, block: Mapping[str, Any]) -> Iterator[Problem]:
    """Ask the schema of this kind of chart; then each series needs exactly one point for each category."""
    chart = block.get("chart")
    kind = chart.get("type") if isinstance(chart, dict) else None
    found = list(_VALIDATORS.get(str(kind), _UNKNOWN_KIND).iter_errors(block))
    for error in found:
        path = "".join(f"/{step}" for step in error.absolute_path)
        yield Problem(pointer + path, f"breaks {error.validator} of a chart", str(error.validator))
    if not found and isinstance(chart, dict) and "series" in chart:
        categories = sorted(chart["axis_config"]["categories"])
        for index, series in enumerate(chart["series"]):
            if sorted(point["label"] for point in series["data"]) != categories:
                yield Problem(f"{pointer}/chart/series/{index}/data", "has not exactly one point for each category")
