// What looking after every seed does: the simulation of GET /peeking, drawn, and run again with another seed.

import { get } from "./api.js";
import { query } from "./model/address.js";
import { report, setText } from "./dom.js";
import { percent, integer } from "./format.js";
import { token } from "./palette.js";
import { axis, draw, line } from "./plots.js";

const byId = (id) => document.getElementById(id);
const HEIGHT = 300;
let found = null;
let seed = 1;

byId("again").addEventListener("click", () => {
  seed += 1;
  simulate();
});
document.addEventListener("themechange", redraw);
new ResizeObserver(redraw).observe(byId("plot"));
simulate();

async function simulate() {
  byId("again").disabled = true;
  try {
    found = await get(`/peeking${query({ experiments: 2000, seed })}`);
    redraw();
  } catch (error) {
    report(error);
  }
  byId("again").disabled = false;
}

function redraw() {
  if (!found) return;
  const width = byId("plot").clientWidth;
  const narrow = width < 560;
  const curves = [
    ["ordinary interval, every look", found.ordinary, token("--data-1"), "solid"],
    ["one look, planned", found.planned, token("--muted"), "2px,3px"],
    ["valid while watched", found.sequence, token("--data-0"), "solid"],
  ];
  const ends = curves.map(([name, shares, colour], index) => ({
    x: 30,
    y: shares.at(-1),
    xanchor: "left",
    xshift: 8,
    showarrow: false,
    font: { color: colour },
    yshift: [0, 7, -5][index], // the lower two lie close
    text: `<b>${percent(shares.at(-1), 1)}</b>${narrow ? "" : ` ${name}`}`,
  }));
  byId("plot").style.height = `${HEIGHT}px`;
  draw(
    byId("plot"),
    curves.map(([name, shares, colour, dash]) =>
      line(found.seeds, shares, colour, { width: 2, dash, name, hovertemplate: `%{y:.1%} ${name}<extra></extra>` }),
    ),
    {
      width,
      height: HEIGHT,
      margin: { l: 40, r: narrow ? 56 : 230, t: 12, b: 40 },
      dragmode: false,
      xaxis: axis({
        range: [2, 30],
        showgrid: false,
        showline: true,
        ticks: "outside",
        ticklen: 4,
        nticks: 8,
        ticksuffix: " seeds",
        showticksuffix: "last",
        fixedrange: true,
        unifiedhovertitle: { text: "after %{x} seeds" },
      }),
      yaxis: axis({
        showline: false,
        ticks: "",
        range: [0, Math.max(0.35, ...found.ordinary) * 1.02],
        tickformat: ".0%",
        nticks: 6,
        fixedrange: true,
      }),
      annotations: ends,
    },
    "peeking",
  );
  setText(
    byId("caption"),
    `${integer(found.experiments)} simulated experiments with two equal configurations, seed ${found.seed}. After 30 looks: ` +
      `${percent(found.ordinary.at(-1), 1)} false alarms by the ordinary interval, ${percent(found.sequence.at(-1), 1)} by the one that is valid while watched` +
      (narrow ? `; dotted: ${curves[1][0]}.` : "."),
  );
}
