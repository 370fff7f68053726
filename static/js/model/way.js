// @ts-check
// How many runs there are, and which: a fixed number of seeds, until something is known, or a search. Pure functions.

import { BEST, newQuestion, newSearch, rangesOf } from "./form.js";
import { textsAt, withTexts } from "./settings.js";
/** @import { Catalog } from "../../../types/runyard" */

/** `fixed`, `ask` (until a difference is known), `best` (until the best is found) or `search` (values drawn from ranges). */
export function wayOf(form) {
  if (form.ask) return form.ask.about === BEST ? "best" : "ask";
  return draws(form) ? "search" : "fixed";
}

/** Whether values are drawn from a range. */
export const draws = (form) => Object.keys(rangesOf(form)).length > 0;

/**
 * The form with another way. A search begins around the learning rate; afterwards the middle of each range is left.
 * @param {Catalog} catalog
 */
export function withWay(form, way, catalog) {
  if (way === wayOf(form)) return form;
  if (way === "search") return { ...(draws(form) ? form : withRange(form, catalog)), ask: null };
  const plain = Object.entries(rangesOf(form)).reduce(
    (found, [path, range]) => withTexts(found, path, [middle(range)], catalog),
    form,
  );
  return { ...plain, ask: { ask: newQuestion, best: newSearch }[way]?.() ?? null };
}

/**
 * A range of the learning rate, a tenth to ten times of what it is.
 * @param {Catalog} catalog
 */
function withRange(form, catalog) {
  const one = withTexts(form, "optimizer", textsAt(form, "optimizer").slice(0, 1), catalog);
  return withTexts(one, "optimizer.lr", [around(textsAt(one, "optimizer.lr")[0])], catalog);
}

/** The range around a value: a tenth to ten times of it, on a log scale. */
export function around(text) {
  const value = Number(text) > 0 ? Number(text) : 0.01;
  return `${short(value / 10)}..${short(value * 10)}:log`;
}

/** The middle of a range, as a text. */
export const middle = ({ low, high, log = false }) => String(short(log ? Math.sqrt(low * high) : (low + high) / 2));

const short = (value) => Number(value.toPrecision(3));
