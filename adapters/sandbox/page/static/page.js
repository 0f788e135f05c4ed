// The page's one model and everything that changes it: what the server says, who looks, where they look.

import { unread } from "./column.js";
import { byId, h } from "./dom.js";
import { drawModal } from "./modal.js";
import { drawClock, drawPanel, showRaw, wirePanel } from "./panel.js";
import { HOME, drawPlaces } from "./places.js";
import { listen, look, make } from "./server.js";
import { drawSlack, readerOf } from "./slack.js";
import { drawSuggestions } from "./suggestions.js";
import { chatOf, drawTeams } from "./teams.js";

// Slack lists an app's direct message before anything was written there.
const NEW_DM = { id: "new", kind: "dm", name: "Surveybot", messages: [] };
// What appears this soon after a click is taken for its answer.
const ANSWER_MS = 5000;
// The address remembers who looks where (`#U123/home/a:456`), so a reload and a bookmark lead back.
const where = { person: null, place: null, chat: null };
let model = null;
let seen = {};
let heardAt = 0;
let actedAt = -Infinity;
let looking = null;
let isAsked = false;

const on = {
  place: openPlace,
  chat: openChat,
  press: (at, element, chosen) =>
    act({ what: "press", user: model.me.slack, ...at, action: element.action_id, block: element.block_id, chosen }),
  channel: (change) => act({ what: "channel", user: model.me.slack, channel: model.place, change }),
  raw: (...shown) => {
    showTab("panel");
    showRaw(...shown);
  },
};

const onTeams = {
  press: (message, { type, verb, data }, typed) =>
    act({ what: "teams_press", user: model.me.teams, chat: model.chat, message, action: { type, verb, data }, typed }),
  // What the bot says of it is no news to the person: the card is drawn anew, or stays as it is.
  look: (message) => make({ what: "teams_look", user: model.me.teams, chat: model.chat, message }).catch(() => {}),
  app: (change) => act({ what: "teams_app", user: model.me.teams, chat: model.chat, change }),
  raw: on.raw,
};

