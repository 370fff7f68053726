// What the page of a run holds: the run, its curves, and how they are looked at.

import { query, url } from "../../model/address.js";

export const byId = (id) => document.getElementById(id);
export const id = Number(byId("run").dataset.run);

/** How curves are looked at, as it stands in the address. */
export const view = { x: "step", y: "", smoothing: "0.95", from: "", to: "" };
const DEFAULTS = { ...view };
const given = new URL(location.href).searchParams;
for (const key of Object.keys(view)) if (given.has(key)) view[key] = given.get(key);

/** Of the charts, in pixels. */
export const HEIGHT = 290;

/** The run, the curve of its training loss, its place in the queue: null until they are there. */
export const state = { run: null, trainLoss: null, waits: null };
/** Curves of what is measured after each epoch; null until they are there. */
export const tests = { "test/loss": null, "test/accuracy": null, "validation/accuracy": null, "early/accuracy": null };

let arrived;
/** Resolves once the run is there: clicks that need it wait for this, so that none is lost. */
export const loaded = new Promise((resolve) => (arrived = resolve));
export const isHere = () => arrived();

/** What parts of the page ask of it; page.js says how. */
export const page = { showRun() {}, refresh() {}, loadCurves() {} };

/** Put how curves are looked at into the address. */
export function remember() {
  const shown = Object.fromEntries(Object.entries(view).filter(([key, value]) => value !== DEFAULTS[key]));
  history.replaceState(null, "", url(`/runs/${id}${query(shown)}`));
}
