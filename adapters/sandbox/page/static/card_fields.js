// The inputs of an Adaptive Card: each tells what was typed or chosen under its id, and says when something is wanted.

import { h } from "./dom.js";

let drawnFields = 0;

/** Draw an `Input.*` and add {id, value(), complain()} to `fields`; `complain` is true, and shown, when it may not stay as it is. */
export function drawCardField(one, fields) {
  const id = `card-field-${(drawnFields += 1)}`;
  const error = h("p", { class: "field-error", id: `${id}-error`, role: "alert" });
  const kind = Object.hasOwn(KINDS, one.type) ? KINDS[one.type] : null;
  if (!kind) return h("p", { class: "b-unknown" }, `This sandbox does not draw “${one.type}”.`);
  const { node, value } = kind(one, { id, "aria-describedby": `${id}-error` });
  fields.push({
    id: one.id,
    value,
    complain() {
      const isMissing = Boolean(one.isRequired) && !value();
      error.textContent = isMissing ? (one.errorMessage ?? "This is needed.") : "";
      return isMissing;
    },
  });
  const label = one.label && [one.label, one.isRequired && h("span", { class: "optional" }, " (needed)")];
  if (node.isGroup) return h("fieldset", { class: "b-field" }, label && h("legend", {}, label), node.choices, error);
  return h("div", { class: "b-field" }, label && h("label", { for: id }, label), node, error);
}

const KINDS = {
  "Input.Text": (one, at) => typed(one, at, one.isMultiline ? "textarea" : "input", { type: one.isMultiline ? null : "text", maxlength: one.maxLength }),
  "Input.Number": (one, at) => typed(one, at, "input", { type: "number", min: one.min, max: one.max }),
  "Input.Date": (one, at) => typed(one, at, "input", { type: "date", min: one.min, max: one.max }),
  "Input.Time": (one, at) => typed(one, at, "input", { type: "time" }),
  "Input.Toggle": toggle,
  "Input.ChoiceSet": (one, at) => (one.isMultiSelect || one.style === "expanded" ? group(one) : menu(one, at)),
};

function typed(one, at, tag, look) {
  const node = h(tag, { ...at, ...look, placeholder: one.placeholder, value: tag === "input" ? one.value : null, autocomplete: "off" });
  if (tag === "textarea") node.append(one.value ?? "");
  return { node, value: () => node.value };
}

function menu(one, at) {
  const options = one.choices.map(({ title, value }) => h("option", { value, selected: value === one.value }, title));
  const node = h("select", at, one.value ? options : [h("option", { value: "" }, one.placeholder ?? "Choose"), ...options]);
  return { node, value: () => node.value };
}

// Several choices come back joined by commas.
function group(one) {
  const chosen = String(one.value ?? "").split(",");
  const name = `card-group-${(drawnFields += 1)}`;
  const type = one.isMultiSelect ? "checkbox" : "radio";
  const boxes = one.choices.map(({ value }) => h("input", { type, name, value, checked: chosen.includes(value) }));
  const choices = one.choices.map(({ title }, index) => h("label", {}, boxes[index], h("span", {}, title)));
  return {
    node: { isGroup: true, choices },
    value: () => boxes.filter((box) => box.checked).map((box) => box.value).join(","),
  };
}

function toggle(one, at) {
  const [on, off] = [one.valueOn ?? "true", one.valueOff ?? "false"];
  const box = h("input", { ...at, type: "checkbox", checked: one.value === on });
  return { node: h("label", { class: "c-toggle" }, box, h("span", {}, one.title)), value: () => (box.checked ? on : off) };
}
