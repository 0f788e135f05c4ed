// Draws Block Kit and Adaptive Cards with the page's own modules onto the smallest document there can be: a line of cases in, a line of trees out.

import { createInterface } from "node:readline";

class Node {
  constructor(tag) {
    Object.assign(this, { tag, attributes: {}, children: [], clicks: [] });
  }
  setAttribute(name, value) {
    this.attributes[name] = value;
  }
  addEventListener(name, listener) {
    if (name === "click") this.clicks.push(listener);
  }
  get value() {
    return this.attributes.value ?? "";
  }
  get checked() {
    return "checked" in this.attributes;
  }
  append(...children) {
    this.children.push(...children.map((child) => (child instanceof Node ? child : String(child))));
  }
}

globalThis.document = { createElement: (tag) => new Node(tag), createElementNS: (_, tag) => new Node(tag) };
globalThis.location = { origin: "http://127.0.0.1:1" };

const [, , statics] = process.argv;
const { drawBlocks, drawText } = await import(`${statics}/blocks.js`);
const { drawCard } = await import(`${statics}/cards.js`);
const { dayOf } = await import(`${statics}/dates.js`);

function tree(node, pressed) {
  if (typeof node === "string") return node;
  pressed.length = 0;
  for (const click of node.clicks) click();
  const clicks = [...pressed];
  return { tag: node.tag, ...node.attributes, clicks, children: node.children.map((child) => tree(child, pressed)) };
}

function drawn({ blocks, card, text, locale, zone = "UTC", now = "2026-11-23T12:00:00Z" }) {
  const pressed = [];
  const reader = {
    zone,
    now: new Date(now),
    userName: (id) => `name of ${id}`,
    people: [],
    places: [],
    channelName: (id) => `name of ${id}`,
    press: (element, typed) => pressed.push(card ? [element.verb, typed] : [element.block_id, element.action_id]),
    locale,
  };
  if (card) return [tree(drawCard(card, reader), pressed)];
  const nodes = blocks ? drawBlocks(blocks, reader) : [drawText(text, reader)];
  return nodes.map((node) => tree(node, pressed));
}

for await (const line of createInterface({ input: process.stdin })) {
  const results = JSON.parse(line).map((one) => (one.ts ? dayOf(one.ts, one.zone, new Date(one.now)) : drawn(one)));
  process.stdout.write(`${JSON.stringify(results)}\n`);
}
