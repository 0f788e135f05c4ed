// The sidebar: who looks, and the places that they see in Slack and Teams.

import { unread } from "./column.js";
import { byId, h, reconcile } from "./dom.js";

const GROUPS = [
  "In Slack and Teams",
  "In Slack only",
  "In Teams only",
  "Guests",
  "People of other organisations",
  "Deactivated accounts",
];
export const HOME = "home";

/** Draw everybody to choose from, and the places of who was chosen; `on` holds {place(id), chat(id)}. */
export function drawPlaces(model, on) {
  drawPeople(model);
  byId("slack-places").hidden = !model.slack;
  byId("teams-places").hidden = !model.teams;
  if (model.slack) reconcile(byId("places"), slackPlaces(model, on));
  if (model.teams) reconcile(byId("chats"), teamsPlaces(model, on));
  if (model.slack) byId("team").textContent = model.slack.team.name;
  if (model.teams) byId("org").textContent = model.teams.name;
}

function drawPeople({ people, me }) {
  const items = GROUPS.map((label) => [label, people.filter((one) => one.group === label)])
    .filter(([, group]) => group.length)
    .map(([label, group]) => ({
      key: label,
      fingerprint: JSON.stringify([group, me.id]),
      draw: () => h("optgroup", { label }, group.map((one) => h("option", { value: one.id, selected: one.id === me.id }, one.name))),
    }));
  reconcile(byId("person"), items);
}

function slackPlaces({ slack, place, seen }, on) {
  const dms = slack.conversations.filter((one) => one.kind === "dm");
  const channels = slack.conversations.filter((one) => one.kind !== "dm");
  return [
    entry({ id: HOME, sign: "⌂", name: "Home", isOpen: place === HOME }, on.place),
    ...dms.map((one) => entry({ id: one.id, sign: "S", name: "Surveybot", count: unread(one, seen), isOpen: place === one.id, type: "dm" }, on.place)),
    ...channels.map((one) => {
      const look = { sign: one.is_private ? "🔒" : "#", count: unread(one, seen), type: one.is_archived ? "archived" : "" };
      return entry({ id: one.id, name: one.name, isOpen: place === one.id, ...look }, on.place);
    }),
  ];
}

function teamsPlaces({ teams, chat, seen }, on) {
  return teams.chats.map((one) => {
    const isPersonal = one.kind === "personal";
    const sign = isPersonal ? "S" : one.kind === "channel" ? "#" : "⚇";
    const name = isPersonal ? "Surveybot" : one.name;
    return entry({ id: one.id, sign, name, count: unread(one, seen), isOpen: chat === one.id, type: isPersonal ? "dm" : "" }, on.chat);
  });
}

function entry({ id, sign, name, count = 0, isOpen, type = "" }, open) {
  return {
    key: id,
    fingerprint: JSON.stringify([name, count, isOpen, type]),
    draw: () =>
      h(
        "li",
        { class: type },
        h(
          "button",
          { type: "button", "aria-current": isOpen ? "page" : null, onclick: () => open(id) },
          h("span", { class: "sign", "aria-hidden": "true" }, sign),
          h("span", { class: "name" }, name),
          count > 0 && h("span", { class: "badge" }, count, h("span", { class: "hidden" }, " unread")),
        ),
      ),
  };
}
