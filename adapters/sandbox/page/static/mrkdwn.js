// Slack's mrkdwn as a tree of plain values: bold, italic, strike, code, quotes, links, mentions and dates; entities are decoded once.
// https://docs.slack.dev/messaging/formatting-message-text

/** Parse a whole text: a list of {kind, ...} values, blocks (`pre`, `quote`) beside inline ones. */
export function parse(text) {
  const parts = text.split(/```([\s\S]+?)```/);
  return parts.flatMap((part, index) => (index % 2 ? [{ kind: "pre", text: decode(trimBreaks(part)) }] : lines(part)));
}

const SPAN = { "*": "bold", _: "italic", "~": "strike" };
const QUOTE = /^&gt; ?/;
const WORD = /[\p{L}\p{N}]/u;

function lines(text) {
  const out = [];
  let plain = [];
  let quoted = [];
  const flush = (kind, collected) => {
    if (!collected.length) return;
    const children = inline(collected.join("\n"));
    out.push(...(kind === "quote" ? [{ kind, children }] : children));
  };
  for (const line of text.split("\n")) {
    if (QUOTE.test(line)) {
      flush("plain", plain);
      plain = [];
      quoted.push(line.replace(QUOTE, ""));
    } else {
      flush("quote", quoted);
      quoted = [];
      plain.push(line);
    }
  }
  flush("plain", plain);
  flush("quote", quoted);
  return out;
}

function inline(text) {
  const out = [];
  let from = 0;
  for (let at = 0; at < text.length; ) {
    const found = token(text, at);
    if (!found) {
      at += 1;
      continue;
    }
    if (at > from) out.push({ kind: "text", text: decode(text.slice(from, at)) });
    out.push(found.node);
    at = from = found.end;
  }
  if (from < text.length) out.push({ kind: "text", text: decode(text.slice(from)) });
  return out;
}

function token(text, at) {
  const mark = text[at];
  if (mark === "<") return angle(text, at);
  if (mark === "`") return code(text, at);
  if (mark in SPAN) return span(text, at, mark);
  return null;
}

function angle(text, at) {
  const found = /^<([^<>|]+)(?:\|([^<>]*))?>/.exec(text.slice(at));
  if (!found) return null;
  return { node: reference(found[1], found[2] === undefined ? null : decode(found[2])), end: at + found[0].length };
}

function reference(target, label) {
  const name = target.slice(1);
  if (target.startsWith("@")) return { kind: "user", id: name, label };
  if (target.startsWith("#")) return { kind: "channel", id: name, label };
  if (target.startsWith("!date^")) return date(target, label);
  if (target.startsWith("!")) return { kind: "broadcast", text: label ?? `@${name}` };
  return { kind: "link", url: decode(target), text: label ?? decode(target) };
}

function date(target, label) {
  const [, seconds, format = "", url = null] = target.split("^");
  if (!/^\d+$/.test(seconds)) return { kind: "text", text: label ?? "" };
  return { kind: "date", seconds: Number(seconds), format: decode(format), url: url && decode(url), fallback: label ?? "" };
}

function code(text, at) {
  const close = text.indexOf("`", at + 1);
  if (close <= at + 1 || text.slice(at, close).includes("\n")) return null;
  return { node: { kind: "code", text: decode(text.slice(at + 1, close)) }, end: close + 1 };
}

// Slack opens a span only after a non-word character and before a non-space, and closes it the other way round, on the same line.
function span(text, at, mark) {
  if (at > 0 && WORD.test(text[at - 1])) return null;
  if (/^\s?$/.test(text[at + 1] ?? "") || text[at + 1] === mark) return null;
  for (let end = at + 1; end < text.length && text[end] !== "\n"; end += 1) {
    if (text[end] === "<") end = Math.max(end, text.indexOf(">", end));
    else if (text[end] === mark && closes(text, end)) {
      return { node: { kind: SPAN[mark], children: inline(text.slice(at + 1, end)) }, end: end + 1 };
    }
  }
  return null;
}

function closes(text, end) {
  return !/\s/.test(text[end - 1]) && !WORD.test(text[end + 1] ?? "");
}

function decode(text) {
  return text.replace(/&(amp|lt|gt);/g, (_, name) => ({ amp: "&", lt: "<", gt: ">" })[name]);
}

function trimBreaks(text) {
  return text.replace(/^\n|\n$/g, "");
}
