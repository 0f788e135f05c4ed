// The page's one model and everything that changes it: what the server says, who looks, where they look.

import { drawChat, readerOf, unread } from "./chat.js";
import { byId, h } from "./dom.js";
import { drawModal } from "./modal.js";
import { drawClock, drawPanel, showRaw, wirePanel } from "./panel.js";
import { listen, look, make } from "./server.js";

// Slack lists an app's direct message before anything was written there.
const NEW_DM = { id: "new", kind: "dm", name: "Surveybot", messages: [] };
// What appears this soon after a click is taken for its answer.
const ANSWER_MS = 5000;
// The address remembers who looks where (`#U123/home`), so a reload and a bookmark lead back.
const where = { person: null, place: null };
let model = null;
let seen = {};
let heardAt = 0;
let actedAt = -Infinity;
let looking = null;
let isAsked = false;

const on = {
  place: openPlace,
  press: (at, element, chosen) =>
    act({ what: "press", user: model.me.id, ...at, action: element.action_id, block: element.block_id, chosen }),
  raw: (...shown) => {
    showTab("panel");
    showRaw(...shown);
  },
};

const onModal = {
  submit: (typed) => act({ what: "submit", user: model.me.id, typed }),
  close: () => act({ what: "close_modal", user: model.me.id }),
  raw: () => {
    byId("modal").close();
    on.raw("Modal", model.modal, null);
  },
};

/** Fetch the state as the chosen person sees it and draw it; one look at a time, and one more when asked meanwhile. */
function refresh() {
  isAsked = true;
  looking ??= lookWhileAsked().finally(() => (looking = null));
  return looking;
}

async function lookWhileAsked() {
  while (isAsked) {
    isAsked = false;
    try {
      hear(await look(where.person));
    } catch (error) {
      say(error.message, true);
      // An old bookmark may name somebody whom this sandbox has not: begin with whom it proposes.
      isAsked = !model && Boolean(where.person);
      if (isAsked) where.person = null;
    }
  }
}

function hear({ workspace, now: startedAt, ...state }) {
  where.person ||= workspace.me.id;
  if (workspace.me.id !== where.person) return; // somebody else was chosen meanwhile, and is asked for next
  heardAt = performance.now();
  model = { ...workspace, ...state, conversations: withDm(workspace.conversations), startedAt: Date.parse(startedAt) };
  draw();
}

function draw() {
  model.now = now();
  model.isWaiting = performance.now() - actedAt < ANSWER_MS;
  model.seen = seenBy(model.me.id);
  model.place = where.place === "home" || model.conversations.some((one) => one.id === where.place) ? where.place : dmOf(model).id;
  const shown = model.conversations.find((one) => one.id === model.place);
  if (shown && isChatVisible()) model.seen[shown.id] = Number(shown.messages.at(-1)?.ts ?? 0);
  sessionStorage.setItem("seen", JSON.stringify(seen));
  drawChat(model, on);
  drawModal(model, readerOf(model, (...pressed) => on.press({}, ...pressed)), onModal);
  drawPanel(model);
  drawSteps();
  drawUnread();
  history.replaceState(null, "", `#${model.me.id}/${model.place}`);
}

async function act(deed) {
  actedAt = performance.now();
  document.body.setAttribute("aria-busy", "true");
  try {
    say(await make(deed));
  } catch (error) {
    say(error.message, true);
  }
  document.body.removeAttribute("aria-busy");
  await refresh();
}

function openPlace(place) {
  where.place = place;
  showTab("chat");
  if (place === "home") act({ what: "open_home", user: model.me.id });
  draw();
}

function openPerson(person) {
  where.person = person;
  where.place = where.place === "home" ? null : where.place;
  refresh();
}

function send(words) {
  if (!words || !model) return;
  if (!words.startsWith("/")) {
    say("This sandbox only knows slash commands. Try /surveys.", true);
    return;
  }
  act({ what: "command", user: model.me.id, channel: model.place === NEW_DM.id ? null : model.place, words });
  byId("words").value = "";
}

function drawSteps() {
  const messages = dmOf(model).messages;
  const isRead = messages.length > 0 && unread(dmOf(model), model.seen) === 0;
  const current = messages.length === 0 ? "send" : isRead ? "respond" : "read";
  for (const button of byId("steps").querySelectorAll("button")) {
    if (button.dataset.step === current) button.setAttribute("aria-current", "step");
    else button.removeAttribute("aria-current");
  }
}

function takeStep(step) {
  if (step === "send") {
    showTab("panel");
    byId("send-name").focus();
    return;
  }
  if (!model) return;
  openPlace(dmOf(model).id);
  byId("chat").focus();
  const links = document.querySelectorAll("#messages a.b-button");
  if (step === "respond") links[links.length - 1]?.focus();
}

function drawUnread() {
  const count = model.conversations.reduce((sum, one) => sum + unread(one, model.seen), 0);
  byId("tab-unread").hidden = count === 0;
  byId("tab-unread").textContent = `${count}`;
  document.title = count ? `(${count}) Surveybot sandbox` : "Surveybot sandbox";
}

// On a narrow screen one of the three parts is shown at a time.
function showTab(tab) {
  document.body.dataset.tab = tab;
  for (const button of document.querySelectorAll(".tabs button")) {
    if (button.dataset.tab === tab) button.setAttribute("aria-current", "true");
    else button.removeAttribute("aria-current");
  }
}

function isChatVisible() {
  return byId("chat").checkVisibility() && document.visibilityState === "visible";
}

let silence = null;

function say(sentence, isError = false) {
  const said = byId("said");
  said.replaceChildren(h("p", {}, sentence)); // a new node, so that the same sentence is announced again
  said.classList.toggle("error", isError);
  said.classList.add("shown");
  clearTimeout(silence);
  silence = setTimeout(() => said.classList.remove("shown"), 6000);
}

function dmOf({ conversations }) {
  return conversations.find((one) => one.kind === "dm");
}

function withDm(conversations) {
  return dmOf({ conversations }) ? conversations : [NEW_DM, ...conversations];
}

function seenBy(person) {
  seen[person] ??= {};
  return seen[person];
}

function now() {
  return new Date(model.startedAt + performance.now() - heardAt);
}

function start() {
  [where.person, where.place] = location.hash.slice(1).split("/");
  seen = JSON.parse(sessionStorage.getItem("seen") ?? "{}");
  wirePanel(act);
  byId("person").addEventListener("change", (event) => openPerson(event.target.value));
  byId("composer").addEventListener("submit", (event) => {
    event.preventDefault();
    send(byId("words").value.trim());
  });
  for (const button of document.querySelectorAll("#composer [data-words]")) {
    button.addEventListener("click", () => send(button.dataset.words));
  }
  for (const button of byId("steps").querySelectorAll("button")) button.addEventListener("click", () => takeStep(button.dataset.step));
  for (const button of document.querySelectorAll(".tabs button")) {
    button.addEventListener("click", () => {
      showTab(button.dataset.tab);
      refresh();
    });
  }
  byId("modal").addEventListener("cancel", (event) => {
    event.preventDefault(); // the sandbox closes it, and then the page
    onModal.close();
  });
  showTab("panel");
  document.addEventListener("visibilitychange", refresh);
  listen(refresh, () => say("The connection to the sandbox is lost. Is `surveybot demo` still running?", true));
  setInterval(() => model && drawClock({ now: now(), me: model.me }), 5000);
  refresh().then(() => model?.place === "home" && openPlace("home"));
}

start();
