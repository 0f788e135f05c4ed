// The simulated Teams as one person sees it: the personal chat with the bot, a group chat or a team's channel.

import { drawCard } from "./cards.js";
import { byDay, dayKey, drawColumn, empty, rawButton } from "./column.js";
import { timeOf } from "./dates.js";
import { byId, h, reconcile } from "./dom.js";

const NOTES = {
  personal: () => "A personal chat: nobody else sees it",
  groupChat: () => "A group chat: everybody in it reads this",
  channel: ({ team }) => `In ${team}: the whole team reads this`,
};

/** Draw Teams' column from `model` (see page.js); `on` holds what clicks do: {press(message, action, typed), app(change), raw}, and `look(message)`. */
export function drawTeams(model, on) {
  const chat = chatOf(model);
  drawColumn("teams", chat ? chatView(chat, model, on) : nobody(model), model.isWaiting);
  reconcile(byId("teams-app"), chat ? changes(chat, on) : []);
  if (chat && byId("teams").checkVisibility()) lookAt(chat, model, on);
}

const lookedAt = new Set();

// Teams asks for a card that can be drawn anew when somebody has it before them.
function lookAt(chat, { me }, on) {
  for (const { id, activity } of chat.messages) {
    if (!activity?.attachments?.[0]?.content.refresh || lookedAt.has(`${me.id} ${id}`)) continue;
    lookedAt.add(`${me.id} ${id}`);
    on.look(id);
  }
}

/** The chat that is open, if there is one. */
export function chatOf({ teams, chat }) {
  return teams?.chats.find((one) => one.id === chat);
}

function nobody({ me }) {
  return { title: "", note: "", key: me.id, items: [empty("none", `${me.name} has no account in Teams.`)] };
}

function chatView(chat, model, on) {
  const { teams, me, now } = model;
  const reader = { zone: me.tz, locale: teams.me.locale, now, name: (id) => teams.people.find((one) => one.id === id)?.name ?? id };
  byId("teams-words").placeholder = chat.kind === "personal" ? "surveys" : "@Surveybot surveys";
  return {
    title: chat.kind === "personal" ? "Surveybot" : chat.name,
    note: NOTES[chat.kind](chat),
    key: `${me.id} ${chat.id}`,
    canWrite: true,
    items: byDay(chat.messages, reader, emptyText(chat, teams.me), (message) => item(message, reader, model, on)),
  };
}

function emptyText(chat, me) {
  if (!chat.has_app) return "Surveybot is not here. Press “Add app” above.";
  if (chat.is_blocked) return "Surveybot is blocked here: nothing that it sends arrives.";
  if (chat.kind !== "personal") return "Nothing yet. Write @Surveybot surveys: the answer comes to you alone.";
  if (me.role === "guest") return `${me.name} is a guest: Surveybot does not write to guests unless its settings say so.`;
  return "Nothing yet. Write surveys, or send a survey to somebody who prefers Teams.";
}

function changes(chat, on) {
  const change = (what, label) => ({
    key: what,
    fingerprint: label,
    draw: () => h("button", { type: "button", class: "raw", onclick: () => on.app(what) }, label),
  });
  if (!chat.has_app) return [change("add", "Add app")];
  const block = chat.is_blocked ? change("unblock", "Unblock") : change("block", "Block");
  return [change("remove", "Remove app"), ...(chat.kind === "personal" ? [block] : [])];
}

function item(message, reader, { teams }, on) {
  return {
    key: message.id,
    fingerprint: JSON.stringify([message, reader.zone, reader.locale, dayKey(reader)]),
    draw: () => (message.from === "bot" ? drawPost(message, reader, on) : drawSaid(message, reader, message.from === teams.me.id)),
  };
}

function drawSaid(message, reader, isMine) {
  const at = timeOf(message.ts, reader.zone);
  const name = reader.name(message.from);
  return h(
    "article",
    { class: isMine ? "t-message mine" : "t-message", tabindex: "-1", "aria-label": `${name}, ${at}` },
    h("p", { class: "byline" }, !isMine && h("strong", {}, name), h("span", { class: "at" }, at)),
    h("p", { class: "bubble text" }, message.text),
  );
}

/** A message of the bot; `on` as in `drawTeams`. */
export function drawPost(message, reader, on) {
  const at = timeOf(message.ts, reader.zone);
  const { activity } = message;
  const cards = (activity.attachments ?? []).map((one) =>
    drawCard(one.content, { ...reader, press: (action, typed) => on.press(message.id, action, typed) }),
  );
  return h(
    "article",
    { class: message.only_you ? "t-message only" : "t-message", tabindex: "-1", "aria-label": `Surveybot, ${at}` },
    message.only_you && h("p", { class: "only-you" }, "Only you can see this message"),
    h(
      "p",
      { class: "byline" },
      h("span", { class: "avatar bot", "aria-hidden": "true" }, "S"),
      h("strong", {}, "Surveybot"),
      h("span", { class: "at" }, at),
      message.edited && h("span", { class: "at" }, "Edited"),
      rawButton(() => on.raw(`Message of ${at}`, activity, h("p", { class: "text" }, activity.summary ?? ""))),
    ),
    cards.length ? cards : h("p", { class: "bubble text" }, activity.text ?? ""),
    message.sentence && h("p", { class: "t-answer" }, message.sentence),
  );
}
