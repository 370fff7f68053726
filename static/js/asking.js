// A question that is asked until answered: the answer, the confidence sequence over the seeds, each seed's set of runs.

import { patch } from "./api.js";
import { asked, el, report, setText, statusBadge, swatch } from "./dom.js";
import { csvOf, duration, percent, plural, points } from "./format.js";
import { color } from "./palette.js";
import { STATES, follow, offerActions, showActions } from "./questions.js";
import { drawInterval } from "./sequence.js";
import { url } from "./model/address.js";

const byId = (id) => document.getElementById(id);
const experiment = Number(byId("experiment-menu").dataset.experiment);
const path = `/experiments/${experiment}/question`;
let found = null;

// Buttons: attached before anything is awaited

offerActions(path, () => found, show);
byId("question-change").addEventListener("click", async () => {
  const factor = found.measure.is_accuracy ? 100 : 1;
  const wanted = {
    label: found.measure.is_accuracy
      ? "In points of accuracy; 0: any difference"
      : `In units of the ${found.measure.title}; 0: any`,
    value: String(found.smallest * factor),
    yes: "Change",
  };
  const smallest = await asked("Smallest difference that matters", wanted);
  if (smallest !== null) await patch(path, { smallest: Number(smallest) / factor }).then(show, report);
});
byId("sets-download").addEventListener("click", download);
document.addEventListener("themechange", drawSequence);
new ResizeObserver(drawSequence).observe(byId("sequence"));

follow(experiment, path, byId("answer"), show);

// Figures

const number = (value) => String(Number(value.toPrecision(3)));
const change = (value) =>
  value == null
    ? "–"
    : found.measure.is_accuracy
      ? points(value)
      : `${value < 0 ? "−" : "+"}${number(Math.abs(value))}`;
const figure = (value) => (value == null ? "–" : found.measure.is_accuracy ? (value * 100).toFixed(2) : number(value));
const interval = (low, high) => (low == null ? null : `${change(low)} to ${change(high)}`);
const complete = () => found.sets.filter((one) => one.is_complete);
const last = () => complete().at(-1);
const set = () => (found.cells.length === 2 ? "pair" : "set");

function show(fresh) {
  found = fresh;
  setText(byId("asked"), found.asked);
  setText(byId("asking-state"), STATES[found.state] ?? found.state);
  setText(byId("answer"), found.sentences[0]);
  setText(byId("answer-why"), found.sentences.slice(1).join(" "));
  setText(byId("used"), `${found.n} of at most ${plural(found.max_seeds, `seed ${set()}`)}`);
  const going = found.sets.filter((one) => !one.is_complete && !one.has_failed).length;
  byId("pips").replaceChildren(
    ...Array.from({ length: Math.min(40, found.max_seeds) }, (_, at) =>
      el(`i${at < found.n ? ".done" : at < found.n + going ? ".going" : ""}`),
    ),
  );
  const limit = found.max_hours === null ? "no limit on hours" : `of at most ${found.max_hours} h`;
  setText(byId("spent"), `${duration(found.seconds)} of training used, ${limit}`);
  showActions(found);
  byId("sequence-title").textContent = differenceTitle();
  showTable();
  showSureness();
  showSets();
  showFacts();
  drawSequence();
}

/** "Difference, shuffled minus original", or the sum that the question is about. */
function differenceTitle() {
  const [first, second] = found.cells.toSorted((a, b) => a.weight - b.weight);
  return found.cells.length === 2 ? `Difference, ${second.name} minus ${first.name}` : "Difference of the differences";
}

