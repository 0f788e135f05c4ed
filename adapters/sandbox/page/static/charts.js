// Slack's native charts as tables with bars: the same numbers, for eyes and for screen readers.

import { h } from "./dom.js";

/** Draw a `data_visualization` block. */
export function drawChart(block) {
  const { chart } = block;
  const series = chart.type === "pie" ? [{ name: "Value", data: chart.segments }] : chart.series;
  const labels = series[0].data.map((point) => point.label);
  const most = Math.max(1, ...series.flatMap((one) => one.data.map((point) => point.value)));
  const value = (one, label) => one.data.find((point) => point.label === label)?.value ?? 0;
  return h(
    "table",
    { class: "b-chart" },
    h("caption", {}, block.title, h("span", { class: "hint" }, ` (${chart.type} chart)`)),
    h(
      "thead",
      {},
      h("tr", {}, h("th", { scope: "col" }, chart.axis_config?.x_label ?? ""), series.map((one) => h("th", { scope: "col" }, one.name))),
    ),
    h(
      "tbody",
      {},
      labels.map((label) =>
        h("tr", {}, h("th", { scope: "row" }, label), series.map((one) => h("td", {}, bar(value(one, label), most), value(one, label)))),
      ),
    ),
  );
}

function bar(value, most) {
  return h("meter", { min: "0", max: most, value, "aria-hidden": "true" });
}
