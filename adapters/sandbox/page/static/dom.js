// DOM nodes from data: text only ever becomes text nodes, so nothing a message contains can become markup.

/** `h("button", { class: "x", onclick: f }, "label", child)`: null, undefined and false children and properties are left out. */
export function h(tag, properties = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "function") node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? "" : String(value));
  }
  node.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

export function byId(id) {
  return document.getElementById(id);
}

/** The address if a browser may follow it, otherwise null: a message must not smuggle in `javascript:`. */
export function safeUrl(url) {
  return /^(https?:\/\/|mailto:)/i.test(url) ? url : null;
}

/** A link that opens in a new tab and tells the other page nothing about this one. */
export function outsideLink(url, properties, ...children) {
  const href = safeUrl(url);
  if (href === null) return h("span", properties, ...children);
  return h("a", { ...properties, href, target: "_blank", rel: "noopener noreferrer" }, ...children);
}

/** Show `items` as children of `parent`, keeping the nodes (and their focus) of items whose fingerprint has not changed. */
export function reconcile(parent, items) {
  const known = new Map([...parent.children].map((node) => [node.dataset.key, node]));
  const nodes = items.map(({ key, fingerprint, draw }) => {
    const old = known.get(key);
    if (old?.fingerprint === fingerprint) return old;
    const node = draw();
    node.dataset.key = key;
    node.fingerprint = fingerprint;
    if (old?.contains(document.activeElement)) queueMicrotask(() => node.focus());
    return node;
  });
  for (const node of known.values()) if (!nodes.includes(node)) node.remove();
  nodes.forEach((node, index) => {
    if (parent.children[index] !== node) parent.insertBefore(node, parent.children[index] ?? null);
  });
}
