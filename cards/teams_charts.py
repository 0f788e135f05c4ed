"""A chart as Teams draws it itself: https://learn.microsoft.com/en-us/microsoftteams/platform/task-modules-and-cards/cards/charts-in-adaptive-cards."""

from __future__ import annotations

from itertools import cycle
from typing import Any

from bot.page import Chart, ChartKind, Series
from cards import limits, markup

Json = dict[str, Any]

#: Neighbours differ in lightness, the first two in blue and yellow as well: so eyes that tell red from green badly tell them apart.
_COLOURS = ("categoricalBlue", "categoricalMarigold", "categoricalPurple", "categoricalLime", "categoricalRed", "categoricalLightBlue")


def element(chart: Chart) -> Json:
    """Return the element; where it is unknown, which is outside of Teams, nothing stands in its place: it is no part of version 1.5."""
    titles = {"xAxisTitle": chart.x_title, "yAxisTitle": chart.y_title}
    shown = {name: _text(title) for name, title in titles.items() if title is not None and chart.kind is not ChartKind.PIE}
    kind, data = _data(chart)
    return {"type": f"Chart.{kind}", "title": _text(chart.title), **shown, "data": data, "fallback": "drop"}


def _data(chart: Chart) -> tuple[str, list[Json]]:
    match chart.kind:
        case ChartKind.PIE:
            (series,) = chart.series
            slices = zip(chart.labels, series.values, cycle(_COLOURS), strict=False)
            return "Pie", [{"legend": _text(label), "value": value, "color": color} for label, value, color in slices]
        case ChartKind.BAR if len(chart.series) == 1:
            return "VerticalBar", [{**point, "color": _COLOURS[0]} for point in _points(chart, chart.series[0])]
        case ChartKind.BAR:
            return "VerticalBar.Grouped", _groups(chart)
        case ChartKind.LINE | ChartKind.AREA:
            return "Line", _groups(chart)


def _groups(chart: Chart) -> list[Json]:
    groups = zip(chart.series, cycle(_COLOURS), strict=False)
    return [{"legend": _text(series.name), "values": _points(chart, series), "color": color} for series, color in groups]


def _points(chart: Chart, series: Series) -> list[Json]:
    return [{"x": _text(label), "y": value} for label, value in zip(chart.labels, series.values, strict=True)]


def _text(text: str) -> str:
    return markup.card_text(text, limits.TEAMS_LABEL)
