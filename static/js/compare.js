// The compare page: the answer, panels by the two knobs that vary most, final accuracies, figures.
// What is being looked at is in the URL; the server computes every figure, this page places them.

import { get, post } from "./api.js";
import { query, url } from "./model/address.js";
import { showAnswer, showPairs, showWatched } from "./answer.js";
import { offerAsking } from "./better.js";
import { showConfigurations } from "./configurations.js";
import { fetchCurves, replaceTail, tailStart } from "./curves.js";
import { copy, el, report, setText, showArrived, toast } from "./dom.js";
import { chosen, styleOf, varied } from "./facets.js";
import { drawFinals } from "./finals.js";
import { plural } from "./format.js";
import { hoverAcross } from "./hover.js";
import { gathered, on } from "./live.js";
import { declared, isDense, written } from "./metrics.js";
import { drawPanels, stepsOf } from "./panels.js";
import { offer } from "./share.js";
import { drawSweep } from "./sweep.js";
import { onZoom } from "./plots.js";
import { wayOut } from "./views/wayout.js";
import { keepPromise, launched, launchedExperiment, offerUndo, promiseUndo, stopExperiment } from "./undo.js";

const MANY_RUNS = 40;

const byId = (id) => document.getElementById(id);
const plot = byId("plot");
const address = new URL(location.href);
const what = address.searchParams.has("experiment")
  ? { experiment: address.searchParams.get("experiment") }
  : { run: address.searchParams.getAll("run") };

const view = {
  measure: "", // what of a run is compared; "": what the experiment is on
  smallest: "", // difference that matters, in the measure's unit; "": what the experiment says, or the usual
  metric: "train/loss", // what is drawn
  view: "panels",
  rows: "auto",
  columns: "auto",
  color: "auto",
  dash: "auto",
  x: "step",
  scale: "", // linear or log; "": as the values are
  best: "",
  smoothing: "0.9",
  curves: "runs",
  against: "", // knob of the scatter
  from: "",
  to: "",
};
const DEFAULTS = { ...view };
for (const key of Object.keys(view)) {
  if (address.searchParams.has(key)) view[key] = address.searchParams.get(key);
}

const asks = document.querySelector(".asking") !== null;

let compared = null; // GET /compare
let curves = null; // what is drawn
let group = new Map(); // run -> its configuration
let style = null; // colour and dash of each configuration

// Controls: attached before anything is awaited, so that no click is lost

