// Adaptive Cards as Teams draws them: what was sent becomes nodes; what this page does not know gives way to its fallback, or is said.

import { drawCardField } from "./card_fields.js";
import { drawCardChart } from "./charts.js";
import { cardDates } from "./dates.js";
import { h, outsideLink } from "./dom.js";
import { parse } from "./markdown.js";

/** Draw a card. `reader` is {zone, locale, now, press(action, typed)}: whose eyes see it and what a button does with what was typed. */
export function drawCard(card, reader) {
  const fields = [];
  const inside = { ...reader, fields, press: (action) => pressed(action, fields, reader) };
  return h("div", { class: "card", lang: card.lang }, elements(card.body, inside), card.actions && actionSet(card, inside));
}

// What is wanted and missing is said at its field, and nothing is pressed.
function pressed(action, fields, reader) {
  const missing = fields.filter((field) => field.complain());
  if (!missing.length) reader.press(action, Object.fromEntries(fields.map((field) => [field.id, field.value()])));
}

const ELEMENTS = {
  TextBlock: (one, reader) => textBlock(one, reader),
  RichTextBlock: (one, reader) => h("p", { class: "text" }, one.inlines.map((run) => textRun(run, reader))),
  FactSet: factSet,
  Container: (one, reader) => h("div", { class: one.style ? `c-container ${one.style}` : "c-container" }, elements(one.items, reader)),
  ColumnSet: (one, reader) => h("div", { class: "c-columns" }, one.columns.map((column) => drawColumn(column, reader))),
  ActionSet: actionSet,
  Table: table,
  Image: (one) => h("span", { class: "b-picture", role: "img", "aria-label": one.altText }, one.altText ?? "A picture"),
};

function elements(list, reader) {
  return (list ?? []).filter((one) => one.isVisible !== false).map((one) => element(one, reader));
}

function element(one, reader) {
  const drawn = inner(one, reader);
  if (!drawn) return null;
  const classes = [one.separator && "c-separated", one.spacing && `c-${String(one.spacing).toLowerCase()}`].filter(Boolean);
  return h("div", { class: ["c-element", ...classes].join(" ") }, drawn);
}

function inner(one, reader) {
  if (Object.hasOwn(ELEMENTS, one.type)) return ELEMENTS[one.type](one, reader);
  if (String(one.type).startsWith("Input.")) return drawCardField(one, reader.fields);
  if (String(one.type).startsWith("Chart.")) return drawCardChart(one);
  if (one.fallback === "drop") return null;
  return one.fallback ? inner(one.fallback, reader) : h("p", { class: "b-unknown" }, unknown(one.type));
}

function textBlock(one, reader) {
  const look = { class: `text ${classesOf(one)}` };
  const inside = nodes(parse(cardDates(one.text, reader.zone, reader.locale)));
  return one.style === "heading" ? h("h3", look, inside) : h("p", look, inside);
}

function textRun(run, reader) {
  if (typeof run === "string") return run;
  return h("span", { class: classesOf(run) }, cardDates(run.text, reader.zone, reader.locale));
}

function classesOf({ size, weight, isSubtle, color, italic }) {
  const classes = [size && `c-size-${size}`, weight && `c-${weight}`, color && `c-color-${color}`, isSubtle && "c-subtle", italic && "c-italic"];
  return classes.filter(Boolean).join(" ").toLowerCase();
}

function factSet(one, reader) {
  const words = (text) => nodes(parse(cardDates(text, reader.zone, reader.locale)));
  return h("dl", { class: "c-facts" }, one.facts.map((fact) => [h("dt", {}, words(fact.title)), h("dd", {}, words(fact.value))]));
}

function drawColumn(column, reader) {
  const width = column.width === "auto" ? "c-column auto" : "c-column";
  return h("div", { class: `${width} ${column.verticalContentAlignment ?? ""}`.trim() }, elements(column.items, reader));
}

function table(one, reader) {
  const rows = one.rows.map((row, index) => {
    const isHead = index === 0 && one.firstRowAsHeaders !== false;
    return h("tr", {}, row.cells.map((cell) => h(isHead ? "th" : "td", isHead ? { scope: "col" } : {}, elements(cell.items, reader))));
  });
  return h("table", { class: "c-table" }, rows);
}

function actionSet({ actions }, reader) {
  return h("div", { class: "b-actions" }, actions.map((action) => button(action, reader)));
}

function button(action, reader) {
  const style = { positive: "primary", destructive: "danger" }[action.style] ?? "";
  const look = { class: `button b-button ${style}`, title: action.tooltip, "aria-label": action.tooltip };
  if (action.type === "Action.OpenUrl") {
    return outsideLink(action.url, look, action.title, h("span", { class: "hidden" }, " (opens in a new tab)"));
  }
  if (["Action.Execute", "Action.Submit"].includes(action.type)) {
    return h("button", { ...look, type: "button", onclick: () => reader.press(action) }, action.title);
  }
  return action.fallback?.type ? button(action.fallback, reader) : h("span", { class: "b-unknown" }, unknown(action.type));
}

const NODES = {
  text: (node) => node.text,
  bold: (node) => h("strong", {}, nodes(node.children)),
  italic: (node) => h("em", {}, nodes(node.children)),
  link: (node) => outsideLink(node.url, {}, node.text),
};

function nodes(parsed) {
  return parsed.map((node) => NODES[node.kind](node));
}

function unknown(type) {
  return `This sandbox does not draw “${type}”. Its JSON is under Raw JSON.`;
}
