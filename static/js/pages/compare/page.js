// The compare page: the answer, panels by the two knobs that vary most, final accuracies, figures.
// What is being looked at is in the address; the server computes every figure, this page places them.

import { get } from "../../api.js";
import { fetchCurves, replaceTail, tailStart } from "../../curves.js";
import { report, setText, showArrived } from "../../dom.js";
import { hoverAcross } from "../../hover.js";
import { gathered, on } from "../../live.js";
import { declared, isDense, written } from "../../metrics.js";
import { query } from "../../model/address.js";
import { drawPanels, stepsOf } from "../../panels.js";
import { onZoom, whereOf } from "../../plots.js";
import { offer } from "../../share.js";
import { keepPromise } from "../../undo.js";
import { offerControls } from "./controls.js";
import { showFigures } from "./figures.js";
import { offerLaunches } from "./launch.js";
import { asks, byId, DEFAULTS, isGiven, page, remember, state, view, what } from "./state.js";

const MANY_RUNS = 40;
const plot = byId("plot");

Object.assign(page, { redraw, restyle, reload, recompare });
offerControls();
offerLaunches();
keepPromise();
offer(() => state.compared?.title ?? "Comparison");

let width = 0;
new ResizeObserver(() => {
  if (byId("panels").clientWidth === width) return;
  width = byId("panels").clientWidth;
  redraw();
}).observe(byId("panels"));

/** Colours and dashes anew: another knob makes them, or another theme. */
function restyle() {
  if (!state.compared?.runs) return;
  showFigures();
  redraw();
}

function redraw() {
  if (!state.compared || !state.curves) return;
  const scale = drawPanels(plot, { view, ...state });
  for (const button of document.querySelectorAll('[data-choice="scale"] button'))
    button.setAttribute("aria-pressed", String(button.value === scale));
  byId("reset-zoom").hidden = view.from === "";
  byId("smoothing-label").hidden = !isDense(declared(state.compared.metrics, view.metric));
  if (!plot.dataset.zooms) {
    plot.dataset.zooms = "yes";
    onZoom(plot, zoomed);
    hoverAcross(plot, byId("panels"), {
      words: (x) => whereOf(view.x, x),
      format: (value) => written(declared(state.compared.metrics, view.metric), value),
    });
  }
}

// Data

let overviewOf = ""; // its metric and smoothing

const smoothed = () => (isDense(declared(state.compared.metrics, view.metric)) ? Number(view.smoothing) : 0);

async function reload() {
  const runs = state.compared.groups.flatMap((one) => one.runs.map((run) => run.run));
  const wide = byId("panels").clientWidth / 2.5;
  const options = {
    points: Math.round(Math.max(100, Math.min(1000, wide, 40_000 / Math.max(1, runs.length)))),
    smoothing: smoothed(),
  };
  const zoomed = view.from !== "";
  const wanted = `${view.metric} ${options.smoothing}`;
  if (!zoomed || overviewOf !== wanted) {
    state.curves = state.overview = await fetchCurves(runs, view.metric, options);
    overviewOf = wanted;
  }
  if (zoomed) {
    const part = stepsOf({ view, compared: state.compared, curves: state.overview });
    state.curves = await fetchCurves(runs, view.metric, { ...options, from: part[0], to: part[1] });
    loaded = part;
  }
  redraw();
}
let loaded = null; // first and last step of a part

async function recompare() {
  state.compared = await get(
    `/compare${query({ ...what, ...(view.measure && { measure: view.measure }), ...(view.smallest && { smallest: view.smallest }) })}`,
  );
  state.group = new Map(state.compared.groups.flatMap((one) => one.runs.map((run) => [run.run, one])));
  showFigures();
}

let failed = false; // the first try met a server that was away: the next event tries again
const refresh = gathered(async (events) => {
  if (failed) return begin();
  if (state.compared && [...events].some((run) => !state.group.has(run))) return start(); // a run has joined
  const changed = [...events].filter((run) => state.group.has(run));
  if (!changed.length || !state.curves) return;
  const part = view.from === "" ? null : loaded;
  if (view.from !== "" && !part) return; // the part that was just chosen is on its way, with what is new
  const from = Math.max(tailStart(state.curves, changed), part ? part[0] : 1);
  if (!part || from <= part[1]) {
    const tail = await fetchCurves(changed, view.metric, {
      width: state.curves.width,
      smoothing: smoothed(),
      from,
      ...(part && { to: part[1] }),
    });
    replaceTail(state.curves, tail, from);
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
const statusOf = (run) => state.group.get(run).runs.find((one) => one.run === run).status;
const attempts = new Map(); // run -> the attempt that its curve is of
on("run", (event) => {
  const before = attempts.get(event.run);
  attempts.set(event.run, event.attempt);
  statuses.set(event.run, event.status);
  if (state.curves && before !== undefined && before !== event.attempt) state.curves.items.delete(event.run); // its points beyond a checkpoint are gone
  if (failed || state.group.has(event.run) || (what.experiment && event.experiment === Number(what.experiment)))
    refresh(event.run);
});
on("deleted", ({ run }) => {
  if (what.experiment && state.group.has(run)) start().catch(report);
});

async function start() {
  await recompare();
  if (!state.compared.runs) return showArrived();
  if (state.compared.runs > MANY_RUNS && !isGiven("curves")) {
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

begin();
