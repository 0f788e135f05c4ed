// Instants in words, in a reader's time zone, the way Slack's `<!date^...>` does it.

const LOCALE = "en-US";
const DAY = { year: "numeric", month: "2-digit", day: "2-digit" };
const TIME = { hour: "numeric", minute: "2-digit" };
const CARD_DAYS = {
  COMPACT: { year: "numeric", month: "numeric", day: "numeric" },
  SHORT: { weekday: "short", year: "numeric", month: "short", day: "numeric" },
  LONG: { weekday: "long", year: "numeric", month: "long", day: "numeric" },
};
const FORMATS = {
  date_num: (at, zone) => words(at, zone, DAY, "en-CA"),
  date: (at, zone) => words(at, zone, { year: "numeric", month: "long", day: "numeric" }),
  date_short: (at, zone) => words(at, zone, { year: "numeric", month: "short", day: "numeric" }),
  date_long: (at, zone) => words(at, zone, { weekday: "long", year: "numeric", month: "long", day: "numeric" }),
  time: (at, zone) => words(at, zone, TIME),
  time_secs: (at, zone) => words(at, zone, { ...TIME, second: "2-digit" }),
  ago: (at, zone, now) => ago(at, now),
};

/** Fill `{date_short_pretty} at {time}`; null when a field is unknown (then the fallback is shown). `now` is the sandbox's Date. */
export function slackDate(format, seconds, zone, now) {
  const at = new Date(seconds * 1000);
  let known = true;
  const text = format.replace(/\{(\w+)\}/g, (_, name) => {
    const [plain, pretty] = name.endsWith("_pretty") ? [name.slice(0, -7), true] : [name, false];
    if (!(plain in FORMATS)) known = false;
    return known ? ((pretty && nearby(at, zone, now)) || FORMATS[plain](at, zone, now)) : "";
  });
  return known ? text : null;
}

/** Fill the `{{DATE(...)}}` and `{{TIME(...)}}` of an Adaptive Card (https://learn.microsoft.com/en-us/adaptive-cards/authoring-cards/text-features). */
export function cardDates(text, zone, locale = LOCALE) {
  return text.replace(/\{\{(DATE|TIME)\(([\dT:.+Z-]+)(?:, ?(COMPACT|SHORT|LONG))?\)\}\}/g, (whole, name, stamp, length = "COMPACT") => {
    const at = new Date(stamp);
    if (Number.isNaN(at.getTime())) return whole;
    return words(at, zone, name === "TIME" ? TIME : CARD_DAYS[length], locale);
  });
}

/** "9:41 AM" of a message's `ts`. */
export function timeOf(ts, zone) {
  return FORMATS.time(new Date(Number(ts) * 1000), zone);
}

/** "Today", "Yesterday" or "Monday, November 23, 2026" of a message's `ts`. */
export function dayOf(ts, zone, now) {
  const at = new Date(Number(ts) * 1000);
  const near = nearby(at, zone, now);
  return near ? near[0].toUpperCase() + near.slice(1) : FORMATS.date_long(at, zone);
}

/** "Monday, Nov 23, 9:41 AM" */
export function moment(at, zone) {
  return words(at, zone, { weekday: "long", month: "short", day: "numeric", ...TIME });
}

function nearby(at, zone, now) {
  const days = Math.round((dayNumber(at, zone) - dayNumber(now, zone)) / 86_400_000);
  return { "-1": "yesterday", 0: "today", 1: "tomorrow" }[days] ?? null;
}

function dayNumber(at, zone) {
  return Date.parse(FORMATS.date_num(at, zone));
}

function ago(at, now) {
  const minutes = Math.round((at - now) / 60_000);
  const relative = new Intl.RelativeTimeFormat(LOCALE, { numeric: "auto" });
  if (Math.abs(minutes) < 60) return relative.format(minutes, "minute");
  if (Math.abs(minutes) < 1440) return relative.format(Math.round(minutes / 60), "hour");
  return relative.format(Math.round(minutes / 1440), "day");
}

function words(at, zone, options, locale = LOCALE) {
  return new Intl.DateTimeFormat(locale, { ...options, timeZone: zone }).format(at).replace(/\u202f/g, " ");
}
