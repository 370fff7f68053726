// The accuracy of a run after each epoch.

import { setText } from "../../dom.js";
import { ENDED, integer, percent } from "../../format.js";
import { declared } from "../../metrics.js";
import { color, dash, token } from "../../palette.js";
import { draw, line, xAxis, yAxis } from "../../plots.js";
import { byId, HEIGHT, id, state, tests } from "./state.js";

export function drawAccuracy() {
  const element = byId("accuracy-chart");
  const curve = tests["test/accuracy"]?.items.get(id);
  const heldOut = tests["validation/accuracy"]?.items.get(id);
  const colour = color(state.run.spec.model.name);
  const early = tests["early/accuracy"]?.items.get(id);
  const values = [...(curve?.last ?? []), ...(heldOut?.last ?? []), ...(early?.last ?? [])];
  const x = (curve?.steps ?? []).map((step) => step / state.run.steps_per_epoch);
  const [low, high] = values.length ? [Math.min(...values), Math.max(...values)] : [0, 1];
  const pad = Math.max(0.01, (high - low) * 0.15);
  element.style.height = `${HEIGHT}px`;
  draw(
    element,
    [
      { type: "scatter", x: [null], y: [null], hoverinfo: "skip" },
      ...(heldOut
        ? [
            line(
              heldOut.steps.map((step) => step / state.run.steps_per_epoch),
              heldOut.last,
              token("--muted"),
              { width: 1.25, name: "validation accuracy", hovertemplate: "%{y:.2%} validation" },
            ),
          ]
        : []),
      ...(early ? [earlyPoints(early, colour)] : []),
      line(x, curve?.last ?? [], colour, {
        mode: "lines+markers",
        dash: dash(state.run.spec.pixel_order),
        name: "test accuracy",
        hovertemplate: "%{y:.2%}",
        marker: { size: 8, color: colour },
        cliponaxis: false,
      }),
    ],
    {
      width: element.clientWidth,
      height: HEIGHT,
      margin: { l: 44, r: 34, t: 22, b: 30 },
      hovermode: "x unified",
      xaxis: xAxis("epoch", [0, Math.max(state.run.spec.epochs, 1) * 1.04], {
        nticks: Math.min(state.run.spec.epochs + 1, 7),
        hoverformat: ",",
        ticksuffix: state.run.spec.epochs === 1 ? " epoch" : " epochs",
      }),
      yaxis: yAxis(declared(state.run.metrics, "test/accuracy"), {
        range: values.length ? [Math.max(0, low - pad), Math.min(1.002, high + pad)] : [0, 1],
      }),
    },
    "accuracy",
  );
  const best = state.run.summary["test/accuracy"];
  const some = early?.steps.length
    ? " Hollow points are of up to 500 test images, within the epoch; the verdict leaves them out."
    : "";
  setText(
    byId("accuracy-note"),
    (best
      ? accuracyNote(best)
      : ENDED.includes(state.run.status)
        ? "No epoch was finished."
        : "The first point of the whole test set comes at the end of the first epoch.") + some,
  );
}

/** Accuracy on some test images, within the epochs: small, hollow, joined by a thin line. */
const earlyPoints = (early, colour) =>
  line(
    early.steps.map((step) => step / state.run.steps_per_epoch),
    early.last,
    colour,
    {
      mode: "lines+markers",
      width: 1,
      dash: "2px,3px",
      name: "on some test images",
      hovertemplate: "%{y:.1%} on some",
      marker: { size: 5, color: token("--ground"), line: { color: colour, width: 1 } },
      cliponaxis: false,
    },
  );

/** Which epoch was the best: of a run with validation images the one that they choose. */
function accuracyNote(best) {
  const judge = state.run.summary["validation/accuracy"];
  if (!judge) return `Best ${percent(best.best)} at epoch ${Math.round(best.best_step / state.run.steps_per_epoch)}.`;
  return `Grey: on the ${integer(state.run.spec.validation)} images held out, best ${percent(judge.best)} at epoch ${Math.round(judge.best_step / state.run.steps_per_epoch)}.`;
}
