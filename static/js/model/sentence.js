// @ts-check
// New experiment as a sentence: the form's settings in words, each of which can be pressed. Pure functions.

import { rangeOf, named } from "./form.js";
import { split } from "./paths.js";
import { DEFAULT_OPTIMIZER, isDefault, modelSettings, recipeSettings, textsAt } from "./settings.js";
import { draws, wayOf } from "./way.js";
/** @import { Catalog } from "../../../types/runyard" */

/** What an order of the pixels is called. */
export const ORDERS = { original: "in order", shuffled: "shuffled" };
const NOUNS = {
  model: "nets",
  dataset: "data sets",
  pixel_order: "orders",
  optimizer: "optimisers",
  "optimizer.lr": "rates",
  epochs: "epochs",
};
const SEEDS = { ask: "seeds until it is answered", best: "seeds until the best is found" };
/** What there is instead of a value that changes nothing. */
const NEUTRAL = [0, "0", "off", "none", "all"];

/** "a", "a and b", "a, b, c" */
const listed = (texts) => (texts.length === 2 ? texts.join(" and ") : texts.join(", "));
const plural = (count, noun) => `${count} ${noun}${count === 1 ? "" : "s"}`;

/**
 * A setting's texts as the sentence has them.
 * @param {Catalog} catalog
 */
export function worded(path, texts, form, catalog) {
  const range = rangeOf(texts);
  if (range) return `${range.low} to ${range.high}`;
  const titles = (known) => listed(texts.map((name) => known.find((one) => one.name === name)?.title ?? name));
  if (path === "model") return titles(catalog.models);
  if (path === "dataset") return titles(catalog.datasets);
  if (path === "optimizer") return titles(catalog.optimizers);
  if (path === "pixel_order") return listed(texts.map((text) => ORDERS[text] ?? text));
  if (path === "epochs") return `${listed(texts)} ${texts.length === 1 && texts[0] === "1" ? "epoch" : "epochs"}`;
  if (path === "seed")
    return SEEDS[wayOf(form)] ?? (texts.length === 1 ? `seed ${texts[0]}` : plural(texts.length, "seed"));
  return listed(texts);
}

/**
 * The sentence: plain texts as {text}, and words as {path, text, count, was}: the setting, what is said of it, how many
 * values that are, and what it was where `changed` (path to what it was) says so, else null.
 * @param {Catalog} catalog
 */
export function sentenceOf(form, catalog, changed = {}) {
  const word = (path) => {
    const texts = textsAt(form, path);
    const count = path === "seed" || rangeOf(texts) ? 1 : texts.length;
    return { path, text: worded(path, texts, form, catalog), count, was: changed[path] ?? null };
  };
  const told = ({ path, texts }) => texts.length > 1 || path in changed || rangeOf(texts) !== null;
  const own = modelSettings(form, catalog).filter((one) => told(one) || !isDefault(one));
  const more = recipeSettings(form, catalog).filter(told);
  const optimizers = Object.keys(form.optimizers);
  const usual = optimizers.length === 1 && optimizers[0] === DEFAULT_OPTIMIZER && !("optimizer" in changed);
  const named = (settings) => settings.flatMap((one) => [{ text: `, ${one.name} ` }, word(one.path)]);
  const drawing = draws(form)
    ? [{ text: ", " }, { path: "random.count", text: plural(drawsOf(form), "draw"), count: 1, was: null }]
    : [];
  return [
    { text: "Train " },
    word("model"),
    ...named(own),
    { text: " on " },
    word("dataset"),
    { text: ", pixels " },
    word("pixel_order"),
    { text: ", for " },
    word("epochs"),
    ...(usual ? [] : [{ text: ", by " }, word("optimizer")]),
    ...(optimizers.length === 1 ? [{ text: ", learning rate " }, word("optimizer.lr")] : []),
    ...named(more),
    ...drawing,
    { text: ", " },
    word("seed"),
    { text: "." },
  ];
}

/** The sentence as one text. */
export const said = (sentence) => sentence.map(({ text }) => text).join("");

const drawsOf = (form) => Number(form.random.count) || 0;

/** How many values a setting multiplies the runs by: nets with each combination of their own knobs, and optimisers too. */
function factor(form, path) {
  const combinations = (knobs) =>
    Object.values(knobs).reduce((count, texts) => count * (rangeOf(texts) ? 1 : texts.length), 1);
  const all = (chosen) => Object.values(chosen).reduce((count, knobs) => count + combinations(knobs), 0);
  if (path === "model") return all(form.models);
  if (path === "optimizer") return Object.keys(form.optimizers).length > 1 ? all(form.optimizers) : 1;
  const texts = textsAt(form, path);
  return rangeOf(texts) ? 1 : texts.length;
}

