// What the compare page holds: what is compared, how it is looked at, what the server said of it.

import { query, url } from "../../model/address.js";

export const byId = (id) => document.getElementById(id);
const given = new URL(location.href).searchParams;

/** An experiment, or runs. */
export const what = given.has("experiment") ? { experiment: given.get("experiment") } : { run: given.getAll("run") };

/** How it is looked at, as it stands in the address. */
export const view = {
  measure: "", // what of a run is compared; "": what the experiment is on
  smallest: "", // difference that matters, in the measure's unit; "": what the experiment says, or the usual
  metric: "train/loss", // what is drawn
  view: "panels",
  rows: "auto",
  columns: "auto",
  color: "auto",
  dash: "auto",
  x: "step",
  scale: "", // linear or log; "": as the values are
  best: "",
  smoothing: "0.9",
  curves: "runs",
  against: "", // knob of the scatter
  from: "",
  to: "",
};
/** What is left out of the address. */
export const DEFAULTS = { ...view };
for (const key of Object.keys(view)) if (given.has(key)) view[key] = given.get(key);
export const isGiven = (key) => given.has(key);

/** A question has a panel of its own for its answer: asking.js */
export const asks = document.querySelector(".asking") !== null;

export const state = {
  /** GET /compare; null until it is there. */
  compared: null,
  /** What is drawn, and the curves in whole: where runs end, and the steps of a part on another axis. */
  curves: null,
  overview: null,
  /** Run to its configuration. */
  group: new Map(),
  /** Colour and dash of each configuration. */
  style: null,
};

/** What parts of the page ask of it; page.js says how. */
export const page = { redraw() {}, restyle() {}, reload() {}, recompare() {} };

/** Put how it is looked at into the address. */
export function remember() {
  const shown = Object.fromEntries(Object.entries(view).filter(([key, value]) => value !== DEFAULTS[key]));
  history.replaceState(null, "", url(`/compare${query({ ...what, ...shown })}`));
}
