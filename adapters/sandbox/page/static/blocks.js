// Block Kit as Slack draws it: what was sent becomes nodes, and what this page does not know is said to be unknown.

import { drawChart } from "./charts.js";
import { slackDate } from "./dates.js";
import { h, outsideLink, safeUrl } from "./dom.js";
import { drawField, drawMenu } from "./inputs.js";
import { parse } from "./mrkdwn.js";

/**
 * Draw blocks. `reader` is {zone, now, userName(id), channelName(id), press(element)}: whose eyes see it and what a click does;
 * in a modal also {people, places} as [id, name] pairs to choose from. A choice is told as press(element, value).
 */
export function drawBlocks(blocks, reader) {
  return blocks.map((block) => (Object.hasOwn(BLOCKS, block.type) ? BLOCKS[block.type](block, reader) : unknown(block.type)));
}

/** Draw a message's plain `text`, which Slack reads as mrkdwn. */
export function drawText(text, reader) {
  return h("div", { class: "text" }, nodes(parse(text), reader));
}

const BLOCKS = {
  header: (block, reader) => h("h3", { class: "b-header" }, text(block.text, reader)),
  divider: () => h("hr", { class: "b-divider" }),
  section,
  context: (block, reader) => h("div", { class: "b-context" }, block.elements.map((one) => element(one, reader))),
  actions: (block, reader) => h("div", { class: "b-actions" }, block.elements.map((one) => element(one, reader, block))),
  input: drawField,
  data_visualization: drawChart,
  image: (block) => h("figure", { class: "b-image" }, block.title && h("figcaption", {}, block.title.text), picture(block)),
};

const ELEMENTS = {
  button,
  image: picture,
  static_select: drawMenu,
  overflow: drawMenu,
  mrkdwn: text,
  plain_text: text,
};

function section(block, reader) {
  return h(
    "div",
    { class: "b-section" },
    h(
      "div",
      { class: "b-section-main" },
      block.text && h("div", { class: "text" }, text(block.text, reader)),
      block.fields && h("div", { class: "b-fields" }, block.fields.map((field) => h("div", { class: "text" }, text(field, reader)))),
    ),
    block.accessory && h("div", { class: "b-accessory" }, element(block.accessory, reader, block)),
  );
}

function element(one, reader, block) {
  return Object.hasOwn(ELEMENTS, one.type) ? ELEMENTS[one.type](one, reader, block) : unknown(one.type);
}

function button(one, reader, block) {
  const look = { class: `button b-button ${one.style ?? ""}`, "aria-label": one.accessibility_label };
  const press = () => reader.press({ ...one, block_id: block.block_id });
  if (!one.url) return h("button", { ...look, type: "button", onclick: press }, one.text.text);
  // Slack opens the link and tells the app of the click as well.
  return outsideLink(one.url, { ...look, onclick: press }, one.text.text, h("span", { class: "hidden" }, " (opens in a new tab)"));
}

// Pictures from elsewhere are not fetched: the content security policy forbids it, and their description is shown instead.
function picture(one) {
  const isHere = safeUrl(one.image_url ?? "") && new URL(one.image_url).origin === location.origin;
  if (isHere) return h("img", { src: one.image_url, alt: one.alt_text });
  return h("span", { class: "b-picture", role: "img", "aria-label": one.alt_text }, one.alt_text);
}

function text(object, reader) {
  return object.type === "mrkdwn" ? h("span", {}, nodes(parse(object.text), reader)) : h("span", {}, object.text);
}

const NODES = {
  text: (node) => node.text,
  bold: (node, reader) => h("strong", {}, nodes(node.children, reader)),
  italic: (node, reader) => h("em", {}, nodes(node.children, reader)),
  strike: (node, reader) => h("s", {}, nodes(node.children, reader)),
  quote: (node, reader) => h("blockquote", {}, nodes(node.children, reader)),
  code: (node) => h("code", {}, node.text),
  pre: (node) => h("pre", {}, node.text),
  link: (node) => outsideLink(node.url, {}, node.text),
  user: (node, reader) => h("span", { class: "mention" }, `@${node.label ?? reader.userName(node.id)}`),
  channel: (node, reader) => h("span", { class: "mention" }, `#${node.label ?? reader.channelName(node.id)}`),
  broadcast: (node) => h("span", { class: "mention" }, node.text),
  date: (node, reader) => {
    const shown = slackDate(node.format, node.seconds, reader.zone, reader.now) ?? node.fallback;
    const time = h("time", { datetime: new Date(node.seconds * 1000).toISOString(), title: node.fallback }, shown);
    return node.url ? outsideLink(node.url, {}, time) : time;
  },
};

function nodes(parsed, reader) {
  return parsed.map((node) => NODES[node.kind](node, reader));
}

function unknown(type) {
  return h("p", { class: "b-unknown" }, `This sandbox does not draw “${type}”. Its JSON is under Raw JSON.`);
}