for (const choice of document.querySelectorAll("[data-choice]")) {
  const key = choice.dataset.choice;
  const show = () => {
    for (const button of choice.children) button.setAttribute("aria-pressed", String(button.value === view[key]));
  };
  choice.addEventListener("click", (event) => {
    if (event.target.tagName !== "BUTTON" || event.target.getAttribute("aria-pressed") === "true") return;
    view[key] = event.target.value;
    show();
    remember();
    redraw();
  });
  show();
}
const select = (key, changed, field = byId(key)) => {
  if ([...field.options].some((option) => option.value === view[key])) field.value = view[key];
  field.addEventListener("change", () => {
    view[key] = field.value;
    changed();
    remember();
  });
};
const unzoom = () => {
  view.from = view.to = "";
  reload().catch(report);
};
select("metric", unzoom);
select("x", unzoom);
const FACETS = ["rows", "columns", "color", "dash"];
for (const key of FACETS) select(key, () => restyle(), byId(`facet-${key}`));
if (byId("measure")) {
  select("measure", () => {
    view.smallest = ""; // of another measure it is another
    recompare().catch(report);
  });
  byId("matters").addEventListener("change", (event) => {
    const typed = event.target.value.trim();
    const value = Number(typed) / (compared?.measure.is_accuracy ? 100 : 1);
    view.smallest = typed === "" ? "" : Number.isFinite(value) ? String(Number(value.toPrecision(12))) : typed;
    remember();
    recompare().catch((error) => {
      view.smallest = "";
      remember();
      report(error);
    });
  });
}
byId("best").checked = view.best !== "";
byId("best").addEventListener("change", (event) => {
  view.best = event.target.checked ? "marked" : "";
  remember();
  redraw();
});
document.addEventListener("click", (event) => event.target.closest("#facets") || byId("facets").removeAttribute("open"));
byId("reset-zoom").addEventListener("click", () => {
  unzoom();
  remember();
});
const slider = byId("smoothing");
const showSmoothing = () => setText(byId("smoothing-value"), Number(view.smoothing) ? Number(view.smoothing).toFixed(2) : "off");
slider.value = view.smoothing;
slider.addEventListener("input", () => {
  view.smoothing = slider.value;
  showSmoothing();
  smoothingMoved("smoothing");
});
const smoothingMoved = gathered(async () => {
  remember();
  await reload();
}, 120);
showSmoothing();
byId("copy").addEventListener("click", async () => {
  toast((await copy(location.href)) ? "Link copied" : "The link could not be copied: it is in the address line");
});
byId("more-seeds")?.addEventListener("click", async (event) => {
  event.target.disabled = true;
  try {
    const made = await post(`/experiments/${what.experiment}/more`, { seeds: moreSeeds() });
    offerUndo(launched(made.run_ids));
  } catch (error) {
    report(error);
  }
  event.target.disabled = false;
});
byId("add-values")?.addEventListener("click", async (event) => {
  const { knob, values } = compared.verdict.lacking;
  event.target.disabled = true;
  try {
    const made = await post(`/experiments/${what.experiment}/more`, { values: { [knob]: values } });
    offerUndo(launched(made.run_ids));
  } catch (error) {
    report(error);
  }
  event.target.disabled = false;
});
byId("confirm-winner")?.addEventListener("click", async (event) => {
  event.target.disabled = true;
  try {
    const made = await post(`/experiments/${what.experiment}/confirm`, {});
    promiseUndo(launchedExperiment(made));
    location.assign(url(`/compare?experiment=${made.id}`));
  } catch (error) {
    report(error);
    event.target.disabled = false;
  }
});
/** As many as would settle what is open, if that is not too many; else five. */
const moreSeeds = () => {
  const wanted = compared.verdict.rows.map((row) => row.difference?.more_seeds).filter((count) => count && count <= 20);
  return wanted.length ? Math.min(...wanted) : 5;
};
keepPromise();
offer(() => compared?.title ?? "Comparison");
byId("stop").addEventListener("click", async (event) => {
  event.target.disabled = true;
  try {
    await stopExperiment(what.experiment);
  } catch (error) {
    report(error);
    event.target.disabled = false;
  }
});
document.addEventListener("themechange", () => restyle());
let width = 0;
new ResizeObserver(() => {
  if (byId("panels").clientWidth === width) return;
  width = byId("panels").clientWidth;
  redraw();
}).observe(byId("panels"));

/** Colours and dashes anew: another knob makes them, or another theme. */
function restyle() {
  if (!compared?.runs) return;
  showFigures();
  redraw();
}

function redraw() {
  if (!compared || !curves) return;
  const scale = drawPanels(plot, { view, compared, curves, overview, style });
  for (const button of document.querySelectorAll('[data-choice="scale"] button')) button.setAttribute("aria-pressed", String(button.value === scale));
  byId("reset-zoom").hidden = view.from === "";
  byId("smoothing-label").hidden = !isDense(declared(compared.metrics, view.metric));
  if (!plot.dataset.zooms) {
    plot.dataset.zooms = "yes";
    onZoom(plot, zoomed);
    hoverAcross(plot, byId("panels"), (value) => written(declared(compared.metrics, view.metric), value));
  }
}

for (const [id, more] of Object.entries({ "save-csv": {}, "save-parquet": { format: "parquet" }, "save-runs": { what: "runs" } })) {
  byId(id).href = url(`/api/v1/export${query({ ...what, ...more })}`);
}

function remember() {
  const shown = Object.fromEntries(Object.entries(view).filter(([key, value]) => value !== DEFAULTS[key]));
  history.replaceState(null, "", url(`/compare${query({ ...what, ...shown })}`));
}

