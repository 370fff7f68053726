// Plotly as we use it: axes, bands and lines in the page's colours. One figure is one redraw.

import { isFraction } from "./metrics.js";
import { faint, token } from "./palette.js";

const Plotly = globalThis.Plotly;

export const CONFIG = {
  displaylogo: false,
  responsive: false,
  plotlyServerURL: "", // nothing leaves this machine: the button that would upload the chart is taken out as well
  modeBarButtonsToRemove: ["sendChartToCloud", "select2d", "lasso2d", "autoScale2d", "toImage"],
};

/** Draw or redraw; zoom survives as long as `key` stays the same. */
export function draw(element, traces, layout, key) {
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
      hoverlabel: { bgcolor: token("--raised"), bordercolor: token("--line"), font: { ...font, color: token("--text") } },
      modebar: { bgcolor: "rgba(0,0,0,0)", color: token("--muted"), activecolor: token("--accent"), orientation: "h" },
      ...layout,
    },
    CONFIG,
  );
}

export const onZoom = (element, listener) => element.on("plotly_relayout", listener);
export const purge = (element) => Plotly.purge(element);

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

/** For values of a series (metrics.js). */
export function yAxis(metric, more = {}) {
  const fraction = isFraction(metric);
  return axis({
    nticks: 6,
    showline: false,
    ticks: "",
    tickformat: fraction ? ".0%" : ".1f",
    tickformatstops: fraction
      ? [{ dtickrange: [null, 0.009], value: ".1%" }]
      : [{ dtickrange: [null, 0.009], value: ".3f" }, { dtickrange: [0.009, 0.09], value: ".2f" }],
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
