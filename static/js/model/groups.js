// @ts-check
// Which runs stand together in a list. Pure functions.

import { valueAt } from "./paths.js";
/** @import { Run } from "../../../types/runyard" */

/**
 * Runs of one experiment that follow each other, as {experiment, members}; oldest first where the newest come first.
 * @param {Run[]} list
 */
export function byExperiment(list, order) {
  const groups = [];
  for (const run of list) {
    const last = groups.at(-1);
    if (last && last.experiment === run.experiment_id) last.members.push(run);
    else groups.push({ experiment: run.experiment_id, members: [run] });
  }
  if (order === "desc") for (const group of groups) if (group.experiment) group.members.reverse();
  return groups;
}

/**
 * Runs with the same value of a setting, as {key, value, members}: numbers in their order, else as they come.
 * @param {Run[]} list
 */
export function byValue(list, path) {
  const groups = new Map();
  for (const run of list) {
    const value = valueAt(run.spec, path);
    const key = `${path}=${value}`;
    if (!groups.has(key)) groups.set(key, { key, value, experiment: null, members: [] });
    groups.get(key).members.push(run);
  }
  const number = (one) => (typeof one.value === "number" ? one.value : Infinity);
  return [...groups.values()].sort((a, b) => number(a) - number(b) || 0);
}

/**
 * The groups of a view: by experiment while newest or oldest come first, else by what it names, else none.
 * @param {Run[]} list
 */
export function groupsOf(list, view) {
  if (view.group) return byValue(list, view.group);
  if (view.sort !== "created") return [{ experiment: null, members: list }];
  return byExperiment(list, view.order);
}
