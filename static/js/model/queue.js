// @ts-check
// What comes next, in words. Pure functions.

import { roughly } from "../format.js";
/** @import { Queue, Waiting } from "../../../types/runyard" */

const MOST_NAMED = 3;
const MOMENT = 5; // seconds

const plural = (count, noun) => `${count} ${noun}${count === 1 ? "" : "s"}`;

/**
 * "4 runs of A, then 20 of B": parts as {text, experiment, name}, the name to be a link where there is an experiment; `more`: runs beyond those.
 * @param {Waiting[]} waiting
 */
export function nextWords(waiting, more = 0) {
  const shown = waiting.slice(0, MOST_NAMED).map((one, at) => ({
    text: `${at ? ", then " : ""}${at && one.experiment ? one.run_ids.length : plural(one.run_ids.length, "run")}${one.experiment ? " of " : ""}`,
    experiment: one.experiment_id,
    name: one.experiment ?? "",
  }));
  const rest = waiting.slice(MOST_NAMED).reduce((sum, one) => sum + one.run_ids.length, more);
  return rest ? [...shown, { text: `, then ${rest} more`, experiment: null, name: "" }] : shown;
}

/** Seconds until something begins: "in a moment", "in 25 s" */
export const soon = (seconds) => (seconds < MOMENT ? "in a moment" : `in ${roughly(seconds)}`);

/** 1 -> "1st", 2 -> "2nd", 11 -> "11th" */
export function ordinal(number) {
  const teen = number % 100 >= 11 && number % 100 <= 13;
  return `${number}${(!teen && { 1: "st", 2: "nd", 3: "rd" }[number % 10]) || "th"}`;
}

/**
 * Of a queued run: its place in the queue and the seconds until it starts, {place, starts}; null where the queue does not say.
 * @param {Queue | null} queue
 */
export function placeOf(run, queue) {
  for (const group of queue?.waiting ?? []) {
    const at = group.run_ids.indexOf(run);
    if (at >= 0) return { place: group.first + at, starts: group.starts[at] };
  }
  return null;
}