function showTable() {
  const sets = complete();
  const mean = (at) => (sets.length ? sets.reduce((sum, one) => sum + one.runs[at].value, 0) / sets.length : null);
  const heading = found.measure.title.charAt(0).toUpperCase() + found.measure.title.slice(1);
  byId("asking-table").tHead.replaceChildren(el("tr", {}, el("th", {}, heading), el("th.right", {}, "mean"), el("td")));
  const value = (at) =>
    mean(at) == null ? "none done" : found.measure.is_accuracy ? percent(mean(at)) : number(mean(at));
  const rows = found.cells.map((cell, at) =>
    el(
      "tr",
      {},
      el("td", {}, el("span.named", {}, swatch(cell.model, cell.pixel_order), cell.name)),
      el("td.right.strong", {}, value(at)),
      el("td"),
    ),
  );
  const open = found.answer === "open" || found.answer === "unfit";
  const words = {
    open: "○ not settled",
    difference: "● settled: a difference",
    "no difference": "● settled: no difference that matters",
    unfit: "○ the sets contradict each other",
  };
  rows.push(
    el(
      "tr",
      {},
      el("td", {}, found.centre === "median" ? "Difference, median" : "Difference"),
      el("td.right.strong", {}, change(found.n && found.centre !== "none" ? found.value : null)),
      el(`td.sure${open ? ".muted" : ""}`, {}, words[found.answer]),
    ),
  );
  byId("asking-table").tBodies[0].replaceChildren(...rows);
}

function showSureness() {
  const now = last();
  const smallest = found.smallest
    ? found.measure.is_accuracy
      ? `${number(found.smallest * 100)} points`
      : number(found.smallest)
    : null;
  const verdict = {
    difference: "0 is outside, so the answer is a difference.",
    "no difference": `All of it lies within ± ${smallest}, so there is no difference that matters.`,
    unfit: "No single difference is left that fits all sets, so none is claimed.",
    open: smallest
      ? `0 is inside and so are differences over ${smallest}: both answers are open.`
      : "0 is inside: the answer is open.",
  }[found.answer];
  const few = `With fewer than ${found.least_seeds} seeds there is no interval: three can never settle it.`;
  const valid =
    found.answer === "unfit"
      ? verdict
      : found.low == null
        ? few
        : `${verdict} You may look after every seed and stop when you like: over a whole experiment this interval misses the true difference in at most 5 of 100 cases.`;
  const settling = complete()[found.settled_after - 1];
  const rest =
    found.settled_after === null
      ? [
          "What would settle it",
          found.needed === null ? "–" : `about ${plural(found.needed, "seed")}`,
          found.needed === null
            ? "That can be said once the seeds differ."
            : `If mean and spread stay as they are; the budget is ${found.max_seeds}.`,
        ]
      : [
          "What settled it",
          `seed ${set()} ${found.settled_after}`,
          `There the evidence against no difference was ${evidence(settling.evidence)} of the 20 needed, and the interval ${interval(settling.low, settling.high)}.${found.n > found.settled_after ? ` ${found.n - found.settled_after} more only made it narrower.` : ""}`,
        ];
  const parts = [
    [
      "Valid while you watch",
      interval(found.low, found.high) ?? (found.answer === "unfit" ? "none" : "none yet"),
      valid,
      "strong",
    ],
    [
      "Ordinary 95% interval",
      interval(now?.ordinary_low, now?.ordinary_high) ?? "–",
      `Only valid if ${plural(found.n, "seed")} were planned beforehand. Here the number was left open: looking so after every seed finds a difference between equal configurations in about 29 of 100 experiments.`,
      "muted",
    ],
    [...rest, "strong"],
  ];
  byId("sureness").replaceChildren(
    ...parts.map(([title, value, words, kind]) =>
      el("div", {}, el(`dt.${kind}`, {}, title), el(`dd.value.${kind}`, {}, value), el("dd.words", {}, words)),
    ),
  );
}

const evidence = (value) =>
  value == null ? "–" : value >= 1e5 ? value.toExponential(1) : value >= 100 ? value.toFixed(0) : value.toFixed(1);

