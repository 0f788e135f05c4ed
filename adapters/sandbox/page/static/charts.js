// Native charts of Slack and Teams as tables with bars: the same numbers, for eyes and for screen readers.

import { h } from "./dom.js";

/** Draw Slack's `data_visualization` block. */
export function drawChart({ title, chart }) {
  const series = chart.type === "pie" ? [{ name: "Value", data: chart.segments }] : chart.series;
  return drawn(title, chart.type, chart.axis_config?.x_label ?? "", series);
}

/** Draw one of Teams' `Chart.*` elements. */
export function drawCardChart(chart) {
  const point = ({ x, y, legend, value }) => ({ label: String(x ?? legend), value: y ?? value });
  const isGrouped = chart.data.some((one) => one.values);
  const series = isGrouped
    ? chart.data.map((one) => ({ name: one.legend, data: one.values.map(point) }))
    : [{ name: chart.yAxisTitle ?? "Value", data: chart.data.map(point) }];
  return drawn(chart.title ?? "", chart.type.split(".").slice(1).join(" ").toLowerCase(), chart.xAxisTitle ?? "", series);
}

function drawn(title, kind, corner, series) {
  const labels = series[0].data.map((point) => point.label);
  const most = Math.max(1, ...series.flatMap((one) => one.data.map((point) => point.value)));
  const value = (one, label) => one.data.find((point) => point.label === label)?.value ?? 0;
  const row = (label) => [h("th", { scope: "row" }, label), series.map((one) => h("td", {}, bar(value(one, label), most), value(one, label)))];
  return h(
    "table",
    { class: "b-chart" },
    h("caption", {}, title, h("span", { class: "hint" }, ` (${kind} chart)`)),
    h("thead", {}, h("tr", {}, h("th", { scope: "col" }, corner), series.map((one) => h("th", { scope: "col" }, one.name)))),
    h("tbody", {}, labels.map((label) => h("tr", {}, row(label)))),
  );
}

function bar(value, most) {
  return h("meter", { min: "0", max: most, value, "aria-hidden": "true" });
}