// Data

let overview = null; // the curves in whole: where runs end, and the steps of a part on another axis
let overviewOf = ""; // its metric and smoothing

const smoothed = () => (isDense(declared(compared.metrics, view.metric)) ? Number(view.smoothing) : 0);

async function reload() {
  const runs = compared.groups.flatMap((one) => one.runs.map((run) => run.run));
  const wide = byId("panels").clientWidth / 2.5;
  const options = { points: Math.round(Math.max(100, Math.min(1000, wide, 40_000 / Math.max(1, runs.length)))), smoothing: smoothed() };
  const zoomed = view.from !== "";
  const wanted = `${view.metric} ${options.smoothing}`;
  if (!zoomed || overviewOf !== wanted) {
    curves = overview = await fetchCurves(runs, view.metric, options);
    overviewOf = wanted;
  }
  if (zoomed) {
    const part = stepsOf({ view, compared, curves: overview });
    curves = await fetchCurves(runs, view.metric, { ...options, from: part[0], to: part[1] });
    loaded = part;
  }
  redraw();
}
let loaded = null; // first and last step of a part

async function recompare() {
  compared = await get(`/compare${query({ ...what, ...(view.measure && { measure: view.measure }), ...(view.smallest && { smallest: view.smallest }) })}`);
  group = new Map(compared.groups.flatMap((one) => one.runs.map((run) => [run.run, one])));
  showFigures();
}

let failed = false; // the first try met a server that was away: the next event tries again
const refresh = gathered(async (events) => {
  if (failed) return begin();
  if (compared && [...events].some((run) => !group.has(run))) return start(); // a run has joined
  const changed = [...events].filter((run) => group.has(run));
  if (!changed.length || !curves) return;
  const part = view.from === "" ? null : loaded;
  if (view.from !== "" && !part) return; // the part that was just chosen is on its way, with what is new
  const from = Math.max(tailStart(curves, changed), part ? part[0] : 1);
  if (!part || from <= part[1]) {
    const tail = await fetchCurves(changed, view.metric, { width: curves.width, smoothing: smoothed(), from, ...(part && { to: part[1] }) });
    replaceTail(curves, tail, from);
  }
  // figures are of runs that have ended: while a run only grows, its curve is all that is new
  if (changed.some((run) => statuses.get(run) !== statusOf(run))) {
    await recompare();
    if (view.from !== "") {
      overviewOf = ""; // a run has ended beyond what is drawn
      return reload();
    }
  }
  redraw();
});
const statuses = new Map(); // run -> what the stream last said
const statusOf = (run) => group.get(run).runs.find((one) => one.run === run).status;
const attempts = new Map(); // run -> the attempt that its curve is of
on("run", (event) => {
  const before = attempts.get(event.run);
  attempts.set(event.run, event.attempt);
  statuses.set(event.run, event.status);
  if (curves && before !== undefined && before !== event.attempt) curves.items.delete(event.run); // its points beyond a checkpoint are gone
  if (failed || group.has(event.run) || (what.experiment && event.experiment === Number(what.experiment))) refresh(event.run);
});
on("deleted", ({ run }) => {
  if (what.experiment && group.has(run)) start().catch(report);
});

async function start() {
  await recompare();
  if (!compared.runs) return showArrived();
  if (compared.runs > MANY_RUNS && !address.searchParams.has("curves")) {
    view.curves = DEFAULTS.curves = "mean";
    document.querySelectorAll('[data-choice="curves"] button').forEach((button) => {
      button.setAttribute("aria-pressed", String(button.value === "mean"));
    });
  }
  await reload();
  return showArrived();
}
async function begin() {
  failed = false;
  try {
    await start();
  } catch (error) {
    failed = true;
    showArrived();
    (asks ? report : (said) => setText(byId("answer"), said.message))(error);
  }
}
begin();

// Figures in words and tables

