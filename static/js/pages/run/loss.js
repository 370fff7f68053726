// The training loss of a run, batch by batch, with its tests.

import { caption, xOf } from "../../curves.js";
import { el, setText, swatch } from "../../dom.js";
import { integer, loss } from "../../format.js";
import { gathered } from "../../live.js";
import { declared } from "../../metrics.js";
import { decadesOf, extremesOf, scaleOf } from "../../model/scale.js";
import { color, dash, token } from "../../palette.js";
import { band, draw, line, onZoom, tip, xAxis, yAxis } from "../../plots.js";
import { byId, HEIGHT, id, page, remember, state, tests, view } from "./state.js";

let width = 0;

/** How wide it was drawn, in pixels. */
export const drawnWidth = () => width;

function xRange() {
  if (view.from) return [Number(view.from), Number(view.to)];
  const curve = state.trainLoss.items.get(id);
  const steps = state.run.status === "failed" && state.run.steps_done ? state.run.steps_done : state.run.steps_total;
  if (view.x === "step") return [0, steps];
  if (view.x === "epoch") return [0, steps / state.run.steps_per_epoch];
  const last = curve?.times.at(-1) ?? 1;
  const whole =
    state.run.status === "running" && state.run.steps_done
      ? (last * state.run.steps_total) / state.run.steps_done
      : last;
  return [0, Math.max(whole, 0.01)];
}

export function drawLoss() {
  const element = byId("loss-chart");
  width = element.clientWidth;
  const curve = state.trainLoss.items.get(id);
  const colour = color(state.run.spec.model.name);
  const style = { dash: dash(state.run.spec.pixel_order), width: 2 };
  const traces = [{ type: "scatter", x: [null], y: [null], hoverinfo: "skip" }];
  let high = 2.5;
  if (curve?.steps.length) {
    const x = xOf(curve, view.x, state.run.steps_per_epoch);
    const y = curve.smoothed ?? curve.mean;
    traces.push(band(x, curve.min, curve.max, colour, 0.2, {}));
    traces.push(
      line(x, y, colour, { ...style, name: curve.smoothed ? "smoothed" : "mean", hovertemplate: "%{y:.4f}" }),
    );
    if (state.run.status === "running") traces.push(tip(x.at(-1), y.at(-1), colour, {}));
    high = curve.max.reduce((a, b) => Math.max(a, b), 0) * 1.02;
  }
  const test = tests["test/loss"]?.items.get(id);
  if (test?.steps.length) {
    traces.push({
      type: "scatter",
      mode: "markers",
      x: xOf(test, view.x, state.run.steps_per_epoch),
      y: test.last,
      name: "test loss",
      hovertemplate: "%{y:.4f}",
      cliponaxis: false,
      marker: { symbol: "diamond", size: 9, color: token("--text"), line: { width: 1.5, color: token("--ground") } },
    });
    high = Math.max(high, ...test.last.map((value) => value * 1.02));
  }
  const scale = scaleOf(view.y, state.trainLoss.items.values(), false);
  for (const button of document.querySelectorAll('[data-choice="y"] button'))
    button.setAttribute("aria-pressed", String(button.value === scale));
  byId("reset-zoom").hidden = !view.from;
  const { least } = extremesOf(state.trainLoss.items.values());
  const range = scale === "log" && Number.isFinite(least) ? [Math.log10(least * 0.9), Math.log10(high)] : [0, high];
  const logarithmic = scale === "log" && {
    type: "log",
    rangemode: "normal",
    tickformat: "",
    tickformatstops: [],
    dtick: decadesOf(least * 0.9, high),
    exponentformat: "power",
  };
  element.style.height = `${HEIGHT}px`;
  draw(
    element,
    traces,
    {
      width,
      height: HEIGHT,
      margin: { l: 44, r: 24, t: 22, b: 30 },
      xaxis: xAxis(view.x, xRange(), { nticks: Math.max(3, Math.floor(width / 80)) }),
      yaxis: yAxis(declared(state.run.metrics, "train/loss"), { range, ...logarithmic }),
      shapes: [
        ...resumed().map(({ x }) => mark(x, token("--muted"), "dot")),
        ...(state.run.status === "failed" && state.run.steps_done
          ? [mark(onAxis(state.run.steps_done), token("--bad"), "solid")]
          : []),
      ],
      annotations: [
        ...resumed().map(({ x, n }) => ({
          text: `attempt ${n}`,
          x,
          y: 1,
          yref: "paper",
          xanchor: "left",
          yanchor: "top",
          showarrow: false,
          xshift: 4,
          font: { color: token("--muted") },
        })),
        {
          text: "nats",
          x: 0,
          y: 1,
          xref: "paper",
          yref: "paper",
          xanchor: "right",
          yanchor: "bottom",
          showarrow: false,
          xshift: -4,
          yshift: 6,
        },
      ],
    },
    `loss ${view.x} ${scale}`,
  );
  setText(byId("caption"), caption(state.trainLoss, Number(view.smoothing)));
  byId("loss-legend").replaceChildren(
    el(
      "span",
      {},
      swatch(state.run.spec.model.name, state.run.spec.pixel_order),
      curve?.smoothed ? "smoothed" : "mean",
    ),
    el("span", {}, el("i.area", {}), "min to max"),
    el("span", {}, "◆ test loss"),
  );
  byId("loss-legend").querySelector(".area").style.background = colour;
  if (!element.dataset.zooms) {
    element.dataset.zooms = "yes";
    onZoom(element, zoomed);
  }
}

