"""A chart as Slack draws it itself: https://docs.slack.dev/reference/block-kit/blocks/data-visualization-block."""

from __future__ import annotations

from typing import Any

from bot.page import Chart, ChartKind, Series
from cards import limits, markup

Json = dict[str, Any]


def block(chart: Chart) -> Json | None:
    """Return the block; None where Slack would refuse it: then its numbers are said in words alone."""
    labels = _names(chart.labels)
    drawn = _pie(labels, chart.series[0]) if chart.kind is ChartKind.PIE else _axes(chart, labels)
    if drawn is None:
        return None
    title = markup.visible(chart.title, limits.CHART_TITLE)
    return {"type": "data_visualization", "title": title, "chart": {"type": chart.kind.value, **drawn}}


def _pie(labels: list[str], series: Series) -> Json | None:
    """An empty slice is not allowed, and not seen."""
    segments = [{"label": label, "value": value} for label, value in zip(labels, series.values, strict=True) if value > 0]
    return {"segments": segments} if 0 < len(segments) <= limits.CHART_SEGMENTS else None


def _axes(chart: Chart, labels: list[str]) -> Json | None:
    names = _names([series.name for series in chart.series])
    if not (0 < len(labels) <= limits.CHART_LABELS and 0 < len(names) <= limits.CHART_SERIES):
        return None
    if len(set(labels)) < len(labels) or len(set(names)) < len(names):
        return None
    series = [{"name": name, "data": _points(labels, each)} for name, each in zip(names, chart.series, strict=True)]
    titles = {"x_label": chart.x_title, "y_label": chart.y_title}
    shown = {key: markup.visible(title, limits.AXIS_TITLE) for key, title in titles.items() if title is not None}
    return {"series": series, "axis_config": {"categories": labels, **shown}}


def _points(labels: list[str], series: Series) -> list[Json]:
    return [{"label": label, "value": value} for label, value in zip(labels, series.values, strict=True)]


def _names(texts: tuple[str, ...] | list[str]) -> list[str]:
    return [markup.visible(text, limits.CHART_LABEL) for text in texts]
