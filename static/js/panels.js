// The curves of a comparison: one figure, a panel for each value of the facets' knobs, zoom and axes shared.

import { caption, spread, xOf } from "./curves.js";
import { el, setText } from "./dom.js";
import { chosen, panelsOf } from "./facets.js";
import { percent, plural } from "./format.js";
import { decadesOf, scaleOf } from "./model/scale.js";
import { token } from "./palette.js";
import { axisUnit, declared, hovered, isDense, isFraction, wantsMore, written } from "./metrics.js";
import { band, draw, line, tip, xAxis, yAxis } from "./plots.js";

const NARROW = 620;
const LEFT = 40;
const RIGHT = 6;
const LABELS = 60; // room for labels at the curves' ends
const TITLE = 28;
const BOTTOM = 30;
const GAP = { x: 24, y: 12 };
const MOST_BANDS = 12; // configurations, beyond which bands cover each other
const MANY = 60; // runs, beyond which raw extremes would cover all else

const byId = (id) => document.getElementById(id);
let isolated = null; // name of the configuration that alone is shown
let shown = null; // what is drawn: {view, compared, curves, style, width}

/** Draw `{view, compared, curves, style}` into `plot`. Returns the scale of its value axis, linear or log. */
export function drawPanels(plot, given) {
  const { view, compared, curves, style } = given;
  const width = byId("panels").clientWidth;
  shown = { ...given, plot, width, redraw: () => drawPanels(plot, given) };
  shown.scale = scaleOf(view.scale, curves.items.values(), isFraction(drawn()));
  const layers = panelsOf(compared, chosen(view, compared));
  const labelled = layers.length === 1 && style.ramp && width >= NARROW && !isolated;
  const columns =
    width < NARROW || layers.length === 1 ? 1 : Math.min(layers.length, columnsOf(compared, chosen(view, compared)));
  const rows = Math.ceil(layers.length / columns);
  const height = layers.length === 1 ? 388 : width < NARROW ? 150 : 176;
  const full = rows * (TITLE + height) + (rows - 1) * GAP.y + BOTTOM;
  const right = labelled ? LABELS : RIGHT;
  const cell = (width - columns * (LEFT + right) - (columns - 1) * GAP.x) / columns;
  const layout = { width, height: full, margin: { l: 0, r: 0, t: 0, b: 0 }, annotations: [], shapes: [] };
  const traces = [];
  const range = view.from !== "" ? [Number(view.from), Number(view.to)] : [0, xEnd()];
  const log = shown.scale === "log";
  const yRange = valueRange();
  layers.forEach((layer, index) => {
    const [row, column] = [Math.floor(index / columns), index % columns];
    const left = column * (LEFT + cell + right + GAP.x) + LEFT;
    const top = row * (TITLE + height + GAP.y) + TITLE;
    const name = index ? String(index + 1) : "";
    const axes = { xaxis: `x${name}`, yaxis: `y${name}` };
    layout[`xaxis${name}`] = xAxis(view.x, range, {
      domain: [left / width, (left + cell) / width],
      anchor: `y${name}`,
      showticklabels: row === rows - 1 || index + columns >= layers.length,
      ...(index && { matches: "x" }),
    });
    layout[`yaxis${name}`] = yAxis(drawn(), {
      domain: [1 - (top + height) / full, 1 - top / full],
      anchor: `x${name}`,
      range: log ? yRange.map(Math.log10) : yRange,
      type: log ? "log" : "linear",
      ...(log && {
        rangemode: "normal",
        tickformat: "",
        tickformatstops: [],
        dtick: decadesOf(...yRange),
        exponentformat: "power",
      }),
      showticklabels: column === 0,
      ...(index && { matches: "y" }),
    });
    traces.push({ type: "scatter", x: [null], y: [null], hoverinfo: "skip", ...axes });
    traces.push(...ghosts(layer, axes), ...layer.groups.flatMap((one) => tracesOf(one, axes)));
    if (view.best === "marked") layout.annotations.push(...bestOf(layer, axes));
  });
  if (labelled) layout.annotations.push(...labels(layers[0], yRange, height));
  plot.style.height = `${full}px`;
  draw(plot, traces, layout, `${view.metric} ${view.x} ${view.view} ${shown.scale}`);
  placeTitles(layers, columns, cell, right, height);
  const smoothing = isDense(drawn()) ? Number(view.smoothing) : 0;
  const banded = compared.groups.length <= MOST_BANDS ? "; band: lowest to highest seed" : "";
  const many = view.curves === "mean" ? `Line: mean over seeds${banded}. ` : "";
  const missing = log ? withoutPlace() : "";
  setText(
    byId("caption"),
    missing +
      many +
      (layers.length > 1 && view.x !== "wall" ? "Grey: the means of the other configurations. " : "") +
      caption(curves, smoothing),
  );
  return shown.scale;
}

