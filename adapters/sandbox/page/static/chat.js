// The simulated Slack as one person sees it: the sidebar, one conversation or the Home view, and the composer.

import { drawBlocks, drawText } from "./blocks.js";
import { dayOf, timeOf } from "./dates.js";
import { byId, h, reconcile } from "./dom.js";

const HOME = "home";
const KINDS = {
  member: ["Members", ""],
  guest: ["Guests", "is a guest: Surveybot does not write to guests unless its settings say so."],
  "single-channel guest": ["Guests of one channel", "is a guest: Surveybot does not write to guests unless its settings say so."],
  stranger: ["People of other organisations", "belongs to another organisation: Surveybot never writes to outsiders."],
  deactivated: ["Deactivated accounts", "has left: the account is deactivated and Surveybot does not write to it."],
  bot: ["Bots", "is a bot: Surveybot does not write to bots."],
};
const NO_HOME = { deactivated: "Who is deactivated opens no Home tab.", bot: "A bot opens no Home tab." };

/** Draw everything from `model` (see page.js); `on` holds what clicks do: {person, place, press, raw}. */
export function drawChat(model, on) {
  drawPeople(model);
  drawPlaces(model, on);
  const view = model.place === HOME ? homeView(model, on) : conversationView(model, on);
  byId("place").textContent = view.title;
  byId("place-note").textContent = view.note;
  byId("composer").hidden = model.place === HOME;
  keepTheEndInSight(model, () => reconcile(byId("messages"), view.items));
}

/** How many messages of the bot in this conversation the person has not seen. */
export function unread(conversation, seen) {
  return conversation.messages.filter((message) => message.from === "bot" && Number(message.ts) > (seen[conversation.id] ?? 0)).length;
}

// Who opens a conversation begins at its end, who is there stays there, and who has just asked is shown the answer.
function keepTheEndInSight({ me, place, isWaiting }, change) {
  const [scroll, messages] = [byId("scroll"), byId("messages")];
  const before = messages.lastElementChild;
  const isAtEnd = scroll.scrollTop + scroll.clientHeight >= scroll.scrollHeight - 40;
  const isOpened = scroll.dataset.shows !== `${me.id} ${place}`;
  scroll.dataset.shows = scroll.checkVisibility() ? `${me.id} ${place}` : "";
  change();
  const isAnswered = isWaiting && messages.lastElementChild.dataset.key !== before?.dataset.key;
  if (isOpened && place === HOME) scroll.scrollTop = 0;
  else if (place !== HOME && (isOpened || isAtEnd || isAnswered)) scroll.scrollTop = scroll.scrollHeight;
}

function drawPeople({ users, bot, me, team }) {
  byId("team").textContent = team.name;
  const groups = Object.entries(KINDS).map(([kind, [label]]) => [label, users.filter((user) => user.kind === kind && user.id !== bot)]);
  const items = groups
    .filter(([, group]) => group.length)
    .map(([label, group]) => ({
      key: label,
      fingerprint: JSON.stringify([group, me.id]),
      draw: () => h("optgroup", { label }, group.map((user) => h("option", { value: user.id, selected: user.id === me.id }, user.name))),
    }));
  reconcile(byId("person"), items);
}

function drawPlaces({ conversations, place, seen }, on) {
  const dms = conversations.filter((one) => one.kind === "dm");
  const channels = conversations.filter((one) => one.kind !== "dm");
  const entry = (id, sign, name, count, type) => ({
    key: id,
    fingerprint: JSON.stringify([name, count, id === place]),
    draw: () =>
      h(
        "li",
        { class: type },
        h(
          "button",
          { type: "button", "aria-current": id === place ? "page" : null, onclick: () => on.place(id) },
          h("span", { class: "sign", "aria-hidden": "true" }, sign),
          h("span", { class: "name" }, name),
          count > 0 && h("span", { class: "badge" }, count, h("span", { class: "hidden" }, " unread")),
        ),
      ),
  });
  reconcile(byId("places"), [
    entry(HOME, "⌂", "Home", 0, "home-entry"),
    ...dms.map((one) => entry(one.id, "S", "Surveybot", unread(one, seen), "dm")),
    ...channels.map((one, index) => entry(one.id, "#", one.name, unread(one, seen), index ? "channel" : "channel first")),
  ]);
}

