// One place in its column: a heading, messages by day, and the end kept in sight.

import { dayOf } from "./dates.js";
import { byId, h, reconcile } from "./dom.js";

/**
 * Draw `view` into the column `app`: {title, note, items, key, isPage, canWrite}. `key` says whose view of which place it is;
 * a page begins at its top, a conversation at its end.
 */
export function drawColumn(app, view, isWaiting) {
  byId(`${app}-title`).textContent = view.title;
  byId(`${app}-note`).textContent = view.note;
  byId(`${app}-composer`).hidden = !view.canWrite;
  keepTheEndInSight(byId(`${app}-scroll`), byId(`${app}-messages`), view, isWaiting);
}

// Who opens a conversation begins at its end, who is there stays there, and who has just asked is shown the answer.
function keepTheEndInSight(scroll, messages, { key, isPage, items }, isWaiting) {
  const before = messages.lastElementChild;
  const isAtEnd = scroll.scrollTop + scroll.clientHeight >= scroll.scrollHeight - 40;
  const isOpened = scroll.dataset.shows !== key;
  scroll.dataset.shows = scroll.checkVisibility() ? key : "";
  reconcile(messages, items);
  const isAnswered = isWaiting && messages.lastElementChild.dataset.key !== before?.dataset.key;
  if (isOpened && isPage) scroll.scrollTop = 0;
  else if (!isPage && (isOpened || isAtEnd || isAnswered)) scroll.scrollTop = scroll.scrollHeight;
}

/** Items for `reconcile`: messages as `draw(message)` shows them, under the days they are of, or `nothing` in words. */
export function byDay(messages, { zone, now }, nothing, item) {
  if (!messages.length) return [empty("empty", nothing)];
  let day = null;
  return messages.flatMap((message) => {
    const thisDay = dayOf(message.ts, zone, now);
    const heading = { key: thisDay, fingerprint: "", draw: () => h("p", { class: "day" }, h("span", {}, thisDay)) };
    const isNew = thisDay !== day;
    day = thisDay;
    return isNew ? [heading, item(message)] : [item(message)];
  });
}

export function empty(key, words) {
  return { key, fingerprint: words, draw: () => h("p", { class: "empty" }, words) };
}

/** "Today" and "tomorrow" in a message change at midnight. */
export function dayKey({ now, zone }) {
  return dayOf(now / 1000, zone, new Date(0));
}

export function rawButton(onclick) {
  return h("button", { type: "button", class: "raw", onclick }, "Raw JSON");
}

/** How many messages of the bot in this conversation the person has not seen. */
export function unread(conversation, seen) {
  return conversation.messages.filter((message) => message.from === "bot" && Number(message.ts) > (seen[conversation.id] ?? 0)).length;
}
