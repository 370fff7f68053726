// The confidence sequence over the seeds: each set's difference, the mean so far, and the interval after every look.

import { points } from "./format.js";
import { faint, token } from "./palette.js";
import { axis, draw, line } from "./plots.js";

const number = (value) => String(Number(value.toPrecision(3)));

/**
 * looks: [{value, mean, low, high, seed}] in the order in which they came; low and high null while there is no interval.
 * smallest: the smallest difference worth knowing, 0: none. budget: where the axis ends. `ordinary_low`, `ordinary_high`
 * of the last look are drawn where they are there.
 */
export function drawInterval(
  element,
  { looks: sets, measure, least, smallest: worth = 0, settledAfter = null, budget, unit, colour, height = 340 },
) {
  const scaled = (value) => (value == null ? null : measure.is_accuracy ? value * 100 : value);
  const change = (value) =>
    measure.is_accuracy ? points(value) : `${value < 0 ? "−" : "+"}${number(Math.abs(value))}`;
  const width = element.clientWidth;
  const end = Math.max(budget, sets.length) + 0.7;
  const x = sets.map((_, at) => at + 1);
  const banded = sets.map((one, at) => ({ ...one, x: at + 1 })).filter((one) => one.low !== null);
  const traces = [];
  if (banded.length) {
    if (banded.length === 1) banded.unshift({ ...banded[0], x: banded[0].x - 0.18 }); // a single look has no width
    const [bx, low, high] = [
      banded.map((one) => one.x),
      banded.map((one) => scaled(one.low)),
      banded.map((one) => scaled(one.high)),
    ];
    traces.push({
      type: "scatter",
      mode: "lines",
      x: [...bx, ...bx.toReversed()],
      y: [...high, ...low.toReversed()],
      fill: "toself",
      fillcolor: faint(colour, 0.18),
      line: { width: 0 },
      hoverinfo: "skip",
    });
    for (const [ends, name] of [
      [high, "highest"],
      [low, "lowest"],
    ]) {
      traces.push({
        ...line(bx, ends, colour, { width: 1.25 }),
        mode: "lines+markers",
        marker: { symbol: "line-ew", size: width < 560 ? 6 : 12, line: { width: 2, color: colour } },
        hovertemplate: `%{y:.2f} ${name}<extra></extra>`,
      });
    }
  }
  traces.push(
    line(
      x,
      sets.map((one) => scaled(one.mean)),
      colour,
      { width: 2, hovertemplate: "%{y:.2f} mean<extra></extra>" },
    ),
  );
  traces.push({
    type: "scatter",
    mode: "markers",
    x,
    y: sets.map((one) => scaled(one.value)),
    marker: { size: 7, color: token("--ground"), line: { width: 1.5, color: token("--muted") } },
    text: sets.map((one) => `seed ${one.seed}`),
    hovertemplate: "%{y:.2f} %{text}<extra></extra>",
  });
  const now = sets.at(-1);
  if (now)
    traces.push({
      type: "scatter",
      mode: "markers",
      x: [sets.length],
      y: [scaled(now.mean)],
      marker: { size: 8, color: colour, line: { width: 1.5, color: token("--ground") } },
      hoverinfo: "skip",
    });
  if (now?.ordinary_low != null)
    traces.push(
      line(
        [sets.length + 0.22, sets.length + 0.22],
        [scaled(now.ordinary_low), scaled(now.ordinary_high)],
        token("--ghost"),
        { width: 3, hoverinfo: "skip" },
      ),
    );
  const smallest = scaled(worth);
  const [low, high] = verticalRange(sets, smallest, scaled);
  const rect = (x0, x1, y0, y1, opacity) => ({
    type: "rect",
    layer: "below",
    line: { width: 0 },
    fillcolor: faint(token("--ghost"), opacity),
    x0,
    x1,
    y0,
    y1,
  });
  const shapes = [
    { ...rect(0.3, least - 0.5, 0, 1, 0.18), yref: "paper" },
    ...(smallest ? [rect(0.3, end, -smallest, smallest, 0.25)] : []),
    { type: "line", x0: 0.3, x1: end, y0: 0, y1: 0, line: { width: 1.5, color: token("--text") } },
    ...(settledAfter
      ? [
          {
            type: "line",
            x0: settledAfter,
            x1: settledAfter,
            yref: "paper",
            y0: 0,
            y1: 1,
            line: { width: 1, dash: "2px,3px", color: token("--text") },
          },
        ]
      : []),
  ];
  const note = (words, more) => ({
    text: words,
    showarrow: false,
    font: { color: token("--muted") },
    align: "left",
    ...more,
  });
  const narrow = width < 560;
  const away = now?.mean > 0 ? -1 : 1; // its words stand on the side where the interval is not
  const annotations = [
    ...(narrow
      ? []
      : [
          note(`no interval<br>before ${least} ${unit}s: three<br>can never settle it`, {
            x: 0.45,
            xanchor: "left",
            yref: "paper",
            y: 0,
            yanchor: "bottom",
            yshift: 4,
          }),
        ]),
    ...(smallest && !narrow
      ? [
          note(`no difference that matters: within ± ${number(smallest)}`, {
            x: end,
            xanchor: "right",
            y: away * smallest,
            yanchor: away > 0 ? "bottom" : "top",
          }),
        ]
      : []),
    ...(settledAfter
      ? [
          note(`settled after ${settledAfter} ${unit}s`, {
            x: settledAfter,
            xanchor: "left",
            xshift: 6,
            yref: "paper",
            y: 1,
            yanchor: "top",
            font: { color: token("--text") },
          }),
        ]
      : []),
    ...(now?.low != null
      ? [now.low, now.high].map((value) =>
          note(`<b>${change(value)}</b>`, {
            x: sets.length,
            xanchor: "left",
            xshift: 14,
            y: scaled(value),
            font: { color: token("--text") },
          }),
        )
      : []),
  ];
  element.style.height = `${height}px`;
  draw(
    element,
    traces,
    {
      width,
      height,
      margin: { l: 40, r: now?.low != null && sets.length > 0.85 * end ? 64 : 8, t: 22, b: 30 }, // room for the ends' figures
      xaxis: axis({
        range: [0.3, end],
        showgrid: false,
        showline: true,
        ticks: "outside",
        ticklen: 4,
        tick0: 0,
        dtick: wholeStep(end / (narrow ? 5 : 11)),
        tickformat: "d",
        ticksuffix: ` ${unit}s`,
        showticksuffix: "last",
        unifiedhovertitle: { text: `${unit} %{x}` },
      }),
      yaxis: axis({ range: [low, high], showline: false, ticks: "", nticks: 7 }),
      shapes,
      annotations: [
        ...annotations,
        note(measure.is_accuracy ? "points" : measure.title, {
          xref: "paper",
          x: 0,
          xanchor: "right",
          xshift: -4,
          yref: "paper",
          y: 1,
          yanchor: "bottom",
          yshift: 4,
          align: "right",
        }),
      ],
    },
    "sequence",
  );
}

/** At least so many sets from tick to tick, and a whole number of them. */
const wholeStep = (least) => [1, 2, 5, 10, 20, 50].find((step) => step >= least) ?? 100;

function verticalRange(sets, smallest, scaled) {
  const values = [0, smallest * 1.3, -smallest * 1.3, ...sets.map((one) => scaled(one.value))];
  const now = sets.at(-1);
  for (const one of sets) if (one.low !== null) values.push(scaled(one.low), scaled(one.high));
  if (now?.ordinary_low != null) values.push(scaled(now.ordinary_low), scaled(now.ordinary_high));
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const pad = (high - low || 1) * 0.08;
  return [low - pad, high + pad];
}
