// The modal that the chosen person has open: drawn from what was really sent, filled in, submitted, closed.

import { drawBlocks } from "./blocks.js";
import { byId, h } from "./dom.js";

/** Show the modal of `model.slack`, or nothing; `on` holds {submit(typed), close(), raw} and `reader` what its blocks need. */
export function drawModal(model, reader, on) {
  const dialog = byId("modal");
  const { modal, me } = model.slack;
  if (!modal) {
    dialog.close();
    dialog.dataset.shows = "";
    return;
  }
  const shows = `${me.id} ${modal.id} ${modal.hash}`;
  if (dialog.dataset.shows !== shows) {
    dialog.replaceChildren(drawForm(modal, reader, on));
    dialog.dataset.shows = shows;
  }
  // What is wrong is told without drawing anew: what was typed stays.
  for (const place of dialog.querySelectorAll("[data-block]")) {
    const error = modal.errors[place.dataset.block] ?? "";
    if (place.textContent !== error) place.textContent = error;
  }
  if (!dialog.open) dialog.showModal();
}

/** A modal; `on` as in `drawModal`. */
export function drawForm(modal, reader, on) {
  const submit = (event) => {
    event.preventDefault();
    on.submit(typed(event.target));
  };
  return h(
    "form",
    { class: "modal", method: "dialog", novalidate: true, "aria-labelledby": "modal-title", onsubmit: submit },
    h("header", {}, h("h2", { id: "modal-title" }, modal.title.text), h("p", {}, "Surveybot")),
    h("div", { class: "modal-blocks" }, drawBlocks(modal.blocks, reader)),
    h(
      "footer",
      {},
      h("button", { type: "button", class: "raw", onclick: on.raw }, "Raw JSON"),
      h("button", { type: "button", class: "button", onclick: on.close }, modal.close?.text ?? (modal.depth > 1 ? "Back" : "Close")),
      modal.submit && h("button", { class: "button primary" }, modal.submit.text),
    ),
  );
}

function typed(form) {
  const found = {};
  for (const field of form.elements) if (field.name) found[field.name] = "many" in field.dataset ? [] : "";
  for (const [name, value] of new FormData(form)) found[name] = Array.isArray(found[name]) ? [...found[name], value] : value;
  return found;
}