const onModal = {
  submit: (typed) => act({ what: "submit", user: model.me.slack, typed }),
  close: () => act({ what: "close_modal", user: model.me.slack }),
  raw: () => {
    byId("modal").close();
    on.raw("Modal", model.slack.modal, null);
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
  where.person ||= state.me.id;
  if (state.me.id !== where.person) return; // somebody else was chosen meanwhile, and is asked for next
  heardAt = performance.now();
  const slack = workspace && { ...workspace, conversations: withDm(workspace.conversations) };
  model = { ...state, slack, startedAt: Date.parse(startedAt) };
  draw();
}

function draw() {
  model.now = now();
  model.isWaiting = performance.now() - actedAt < ANSWER_MS;
  model.seen = seenBy(model.me.id);
  const places = model.slack?.conversations ?? [];
  model.place = where.place === HOME || places.some((one) => one.id === where.place) ? where.place : dmOf(places)?.id;
  const chats = model.teams?.chats ?? [];
  model.chat = (chats.find((one) => one.id === where.chat) ?? chats[0])?.id;
  if (isVisible("slack")) see(places.find((one) => one.id === model.place));
  if (isVisible("teams")) see(chatOf(model));
  sessionStorage.setItem("seen", JSON.stringify(seen));
  document.body.toggleAttribute("data-teams", model.has_teams);
  drawPlaces(model, on);
  drawSlack(model, on);
  drawTeams(model, onTeams);
  drawSuggestions("slack", model.place === dmOf(places)?.id, sendInSlack);
  drawSuggestions("teams", chatOf(model)?.kind === "personal", suggestInTeams);
  if (model.slack) drawModal(model, readerOf(model, (...pressed) => on.press({}, ...pressed)), onModal);
  drawPanel(model);
  drawSteps();
  drawUnread();
  history.replaceState(null, "", `#${[model.me.id, model.place ?? "", model.chat ?? ""].map(encodeURIComponent).join("/")}`);
}

function see(conversation) {
  if (conversation) model.seen[conversation.id] = Number(conversation.messages.at(-1)?.ts ?? 0);
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
  showTab("slack");
  if (place === HOME) act({ what: "open_home", user: model.me.slack });
  draw();
}

function openChat(chat) {
  where.chat = chat;
  showTab("teams");
  draw();
}

function openPerson(person) {
  where.person = person;
  where.place = where.place === HOME ? null : where.place;
  refresh();
}

function sendInSlack(words) {
  if (!words || !model?.slack) return;
  if (!words.startsWith("/")) {
    say("Slack brings Surveybot slash commands alone. Try /surveys.", true);
    return;
  }
  act({ what: "command", user: model.me.slack, channel: model.place === NEW_DM.id ? null : model.place, words });
  byId("slack-words").value = "";
}

function sendInTeams(words) {
  if (!words || !model?.teams) return;
  act({ what: "teams_say", user: model.me.teams, chat: model.chat, words });
  byId("teams-words").value = "";
}

// A suggestion begins with the bot's name where it would not be heard without.
function suggestInTeams(words) {
  sendInTeams(chatOf(model)?.kind === "personal" ? words : `@Surveybot ${words}`);
}

function drawSteps() {
  const mine = own();
  const messages = mine.flatMap((one) => one.messages);
  const isRead = messages.length > 0 && mine.every((one) => unread(one, model.seen) === 0);
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
  const app = newestApp();
  if (app === "teams") openChat(model.teams.chats[0].id);
  else if (model.slack) openPlace(dmOf(model.slack.conversations).id);
  byId(app).focus();
  const links = document.querySelectorAll(`#${app}-messages a.b-button`);
  if (step === "respond") links[links.length - 1]?.focus();
}

/** The conversations that are the person's own with the bot: at most one in Slack, one in Teams. */
function own() {
  return [model.slack && dmOf(model.slack.conversations), model.teams?.chats[0]].filter(Boolean);
}

function newestApp() {
  const newest = own().toSorted((one, other) => Number(other.messages.at(-1)?.ts ?? 0) - Number(one.messages.at(-1)?.ts ?? 0))[0];
  return newest && newest === model.teams?.chats[0] ? "teams" : "slack";
}

function drawUnread() {
  const counts = { slack: model.slack?.conversations ?? [], teams: model.teams?.chats ?? [] };
  let total = 0;
  for (const [app, conversations] of Object.entries(counts)) {
    const count = conversations.reduce((sum, one) => sum + unread(one, model.seen), 0);
    total += count;
    for (const badge of document.querySelectorAll(`[data-unread="${app}"]`)) {
      badge.hidden = count === 0;
      badge.textContent = `${count}`;
    }
  }
  document.title = total ? `(${total}) Surveybot sandbox` : "Surveybot sandbox";
}

// On a narrow screen one of the parts is shown at a time, on a middling one either Slack or Teams.
function showTab(tab) {
  document.body.dataset.tab = tab;
  if (tab === "slack" || tab === "teams") document.body.dataset.app = tab;
  for (const button of document.querySelectorAll("button[data-tab]")) {
    const isShown = button.closest(".switch") ? button.dataset.tab === document.body.dataset.app : button.dataset.tab === tab;
    if (isShown) button.setAttribute("aria-current", "true");
    else button.removeAttribute("aria-current");
  }
}

function isVisible(app) {
  return byId(app).checkVisibility() && document.visibilityState === "visible";
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

function dmOf(conversations) {
  return conversations.find((one) => one.kind === "dm");
}

function withDm(conversations) {
  return dmOf(conversations) ? conversations : [NEW_DM, ...conversations];
}

function seenBy(person) {
  seen[person] ??= {};
  return seen[person];
}

function now() {
  return new Date(model.startedAt + performance.now() - heardAt);
}

function wireComposer(app, send) {
  byId(`${app}-composer`).addEventListener("submit", (event) => {
    event.preventDefault();
    send(byId(`${app}-words`).value.trim());
  });
}

function start() {
  [where.person, where.place, where.chat] = location.hash.slice(1).split("/").map(decodeURIComponent);
  seen = JSON.parse(sessionStorage.getItem("seen") ?? "{}");
  wirePanel(act);
  byId("person").addEventListener("change", (event) => openPerson(event.target.value));
  wireComposer("slack", sendInSlack);
  wireComposer("teams", sendInTeams);
  for (const button of byId("steps").querySelectorAll("button")) button.addEventListener("click", () => takeStep(button.dataset.step));
  for (const button of document.querySelectorAll("button[data-tab]")) {
    button.addEventListener("click", () => {
      showTab(button.dataset.tab);
      refresh();
    });
  }
  byId("modal").addEventListener("cancel", (event) => {
    event.preventDefault(); // the sandbox closes it, and then the page
    onModal.close();
  });
  document.body.dataset.app = "slack";
  showTab("panel");
  document.addEventListener("visibilitychange", refresh);
  listen(refresh, () => say("The connection to the sandbox is lost. Is `surveybot demo` still running?", true));
  setInterval(() => model && drawClock({ now: now(), me: model.me }), 5000);
  refresh().then(() => model?.place === HOME && openPlace(HOME));
}

start();
