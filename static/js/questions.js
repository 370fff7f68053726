// A question on its page: it is followed, and can be stopped, kept going, given more. Its page shows what it says.

import { get, patch, post } from "./api.js";
import { askedFor, report, setText } from "./dom.js";
import { capital } from "./format.js";
import { gathered, on } from "./live.js";

const byId = (id) => document.getElementById(id);
export const STATES = {
  asking: "asking",
  answered: "answered",
  spent: "budget spent",
  stopped: "stopped",
  failed: "gave up",
};
const MOST_SEEDS = 200;
const MOST_RUNS = 500;

/** The buttons; `now()`: what GET said last, `show(fresh)`: it says something new. */
export function offerActions(path, now, show) {
  const act = (id, action) =>
    byId(id).addEventListener("click", async () => {
      byId(id).disabled = true;
      try {
        show((await action()) ?? now());
      } catch (error) {
        report(error);
      }
      byId(id).disabled = false;
    });
  act("stop-asking", () => post(`${path}/stop`));
  act("keep-asking", () => post(`${path}/continue`));
  act("raise-budget", () => raise(path, now()));
}

/** Read a question, and again whenever one of its experiment's runs changes; `words`: where it stands, if it can't be read. */
export function follow(experiment, path, words, show) {
  const refresh = gathered(async () => show(await get(path)), 250);
  on("run", (event) => event.experiment === experiment && refresh("run"));
  on("deleted", () => refresh("deleted"));
  get(path)
    .then(show)
    .catch((error) => {
      setText(words, `${capital(error.message)}.`);
      if (error.status !== 422) return;
      setText(byId("asked"), "can't be asked any more"); // a model or a data set of it is gone
      for (const part of document.querySelectorAll(".of-question")) part.hidden = true;
    });
}

/** Which of the buttons there are. */
export function showActions(found) {
  const isBest = found.kind === "best";
  const isOver = isBest ? found.answer === "one" || !found.left.length : found.n >= found.max_seeds;
  byId("stop-asking").hidden = found.state !== "asking";
  byId("keep-asking").hidden = found.state === "asking" || found.state === "spent" || isOver;
  byId("raise-budget").hidden =
    (found.max_seeds >= MOST_SEEDS && !found.max_runs && !found.max_hours) || (isBest && isOver);
}

/** Seeds; and runs and hours, where they have a limit. Resolves to what the server says then, or null. */
async function raise(path, { max_seeds, max_runs, max_hours }) {
  const fields = { max_seeds: { label: "At most so many seeds", value: String(Math.min(MOST_SEEDS, max_seeds * 2)) } };
  if (max_runs !== null)
    fields.max_runs = { label: "At most so many runs", value: String(Math.min(MOST_RUNS, max_runs * 2)) };
  if (max_hours !== null) fields.max_hours = { label: "At most so many hours", value: String(max_hours * 2) };
  let said = null;
  const act = async (texts) => {
    said = await patch(path, Object.fromEntries(Object.entries(texts).map(([name, text]) => [name, Number(text)])));
  };
  await askedFor("Raise the budget", { fields, yes: "Raise the budget", act });
  return said;
}