/** A step's place on the horizontal axis; NaN where the time of a step is not known. */
function onAxis(step) {
  if (view.x === "step") return step;
  if (view.x === "epoch") return step / state.run.steps_per_epoch;
  const curve = state.trainLoss.items.get(id);
  const at = curve ? curve.steps.findIndex((one) => one >= step) : -1;
  return at < 0 ? NaN : curve.times[at];
}

/** Where attempts after the first went on. */
const resumed = () =>
  state.run.attempts
    .filter((one) => one.from_step > 0)
    .map((one) => ({ n: one.n, x: onAxis(one.from_step) }))
    .filter(({ x }) => Number.isFinite(x));

const mark = (x, colour, style) => ({
  type: "line",
  x0: x,
  x1: x,
  yref: "paper",
  y0: 0,
  y1: 1,
  line: { color: colour, width: 1.5, dash: style },
});

const zoomTo = gathered(async () => {
  remember();
  if (view.x === "step") await page.loadCurves();
}, 150);

function zoomed(change) {
  if (change["xaxis.autorange"]) {
    view.from = view.to = "";
    zoomTo("all");
  } else if (change["xaxis.range[0]"] !== undefined) {
    const round = view.x === "step" ? Math.round : (value) => value;
    view.from = String(round(Math.max(0, change["xaxis.range[0]"])));
    view.to = String(round(Math.max(1, change["xaxis.range[1]"])));
    zoomTo("part");
  }
}

export function showLossTable() {
  const box = byId("loss-table");
  const curve = state.trainLoss?.items.get(id);
  if (box.hidden || !curve) return;
  const cells = (values, tag = "td.right") => values.map((value) => el(tag, {}, value));
  box.replaceChildren(
    el(
      "table",
      {},
      el("thead", {}, el("tr", {}, ...cells(["Up to step", "Min", "Mean", "Max", "Smoothed"], "th.right"))),
      el(
        "tbody",
        {},
        ...curve.steps.map((step, at) =>
          el(
            "tr",
            {},
            ...cells([
              integer(step),
              loss(curve.min[at]),
              loss(curve.mean[at]),
              loss(curve.max[at]),
              loss(curve.smoothed?.[at]),
            ]),
          ),
        ),
      ),
    ),
  );
}
