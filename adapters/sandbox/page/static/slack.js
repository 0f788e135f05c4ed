// The simulated Slack as one person sees it: one conversation or the Home view.

import { drawBlocks, drawText } from "./blocks.js";
import { byDay, dayKey, drawColumn, empty, rawButton } from "./column.js";
import { timeOf } from "./dates.js";
import { byId, h, reconcile } from "./dom.js";
import { HOME } from "./places.js";

const WHY_SILENT = {
  guest: "is a guest: Surveybot does not write to guests unless its settings say so.",
  "single-channel guest": "is a guest: Surveybot does not write to guests unless its settings say so.",
  stranger: "belongs to another organisation: Surveybot never writes to outsiders.",
  deactivated: "has left: the account is deactivated and Surveybot does not write to it.",
};

/** Draw Slack's column from `model` (see page.js); `on` holds what clicks do: {press, channel(change), raw}. */
export function drawSlack(model, on) {
  drawColumn("slack", slackView(model, on), model.isWaiting);
  const channel = model.slack?.conversations.find((one) => one.id === model.place && one.kind === "channel");
  reconcile(byId("slack-channel"), channel ? changes(channel, on) : []);
}

function changes(channel, on) {
  const change = (what, label) => ({
    key: what,
    fingerprint: label,
    draw: () => h("button", { type: "button", class: "raw", onclick: () => on.channel(what) }, label),
  });
  if (channel.is_archived) return [change("unarchive", "Open again")];
  const mayPost = channel.is_restricted ? change("allow", "Allow posts") : change("restrict", "Forbid posts");
  return channel.has_bot ? [change("remove", "Remove bot"), mayPost, change("archive", "Archive")] : [change("add", "Add bot")];
}

function slackView(model, on) {
  const { slack, place, me } = model;
  if (!slack) return { title: "", note: "", key: me.id, items: [empty("none", `${me.name} has no account in Slack.`)] };
  const key = `${me.id} ${place}`;
  return place === HOME ? { ...homeView(model, on), key, isPage: true } : { ...conversationView(model, on), key, canWrite: true };
}

function homeView(model, on) {
  const { home, me } = model.slack;
  const note = `The Home tab of Surveybot, as ${me.name} sees it`;
  const why = me.kind === "deactivated" ? "Who is deactivated opens no Home tab." : "Surveybot is drawing this view. It takes a moment.";
  if (!home) return { title: "Home", note, items: [empty("home", why)] };
  const reader = readerOf(model, (...pressed) => on.press({}, ...pressed));
  const fingerprint = JSON.stringify([home, reader.zone, dayKey(reader)]);
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
  const { conversations, me } = model.slack;
  const conversation = conversations.find((one) => one.id === model.place);
  const isDm = conversation.kind === "dm";
  const reader = readerOf(model);
  return {
    title: isDm ? "Surveybot" : `# ${conversation.name}`,
    note: isDm ? "A direct message: nobody else sees it" : noteOf(conversation),
    items: byDay(conversation.messages, reader, emptyText(isDm, me), (message) => item(message, conversation, model, on)),
  };
}

function noteOf(channel) {
  if (channel.is_archived) return "Archived: nobody can post here";
  if (channel.is_restricted) return "A channel in which apps may not post";
  const kind = channel.is_private ? "A private channel" : "A channel";
  return channel.has_bot ? `${kind}: everybody in it reads this` : `${kind}, without Surveybot in it`;
}

function emptyText(isDm, me) {
  if (!isDm) return "Nothing yet. Who owns surveys can subscribe this channel to their numbers; answers to /surveys only you will see.";
  const reason = WHY_SILENT[me.kind] ?? (me.email ? "" : "has no e-mail address here, by which Surveybot matches people. Try /surveys.");
  return reason ? `${me.name} ${reason}` : "Nothing yet. Send a survey, and Surveybot will write here within seconds.";
}

function item(message, conversation, model, on) {
  const reader = readerOf(model, (...pressed) => on.press({ channel: conversation.id, ts: message.ts }, ...pressed));
  return {
    key: message.ts,
    fingerprint: JSON.stringify([message, reader.zone, dayKey(reader)]),
    draw: () => drawMessage(message, reader, on),
  };
}

/** One message; `on` holds {raw}. */
export function drawMessage(message, reader, on) {
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

/** What drawing blocks needs to know of the person who looks. */
export function readerOf({ now, slack: { me, users, conversations } }, press) {
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
