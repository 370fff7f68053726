// Finding the best: the question above a comparison, how far it is, and who ran which seed. The answer is compare.js's.

import { el, setText } from "./dom.js";
import { duration, plural } from "./format.js";
import { STATES, follow, offerActions, showActions } from "./questions.js";
import { url } from "./model/address.js";

const byId = (id) => document.getElementById(id);
const experiment = Number(byId("experiment-menu").dataset.experiment);
const path = `/experiments/${experiment}/question`;
const MOST_RUNS = 500;
const MOST_ROWS = 10; // as many as are seen without scrolling
let found = null;

offerActions(path, () => found, show); // before anything is awaited

follow(experiment, path, byId("looking"), show);

function show(fresh) {
  found = fresh;
  setText(byId("asked"), found.asked);
  setText(byId("asking-state"), STATES[found.state] ?? found.state);
  setText(byId("looking"), found.sentences.at(-1));
  const most = Math.min(found.max_runs ?? MOST_RUNS, found.cells.length * found.max_seeds);
  setText(
    byId("used"),
    `${found.sets.length} of at most ${plural(found.max_seeds, "seed")}, ${found.runs} of at most ${plural(most, "run")}`,
  );
  setText(
    byId("spent"),
    `${duration(found.seconds)} of training used, ${found.max_hours === null ? "no limit on hours" : `of at most ${found.max_hours} h`}`,
  );
  showActions(found);
  showRace();
}

const KINDS = {
  succeeded: "done",
  failed: "failed",
  lost: "failed",
  stopped: "failed",
  running: "going",
  starting: "going",
};

/** A line a configuration, a square a seed: it ran, runs, failed, or was not launched as it was ruled out. */
function showRace() {
  const isOut = (at) => found.cells[at].decision === "ruled out";
  const order = found.cells.map((_, at) => at);
  if (order.length > MOST_ROWS) order.sort((a, b) => isOut(a) - isOut(b)); // those that are left stay in sight
  const rows = order.map((at) => {
    const [cell, out] = [found.cells[at], isOut(at)];
    const squares = found.sets.map((one) => {
      const { run, status } = one.runs[at];
      const kind = status === "missing" ? "none" : (KINDS[status] ?? "waits");
      const title = `seed ${one.seed}: ${status === "missing" ? "not launched" : status}`;
      return run
        ? el(`a.${kind}`, { href: url(`/runs/${run}`), title, "aria-label": `${cell.name}, ${title}` })
        : el(`i.${kind}`, { title });
    });
    const ran = found.sets.filter((one) => one.runs[at].status === "succeeded").length;
    return el(
      `tr${out ? ".out" : ""}`,
      {},
      el("th", { scope: "row" }, cell.name),
      el("td", {}, el("span.seeds", {}, ...squares)),
      el("td.right.muted", {}, plural(ran, "seed")),
    );
  });
  byId("race").tBodies[0].replaceChildren(...rows);
  const keys = [
    ["done", "ran"],
    ["going", "runs now"],
    ["waits", "waits"],
    ["failed", "ended without a result"],
  ];
  const launched = found.sets.flatMap((one) => one.runs.filter((run) => run.run));
  const there = new Set(launched.map((run) => KINDS[run.status] ?? "waits"));
  byId("race-legend").replaceChildren(
    ...keys
      .filter(([kind]) => there.has(kind))
      .map(([kind, words]) => el("span", {}, el("span.seeds", {}, el(`i.${kind}`)), ` ${words}`)),
    el("span", {}, "one square per seed; a configuration that is ruled out runs no more"),
  );
}
