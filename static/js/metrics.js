// What a series says of itself, as the server sends it: {title, unit, better, per}. Nothing is concluded from its name.
// Pure functions: no DOM, no fetch.
import { loss, percent } from "./format.js";

const UNDECLARED = { unit: "", better: null, per: "step" };

/** What is said of a series among the declarations that came with the data. */
export const declared = (metrics, name) => metrics?.[name] ?? { ...UNDECLARED, title: name };

export const isFraction = (metric) => metric.unit === "fraction";
/** It comes with every batch, so that it is drawn with its extremes and may be smoothed. */
export const isDense = (metric) => metric.per === "step" || metric.per === "second";
/** More of it is better. */
export const wantsMore = (metric) => metric.better === "more";

/** A value as people read it: a fraction as a percentage. */
export const written = (metric, value, digits = 2) => (isFraction(metric) ? percent(value, digits) : loss(value));

/** What a run ended with: the value at the weights that were kept, or the last of one that has kept none. */
export const kept = (summary) => summary?.final ?? summary?.last ?? null;

/** Plotly's format of a value of it. */
export const hovered = (metric) => (isFraction(metric) ? "%{y:.2%}" : "%{y:.4f}");

/** The unit beside an axis; fractions say theirs with each number. */
export const axisUnit = (metric) => (isFraction(metric) ? "" : metric.unit);
