// Plotly as we use it: axes, bands and lines in the page's colours. One figure is one redraw.

import { el, report } from "./dom.js";
import { isFraction } from "./metrics.js";
import { faint, token } from "./palette.js";

let Plotly = null;
let loading = null; // the promise that it is there
const waiting = new Map(); // element -> what of it was to be drawn last, before it was there

/**
 * That Plotly is there, and what was drawn before is drawn. It is large, and its evaluation keeps the page busy for a
 * second or more: it is fetched from the start, and evaluated once what can be read without it is painted.
 */
function drawable() {
  loading ??= new Promise((resolve, reject) => {
    requestAnimationFrame(() =>
      setTimeout(() => {
        const script = el("script", { src: document.querySelector("link[data-plotly]").href });
        script.addEventListener("load", resolve);
        script.addEventListener("error", () =>
          reject(new Error("The charts can't be drawn: their script did not arrive; reload the page")),
        );
        document.head.append(script);
      }),
    );
  }).then(() => {
    Plotly = globalThis.Plotly;
    for (const [element, rest] of waiting) draw(element, ...rest);
    waiting.clear();
  });
  loading.catch(report);
  return loading;
}

export const CONFIG = {
  displaylogo: false,
  responsive: false,
  plotlyServerURL: "", // nothing leaves this machine: the button that would upload the chart is taken out as well
  modeBarButtonsToRemove: ["sendChartToCloud", "select2d", "lasso2d", "autoScale2d", "toImage"],
};

/** Draw or redraw; zoom survives as long as `key` stays the same. */
export function draw(element, traces, layout, key) {
  if (!Plotly) {
    waiting.set(element, [traces, layout, key]);
    return drawable();
  }
  const colors = { paper_bgcolor: token("--ground"), plot_bgcolor: token("--ground") };
  const font = { family: getComputedStyle(document.body).fontFamily, size: 12, color: token("--muted") };
  return Plotly.react(
    element,
    traces,
    {
      ...colors,
      font,
      showlegend: false,
      hovermode: "x unified",
      hoverdistance: 6,
      dragmode: "zoom",
      uirevision: key,
      hoverlabel: {
        bgcolor: token("--raised"),
        bordercolor: token("--line"),
        font: { ...font, color: token("--text") },
      },
      modebar: { bgcolor: "rgba(0,0,0,0)", color: token("--muted"), activecolor: token("--accent"), orientation: "h" },
      ...layout,
    },
    CONFIG,
  );
}

/** Listen to events of a figure that was drawn: {plotly_relayout: listener, …}. */
export async function listen(element, listeners) {
  await drawable();
  for (const [name, listener] of Object.entries(listeners)) element.on(name, listener);
}

export const onZoom = (element, listener) => listen(element, { plotly_relayout: listener });

/** An axis with faint gridlines and no border. */
export function axis(more) {
  return {
    gridcolor: token("--grid"),
    zeroline: false,
    linecolor: token("--button-line"),
    tickcolor: token("--button-line"),
    fixedrange: false,
    automargin: false,
    ...more,
  };
}

export function xAxis(kind, range, more = {}) {
  const suffix = { step: " steps", epoch: " epochs", images: " images", time: " s", wall: " s" }[kind];
  const isTime = kind === "time" || kind === "wall";
  return axis({
    range,
    showgrid: false,
    showline: true,
    ticks: "outside",
    ticklen: 4,
    nticks: 6,
    tickangle: 0,
    tickformat: ",",
    ticksuffix: suffix,
    showticksuffix: "last",
    ticklabeloverflow: "allow",
    hoverformat: isTime ? ".1f" : kind === "epoch" ? ".2f" : ",.0f",
    unifiedhovertitle: { text: isTime ? "%{x} s" : kind === "images" ? "%{x} images" : `${kind} %{x}` },
    ...more,
  });
}

/** A place on such an axis in words: "step 412", "epoch 0.44", "3.2 s". */
export function whereOf(kind, x) {
  if (kind === "time" || kind === "wall") return `${x.toFixed(1)} s`;
  if (kind === "images") return `${Math.round(x).toLocaleString("en-US")} images`;
  return `${kind} ${kind === "epoch" ? x.toFixed(2) : Math.round(x).toLocaleString("en-US")}`;
}

/** For values of a series (metrics.js). */
export function yAxis(metric, more = {}) {
  const fraction = isFraction(metric);
  return axis({
    nticks: 6,
    showline: false,
    ticks: "",
    tickformat: fraction ? ".0%" : ".1f",
    tickformatstops: fraction
      ? [
          { dtickrange: [null, 0.0009], value: ".2%" },
          { dtickrange: [0.0009, 0.009], value: ".1%" },
        ]
      : [
          { dtickrange: [null, 0.0009], value: ".4f" },
          { dtickrange: [0.0009, 0.009], value: ".3f" },
          { dtickrange: [0.009, 0.09], value: ".2f" },
          { dtickrange: [1, null], value: "," },
        ],
    rangemode: fraction ? "normal" : "tozero",
    ...more,
  });
}

/** The area between low and high, closed, without hover. */
export function band(x, low, high, colour, opacity, axes) {
  return {
    type: "scatter",
    mode: "lines",
    x: [...x, ...[...x].reverse()],
    y: [...high, ...[...low].reverse()],
    fill: "toself",
    fillcolor: faint(colour, opacity),
    line: { width: 0 },
    hoverinfo: "skip",
    ...axes,
  };
}

export function line(x, y, colour, more = {}) {
  const { width = 1.75, dash = "solid", ...rest } = more;
  return { type: "scatter", mode: "lines", x, y, line: { color: colour, width, dash }, ...rest };
}

/** The end of a curve that still grows. */
export function tip(x, y, colour, axes) {
  return {
    type: "scatter",
    mode: "markers",
    x: [x],
    y: [y],
    marker: { size: 8, color: colour, line: { width: 1.5, color: token("--ground") } },
    hoverinfo: "skip",
    cliponaxis: false,
    ...axes,
  };
}
