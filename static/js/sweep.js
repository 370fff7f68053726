// A sweep: each run as a line across its knobs and figures, and one knob against what is compared.

import { el, setText } from "./dom.js";
import { varied } from "./facets.js";
import { integer, percent } from "./format.js";
import { declared, isFraction } from "./metrics.js";
import { token } from "./palette.js";
import { axis, draw, line } from "./plots.js";

const byId = (id) => document.getElementById(id);
const HEIGHT = 260;
const MOST_TICKS = 9; // of more values the axis has round numbers
const FIGURES = [
  ["train/loss", "Training loss"],
  ["test/loss", "Test loss"],
  ["test/accuracy", "Test accuracy"],
];
let redraw = () => {};

new ResizeObserver(() => redraw()).observe(byId("parallel"));

/** Shown where a knob has three values or more, or where several knobs vary over many configurations. */
export function drawSweep(compared, style, view, remember) {
  const knobs = varied(compared);
  const isSweep =
    compared.groups.length >= 3 && (knobs.some((one) => one.values.length > 2) || compared.groups.length > 4);
  byId("sweep").hidden = byId("sweep-side").hidden = !isSweep || !compared.groups.some((one) => one.measured);
  if (byId("sweep").hidden) return;
  const select = byId("against");
  if (select.options.length !== knobs.length)
    select.replaceChildren(...knobs.map((one) => el("option", { value: one.knob }, one.title)));
  const fallback = (knobs.find((one) => isNumeric(one.values) && one.values.length > 2) ?? knobs[0]).knob;
  select.value = knobs.some((one) => one.knob === view.against) ? view.against : fallback;
  select.onchange = () => {
    view.against = select.value;
    remember();
    redraw();
  };
  redraw = () => {
    if (byId("sweep").hidden) return;
    drawParallel(compared, style, knobs);
    drawScatter(
      compared,
      style,
      knobs.find((one) => one.knob === select.value),
    );
    drawExpected(compared);
  };
  redraw();
}

const isNumeric = (values) => values.every((value) => typeof value === "number");
const isWide = (values) =>
  isNumeric(values) && Math.min(...values) > 0 && Math.max(...values) / Math.min(...values) >= 20;
const short = (value) =>
  typeof value === "number"
    ? Math.abs(value) >= 10_000
      ? integer(value)
      : String(Number(value.toPrecision(3)))
    : String(value);

/** Axes side by side, each scaled to its own range; a knob by its values, a figure by those of the finished runs. */
function drawParallel(compared, style, knobs) {
  const runs = compared.groups.flatMap((one) =>
    one.runs.filter((run) => run.status === "succeeded").map((run) => ({ one, run: run.run, seed: run.seed })),
  );
  const valueOf = (metric) => {
    const found = new Map(
      compared.groups.flatMap((one) => (one.metrics[metric]?.values ?? []).map(({ run, value }) => [run, value])),
    );
    return (run) => found.get(run.run);
  };
  const axes = [
    ...knobs.map((one) =>
      axisOf(
        one.title,
        one.values.filter((value) => value !== null),
        (run) => run.one.knobs[one.knob],
        (value) => one.titles[one.values.indexOf(value)] ?? short(value),
        true,
      ),
    ),
    ...FIGURES.map(([metric, title]) => {
      const read = valueOf(metric);
      const values = runs.map(read).filter((value) => value !== undefined);
      return values.length
        ? axisOf(
            title,
            values,
            read,
            (value) => (isFraction(declared(compared.metrics, metric)) ? percent(value, 1) : short(value)),
            false,
          )
        : null;
    }),
  ].filter(Boolean);
  // one trace a configuration: its runs one after another, with a gap between
  const traces = compared.groups.map((one) => {
    const [x, y, text] = [[], [], []];
    for (const run of runs.filter((run) => run.one === one)) {
      const words = axes.map((of) => `${of.title} ${of.words(run)}`).join("<br>");
      axes.forEach((of, index) => {
        x.push(index);
        y.push(of.place(run));
        text.push(`<b>${one.name}, seed ${run.seed}</b><br>${words}`);
      });
      x.push(null);
      y.push(null);
      text.push("");
    }
    const { colour } = style.of(one);
    return {
      ...line(x, y, colour, { width: 1.25 }),
      mode: "lines+markers",
      marker: { size: 5, color: colour },
      text,
      hovertemplate: "%{text}<extra></extra>",
    };
  });
  const width = byId("parallel").clientWidth;
  const annotations = axes.flatMap((of, index) => [
    {
      x: index,
      y: 1,
      yshift: 14,
      yanchor: "bottom",
      text: `<b>${of.title}</b>`,
      showarrow: false,
      font: { color: token("--text"), size: 12 },
    },
    ...of.ticks.map(([share, words]) => ({
      x: index,
      y: share,
      xanchor: index === axes.length - 1 ? "right" : "left",
      xshift: index === axes.length - 1 ? -6 : 6,
      text: words,
      showarrow: false,
      font: { size: 11, color: token("--muted") },
      bgcolor: token("--ground"),
      opacity: 0.85,
    })),
  ]);
  byId("parallel").style.height = `${HEIGHT}px`;
  draw(
    byId("parallel"),
    traces,
    {
      width,
      height: HEIGHT,
      margin: { l: 44, r: 44, t: 36, b: 10 },
      hovermode: "closest",
      hoverdistance: 12,
      dragmode: false,
      annotations,
      shapes: axes.map((_, index) => ({
        type: "line",
        layer: "below",
        x0: index,
        x1: index,
        y0: 0,
        y1: 1,
        line: { width: 1, color: token("--button-line") },
      })),
      xaxis: axis({ range: [-0.05, axes.length - 0.95], visible: false, fixedrange: true }),
      yaxis: axis({ range: [-0.04, 1.04], visible: false, fixedrange: true }),
    },
    "parallel",
  );
}