function showSets() {
  const unit = found.measure.is_accuracy ? ", %" : "";
  byId("sets").tHead.replaceChildren(
    el(
      "tr",
      {},
      el("th.right", {}, "Seed"),
      el("th", {}, "Status"),
      ...found.cells.map((cell) => el("th.right", {}, `${cell.name}${unit}`)),
      el("th.right", {}, "Difference"),
      el("th.right", {}, "Mean so far"),
      el("th.right", {}, "Interval so far"),
      el("th.right", {}, "Evidence, of 20"),
    ),
  );
  const rows = found.sets.map((one, at) => {
    const statuses = one.runs.map((run) => run.status);
    const going = ["failed", "lost", "stopped", "paused", "running", "starting", "queued", "missing"].find((status) =>
      statuses.includes(status),
    );
    const status = going === "missing" ? "queued" : (going ?? "succeeded");
    return el(
      "tr",
      {},
      el("td.right", {}, String(one.seed)),
      el("td", {}, statusBadge({ status, responding: true })),
      ...one.runs.map((run) =>
        el("td.right", {}, run.run ? el("a", { href: url(`/runs/${run.run}`) }, runWords(run)) : "–"),
      ),
      el("td.right.strong", {}, change(one.value)),
      el("td.right", {}, change(one.mean)),
      el(
        "td.right",
        {},
        one.is_complete
          ? (interval(one.low, one.high) ??
              el("span.muted", {}, at + 1 < found.least_seeds ? `needs at least ${found.least_seeds}` : "no spread"))
          : "–",
      ),
      el("td.right", {}, at === 0 ? "–" : evidence(one.evidence)),
    );
  });
  byId("sets").tBodies[0].replaceChildren(...rows.toReversed());
}

const runWords = (run) =>
  run.value != null
    ? figure(run.value)
    : run.status === "running"
      ? `step ${run.steps_done.toLocaleString("en-US")} of ${run.steps_total.toLocaleString("en-US")}`
      : run.status;

function showFacts() {
  const smallest =
    found.smallest === 0
      ? "any difference"
      : found.measure.is_accuracy
        ? `${plural(Number(number(found.smallest * 100)), "point")} ${found.smallest === 0.01 ? "matters" : "matter"}`
        : `${number(found.smallest)} matters`;
  const ends = `0 is outside the interval${found.smallest ? `, or the interval lies within ± ${found.measure.is_accuracy ? number(found.smallest * 100) : number(found.smallest)}` : ""}, or the budget is spent`;
  const facts = [
    [
      "Compares",
      el(
        "span.row",
        {},
        ...found.cells.map((cell) => el("span.named", {}, swatch(cell.model, cell.pixel_order), cell.name)),
      ),
    ],
    ["On", found.measure.title],
    ["Smallest difference", smallest],
    [
      "Budget",
      `${plural(found.max_seeds, `seed ${set()}`)}, ${found.max_hours === null ? "any time" : `${found.max_hours} h of training`}`,
    ],
    ["Ends when", ends],
  ];
  byId("question-facts").tBodies[0].replaceChildren(
    ...facts.map(([name, value]) => el("tr", {}, el("th", { scope: "row" }, name), el("td", {}, value))),
  );
}

function drawSequence() {
  if (!found) return;
  const sets = complete();
  const { measure, least_seeds: least, smallest, settled_after: settledAfter, max_seeds: budget } = found;
  drawInterval(byId("sequence"), {
    looks: sets,
    measure,
    least,
    smallest,
    settledAfter,
    budget,
    unit: set(),
    colour: color(found.cells.at(-1).model),
  });
  byId("sequence-legend").replaceChildren(
    el("span", {}, `○ one ${set()}`),
    el("span", {}, "━ mean so far"),
    el("span", {}, "▒ interval, valid while watched"),
    el("span", {}, "❙ ordinary 95%"),
  );
  setText(
    byId("sequence-caption"),
    `${plural(sets.length, set())}, one point each, in the order launched; the interval after every ${set()} is the part common to all so far (e-process of Student’s t and of the sign, c = 2, bound 20). The axis ends at the budget.`,
  );
}

function download() {
  const columns = ["seed", ...found.cells.map((cell) => cell.name), "difference", "mean", "low", "high", "evidence"];
  const rows = complete().map((one) => [
    one.seed,
    ...one.runs.map((run) => run.value),
    one.value,
    one.mean,
    one.low,
    one.high,
    one.evidence,
  ]);
  el("a", {
    href: `data:text/csv;charset=utf-8,${encodeURIComponent(csvOf([columns, ...rows]))}`,
    download: "question.csv",
  }).click();
}