function showFigures() {
  setText(byId("title"), compared.title);
  const going = compared.ended < compared.runs;
  document.title = `${going ? `${compared.ended}/${compared.runs} ` : ""}${compared.title} · Runyard`;
  if (!compared.runs) {
    setText(byId("answer"), "No run is left in this experiment.");
    return;
  }
  showStop();
  if (byId("more-seeds")) {
    byId("more-seeds").hidden = compared.ended < compared.runs;
    setText(byId("more-seeds"), `Launch ${plural(moreSeeds(), "more seed")}`);
  }
  offerKnobs();
  style = styleOf(compared, chosen(view, compared));
  showPairs(compared);
  showConfigurations(compared, style, what.experiment);
  offerAsking(compared);
  beside();
  if (asks) return; // a question has a panel of its own: asking.js
  showAnswer(compared, style);
  if (what.experiment) showWayOut(compared).catch(report);
}

async function showWayOut(known) {
  const out = await wayOut(what.experiment, known);
  if (known === compared) byId("way-out").replaceChildren(...(out ? [out] : []));
}

/** Once it is there it stays there: nothing that launches comes under the pointer in its place. */
function showStop() {
  const stop = byId("stop");
  const left = compared.runs - compared.ended;
  if (left && what.experiment) stop.hidden = false;
  stop.disabled = !left;
  const stopped = compared.groups.some((one) => one.runs.some((run) => run.status === "stopped"));
  setText(stop, left ? `Stop ${plural(left, "run")}` : stopped ? "Stopped" : "All ended");
}

/** The charts beside the curves, one at a time when there is nothing else to do: the curves come first. */
function beside() {
  const [drawn, marks] = [compared, style];
  later(() => {
    if (drawn !== compared) return;
    drawFinals(byId("finals"), byId("finals-legend"), drawn.groups, marks);
    later(() => {
      if (drawn !== compared) return;
      if (!asks) showWatched(drawn, marks);
      drawSweep(drawn, marks, view, remember);
    });
  });
}
const later = (work) => requestIdleCallback(work, { timeout: 500 });

/** What can be drawn, and by which knobs: the series that were recorded, the knobs that vary. */
function offerKnobs() {
  const knobs = varied(compared);
  for (const key of FACETS) {
    const options = [["auto", "as it fits"], ["none", "none"], ...knobs.map((one) => [one.knob, one.title])];
    const field = byId(`facet-${key}`);
    if (field.options.length !== options.length) field.replaceChildren(...options.map(([value, title]) => el("option", { value }, title)));
    field.value = options.some(([value]) => value === view[key]) ? view[key] : "auto";
  }
  byId("facets").hidden = !knobs.length;
  const known = new Set([...byId("metric").options].map((option) => option.value));
  for (const name of compared.series.filter((one) => !known.has(one))) byId("metric").append(el("option", { value: name }, declared(compared.metrics, name).title));
  byId("metric").value = view.metric;
  const measure = byId("measure");
  if (!measure) return;
  const { name, title } = compared.measure;
  if (![...measure.options].some((option) => option.value === name)) measure.append(el("option", { value: name }, title)); // of a question, or named in the address
  measure.value = name;
  const [scale, unit] = compared.measure.is_accuracy ? [100, "points"] : [1, compared.measure.unit];
  if (document.activeElement !== byId("matters")) byId("matters").value = String(Number((compared.facts.smallest * scale).toPrecision(3)));
  setText(byId("matters-unit"), unit);
}

const zoomTo = gathered(async () => {
  remember();
  await reload();
}, 150);

function zoomed(change) {
  if (change["xaxis.autorange"] || change.autosize) {
    if (view.from === "") return;
    view.from = view.to = "";
    zoomTo("all");
  } else if (change["xaxis.range[0]"] !== undefined) {
    const ends = [Math.max(0, change["xaxis.range[0]"]), Math.max(0, change["xaxis.range[1]"])];
    const whole = ["step", "images"].includes(view.x);
    [view.from, view.to] = ends.map((end) => String(whole ? Math.round(end) : Number(end.toPrecision(6))));
    zoomTo("part");
  }
}