/**
 * What the runs are a product of, in the order of the sentence: {factors: [{count, noun}], runs}. Factors of one are left
 * out, but for seeds; of seeds that are launched until something is known there is none, and `runs` is null.
 * @param {Catalog} catalog
 */
export function productOf(form, catalog) {
  const several = Object.keys(form.optimizers).length > 1;
  const more = recipeSettings(form, catalog).filter(({ path }) => !several || split(path)[1] === "");
  const paths = [
    "model",
    "dataset",
    "pixel_order",
    "epochs",
    "optimizer",
    ...(several ? [] : ["optimizer.lr"]),
    ...more.map(({ path }) => path),
  ];
  const titles = Object.fromEntries(more.map(({ path, name }) => [path, name]));
  const factors = paths.map((path) => ({
    count: factor(form, path),
    noun: NOUNS[path] ?? `values of ${titles[path]}`,
  }));
  if (draws(form)) factors.push({ count: drawsOf(form), noun: "draws" });
  const kept = factors.filter(({ count }) => count !== 1);
  if (form.ask) return { factors: kept, runs: null };
  const seeds = form.knobs.seed.length;
  const all = [...kept, { count: seeds, noun: seeds === 1 ? "seed" : "seeds" }];
  return { factors: all, runs: all.reduce((runs, { count }) => runs * count, 1) };
}

/**
 * What an experiment is called that nobody named: "FC and CNN on MNIST, pixel order × learning rate".
 * @param {Catalog} catalog
 */
export function nameOf(form, catalog) {
  const titles = {
    pixel_order: "pixel order",
    epochs: "epochs",
    optimizer: "optimiser",
    "optimizer.lr": "learning rate",
  };
  const several = (path) => textsAt(form, path).length > 1 || rangeOf(textsAt(form, path)) !== null;
  const more = recipeSettings(form, catalog).filter(({ path }) => several(path));
  const varied = [
    ...Object.keys(titles)
      .filter(several)
      .map((path) => titles[path]),
    ...more.map(({ name }) => name),
  ];
  const nets =
    textsAt(form, "model").length > 3
      ? plural(textsAt(form, "model").length, "net")
      : worded("model", textsAt(form, "model"), form, catalog);
  return [`${nets || "No net"} on ${worded("dataset", textsAt(form, "dataset"), form, catalog)}`, varied.join(" × ")]
    .filter(Boolean)
    .join(", ");
}

/**
 * The recipe as one line, and whether all of it is at its default: "SGD, momentum 0.5, batch size 64, constant learning rate, no augmentation".
 * @param {Catalog} catalog
 */
export function recipeOf(form, catalog) {
  const settings = recipeSettings(form, catalog);
  const at = Object.fromEntries(settings.map((one) => [one.path, one]));
  const optimizers = Object.keys(form.optimizers);
  const usual = optimizers.length === 1 && optimizers[0] === DEFAULT_OPTIMIZER;
  const augments = ["crop_padding", "flip", "cutout"]
    .map((path) => at[path])
    .filter(({ texts }) => !texts.every((text) => NEUTRAL.includes(text)));
  const told = settings.filter((one) => {
    const [head, knob] = split(one.path);
    if (["batch_size", "schedule", "crop_padding", "flip", "cutout"].includes(head)) return false;
    return knob ? !one.texts.every((text) => NEUTRAL.includes(text)) : !isDefault(one);
  });
  const ofOptimizers = told.filter(({ path }) => split(path)[1]);
  const words = [
    listed(optimizers.map((name) => named(catalog.optimizers, name).title)),
    ...ofOptimizers.map((one) => `${one.name} ${listed(one.texts)}`),
    `batch size ${listed(at.batch_size.texts)}`,
    `${listed(at.schedule.texts)} learning rate`,
    ...(augments.length ? augments.map((one) => `${one.name} ${listed(one.texts)}`) : ["no augmentation"]),
    ...told.filter((one) => !ofOptimizers.includes(one)).map((one) => `${one.name} ${listed(one.texts)}`),
  ];
  return { isDefault: usual && settings.every(isDefault), text: words.filter(Boolean).join(", ") };
}
