// Final accuracies: a dot a run, filled for pixels in order, open for shuffled; the mean as a bar.

import { el } from "./dom.js";
import { GONE, percent } from "./format.js";
import { faint, token } from "./palette.js";
import { draw, line, xAxis } from "./plots.js";

/** Draw the configurations' finished runs into `element`, and what the marks mean into `legend`. */
export function drawFinals(element, legend, groups, style) {
  const row = 42;
  const height = groups.length * row + 34;
  const names = groups.map((one) => one.name);
  const longest = Math.min(190, Math.max(...names.map((name) => name.length)) * 6.6 + 12);
  const traces = [];
  const values = [];
  groups.forEach((one, index) => {
    const metric = one.metrics["test/accuracy"];
    const { colour } = style.of(one);
    const filled = one.pixel_order === "original";
    if (!metric) {
      traces.push({ type: "scatter", mode: "text", x: [null], y: [index], hoverinfo: "skip" });
      return;
    }
    const spreadOut = (at) => index + ((at % 3) - 1) * 0.16 * (metric.n > 1 ? 1 : 0);
    values.push(...metric.values.map((one) => one.value));
    const seeds = new Map(one.runs.map((run) => [run.run, run.seed]));
    traces.push({
      type: "scatter",
      mode: "markers",
      x: metric.values.map((one) => one.value),
      y: metric.values.map((_, at) => spreadOut(at)),
      text: metric.values.map(({ run }) => `${one.name}, seed ${seeds.get(run)}`),
      hovertemplate: "%{text}: %{x:.2%}<extra></extra>",
      marker: { size: 8, color: filled ? colour : token("--ground"), line: { color: colour, width: 1.75 } },
      cliponaxis: false,
    });
    if (metric.low != null) {
      // the interval of the mean, behind the dots; what chance leaves of it beyond 0 and 1 is cut
      const [from, to] = [Math.max(0, metric.low), Math.min(1, metric.high)];
      traces.unshift(
        line([from, to], [index, index], faint(colour, 0.3), {
          width: 6,
          hovertemplate: `mean ${percent(metric.mean)}, 95% interval ${percent(metric.low)} to ${percent(metric.high)}<extra></extra>`,
        }),
      );
      if (metric.n > 2) values.push(from, to);
    }
    traces.push(
      line([metric.mean, metric.mean], [index - 0.26, index + 0.26], colour, { width: 2, hoverinfo: "skip" }),
    );
    if (metric.published != null) {
      values.push(metric.published);
      traces.push({
        type: "scatter",
        mode: "markers",
        x: [metric.published],
        y: [index - 0.4],
        marker: { symbol: "triangle-down", size: 8, color: token("--text") },
        hovertemplate: `published: ${percent(metric.published)}<extra></extra>`,
      });
    }
  });
  const [low, high] = values.length ? [Math.min(...values), Math.max(...values)] : [0, 1];
  const pad = values.length ? Math.max(0.01, (high - low) * 0.08) : 0;
  element.style.height = `${height}px`;
  draw(
    element,
    traces,
    {
      width: element.clientWidth,
      height,
      margin: { l: longest, r: 14, t: 4, b: 30 },
      hovermode: "closest",
      dragmode: false,
      xaxis: xAxis("step", [low - pad, high + pad], {
        showgrid: true,
        tickformat: ".0%",
        ticksuffix: "",
        nticks: 5,
        fixedrange: true,
      }),
      yaxis: {
        range: [groups.length - 0.5, -0.5],
        tickvals: groups.map((_, index) => index),
        ticktext: names.map((name) => (name.length > 28 ? `${name.slice(0, 26)}…` : name)),
        tickfont: { color: token("--text") },
        showgrid: false,
        zeroline: false,
        fixedrange: true,
        ticks: "",
      },
      annotations: groups.flatMap((one, index) =>
        one.metrics["test/accuracy"]
          ? []
          : [
              {
                x: 0,
                xref: "paper",
                y: index,
                text: one.runs.every((run) => GONE.includes(run.status)) ? "no run trained" : "no run has finished yet",
                showarrow: false,
                xanchor: "left",
                xshift: 6,
                font: { color: token("--muted") },
              },
            ],
      ),
      shapes: groups.slice(1).map((_, index) => ({
        type: "line",
        xref: "paper",
        x0: 0,
        x1: 1,
        y0: index + 0.5,
        y1: index + 0.5,
        line: { color: token("--grid"), width: 1 },
      })),
    },
    "finals",
  );
  const published = groups.some((one) => one.metrics["test/accuracy"]?.published != null);
  const orders = [...new Set(groups.map((one) => one.pixel_order))];
  legend.replaceChildren(
    el(
      "span",
      {},
      orders.length > 1 ? "● ○ a run, in order or shuffled" : `${orders[0] === "shuffled" ? "○" : "●"} a run`,
    ),
    el("span", {}, "❙ mean"),
    ...(groups.some((one) => one.metrics["test/accuracy"]?.low != null)
      ? [el("span", {}, "▬ 95% interval of a mean")]
      : []),
    ...(published ? [el("span", {}, "▼ published")] : []),
  );
}
