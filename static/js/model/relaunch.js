// @ts-check
// A run once more, with changes: the form of it, and what the request says. Pure functions.

import { bodyOf, changedAddress, formOf, valueOf } from "./form.js";
import { split } from "./paths.js";
import { worded } from "./sentence.js";
import { changesOf, textsAt, withTexts } from "./settings.js";
/** @import { Catalog } from "../../../types/runyard" */

/**
 * The form of a run's spec, as it was and with changes (path to value).
 * @param {Catalog} catalog
 */
export function formsOf(spec, changes, catalog) {
  const before = formOf("", spec, {}, catalog);
  const form = Object.entries(changes).reduce(
    (found, [path, value]) => withTexts(found, path, [String(value)], catalog),
    before,
  );
  return { before, form };
}

/**
 * Path to what it was, in the words of the sentence.
 * @param {Catalog} catalog
 */
export const wasOf = (form, before, catalog) =>
  Object.fromEntries(
    Object.entries(changesOf(form, before, catalog)).map(([path, texts]) => [
      path,
      worded(path, texts, before, catalog),
    ]),
  );

/**
 * Whether there is one value of everything, so that the run goes where the old one is.
 * @param {Catalog} catalog
 */
export const isOne = (form, catalog) =>
  Object.keys(bodyOf(form, catalog).grid).length === 0 && !bodyOf(form, catalog).random;

/**
 * `overrides` of POST /runs/{id}/relaunch: what was changed, a net or an optimiser as a whole.
 * @param {Catalog} catalog
 */
export function overridesOf(form, before, catalog) {
  const { base } = bodyOf(form, catalog);
  const heads = Object.keys(changesOf(form, before, catalog)).map((path) => {
    const [head] = split(path);
    return head in form.models ? "model" : head;
  });
  return Object.fromEntries(
    [...new Set(heads)].map((head) => [head, head in base ? base[head] : valueOf(textsAt(form, head)[0])]),
  );
}

/**
 * The address of the form of a whole experiment with changes (path to value), each marked.
 * @param {{ name: string, base: object, grid: object }} experiment
 * @param {Record<string, unknown>} changes
 * @param {Catalog} catalog
 */
export function mendedAddress({ name, base, grid }, changes, catalog) {
  const before = formOf(name, base, grid, catalog);
  const form = Object.entries(changes).reduce(
    (found, [path, value]) => withTexts(found, path, [String(value)], catalog),
    before,
  );
  return changedAddress(form, wasOf(form, before, catalog));
}