/** First and last step of the part of the x axis that is looked at, from curves in whole: a bucket beyond it each. */
export function stepsOf({ view, compared, curves }) {
  const [from, to] = [Number(view.from), Number(view.to)];
  if (view.x === "step") return [Math.max(1, Math.floor(from)), Math.max(1, Math.ceil(to))];
  shown = { ...shown, view, compared, curves };
  let [first, last] = [Infinity, 0];
  for (const one of compared.groups) {
    for (const curve of members(one)) {
      const x = xs(one, curve);
      const start = x.findIndex((value) => value >= from);
      const end = x.findLastIndex((value) => value <= to);
      if (start >= 0) first = Math.min(first, curve.steps[Math.max(0, start - 1)]);
      if (end >= 0) last = Math.max(last, curve.steps[Math.min(curve.steps.length - 1, end + 1)]);
    }
  }
  return last >= first ? [Math.max(1, first), last] : [1, Math.max(1, compared.steps_total)];
}

/** How many panels stand side by side: as many as the columns' knob has values, if they fit. */
function columnsOf(compared, { columns, rows }) {
  const values = columns ? new Set(compared.groups.map((one) => one.knobs[columns])).size : 2;
  const most = Math.max(1, Math.floor(byId("panels").clientWidth / 240));
  return rows === null ? Math.min(2, most) : Math.min(values, most);
}

const perEpoch = (one) => one.steps_total / one.knobs.epochs;

/** x of each bucket of a run's curve. */
function xs(one, curve) {
  const { view, compared } = shown;
  if (view.x === "images") return curve.steps.map((step) => (step / one.steps_total) * one.images);
  if (view.x === "wall") return wall(one.runs.find((run) => run.run === curve.run).lives, curve.times, compared.began);
  return xOf(curve, view.x, perEpoch(one));
}

/** Seconds of training to seconds since the first run began: each life of a run has an offset of its own. */
function wall(lives, times) {
  return times.map((time) => {
    const life = lives.findLast((one) => one.trained <= time) ?? lives[0];
    return life ? life.began + (time - life.trained) : time;
  });
}

/** Where all runs ended long before they were to: soon after the last step that any of them made; else null. */
function lastStep() {
  const { compared } = shown;
  const last = Math.max(...compared.groups.flatMap((one) => one.runs.map((run) => run.steps_done)));
  return compared.ended === compared.runs && last > 0 && last < compared.steps_total / 2 ? Math.ceil(last * 1.1) : null;
}

function xEnd() {
  const { view, compared, curves } = shown;
  if (view.x === "step") return lastStep() ?? compared.steps_total;
  if (view.x === "epoch") return Math.max(...compared.groups.map((one) => one.knobs.epochs));
  if (view.x === "images") return Math.max(...compared.groups.map((one) => one.images));
  const ends = compared.groups.flatMap((one) => members(one).map((curve) => xs(one, curve).at(-1) ?? 0));
  return Math.max(1e-3, curves ? ends.reduce((a, b) => Math.max(a, b), 0) : 0);
}

/** The same range for all panels, from what is drawn; a loss starts at 0. */
function valueRange() {
  const { curves } = shown;
  let [low, high, least] = [Infinity, -Infinity, Infinity];
  for (const curve of curves.items.values()) {
    for (const value of curve.max) if (value !== null) high = Math.max(high, value);
    for (const value of curve.min) {
      if (value === null) continue; // no number: a gap in the curve
      low = Math.min(low, value);
      if (value > 0) least = Math.min(least, value);
    }
  }
  const fraction = isFraction(drawn());
  if (!Number.isFinite(high)) return shown.scale === "log" ? [0.01, 10] : fraction ? [0, 1] : [0, 2.5];
  if (shown.scale === "log")
    return [Math.max(1e-9, least === Infinity ? 1e-3 : least * 0.9), Math.max(high, 1e-9) * 1.1];
  if (!fraction) return [Math.min(0, low), Math.max(high, 1e-3) * 1.02];
  const pad = Math.max(0.01, (high - low) * 0.08);
  return [Math.max(0, low - pad), Math.min(1.005, high + pad)];
}

