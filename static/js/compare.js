// The compare page: the answer, panels by the two knobs that vary most, final accuracies, figures.
// What is being looked at is in the URL; the server computes every figure, this page places them.

import { get, post, query } from "./api.js";
import { copy, el, icon, report, setText, swatch, toast } from "./dom.js";
import { caption, fetchCurves, replaceTail, spread, tailStart, xOf } from "./curves.js";
import { duration, integer, loss, percent, plural, points } from "./format.js";
import { drawFinals } from "./finals.js";
import { gathered, on } from "./live.js";
import { color, dash, token } from "./palette.js";
import { band, draw, line, onZoom, tip, xAxis, yAxis } from "./plots.js";

const NARROW = 620;
const LEFT = 34;
const RIGHT = 6;
const TITLE = 28;
const BOTTOM = 30;
const GAP = { x: 24, y: 12 };
const MAX_PANELS = 24;
const MANY_RUNS = 40;

const byId = (id) => document.getElementById(id);
const plot = byId("plot");
const address = new URL(location.href);
const what = address.searchParams.has("experiment")
  ? { experiment: address.searchParams.get("experiment") }
  : { run: address.searchParams.getAll("run") };

const view = {
  metric: "train/loss",
  view: "panels",
  x: "step",
  smoothing: "0.9",
  curves: "runs",
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
let isolated = null; // name of the configuration that alone is shown

// Controls: attached before anything is awaited, so that no click is lost

for (const choice of document.querySelectorAll("[data-choice]")) {
  const key = choice.dataset.choice;
  const show = () => {
    for (const button of choice.children) button.setAttribute("aria-pressed", String(button.value === view[key]));
  };
  choice.addEventListener("click", (event) => {
    if (event.target.tagName !== "BUTTON" || event.target.value === view[key]) return;
    view[key] = event.target.value;
    if (key === "x") view.from = view.to = "";
    show();
    remember();
    redraw();
  });
  show();
}
byId("metric").value = view.metric;
byId("metric").addEventListener("change", (event) => {
  view.metric = event.target.value;
  view.from = view.to = "";
  remember();
  reload();
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
byId("stop").addEventListener("click", async (event) => {
  event.target.disabled = true;
  try {
    await post(`/experiments/${what.experiment}/stop`);
  } catch (error) {
    report(error);
  }
  event.target.disabled = false;
});
byId("download").addEventListener("click", download);
document.addEventListener("themechange", () => {
  redraw();
  if (compared) drawFinals(byId("finals"), byId("finals-legend"), compared.groups);
});
let width = 0;
new ResizeObserver(() => {
  if (byId("panels").clientWidth !== width) redraw();
}).observe(byId("panels"));

function remember() {
  const shown = Object.fromEntries(Object.entries(view).filter(([key, value]) => value !== DEFAULTS[key]));
  history.replaceState(null, "", `/compare${query({ ...what, ...shown })}`);
}

// Data

async function reload() {
  const runs = compared.groups.flatMap((one) => one.runs.map((run) => run.run));
  const zoom = view.x === "step" && view.from ? { from: Math.max(1, Math.floor(view.from)), to: Math.ceil(view.to) } : {};
  curves = await fetchCurves(runs, view.metric, {
    points: Math.max(100, Math.min(1000, Math.round(byId("panels").clientWidth / 2.5))),
    smoothing: view.metric === "train/loss" ? Number(view.smoothing) : 0,
    ...zoom,
  });
  redraw();
}

async function recompare() {
  compared = await get(`/compare${query(what)}`);
  group = new Map(compared.groups.flatMap((one) => one.runs.map((run) => [run.run, one])));
  showFigures();
}

let failed = false; // the first try met a server that was away: the next event tries again
const refresh = gathered(async (events) => {
  if (failed) return begin();
  const changed = [...events].filter((run) => group.has(run));
  if (!changed.length || !curves) return;
  const zoomed = view.from !== "";
  const smoothing = view.metric === "train/loss" ? Number(view.smoothing) : 0;
  const from = tailStart(curves, changed);
  const last = zoomed ? { to: Math.ceil(view.to) } : {};
  if (!zoomed || from <= Number(view.to)) {
    const tail = await fetchCurves(changed, view.metric, { width: curves.width, smoothing, from, ...last });
    replaceTail(curves, tail, from);
  }
  await recompare();
  redraw();
});
const attempts = new Map(); // run -> the attempt that its curve is of
on("run", (event) => {
  const before = attempts.get(event.run);
  attempts.set(event.run, event.attempt);
  if (curves && before !== undefined && before !== event.attempt) curves.items.delete(event.run); // its points beyond a checkpoint are gone
  refresh(event.run);
});
on("deleted", ({ run }) => {
  if (what.experiment && group.has(run)) start().catch(report);
});

async function start() {
  await recompare();
  if (!compared.runs) return;
  if (compared.runs > MANY_RUNS && !address.searchParams.has("curves")) {
    view.curves = DEFAULTS.curves = "mean";
    document.querySelectorAll('[data-choice="curves"] button').forEach((button) => {
      button.setAttribute("aria-pressed", String(button.value === "mean"));
    });
  }
  await reload();
}
async function begin() {
  failed = false;
  try {
    await start();
  } catch (error) {
    failed = true;
    (asks ? report : (said) => setText(byId("answer"), said.message))(error);
  }
}
begin();

// Figures in words and tables

function showFigures() {
  setText(byId("title"), compared.title);
  document.title = `${compared.title} · Runyard`;
  if (!compared.runs) {
    setText(byId("answer"), "No run is left in this experiment.");
    return;
  }
  const verdict = compared.verdict;
  const going = compared.ended < compared.runs;
  const stop = byId("stop");
  stop.hidden = !(going && what.experiment);
  setText(stop, `Stop ${plural(compared.runs - compared.ended, "run")}`);
  showPairs();
  showTable();
  showDifferences();
  drawFinals(byId("finals"), byId("finals-legend"), compared.groups);
  if (asks) return; // the question has a panel of its own: asking.js
  byId("answer").replaceChildren(
    ...verdict.sentences.map((sentence, index) => el("span", {}, going && index === 0 ? soFar(sentence) : sentence)),
  );
  setText(byId("progress"), progressed(going));
  showVerdict(verdict);
}

const soFar = (sentence) => (sentence.startsWith("No ") ? sentence : `So far, ${sentence.replace(/^[A-Z](?=[a-z])/, (letter) => letter.toLowerCase())}`);

function progressed(going) {
  const done = `${compared.ended} of ${plural(compared.runs, "run")} ended`;
  if (going) return `${done}${countStates()}; the answer updates as runs end`;
  const seeds = [...new Set(compared.groups.map((one) => one.n))];
  return `${done}, ${seeds.length === 1 ? `${plural(seeds[0], "seed")} each` : `${Math.min(...seeds)} to ${Math.max(...seeds)} seeds`}`;
}

/** The table that bears the sentences out: a knob's two values and their difference, or each against the best. */
function showVerdict(verdict) {
  const measure = compared.measure;
  setText(byId("verdict-note"), verdict.note);
  byId("how-this-works").hidden = !verdict.note;
  const table = byId("answer-table");
  table.hidden = !verdict.rows.length;
  const heading = measure.title.charAt(0).toUpperCase() + measure.title.slice(1);
  const interval = verdict.watched ? "valid while watched" : "95% interval";
  const columns = [...verdict.heads, verdict.knob ? "difference" : "against best", interval];
  table.tHead.replaceChildren(
    el("tr", {}, el("th", {}, verdict.knob ? heading : "Configuration"), ...columns.map((name) => el("th.right", {}, name)), el("th", {}, "")),
  );
  table.tBodies[0].replaceChildren(
    ...verdict.rows.map((row) =>
      el(
        "tr",
        {},
        el("td", {}, el("span.named", {}, swatch(row.model, verdict.knob === "pixel_order" ? "original" : row.pixel_order), row.name)),
        figure(row.first, measure),
        verdict.knob && figure(row.second, measure),
        el("td.right.strong", {}, row.difference ? changed(row.difference.value, measure) : row.first && !verdict.knob ? "best" : "–"),
        el("td.right", {}, ends(row.difference, measure)),
        el("td", {}, sureness(row, verdict)),
      ),
    ),
  );
}

const figure = (sample, measure) =>
  el(sample ? "td.right.strong" : "td.right.muted", {}, sample ? (measure.is_accuracy ? percent(sample.mean) : short(sample.mean)) : "none done");
const short = (value) => (Math.abs(value) >= 1000 ? integer(value) : String(Number(value.toPrecision(4))));
const changed = (value, measure) => (measure.is_accuracy ? points(value) : `${value < 0 ? "−" : "+"}${short(Math.abs(value))}`);
const ends = (difference, measure) =>
  difference?.low == null ? "–" : `${changed(difference.low, measure)} to ${changed(difference.high, measure)}`;

const SHOWN_PAIRS = 8;

/** "Learning rate 0.01 → 0.1": what both names begin with is said once. */
function fromTo(first, second) {
  const common = [...first].findIndex((letter, at) => letter !== second[at]);
  const said = /^(\D*[ a-z]) /.exec(first.slice(0, Math.max(0, common)))?.[0] ?? "";
  return `${first} → ${said && !said.includes(",") ? second.slice(said.length) : second}`;
}

/** Two configurations each; with many, those with the best (or worst) figures of evidence. */
function showPairs() {
  const { pairs, groups, measure, verdict } = compared;
  byId("pairs-part").hidden = pairs.length < 2;
  byId("pairs").tHead.querySelector("[data-interval]").textContent = verdict.watched ? "valid while watched" : "95% interval";
  const how = { seed: "paired by seed", arrival: "paired by arrival", none: "Welch’s t" };
  const matched = [...new Set(pairs.map((one) => how[one.matched]))].join(", ");
  const shown = pairs.slice(0, SHOWN_PAIRS);
  setText(byId("pairs-note"), `${measure.is_accuracy ? "points, " : ""}${matched}${shown.length < pairs.length ? `; ${shown.length} of ${pairs.length}` : ""}`);
  byId("pairs").tBodies[0].replaceChildren(
    ...shown.map((one) =>
      el(
        "tr",
        {},
        el("td", {}, fromTo(groups[one.first].name, groups[one.second].name)),
        el(one.clear ? "td.right.strong" : "td.right", {}, changed(one.value, measure)),
        el("td.right", {}, one.low == null ? el("span.muted", {}, one.n < verdict.least_seeds ? "too few seeds" : "–") : ends(one, measure)),
        el("td.right", {}, one.p_corrected == null ? "–" : one.p_corrected < 0.0001 ? "<0.0001" : one.p_corrected.toFixed(4)),
      ),
    ),
  );
}

/** In a word whether a difference is more than chance: a full dot where it is, an open one where that can't be told. */
function sureness(row, verdict) {
  const difference = row.difference;
  if (!difference) return row.first && !verdict.knob ? `best of ${compared.groups.length}` : el("span.muted", {}, "–");
  if (difference.clear) return el("span.sure", {}, "● clear");
  if (difference.low == null) {
    const least = verdict.least_seeds;
    const why = difference.n < least ? `needs at least ${least} seeds` : "no spread to judge by";
    return el("span.sure.muted", {}, `○ ${why}`);
  }
  if (difference.value === 0 && difference.deviation === 0) return el("span.sure.muted", {}, "○ exactly the same");
  return el("span.sure.muted", {}, difference.low * difference.high > 0 ? "○ not once corrected" : "○ may be chance");
}

function countStates() {
  const counts = {};
  for (const one of compared.groups) for (const run of one.runs) counts[run.status] = (counts[run.status] ?? 0) + 1;
  const running = (counts.running ?? 0) + (counts.starting ?? 0);
  return `${running ? `, ${running} running` : ""}${counts.queued ? `, ${counts.queued} queued` : ""}`;
}

const opened = new Set();

function showTable() {
  const published = compared.groups.some((one) => Object.values(one.metrics).some((metric) => metric.published != null));
  byId("table").tHead.querySelector("[data-published]").hidden = !published;
  byId("table").tBodies[0].replaceChildren(...compared.groups.flatMap((one) => tableRows(one, published)));
  const two = nearest();
  byId("image-by-image").hidden = !two;
  if (two) byId("image-by-image").href = `/compare/predictions${query({ run: two })}`;
  const link = byId("show-runs");
  link.hidden = !what.experiment;
  link.href = `/${query({ experiment: what.experiment })}`;
  setText(link, `Show ${plural(compared.runs, "run")}`);
}

/** Two finished runs on the same test images: of two configurations and one seed where there are such. */
function nearest() {
  const done = compared.groups.flatMap((one) => one.runs.filter((run) => run.status === "succeeded").map((run) => ({ ...run, one })));
  const [first, ...rest] = done;
  const near = (run) => 2 * (run.one !== first.one) + (run.seed === first.seed);
  const second = rest.filter((run) => run.one.knobs.dataset === first.one.knobs.dataset).toSorted((a, b) => near(b) - near(a))[0];
  return second ? [first.run, second.run] : null;
}

function tableRows(one, published) {
  const open = opened.has(one.name);
  const toggle = el(
    "button.btn.btn-quiet.disclose",
    {
      type: "button",
      "aria-expanded": String(open),
      "aria-label": `Runs of ${one.name}`,
      onclick: () => {
        if (!opened.delete(one.name)) opened.add(one.name);
        showTable();
      },
    },
    icon("right"),
  );
  const accuracy = one.metrics["test/accuracy"];
  const rows = [
    el(
      "tr",
      {},
      el("td", {}, toggle),
      el("td", {}, el("span.named", {}, swatch(one.model, one.pixel_order), one.name)),
      el("td.right", {}, integer(one.parameters)),
      el("td.right", {}, String(one.n), el("span.muted", {}, ` of ${one.runs.length}`)),
      deviating(accuracy, 100, 2),
      el("td.right", {}, accuracy ? (accuracy.best * 100).toFixed(2) : "–"),
      published && el("td.right", {}, accuracy?.published == null ? "–" : (accuracy.published * 100).toFixed(2)),
      deviating(one.metrics["test/loss"], 1, 4),
      el("td.right", {}, one.images_per_second == null ? "–" : integer(one.images_per_second)),
      el("td.right", {}, duration(one.seconds)),
    ),
  ];
  if (open) rows.push(...one.runs.map((run) => runRow(run, one, published)));
  return rows;
}

function runRow(run, one, published) {
  const last = (metric) => one.metrics[metric]?.values.find((one) => one.run === run.run)?.value;
  const accuracy = last("test/accuracy");
  return el(
    "tr.inner",
    {},
    el("td"),
    el("td", {}, el("a", { href: `/runs/${run.run}` }, `seed ${run.seed}`)),
    el("td"),
    el("td.right.muted", {}, run.status),
    el("td.right", {}, accuracy == null ? "–" : (accuracy * 100).toFixed(2)),
    el("td"),
    published && el("td"),
    el("td.right", {}, loss(last("test/loss"))),
    el("td"),
    el("td"),
  );
}

function deviating(metric, factor, digits) {
  if (!metric) return el("td.right", {}, "–");
  const deviation = metric.std == null ? null : el("span.muted", {}, ` ± ${(metric.std * factor).toFixed(digits)}`);
  return el("td.right", {}, el("span.strong", {}, (metric.mean * factor).toFixed(digits)), deviation);
}

function showDifferences() {
  byId("differences").tBodies[0].replaceChildren(
    ...compared.differences.map((one) => el("tr", {}, el("th", { scope: "row" }, one.title), el("td", {}, one.titles.join(", ")))),
  );
  setText(byId("same"), compared.same.length ? `The same in all: ${compared.same.join(", ")}.` : "");
}

function download() {
  const quoted = (value) => (value == null ? "" : /[",\n]/.test(value) ? `"${String(value).replaceAll('"', '""')}"` : value);
  const columns = ["configuration", "parameters", "n", "accuracy_mean", "accuracy_std", "accuracy_best", "accuracy_published", "train_loss_mean", "test_loss_mean", "seconds"];
  const rows = compared.groups.map((one) => {
    const accuracy = one.metrics["test/accuracy"];
    return [one.name, one.parameters, one.n, accuracy?.mean, accuracy?.std, accuracy?.best, accuracy?.published,
      one.metrics["train/loss"]?.mean, one.metrics["test/loss"]?.mean, one.seconds];
  });
  const text = [columns, ...rows].map((row) => row.map(quoted).join(",")).join("\n");
  el("a", { href: `data:text/csv;charset=utf-8,${encodeURIComponent(`${text}\n`)}`, download: "comparison.csv" }).click();
}

// Curves

/** Where each configuration is drawn: [{groups, row, column, title}]; one panel a configuration where knobs allow. */
function panels() {
  if (view.view === "one" || compared.groups.length < 2 || compared.groups.length > MAX_PANELS) {
    return [{ groups: compared.groups }];
  }
  const { rows, columns } = compared;
  const values = (knob) => (knob === null ? [null] : [...new Set(compared.groups.map((one) => one.knobs[knob]))]);
  const found = [];
  for (const row of values(rows)) {
    for (const column of values(columns)) {
      const members = compared.groups.filter((one) => (rows === null || one.knobs[rows] === row) && (columns === null || one.knobs[columns] === column));
      if (members.length) found.push({ groups: members });
    }
  }
  return found;
}

function redraw() {
  if (!compared || !curves) return;
  const layers = panels();
  width = byId("panels").clientWidth;
  const columns = width < NARROW || layers.length === 1 ? 1 : Math.min(2, layers.length);
  const rows = Math.ceil(layers.length / columns);
  const height = layers.length === 1 ? 388 : width < NARROW ? 150 : 176;
  const full = rows * (TITLE + height) + (rows - 1) * GAP.y + BOTTOM;
  const cell = (width - columns * (LEFT + RIGHT) - (columns - 1) * GAP.x) / columns;
  const layout = { width, height: full, margin: { l: 0, r: 0, t: 0, b: 0 } };
  const traces = [];
  const range = view.from !== "" ? [Number(view.from), Number(view.to)] : [0, xEnd()];
  const yRange = valueRange();
  layers.forEach((layer, index) => {
    const [row, column] = [Math.floor(index / columns), index % columns];
    const left = column * (LEFT + cell + RIGHT + GAP.x) + LEFT;
    const top = row * (TITLE + height + GAP.y) + TITLE;
    const name = index ? String(index + 1) : "";
    const axes = { xaxis: `x${name}`, yaxis: `y${name}` };
    const lowest = row === rows - 1 || index + columns >= layers.length;
    layout[`xaxis${name}`] = xAxis(view.x, range, {
      domain: [left / width, (left + cell) / width],
      anchor: `y${name}`,
      showticklabels: lowest,
      ...(index && { matches: "x" }),
    });
    layout[`yaxis${name}`] = yAxis(view.metric, {
      domain: [1 - (top + height) / full, 1 - top / full],
      anchor: `x${name}`,
      range: yRange,
      showticklabels: column === 0,
      ...(index && { matches: "y" }),
    });
    traces.push({ type: "scatter", x: [null], y: [null], hoverinfo: "skip", ...axes });
    traces.push(...ghosts(layer, axes), ...layer.groups.flatMap((one) => tracesOf(one, axes)));
  });
  plot.style.height = `${full}px`;
  draw(plot, traces, layout, `${view.metric} ${view.x} ${view.view}`);
  placeTitles(layers, columns, cell, height);
  byId("smoothing-label").hidden = view.metric !== "train/loss";
  setText(byId("caption"), (layers.length > 1 ? "Grey: the means of the other configurations. " : "") + caption(curves, view.metric === "train/loss" ? Number(view.smoothing) : 0));
  if (!plot.dataset.zooms) {
    plot.dataset.zooms = "yes";
    onZoom(plot, zoomed);
  }
}

const perEpoch = (one) => one.steps_total / one.knobs.epochs;

function xEnd() {
  if (view.x === "step") return compared.steps_total;
  if (view.x === "epoch") return Math.max(...compared.groups.map((one) => one.knobs.epochs));
  return Math.max(1e-3, ...[...curves.items.values()].map((curve) => curve.times.at(-1) ?? 0));
}

/** The same range for all panels, from what is drawn; a loss starts at 0. */
function valueRange() {
  const shown = [...curves.items.values()];
  const highs = shown.flatMap((curve) => curve.max);
  const lows = shown.flatMap((curve) => curve.min);
  if (!highs.length) return view.metric.endsWith("accuracy") ? [0, 1] : [0, 2.5];
  const [low, high] = [lows.reduce((a, b) => Math.min(a, b)), highs.reduce((a, b) => Math.max(a, b))];
  if (!view.metric.endsWith("accuracy")) return [0, Math.max(high, 1e-3) * 1.02];
  const pad = Math.max(0.01, (high - low) * 0.08);
  return [Math.max(0, low - pad), Math.min(1.005, high + pad)];
}

function ghosts(layer, axes) {
  if (layer.groups.length === compared.groups.length) return [];
  return compared.groups.filter((one) => !layer.groups.includes(one)).map((one) => {
    const mean = spread(members(one), view.x, perEpoch(one), curves.width);
    return line(mean.x, mean.mean, token("--ghost"), { width: 1, hoverinfo: "skip", ...axes });
  });
}

const members = (one) => one.runs.map((run) => curves.items.get(run.run)).filter((curve) => curve?.steps.length);

function tracesOf(one, axes) {
  if (isolated && isolated !== one.name) return [];
  const colour = color(one.model);
  const style = { dash: dash(one.pixel_order), ...axes };
  const sparse = view.metric !== "train/loss";
  const mode = sparse ? { mode: "lines+markers", marker: { size: 6, color: colour } } : {};
  const label = compared.groups.length > 1 && view.view === "one" ? `${one.name}, ` : "";
  if (view.curves === "mean") {
    const mean = spread(members(one), view.x, perEpoch(one), curves.width);
    const said = { name: `${label}mean`, hovertemplate: hover() };
    return [band(mean.x, mean.low, mean.high, colour, 0.13, axes), line(mean.x, mean.mean, colour, { ...style, ...mode, ...said })];
  }
  return one.runs.flatMap((run) => {
    const curve = curves.items.get(run.run);
    if (!curve?.steps.length) return [];
    const x = xOf(curve, view.x, perEpoch(one));
    const y = curve.smoothed ?? (sparse ? curve.last : curve.mean);
    const said = { name: `${label}seed ${run.seed}`, hovertemplate: hover() };
    const found = [line(x, y, colour, { ...style, ...mode, ...said })];
    if (!sparse) found.unshift(band(x, curve.min, curve.max, colour, 0.13, axes));
    if (["running", "starting"].includes(run.status)) found.push(tip(x.at(-1), y.at(-1), colour, axes));
    return found;
  });
}

const hover = () => (view.metric.endsWith("accuracy") ? "%{y:.2%}" : "%{y:.4f}");

function placeTitles(layers, columns, cell, height) {
  const titles = layers.map((layer, index) => {
    const [row, column] = [Math.floor(index / columns), index % columns];
    const single = layers.length === 1;
    const title = el(
      "div.panel-title",
      {},
      ...layer.groups.map((one) =>
        el(
          "button.named",
          {
            type: "button",
            title: isolated === one.name ? "Show all" : "Show this one alone",
            "aria-pressed": String(isolated === one.name),
            onclick: () => {
              isolated = isolated === one.name ? null : one.name;
              redraw();
            },
          },
          swatch(one.model, one.pixel_order),
          one.name,
        ),
      ),
      layer.groups.length === 1 && el("span.said", {}, ...saidOf(layer.groups[0])),
    );
    const left = column * (LEFT + cell + RIGHT + GAP.x) + LEFT;
    title.style.cssText = single ? `left:${LEFT}px;right:${RIGHT}px` : `left:${left}px;width:${cell}px`;
    title.style.top = `${row * (TITLE + height + GAP.y)}px`;
    return title;
  });
  const unit = el("span.muted.unit", {}, view.metric.endsWith("accuracy") ? "" : "nats");
  byId("panel-titles").replaceChildren(unit, ...titles);
}

/** "final loss 0.458 ± 0.013" or "1 running, 2 queued". */
function saidOf(one) {
  const counts = {};
  for (const run of one.runs) counts[run.status] = (counts[run.status] ?? 0) + 1;
  const running = (counts.running ?? 0) + (counts.starting ?? 0);
  const waiting = [
    running ? el("span.going", {}, `${running} running`) : null,
    counts.queued ? `${counts.queued} queued` : null,
    counts.failed ? el("span.bad", {}, `${counts.failed} failed`) : null,
  ].filter(Boolean);
  const accuracy = view.metric.endsWith("accuracy");
  const metric = finalOf(one);
  const final = metric && [
    accuracy ? "final " : "final loss ",
    el("span.strong", {}, accuracy ? percent(metric.mean) : metric.mean.toFixed(3)),
    metric.std == null ? "" : ` ± ${accuracy ? (metric.std * 100).toFixed(2) : metric.std.toFixed(3)}`,
  ];
  const parts = waiting.flatMap((part, index) => (index ? [", ", part] : [part]));
  return [...parts, ...(parts.length && final ? [" · "] : []), ...(final ?? [])];
}

/** Mean and deviation of where the drawn curves of finished runs end: one batch alone is too noisy a figure. */
function finalOf(one) {
  if (view.metric !== "train/loss") return one.metrics[view.metric];
  const done = one.runs.filter((run) => run.status === "succeeded").map((run) => curves.items.get(run.run));
  const ends = done.filter((curve) => curve?.steps.length).map((curve) => (curve.smoothed ?? curve.mean).at(-1));
  if (!ends.length) return null;
  const mean = ends.reduce((a, b) => a + b) / ends.length;
  const squares = ends.reduce((sum, end) => sum + (end - mean) ** 2, 0);
  return { mean, std: ends.length > 1 ? Math.sqrt(squares / (ends.length - 1)) : null };
}

const zoomTo = gathered(async () => {
  remember();
  if (view.x === "step") await reload();
}, 150);

function zoomed(change) {
  if (change["xaxis.autorange"] || change.autosize) {
    if (view.from === "") return;
    view.from = view.to = "";
    zoomTo("all");
  } else if (change["xaxis.range[0]"] !== undefined) {
    view.from = String(Math.max(0, change["xaxis.range[0]"]));
    view.to = String(Math.max(1, change["xaxis.range[1]"]));
    if (view.x === "step") [view.from, view.to] = [String(Math.round(view.from)), String(Math.round(view.to))];
    zoomTo("part");
  }
}
