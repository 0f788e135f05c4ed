// Native charts, close to how Slack and Teams draw them. Eyes alone see them: for all others their numbers stand below, as in the real ones.

import { h } from "./dom.js";

/** Draw Slack's `data_visualization` block. */
export function drawChart({ title, chart }) {
  const { x_label, y_label } = chart.axis_config ?? {};
  const body = chart.type === "pie" ? pie(chart.segments) : axes(chart.type, chart.series, { x: x_label, y: y_label });
  return h("figure", { class: "b-chart" }, h("figcaption", {}, title), body);
}

/** Draw one of Teams' `Chart.*` elements. Teams does not draw their titles. */
export function drawCardChart(chart) {
  const point = ({ x, y, legend, value }) => ({ label: String(x ?? legend), value: y ?? value });
  const kind = chart.type.split(".")[1];
  if (kind === "Pie") return h("figure", { class: "b-chart" }, pie(chart.data.map(point)));
  const isGrouped = chart.data.some((one) => one.values);
  const series = isGrouped
    ? chart.data.map((one) => ({ name: one.legend, data: one.values.map(point) }))
    : [{ name: chart.yAxisTitle ?? "", data: chart.data.map(point) }];
  const titles = { x: chart.xAxisTitle, y: chart.yAxisTitle };
  return h("figure", { class: "b-chart" }, axes(kind === "Line" ? "line" : "bar", series, titles));
}

const STEPS = 4;
const LABELS = 6;

// Everything is placed in percent, so that a chart is as wide as there is room and its letters stay as large as they are.
function axes(kind, series, titles) {
  const labels = series[0].data.map((point) => point.label);
  const most = Math.max(1, ...series.flatMap((one) => one.data.map((point) => point.value)));
  const step = roundStep(most / STEPS);
  const steps = Math.ceil(most / step);
  const at = { count: labels.length, top: steps * step, every: kind === "bar" ? 1 : Math.ceil(labels.length / LABELS) };
  const ticks = Array.from({ length: steps + 1 }, (_, down) => (steps - down) * step);
  return h(
    "div",
    { class: `chart-axes chart-${kind} ${labels.length > STEPS && kind === "bar" ? "crowded" : ""}`, "aria-hidden": "true" },
    titles.y && h("p", { class: "chart-title" }, titles.y),
    h("div", { class: "chart-ticks" }, ticks.map((tick) => h("span", {}, spelt(tick)))),
    s("svg", { class: "chart-plot" }, ticks.map((tick) => line(0, tick, at.count, tick, at, "grid")), series.map((one, index) => MARKS[kind](one.data, index, series.length, at))),
    h("div", { class: "chart-labels" }, labels.map((label, index) => h("span", {}, isSaid(index, at) ? label : ""))),
    titles.x && h("p", { class: "chart-title chart-below" }, titles.x),
    series.length > 1 && legend(series.map((one) => one.name)),
  );
}

const MARKS = { bar: bars, line: lines, area: lines };

function bars(points, index, count, at) {
  const width = 0.7 / count;
  return points.map(({ value }, number) => {
    const left = number + 0.15 + index * width;
    const look = { class: `fill k-${index}`, x: across(left, at), y: up(value, at), width: across(width, at), height: `${(100 * value) / at.top}%` };
    return [s("rect", look), count === 1 && said(left + width / 2, value, at)];
  });
}

function lines(points, index, count, at) {
  return points.map(({ value }, number) => {
    const x = number + 0.5;
    const next = points[number + 1];
    return [
      next && line(x, value, x + 1, next.value, at, `stroke k-${index}`),
      s("circle", { class: `fill k-${index}`, cx: across(x, at), cy: up(value, at), r: 4 }),
      count === 1 && isSaid(number, at) && said(x, value, at),
    ];
  });
}

function pie(segments) {
  const all = segments.reduce((sum, one) => sum + one.value, 0);
  let before = 0;
  const slices = segments.map(({ value }, index) => {
    const share = (100 * value) / all;
    // A little longer than it is: the next one covers that, and no gap shows between the last and the first.
    const look = { class: `slice k-${index}`, r: 8, cx: 16, cy: 16, pathLength: 100, "stroke-dasharray": `${share + 0.5} 100`, "stroke-dashoffset": -before };
    before += share;
    return s("circle", look);
  });
  const names = segments.map(({ label, value }) => `${label}: ${spelt(value)}`);
  return h("div", { class: "chart-pie", "aria-hidden": "true" }, s("svg", { viewBox: "0 0 32 32" }, slices), legend(names));
}

function legend(names) {
  return h("ul", { class: "chart-legend" }, names.map((name, index) => h("li", {}, s("svg", {}, s("rect", { class: `fill k-${index}` })), name)));
}

function line(x1, y1, x2, y2, at, look) {
  return s("line", { class: look, x1: across(x1, at), y1: up(y1, at), x2: across(x2, at), y2: up(y2, at) });
}

function said(x, value, at) {
  return s("text", { x: across(x, at), y: up(value, at), dy: -7 }, spelt(value));
}

// Of many days every so many are named, the last one among them.
function isSaid(index, { count, every }) {
  return (count - 1 - index) % every === 0;
}

function across(x, { count }) {
  return `${(100 * x) / count}%`;
}

function up(y, { top }) {
  return `${100 - (100 * y) / top}%`;
}

// The next round number from here on: people are whole.
function roundStep(least) {
  const power = Math.max(1, 10 ** Math.floor(Math.log10(least)));
  return power * [1, 2, 5, 10].find((one) => one * power >= least);
}

function spelt(number) {
  return number.toLocaleString("en-US");
}

function s(tag, properties, ...children) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(properties)) node.setAttribute(name, value);
  node.append(...children.flat(Infinity).filter(Boolean));
  return node;
}