/** Which runs have values that a log axis has no place for. */
function withoutPlace() {
  const items = [...shown.curves.items.values()].filter((curve) => curve.steps.length);
  const count = items.filter((curve) => curve.min.some((value) => value !== null && value <= 0)).length;
  if (!count) return "";
  return `A log axis has no place for 0 and below: ${count} of ${plural(items.length, "run")} ${count === 1 ? "has" : "have"} such values, which are missing here. `;
}

/** What is said of the series that is drawn. */
const drawn = () => declared(shown.compared.metrics, shown.view.metric);

const members = (one) => one.runs.map((run) => shown.curves.items.get(run.run)).filter((curve) => curve?.steps.length);

/** Over the runs that are done; while none is, over those that have begun. */
function meanOf(one) {
  const done = { ...one, runs: one.runs.filter((run) => run.status === "succeeded") };
  const counted = members(done).length ? members(done) : members(one);
  return spread(counted, (curve) => xs(one, curve), shown.curves.width);
}

function ghosts(layer, axes) {
  // by the wall clock runs follow each other: a mean over them says nothing
  if (layer.groups.length === shown.compared.groups.length || shown.view.x === "wall") return [];
  return shown.compared.groups
    .filter((one) => !layer.groups.includes(one))
    .map((one) => {
      const mean = meanOf(one);
      return line(mean.x, mean.mean, token("--ghost"), { width: 1, hoverinfo: "skip", ...axes });
    });
}

function tracesOf(one, axes) {
  if (isolated && isolated !== one.name) return [];
  const { view, compared, curves, style } = shown;
  const { colour, dash } = style.of(one);
  const styled = { dash, ...axes };
  const sparse = !isDense(drawn());
  const mode = sparse ? { mode: "lines+markers", marker: { size: 6, color: colour } } : {};
  const label = compared.groups.length > 1 ? `${one.name}, ` : "";
  if (view.curves === "mean") {
    const mean = meanOf(one);
    const said = { name: `${label}mean`, hovertemplate: hover() };
    const drawn = line(mean.x, mean.mean, colour, { ...styled, ...mode, ...said });
    if (compared.groups.length > MOST_BANDS) return [drawn];
    // the raw extremes faintly behind: no spike is averaged away
    const raw = curves.items.size <= MANY ? [band(mean.x, mean.least, mean.most, colour, 0.06, axes)] : [];
    return [...raw, band(mean.x, mean.low, mean.high, colour, 0.13, axes), drawn];
  }
  return one.runs.flatMap((run) => {
    const curve = curves.items.get(run.run);
    if (!curve?.steps.length) return [];
    const x = xs(one, curve);
    const y = curve.smoothed ?? (sparse ? curve.last : curve.mean);
    const said = { name: `${label}seed ${run.seed}`, hovertemplate: hover() };
    const found = [line(x, y, colour, { ...styled, ...mode, ...said })];
    if (!sparse) found.unshift(band(x, curve.min, curve.max, colour, 0.13, axes));
    if (["running", "starting"].includes(run.status)) found.push(tip(x.at(-1), y.at(-1), colour, axes));
    return found;
  });
}

const hover = () => hovered(drawn());

/** The best point of each configuration in a panel, by what is drawn exactly: no bucket hides it. */
function bestOf(layer, axes) {
  const { curves, style } = shown;
  const metric = drawn();
  if (metric.better === null) return []; // nobody said which is better
  const more = wantsMore(metric);
  const better = more ? (a, b) => a > b : (a, b) => a < b;
  return layer.groups
    .filter((one) => !isolated || isolated === one.name)
    .flatMap((one) => {
      let best = null;
      for (const run of one.runs) {
        const curve = curves.items.get(run.run);
        (more ? curve?.max : curve?.min)?.forEach((value, at) => {
          if (value === null) return;
          if (best === null || better(value, best.value)) best = { value, x: xs(one, curve)[at] };
        });
      }
      if (best === null || (shown.scale === "log" && best.value <= 0)) return [];
      const y = shown.scale === "log" ? Math.log10(best.value) : best.value;
      const words = `best ${written(metric, best.value)}`;
      const place = {
        x: best.x,
        y,
        xref: axes.xaxis,
        yref: axes.yaxis,
        ax: 0,
        ay: more ? 18 : -18,
        arrowsize: 0.8,
        arrowwidth: 1,
      };
      return [
        {
          ...place,
          text: words,
          font: { size: 11, color: style.of(one).colour },
          arrowcolor: style.of(one).colour,
          arrowhead: 6,
        },
      ];
    });
}

