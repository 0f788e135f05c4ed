// Fields of forms, and menus in messages: what is typed or chosen goes by its action id.

import { h } from "./dom.js";

/** Draw an `input` block of a modal; what is wrong with it is written into the element with its `data-block`. */
export function drawField(block, reader) {
  const { element } = block;
  const id = `field-${block.block_id}`;
  const label = [block.label.text, block.optional && h("span", { class: "optional" }, " (optional)")];
  const notes = [
    block.hint && h("p", { class: "hint" }, block.hint.text),
    h("p", { class: "field-error", id: `${id}-error`, role: "alert", "data-block": block.block_id }),
  ];
  if (Object.hasOwn(GROUPS, element.type)) {
    const chosen = initial(element);
    const choices = element.options.map((one) =>
      h(
        "label",
        {},
        h("input", {
          type: GROUPS[element.type],
          name: element.action_id,
          value: one.value,
          checked: chosen.includes(one.value),
          "data-many": element.type === "checkboxes",
        }),
        h("span", {}, one.text.text, one.description && h("span", { class: "hint" }, ` ${one.description.text}`)),
      ),
    );
    return h("fieldset", { class: "b-field", "aria-describedby": `${id}-error` }, h("legend", {}, label), choices, notes);
  }
  const control = Object.hasOwn(CONTROLS, element.type)
    ? CONTROLS[element.type](element, { id, name: element.action_id, "aria-describedby": `${id}-error` }, reader)
    : h("p", { class: "b-unknown" }, `This sandbox does not draw “${element.type}”.`);
  return h("div", { class: "b-field" }, h("label", { for: id }, label), control, notes);
}

/** Draw a menu of a message or view: what is chosen is told at once. */
export function drawMenu(one, reader, block) {
  const tell = (event) => event.target.value && reader.press({ ...one, block_id: block.block_id }, event.target.value);
  const label = one.placeholder?.text ?? "More";
  return h("select", { class: "b-menu", "aria-label": label, onchange: tell }, options(one, label));
}

const GROUPS = { checkboxes: "checkbox", radio_buttons: "radio" };

const CONTROLS = {
  plain_text_input: (one, at) =>
    one.multiline
      ? h("textarea", { ...at, rows: "4", placeholder: one.placeholder?.text }, one.initial_value)
      : h("input", { ...at, type: "text", autocomplete: "off", value: one.initial_value, placeholder: one.placeholder?.text }),
  email_text_input: (one, at) => h("input", { ...at, type: "email", value: one.initial_value }),
  url_text_input: (one, at) => h("input", { ...at, type: "url", value: one.initial_value }),
  number_input: (one, at) => h("input", { ...at, type: "number", step: one.is_decimal_allowed ? "any" : "1", value: one.initial_value }),
  datepicker: (one, at) => h("input", { ...at, type: "date", value: one.initial_date }),
  timepicker: (one, at) => h("input", { ...at, type: "time", value: one.initial_time }),
  static_select: (one, at) => h("select", at, options(one)),
  multi_static_select: (one, at) => h("select", { ...at, multiple: true, "data-many": true }, options(one, null)),
  users_select: (one, at, reader) => h("select", at, named(reader.people, one.initial_user)),
  conversations_select: (one, at, reader) => h("select", at, named(reader.places, one.initial_conversation)),
  channels_select: (one, at, reader) => h("select", at, named(reader.places, one.initial_channel)),
};

function options(one, first = one.placeholder?.text ?? "Choose") {
  const chosen = initial(one);
  const offered = one.options ?? one.option_groups.flatMap((group) => group.options);
  const list = offered.map(({ value, text }) => h("option", { value, selected: chosen.includes(value) }, text.text));
  return first === null ? list : [h("option", { value: "" }, first), ...list];
}

function named(pairs, chosen) {
  return [h("option", { value: "" }, "Choose"), ...pairs.map(([id, name]) => h("option", { value: id, selected: id === chosen }, name))];
}

function initial(one) {
  return (one.initial_options ?? [one.initial_option]).filter(Boolean).map((chosen) => chosen.value);
}