function homeView(model, on) {
  const { home, me } = model;
  const note = `The Home tab of Surveybot, as ${me.name} sees it`;
  if (!home) return { title: "Home", note, items: [empty("home", NO_HOME[me.kind] ?? "Surveybot is drawing this view. It takes a moment.")] };
  const reader = readerOf(model, (...pressed) => on.press({}, ...pressed));
  const fingerprint = JSON.stringify([home, me.tz, dayKey(model)]);
  const draw = () =>
    h(
      "article",
      { class: "home", tabindex: "-1", "aria-label": "Home view" },
      drawBlocks(home.blocks, reader),
      rawButton(() => on.raw("Home view", home, null)),
    );
  return { title: "Home", note, items: [{ key: "home", fingerprint, draw }] };
}

function conversationView(model, on) {
  const conversation = model.conversations.find((one) => one.id === model.place);
  const isDm = conversation.kind === "dm";
  const title = isDm ? "Surveybot" : `# ${conversation.name}`;
  const note = isDm ? `Direct messages to ${model.me.name}: nobody else sees them` : "A channel: everybody in it reads this";
  const items = [];
  if (!conversation.messages.length) items.push(empty("empty", emptyText(isDm, model.me)));
  let day = null;
  for (const message of conversation.messages) {
    const thisDay = dayOf(message.ts, model.me.tz, model.now);
    if (thisDay !== day) items.push({ key: thisDay, fingerprint: "", draw: () => h("p", { class: "day" }, h("span", {}, thisDay)) });
    day = thisDay;
    items.push(messageItem(message, conversation, model, on));
  }
  return { title, note, items };
}

function emptyText(isDm, me) {
  if (!isDm) return "Nothing yet. Type /surveys: only you will see the answer.";
  const reason = KINDS[me.kind][1] || (me.email ? "" : "has no e-mail address here, by which Surveybot matches people. Try /surveys.");
  return reason ? `${me.name} ${reason}` : "Nothing yet. Send a survey, and Surveybot will write here within seconds.";
}

function messageItem(message, conversation, model, on) {
  const reader = readerOf(model, (...pressed) => on.press({ channel: conversation.id, ts: message.ts }, ...pressed));
  return {
    key: message.ts,
    fingerprint: JSON.stringify([message, model.me.tz, dayKey(model)]),
    draw: () => drawMessage(message, reader, on),
  };
}

function drawMessage(message, reader, on) {
  const isBot = message.from === "bot";
  const name = isBot ? "Surveybot" : reader.userName(message.from);
  const at = timeOf(message.ts, reader.zone);
  return h(
    "article",
    { class: message.ephemeral ? "message ephemeral" : "message", tabindex: "-1", "aria-label": `${name}, ${at}` },
    h("span", { class: isBot ? "avatar bot" : "avatar", "aria-hidden": "true" }, name[0]),
    h(
      "div",
      { class: "message-main" },
      message.ephemeral && h("p", { class: "only-you" }, "Only visible to you"),
      h(
        "p",
        { class: "byline" },
        h("strong", {}, name),
        isBot && h("span", { class: "tag" }, "APP"),
        h("span", { class: "at" }, at),
        message.edited && h("span", { class: "at" }, "(edited)"),
        rawButton(() => on.raw(`Message of ${at}`, message, drawText(message.text, reader))),
      ),
      message.blocks?.length ? drawBlocks(message.blocks, reader) : drawText(message.text, reader),
    ),
  );
}

function rawButton(onclick) {
  return h("button", { type: "button", class: "raw", onclick }, "Raw JSON");
}

/** What drawing blocks needs to know of the person who looks. */
export function readerOf({ me, now, users, conversations }, press) {
  return {
    zone: me.tz,
    now,
    press,
    people: users.filter((user) => user.kind === "member").map((user) => [user.id, user.name]),
    places: conversations.filter((one) => one.kind !== "dm").map((one) => [one.id, `#${one.name}`]),
    userName: (id) => users.find((user) => user.id === id)?.name ?? id,
    channelName: (id) => conversations.find((one) => one.id === id)?.name ?? id,
  };
}

function empty(key, words) {
  return { key, fingerprint: words, draw: () => h("p", { class: "empty" }, words) };
}

// "Today" and "tomorrow" in a message change at midnight.
function dayKey({ now, me }) {
  return dayOf(now / 1000, me.tz, new Date(0));
}
