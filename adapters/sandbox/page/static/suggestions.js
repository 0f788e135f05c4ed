// What can be tried in a place, one click away: a person's own pages in their own conversation, statistics where others are too.

import { byId, h, reconcile } from "./dom.js";

const OWN = ["", "find", "settings", "help"];
const SHARED = ["", "subscribe all", "subscribe all milestones weekly", "list", "unsubscribe all"];

/** Offer words below the composer of `app`; `send(words)` sends them. The word alone is shown of what a command goes before. */
export function drawSuggestions(app, isOwn, send) {
  const typed = (command) => (app === "slack" ? `/${command}` : command);
  const surveys = (isOwn ? OWN : []).map((word) => suggestion(typed("surveys"), word, app === "slack"));
  const stats = (isOwn ? [""] : SHARED).map((word) => suggestion(typed("survey-stats"), word, true));
  const draw = ([words, shown]) => h("button", { type: "button", "data-words": words, title: words, onclick: () => send(words) }, shown);
  const items = [...surveys, ...stats].map((one) => ({ key: one[0], fingerprint: app, draw: () => draw(one) }));
  reconcile(byId(`${app}-suggestions`), items);
}

function suggestion(command, word, isWhole) {
  return [isWhole || !word ? `${command} ${word}`.trim() : word, word || command];
}
