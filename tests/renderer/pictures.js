// Draws the examples of a folder's examples.json as pictures beside it, without any network: each at a desktop's and at a phone's width, by the
// demo's own renderers (on the phone also in the dark) and by Microsoft's; then joins them to sheets. Prints where they are.
const { chromium } = require("playwright-core");
const { readFileSync, mkdirSync, readdirSync } = require("node:fs");
const { join } = require("node:path");

const [, , chrome, out] = process.argv;
const PAGE = join(__dirname, "../../adapters/sandbox/page/static");
const HOST = "http://pictures.invalid";
const MODULES = ["adaptivecards/dist/adaptivecards.min.js", "markdown-it/dist/markdown-it.min.js"];
const STYLES = ["look", "page", "chat", "cards", "panel", "forms", "charts"];
const SETS = [
  ["slack", drawSlack, 700, "light"],
  ["slack", drawSlack, 340, "light"],
  ["slack", drawSlack, 340, "dark"],
  ["teams", drawTeams, 600, "light"],
  ["teams", drawTeams, 340, "light"],
  ["teams", drawTeams, 340, "dark"],
  ["microsoft", drawMicrosoft, 600, "light"],
  ["microsoft", drawMicrosoft, 340, "light"],
];
// Styles look at the window's width: below the first it is a phone's, and the second is a desktop's.
const [PHONE, DESKTOP] = [480, 1200];
const SHEET = { width: 1440, height: 1500, gap: 10 };

// What the three have in common: (example, scene) in the browser becomes a node.

async function drawSlack({ surface, slack }, { now, zone }) {
  const [{ drawMessage }, { drawForm }, { drawBlocks }, { h }] = await Promise.all(
    ["slack", "modal", "blocks", "dom"].map((name) => import(`/static/${name}.js`)),
  );
  const named = (id) => id;
  const reader = { zone, now: new Date(now), userName: named, channelName: named, press() {}, people: [], places: [] };
  if (surface === "home") return h("article", { class: "home" }, drawBlocks(slack.blocks, reader));
  if (surface === "modal") return h("div", { class: "modal-window" }, drawForm(slack, reader, {}));
  return drawMessage({ ...slack, from: "bot", ts: String(Date.parse(now) / 1000) }, reader, {});
}

async function drawTeams({ teams }, { now, zone, locale }) {
  const { drawPost } = await import("/static/teams.js");
  const activity = { attachments: [{ content: teams }] };
  return drawPost({ id: "1", ts: String(Date.parse(now) / 1000), activity }, { zone, locale, now: new Date(now) }, {});
}

async function drawMicrosoft({ teams }) {
  AdaptiveCards.AdaptiveCard.onProcessMarkdown = (text, result) => {
    result.outputHtml = markdownit().render(text);
    result.didProcess = true;
  };
  const card = new AdaptiveCards.AdaptiveCard();
  card.parse(teams);
  return card.render();
}

async function drawAll(draw, { examples, scene }) {
  for (const example of examples) {
    const frame = document.body.appendChild(document.createElement("div"));
    frame.id = example.name;
    frame.append(await draw(example, scene));
  }
}

const style = "<style>body{display:block;height:auto;overflow:visible;padding:4px}</style>";
const links = STYLES.map((name) => `<link rel="stylesheet" href="/static/${name}.css">`).join("");

async function serve(route) {
  const { pathname } = new URL(route.request().url());
  if (pathname === "/") await route.fulfill({ contentType: "text/html", body: `<!doctype html><meta charset="utf-8">${links}${style}` });
  else if (pathname.startsWith("/static/")) await route.fulfill({ path: join(PAGE, pathname.slice("/static/".length)) });
  else if (pathname.startsWith("/out/")) await route.fulfill({ path: join(out, decodeURIComponent(pathname.slice("/out/".length))) });
  else await route.abort();
}

async function open(browser, width, colorScheme) {
  const look = { timezoneId: "Europe/Berlin", locale: "en-GB", colorScheme };
  const page = await browser.newPage({ viewport: { width, height: SHEET.height }, ...look });
  page.on("pageerror", (error) => console.error(error.message));
  await page.route("**/*", serve);
  await page.goto(`${HOST}/`);
  return page;
}

async function pictures(browser, [name, draw, width, colorScheme], drawn) {
  const folder = join(out, `${name}-${width}-${colorScheme}`);
  mkdirSync(folder);
  const page = await open(browser, width < PHONE ? width : DESKTOP, colorScheme);
  await page.addStyleTag({ content: `body { width: ${width}px }` });
  if (name === "microsoft") {
    for (const path of MODULES) await page.addScriptTag({ path: join(__dirname, "node_modules", path) });
    // Teams wraps buttons, and the library leaves that to its host (https://github.com/microsoft/AdaptiveCards/issues/8792).
    await page.addStyleTag({ content: ".ac-actionSet { flex-wrap: wrap; row-gap: 8px }" });
  }
  await page.evaluate(`(${drawAll})(${draw}, ${JSON.stringify(drawn)})`);
  for (const { name: example } of drawn.examples) {
    await page.locator(`[id="${example}"]`).screenshot({ path: join(folder, `${example}.png`) });
  }
  await page.close();
  return folder;
}

// The pictures flow down the columns of one long row, which is photographed a sheet at a time.
async function sheets(browser, folder, width, names) {
  const columns = Math.floor((SHEET.width + SHEET.gap) / (width + SHEET.gap));
  const step = columns * (width + SHEET.gap);
  const whole = step - SHEET.gap;
  const page = await open(browser, whole, "light");
  const figures = names.map((name) => `<figure><figcaption>${name}</figcaption><img src="/out/${folder}/${name}.png"></figure>`);
  await page.setContent(`<style>
    body { margin: 0; background: #bbb; height: ${SHEET.height}px; column-width: ${width}px; column-gap: ${SHEET.gap}px; column-fill: auto }
    figure { margin: 0 0 8px; break-inside: avoid } figcaption { font: bold 11px sans-serif; color: #a00 }
    img { display: block; max-width: ${width}px; max-height: ${SHEET.height - 20}px }</style>${figures.join("")}`);
  await page.waitForLoadState("load");
  const all = await page.evaluate(() => document.documentElement.scrollWidth);
  for (let number = 0; number * step < all; number += 1) {
    await page.evaluate((left) => (document.body.style.marginLeft = `-${left}px`), number * step);
    await page.screenshot({ path: join(out, `${folder}.${String(number + 1).padStart(2, "0")}.png`), clip: { x: 0, y: 0, width: whole, height: SHEET.height } });
  }
  await page.close();
}

(async () => {
  const drawn = JSON.parse(readFileSync(join(out, "examples.json")));
  const browser = await chromium.launch({ executablePath: chrome, args: ["--no-sandbox"] });
  for (const set of SETS) {
    const folder = await pictures(browser, set, drawn);
    await sheets(browser, folder.slice(out.length + 1), set[2], drawn.examples.map(({ name }) => name));
  }
  await browser.close();
  console.log(`${readdirSync(out).filter((name) => name.endsWith(".png")).length} sheets, and a folder of pictures for each kind, in ${out}`);
})();