/** Names at the curves' ends, moved apart where they would cover each other. */
function labels(layer, yRange, height) {
  const { style } = shown;
  const scale = shown.scale === "log" ? Math.log10 : (value) => value;
  const [low, high] = yRange.map(scale);
  const ends = layer.groups
    .map((one) => ({ one, mean: meanOf(one) }))
    .filter(({ mean }) => mean.x.length && Number.isFinite(scale(mean.mean.at(-1))));
  const placed = ends
    .map(({ one, mean }) => ({ one, x: mean.x.at(-1), at: ((scale(mean.mean.at(-1)) - low) / (high - low)) * height }))
    .sort((a, b) => a.at - b.at);
  placed.forEach((label, index) => {
    if (index) label.at = Math.max(label.at, placed[index - 1].at + 14);
  });
  return placed.map(({ one, x, at }) => ({
    x,
    xref: "x",
    xanchor: "left",
    xshift: 6,
    y: low + (at / height) * (high - low),
    yref: "y",
    showarrow: false,
    text: `<b>${one.name.replace(/^.* /, "")}</b>`,
    font: { color: style.of(one).colour },
  }));
}

function placeTitles(layers, columns, cell, right, height) {
  const single = layers.length === 1;
  const titles = layers.map((layer, index) => {
    const [row, column] = [Math.floor(index / columns), index % columns];
    const title = el(
      "div.panel-title",
      {},
      ...layer.groups.slice(0, single ? 12 : 4).map((one) =>
        el(
          "button.named",
          {
            type: "button",
            title: isolated === one.name ? "Show all" : "Show this one alone",
            "aria-pressed": String(isolated === one.name),
            onclick: () => {
              isolated = isolated === one.name ? null : one.name;
              shown.redraw();
            },
          },
          shown.style.mark(one),
          one.name,
        ),
      ),
      layer.groups.length > (single ? 12 : 4) &&
        el("span.muted", {}, `and ${layer.groups.length - (single ? 12 : 4)} more`),
      layer.groups.length === 1 && el("span.said", {}, ...saidOf(layer.groups[0])),
    );
    const left = column * (LEFT + cell + right + GAP.x) + LEFT;
    title.style.cssText = single ? `left:${LEFT}px;right:${RIGHT}px` : `left:${left}px;width:${cell}px`;
    title.style.top = `${row * (TITLE + height + GAP.y)}px`;
    return title;
  });
  const unit = el("span.muted.unit", {}, axisUnit(drawn()));
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
  const fraction = isFraction(drawn());
  const figure = finalOf(one);
  const final = figure && [
    drawn().unit === "nats" ? "final loss " : "final ",
    el("span.strong", {}, fraction ? percent(figure.mean) : figure.mean.toFixed(3)),
    figure.std == null ? "" : ` ± ${fraction ? (figure.std * 100).toFixed(2) : figure.std.toFixed(3)}`,
  ];
  const parts = waiting.flatMap((part, index) => (index ? [", ", part] : [part]));
  return [...parts, ...(parts.length && final ? [" · "] : []), ...(final ?? [])];
}

/** Mean and deviation of where the whole curves of finished runs end, whatever part is drawn: one batch alone is too noisy a figure. */
function finalOf(one) {
  const { view, overview } = shown;
  if (!isDense(drawn())) return one.metrics[view.metric];
  const done = one.runs.filter((run) => run.status === "succeeded").map((run) => overview.items.get(run.run));
  const ends = done
    .filter((curve) => curve?.steps.length)
    .map((curve) => (curve.smoothed ?? curve.mean).at(-1))
    .filter((end) => end !== null);
  if (!ends.length) return null;
  const mean = ends.reduce((a, b) => a + b) / ends.length;
  const squares = ends.reduce((sum, end) => sum + (end - mean) ** 2, 0);
  return { mean, std: ends.length > 1 ? Math.sqrt(squares / (ends.length - 1)) : null };
}
