// @ts-check
// What the search box of the Runs page suggests. Pure functions; the language itself is the server's.

import { leaf } from "./paths.js";
/** @import { Catalog } from "../../../types/runyard" */

/** @typedef {{ key: string, title: string, hint?: string, values: string[] | null }} Word */

const MOST = 8;
const STATES = ["queued", "running", "succeeded", "failed", "stopped", "paused", "lost"];

/**
 * What can be searched for: [{key, title, hint, values}], where `values` are the words that fit; null for a number.
 * `found`: {tags, experiments, series} of what is there, as names.
 * @param {Catalog} catalog
 */
export function vocabulary(catalog, { tags = [], experiments = [], series = [] } = {}) {
  const named = (entries) => entries.map(({ name }) => name);
  /** @type {Word[]} */
  const fixed = [
    { key: "accuracy", title: "Test accuracy", hint: "accuracy > 94%", values: null },
    { key: "status", title: "Status", values: STATES },
    { key: "model", title: "Model", values: named(catalog.models) },
    { key: "data", title: "Data set", values: named(catalog.datasets) },
    { key: "order", title: "Pixel order", values: ["in order", "shuffled"] },
    { key: "optimizer", title: "Optimiser", values: named(catalog.optimizers) },
    { key: "experiment", title: "Experiment", values: experiments },
    { key: "tag", title: "Tag", values: tags },
    { key: "duration", title: "Duration", hint: "seconds", values: null },
    { key: "parameters", title: "Parameters", values: null },
    { key: "steps", title: "Step", values: null },
  ];
  const every = [...catalog.training, ...[...catalog.models, ...catalog.optimizers].flatMap(({ knobs }) => knobs)];
  const knobs = every.map((knob) => ({
    key: leaf(knob.path),
    title: knob.title,
    hint: knob.help,
    values: knob.kind === "choice" ? knob.choices.map(String) : null,
  }));
  const figures = series.map((name) => ({ key: name, title: name, values: null }));
  /** @type {Map<string, Word>} */
  const all = new Map([...knobs, ...figures, ...fixed].map((one) => [one.key, one]));
  for (const double of ["pixel_order", "test/accuracy"]) all.delete(double);
  return [...fixed, ...[...all.values()].filter((one) => !fixed.includes(one))];
}

const quoted = (value) => (/[\s:<>=,]/.test(value) ? `"${value}"` : value);

/** Where the last three, two and one words before the caret begin, which may be a term's key; never within quotes. */
function beginnings(before) {
  const spaces = [...before.matchAll(/"[^"]*"?|\s+/g)]
    .filter(([text]) => !text.startsWith('"'))
    .map(({ 0: text, index }) => index + text.length);
  return [0, ...spaces].slice(-3);
}

/** The key that the text ends with, a sign and a value begun behind it: {one, sign, value, start}; null if none. */
function openTerm(before, words) {
  const called = words
    .flatMap((one) => [
      [one.key, one],
      [one.title.toLowerCase(), one],
    ])
    .sort((a, b) => b[0].length - a[0].length);
  const term = /(>=|<=|!=|[:><=])\s*("[^"]*|[^\s"]*)$/.exec(before);
  if (!term) return null;
  const head = before.slice(0, term.index).trimEnd().toLowerCase();
  const found = called.find(([name]) => head.endsWith(name) && !/[\w./]/.test(head.at(-name.length - 1) ?? " "));
  return found
    ? { one: found[1], sign: term[1], value: term[2], start: term.index + term[0].length - term[2].length }
    : null;
}

/**
 * Suggestions for a text with the caret in it: [{from, to, text, label, hint}], each replaces from..to by `text`.
 * Of a key its values, else the keys that begin so, by their name or by what they are called.
 */
export function suggest(text, caret, words) {
  const before = text.slice(0, caret);
  const open = openTerm(before, words);
  if (open) {
    if (!open.one.values || open.sign !== ":") return [];
    const begun = open.value
      .slice(open.value.lastIndexOf(",") + 1)
      .replace(/^"/, "")
      .toLowerCase();
    const from = caret - (open.value.length - open.value.lastIndexOf(",") - 1);
    const fitting = open.one.values.filter(
      (value) => value.toLowerCase().startsWith(begun) && value.toLowerCase() !== begun,
    );
    return fitting
      .slice(0, MOST)
      .map((value) => ({ from, to: caret, text: `${quoted(value)} `, label: value, hint: open.one.title }));
  }
  for (const from of beginnings(before)) {
    const minus = before[from] === "-" ? 1 : 0;
    const begun = before.slice(from + minus).toLowerCase();
    const many = begun.includes(" ");
    const fits = ({ key, title }) =>
      title.toLowerCase().startsWith(begun) ||
      (!many && (key.startsWith(begun) || title.toLowerCase().includes(` ${begun}`)));
    if (!begun.trim() && before) continue;
    const fitting = words.filter((one) => (begun ? fits(one) : one.values || one.hint)).slice(0, MOST);
    if (fitting.length)
      return fitting.map((one) => ({
        from: from + minus,
        to: caret,
        text: one.values ? `${one.key}:` : `${one.key} > `,
        label: one.title,
        hint: one.hint ?? (one.values ? one.values.slice(0, 3).join(", ") : "a number"),
      }));
  }
  return [];
}
