// The panel that makes things happen: forms become deeds, and its lists follow the simulated Qualtrics.

import { moment } from "./dates.js";
import { byId, h, reconcile } from "./dom.js";
import { calls } from "./server.js";

/** Let every form of the panel call `act(deed)` with its fields and the pressed button. */
export function wirePanel(act) {
  for (const form of document.querySelectorAll("form[data-do]")) {
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      act({ what: form.dataset.do, ...Object.fromEntries(new FormData(form, event.submitter)) });
    });
    if ("live" in form.dataset) form.addEventListener("change", () => form.requestSubmit());
  }
  for (const id of Object.values(CALLS)) byId(id).addEventListener("toggle", drawCalls);
  byId("move-survey").addEventListener("change", drawNumbers);
}

/** Show the surveys, people, faults and time of `model` (see page.js). */
export function drawPanel(model) {
  const { tenant, me } = model;
  const mine = me.email?.toLowerCase();
  const others = tenant.people.filter((one) => one.email !== mine).map((one) => [one.email, one.name]);
  const people = mine ? [[mine, `${me.name} (you)`], ...others] : others;
  const lists = tenant.lists.map((one) => [one.id, `${one.name} (${one.people})`]);
  options(byId("send-to"), [["", `Everybody (${tenant.people.length})`], ...lists, ...people]);
  options(byId("move-person"), people, mine);
  options(byId("move-survey"), tenant.surveys.map((one) => [one.id, one.is_active ? one.name : `${one.name} (closed)`]));
  byId("answering").hidden = !tenant.surveys.length;
  surveys = tenant.surveys;
  drawNumbers();
  drawFaults(model.faults);
  drawClock(model);
  drawCalls();
}

/** Show the sandbox's time in the chosen person's zone. */
export function drawClock({ now, me }) {
  byId("clock").textContent = `${moment(now, me.tz)} in ${me.tz.split("/").at(-1).replaceAll("_", " ")}`;
  byId("clock").dateTime = now.toISOString();
}

/** Show what was really sent: the JSON of one message or view, after what phones read of it (a node, or null). */
export function showRaw(title, value, spoken) {
  const box = byId("raw-message");
  box.open = true;
  const said = spoken && h("div", { class: "spoken" }, h("p", { class: "label" }, "What phones and screen readers say"), spoken);
  box.lastElementChild.replaceChildren(h("div", {}, h("p", {}, title), said, json(value)));
  box.scrollIntoView({ block: "start" });
  box.firstElementChild.focus();
}

let surveys = [];

function drawNumbers() {
  const chosen = surveys.find((one) => one.id === byId("move-survey").value);
  if (!chosen) return;
  const answers = chosen.finished === 1 ? "1 answer" : `${chosen.finished} answers`;
  byId("numbers").textContent = `Sent to ${chosen.sent}, ${answers}`;
  byId("toggle").value = chosen.is_active ? "deactivate" : "activate";
  byId("toggle").textContent = chosen.is_active ? "Closes it" : "Opens it again";
}

function drawFaults(faults) {
  for (const [what, fault] of Object.entries(faults)) {
    document.querySelector(`form[data-do="${what}"]`).elements.fault.value = fault;
  }
}

// A person's choice survives a redraw, until something else is to be proposed.
function options(select, pairs, proposed = pairs[0]?.[0] ?? "") {
  const kept = select.dataset.proposed === proposed ? select.value : proposed;
  reconcile(select, pairs.map(([value, label]) => ({ key: value, fingerprint: label, draw: () => h("option", { value }, label) })));
  select.value = pairs.some(([value]) => value === kept) ? kept : proposed;
  select.dataset.proposed = proposed;
}

const CALLS = { calls: "raw-calls", teams: "raw-teams-calls" };

async function drawCalls() {
  if (!Object.values(CALLS).some((id) => byId(id).open)) return;
  for (const [name, list] of Object.entries(await calls())) reconcile(byId(CALLS[name]).lastElementChild, list.map(callItem));
}

function callItem(call) {
  const draw = () => h("details", {}, h("summary", {}, h("code", {}, call.method), ` ${call.answer}`), json(call.arguments));
  return { key: String(call.number), fingerprint: "", draw };
}

function json(value) {
  return h("pre", { tabindex: "0" }, JSON.stringify(value, null, 2));
}
