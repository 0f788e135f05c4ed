// The Markdown that Adaptive Cards know, as a tree of plain values: bold, italic, links; lists are lines that begin with a mark.
// https://learn.microsoft.com/en-us/adaptive-cards/authoring-cards/text-features

/** Parse a text: a list of {kind: "text" | "bold" | "italic" | "link", ...} values. */
export function parse(text) {
  const out = [];
  let plain = "";
  const flush = () => {
    if (plain) out.push({ kind: "text", text: plain });
    plain = "";
  };
  for (let at = 0; at < text.length; ) {
    const found = escaped(text, at) ?? span(text, at) ?? link(text, at);
    if (!found) plain += text[at];
    else if (typeof found.node === "string") plain += found.node;
    else {
      flush();
      out.push(found.node);
    }
    at = found ? found.end : at + 1;
  }
  flush();
  return out;
}

const PUNCTUATION = /[!-/:-@[-`{-~]/;
const SPANS = [
  ["**", "bold"],
  ["__", "bold"],
  ["*", "italic"],
  ["_", "italic"],
];

function escaped(text, at) {
  return text[at] === "\\" && PUNCTUATION.test(text[at + 1] ?? "") ? { node: text[at + 1], end: at + 2 } : null;
}

function span(text, at) {
  const [mark, kind] = SPANS.find(([one]) => text.startsWith(one, at)) ?? [];
  if (!mark || /^\s?$/.test(text[at + mark.length] ?? "")) return null;
  if (mark[0] === "_" && /[\p{L}\p{N}]/u.test(text[at - 1] ?? "")) return null;
  const end = text.indexOf(mark, at + mark.length + 1);
  if (end < 0 || /\s/.test(text[end - 1]) || text[end - 1] === "\\") return null;
  return { node: { kind, children: parse(text.slice(at + mark.length, end)) }, end: end + mark.length };
}

function link(text, at) {
  const found = /^\[([^\]]+)\]\(([^)\s]+)\)/.exec(text[at] === "[" ? text.slice(at) : "");
  return found && { node: { kind: "link", text: found[1], url: found[2] }, end: at + found[0].length };
}