/** An axis: where a run stands on it (0 to 1), in which words, and its ticks. */
function axisOf(title, values, read, words, isKnob) {
  const numeric = isNumeric(values);
  const scale = numeric && isWide(values) ? Math.log : (value) => value;
  const choices = [...new Set(values)];
  const [low, high] = numeric
    ? [scale(Math.min(...values)), scale(Math.max(...values))]
    : [0, Math.max(1, choices.length - 1)];
  const place = (value) =>
    value === undefined ? null : numeric ? (scale(value) - low) / (high - low || 1) : choices.indexOf(value) / high;
  const marks =
    isKnob && choices.length <= 8
      ? choices
      : numeric
        ? [Math.min(...values), Math.max(...values)]
        : choices.slice(0, 8);
  return {
    title,
    place: (run) => place(read(run)),
    words: (run) => (read(run) === undefined ? "–" : words(read(run))),
    ticks: marks.map((value) => [place(value), words(value)]),
  };
}

/** Of a search what the best of 1, 2, … draws is expected to have: where it is flat, more draws bring little. */
function drawExpected({ search, measure }) {
  byId("search").hidden = !search;
  if (!search) return;
  const draws = search.expected.map((_, at) => at + 1);
  const chart = byId("expected");
  chart.style.height = "200px";
  const trace = line(draws, search.expected, token("--text"), { width: 1.75 });
  draw(
    chart,
    [{ ...trace, hovertemplate: `best of %{x}: %{y${measure.is_accuracy ? ":.2%" : ":.4g"}}<extra></extra>` }],
    {
      width: chart.clientWidth,
      height: 200,
      margin: { l: 48, r: 14, t: 8, b: 44 },
      hovermode: "closest",
      dragmode: false,
      xaxis: axis({
        showline: true,
        fixedrange: true,
        showgrid: false,
        nticks: 8,
        title: { font: { size: 12 }, text: "draws", standoff: 8 },
      }),
      yaxis: axis({
        fixedrange: true,
        nticks: 4,
        tickformat: measure.is_accuracy ? ".1%" : "",
        showline: false,
        ticks: "",
      }),
    },
    "expected",
  );
}

/** A knob against what is compared: a dot a run, a line through the means. */
function drawScatter(compared, style, knob) {
  const numeric = isNumeric(knob.values);
  const log = isWide(knob.values);
  const accuracy = compared.measure.is_accuracy;
  const of = (one) => (numeric ? one.knobs[knob.knob] : knob.titles[knob.values.indexOf(one.knobs[knob.knob])]);
  const shown = compared.groups.filter((one) => one.measured && one.knobs[knob.knob] !== undefined);
  setText(byId("against-measure"), compared.measure.title);
  const traces = [];
  const means = new Map();
  for (const one of shown)
    for (const { value } of one.values) means.set(of(one), [...(means.get(of(one)) ?? []), value]);
  const xs = numeric ? [...means.keys()].sort((a, b) => a - b) : [...means.keys()];
  traces.push(
    line(
      xs,
      xs.map((x) => means.get(x).reduce((a, b) => a + b) / means.get(x).length),
      token("--ghost"),
      { width: 1.25, hoverinfo: "skip" },
    ),
  );
  for (const one of shown) {
    const { colour } = style.of(one);
    traces.push({
      type: "scatter",
      mode: "markers",
      x: one.values.map(() => of(one)),
      y: one.values.map(({ value }) => value),
      marker: {
        size: 8,
        color: one.pixel_order === "shuffled" ? token("--ground") : colour,
        line: { width: 1.5, color: colour },
      },
      hovertemplate: `${one.name}: %{y${accuracy ? ":.2%" : ":.4g"}}<extra></extra>`,
    });
  }
  const scatter = byId("scatter");
  scatter.style.height = `${HEIGHT}px`;
  draw(
    scatter,
    traces,
    {
      width: scatter.clientWidth,
      height: HEIGHT,
      margin: { l: 48, r: 14, t: 8, b: 44 },
      hovermode: "closest",
      dragmode: false,
      xaxis: axis({
        type: numeric ? (log ? "log" : "linear") : "category",
        showline: true,
        fixedrange: true,
        ...(numeric && xs.length <= MOST_TICKS && { tickvals: xs, ticktext: xs.map(short) }),
        title: { font: { size: 12 }, text: `${knob.title.toLowerCase()}${log ? ", log scale" : ""}`, standoff: 8 },
      }),
      yaxis: axis({ fixedrange: true, nticks: 5, tickformat: accuracy ? ".0%" : "", showline: false, ticks: "" }),
    },
    `scatter ${knob.knob}`,
  );
}
