// The page's three ways to the sandbox: look at its state, make something happen, hear that something changed.

/** The state as one person sees it; throws an Error whose message is a sentence. */
export function look(user) {
  return ask(`sandbox/state${user ? `?user=${encodeURIComponent(user)}` : ""}`);
}

/** What the bot asked of Slack (`calls`) and `teams` last, newest first; nothing while the sandbox does not answer, which `look` says. */
export function calls() {
  return ask("sandbox/calls").catch(() => ({ calls: [], teams: [] }));
}

/** Do `{what, ...}`; resolves to a sentence saying what happened, throws an Error with a sentence saying why not. */
export async function make(deed) {
  const answer = await ask("sandbox/do", { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(deed) });
  return answer.said;
}

/** Call `changed` whenever the simulated Slack changes and now and then besides, `lost` once when the sandbox is gone. */
export function listen(changed, lost) {
  const source = new EventSource("sandbox/events");
  let isLost = false;
  source.addEventListener("version", () => {
    isLost = false;
    changed();
  });
  source.addEventListener("error", () => {
    if (!isLost) lost();
    isLost = true;
  });
}

async function ask(path, options) {
  let response;
  try {
    response = await fetch(path, options);
  } catch (error) {
    throw new Error("The sandbox does not answer. Is `surveybot demo` still running?", { cause: error });
  }
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.error);
  return answer;
}
