// Draws the cards of a JSON file (name -> card) with Microsoft's renderer in headless Chromium, without any network.
// Prints name -> {problems, text} as JSON; a third argument is where a picture of all of them is put.
const { chromium } = require("playwright-core");
const { readFileSync } = require("node:fs");

const [, , chrome, cards, picture] = process.argv;

function draw(cards) {
  AdaptiveCards.AdaptiveCard.onProcessMarkdown = (text, result) => {
    result.outputHtml = markdownit().render(text);
    result.didProcess = true;
  };
  return Object.fromEntries(Object.entries(cards).map(([name, json]) => {
    const card = new AdaptiveCards.AdaptiveCard();
    card.version = new AdaptiveCards.Version(1, 5);
    const context = new AdaptiveCards.SerializationContext(card.version);
    card.parse(json, context);
    const problems = Array.from({ length: context.eventCount }, (_, at) => context.getEventAt(at).message);
    problems.push(...card.validateProperties().validationEvents.map((event) => event.message));
    const frame = document.body.appendChild(document.createElement("div"));
    frame.style = "width: 560px; margin: 12px; padding: 8px; border: 1px solid #ccc";
    frame.append(card.render());
    return [name, { problems, text: frame.innerText, links: frame.querySelectorAll("a").length }];
  }));
}

(async () => {
  const browser = await chromium.launch({ executablePath: chrome, args: ["--no-sandbox"] });
  const page = await browser.newPage({ viewport: { width: 620, height: 600 }, timezoneId: "Europe/Berlin", locale: "en-GB", offline: true });
  for (const path of ["adaptivecards/dist/adaptivecards.min.js", "markdown-it/dist/markdown-it.min.js"]) {
    await page.addScriptTag({ path: `${__dirname}/node_modules/${path}` });
  }
  const drawn = await page.evaluate(draw, JSON.parse(readFileSync(cards)));
  if (picture) await page.screenshot({ path: picture, fullPage: true });
  await browser.close();
  console.log(JSON.stringify(drawn));
})();
