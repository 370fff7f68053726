// New experiment as a sentence: the form's settings in words, each of which can be pressed. Pure functions.

import { BEST, keyOf, knobPaths, rangeOf, valueOf } from "./form.js";
import { join, split } from "./paths.js";

const ORDERS = { original: "in order", shuffled: "shuffled" };
const NOUNS = { model: "nets", dataset: "data sets", pixel_order: "orders", optimizer: "optimisers", "optimizer.lr": "rates", epochs: "epochs" };
const SEEDS = { fixed: null, ask: "seeds until it is answered", best: "seeds until the best is found" };
const DEFAULT_OPTIMIZER = "sgd";
/** What the sentence says in any case; all else only where it has several values, or was changed. */
const ALWAYS = ["dataset", "pixel_order", "epochs", "seed"];
/** What there is instead of a value that changes nothing. */
const NEUTRAL = [0, "0", "off", "none", "all"];

/** "a", "a and b", "a, b, c" */
const listed = (texts) => (texts.length === 2 ? texts.join(" and ") : texts.join(", "));
const plural = (count, noun) => `${count} ${noun}${count === 1 ? "" : "s"}`;

/** A title within a sentence: "Learning rate" -> "learning rate"; one of capitals stays as it is. */
const lower = (title) => (/^[A-Z][A-Z]/.test(title) ? title : `${title[0].toLowerCase()}${title.slice(1)}`);

/** How seeds are launched: `fixed`, `ask` or `best`. */
export const wayOf = ({ ask }) => (ask === null ? "fixed" : ask.about === BEST ? "best" : "ask");

/** Where a form keeps the values of a setting: [object, key]. A model's own knob is `fc.n_hidden`, an optimiser's `optimizer.lr`, or `adam.lr` where there are several. */
function place(form, path) {
  const [head, knob] = split(path);
  if (head in form.models && knob) return [form.models[head], knob];
  if (head === "optimizer" && knob) return [Object.values(form.optimizers)[0] ?? {}, knob];
  if (head in form.optimizers && knob) return [form.optimizers[head], knob];
  return [form.knobs, path];
}

/** The texts of a setting, as typed; of `model` and `optimizer` the names of those that are chosen. */
export function textsAt(form, path) {
  if (path === "model") return Object.keys(form.models);
  if (path === "optimizer") return Object.keys(form.optimizers);
  const [of, key] = place(form, path);
  return of[key] ?? [];
}

/** The form with other texts of a setting: typing replaces them, "+ compare" adds one. Equal ones count once. */
export function withTexts(form, path, texts) {
  const changed = structuredClone(form);
  const [of, key] = place(changed, path);
  of[key] = [...new Set(texts.map((text) => text.trim()).filter(Boolean))];
  return changed;
}

/** The form with other models or optimisers (`kind`: models, optimizers) chosen, in the catalogue's order; new ones have their defaults. */
export function withChosen(form, kind, names, catalog) {
  const changed = structuredClone(form);
  const fresh = (knobs) => Object.fromEntries(knobs.map((knob) => [keyOf(knob), [String(knob.default)]]));
  const known = catalog[kind].filter((one) => names.includes(one.name));
  changed[kind] = Object.fromEntries(known.map((one) => [one.name, changed[kind][one.name] ?? fresh(one.knobs)]));
  return changed;
}

/** Path, title as a sentence has it, default and texts of each setting but models, data, order, epochs, rate and seeds: the recipe. */
function recipe(form, catalog) {
  const several = Object.keys(form.optimizers).length > 1;
  const ofOptimizers = Object.keys(form.optimizers).flatMap((name) => {
    const { knobs, title } = catalog.optimizers.find((one) => one.name === name);
    return knobs
      .filter((knob) => several || keyOf(knob) !== "lr")
      .map((knob) => ({ path: join(several ? name : "optimizer", keyOf(knob)), title: `${several ? `${title}'s ` : ""}${lower(knob.title)}`, fallback: knob.default }));
  });
  const titles = Object.fromEntries(catalog.training.map((knob) => [knob.path, lower(knob.title)]));
  const ofTraining = knobPaths(catalog)
    .filter(([path]) => !ALWAYS.includes(path))
    .map(([path, fallback]) => ({ path, title: titles[path] ?? "device", fallback }));
  return [...ofOptimizers, ...ofTraining].map((one) => ({ ...one, texts: textsAt(form, one.path) }));
}

/** The same of the own knobs of the chosen models. */
function ofModels(form, catalog) {
  return Object.keys(form.models).flatMap((name) => {
    const { knobs, title } = catalog.models.find((one) => one.name === name);
    const alone = Object.keys(form.models).length === 1;
    return knobs.map((knob) => ({
      path: join(name, keyOf(knob)),
      title: `${alone ? "" : `${title}'s `}${lower(knob.title)}`,
      fallback: knob.default,
      texts: form.models[name][keyOf(knob)],
    }));
  });
}

const isDefault = ({ texts, fallback }) => texts.length === 1 && valueOf(texts[0]) === valueOf(String(fallback));

/** A setting's texts as the sentence has them. */
function worded(path, texts, form, catalog) {
  const range = rangeOf(texts);
  if (range) return `${range.low} to ${range.high}`;
  const titles = (known) => listed(texts.map((name) => known.find((one) => one.name === name)?.title ?? name));
  if (path === "model") return titles(catalog.models);
  if (path === "dataset") return titles(catalog.datasets);
  if (path === "optimizer") return titles(catalog.optimizers);
  if (path === "pixel_order") return listed(texts.map((text) => ORDERS[text] ?? text));
  if (path === "epochs") return `${listed(texts)} ${texts.length === 1 && texts[0] === "1" ? "epoch" : "epochs"}`;
  if (path === "seed") return SEEDS[wayOf(form)] ?? (texts.length === 1 ? `seed ${texts[0]}` : plural(texts.length, "seed"));
  return listed(texts);
}

/**
 * The sentence: plain texts as {text}, and words as {path, text, count, was}: the setting, what is said of it, how many
 * values that are, and what it was where `changed` (path to what it was) says so, else null.
 */
export function sentenceOf(form, catalog, changed = {}) {
  const word = (path) => {
    const texts = textsAt(form, path);
    const count = path === "seed" || rangeOf(texts) ? 1 : texts.length;
    return { path, text: worded(path, texts, form, catalog), count, was: changed[path] ?? null };
  };
  const told = ({ path, texts }) => texts.length > 1 || path in changed || rangeOf(texts) !== null;
  const own = ofModels(form, catalog).filter((one) => told(one) || !isDefault(one));
  const more = recipe(form, catalog).filter(told);
  const optimizers = Object.keys(form.optimizers);
  const usual = optimizers.length === 1 && optimizers[0] === DEFAULT_OPTIMIZER && !("optimizer" in changed);
  const named = (settings) => settings.flatMap((one) => [{ text: `, ${one.title} ` }, word(one.path)]);
  const draws = drawn(form) ? [{ text: ", " }, { path: "random.count", text: plural(drawsOf(form), "draw"), count: 1, was: null }] : [];
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
    ...draws,
    { text: ", " },
    word("seed"),
    { text: "." },
  ];
}

/** The sentence as one text. */
export const said = (sentence) => sentence.map(({ text }) => text).join("");

const drawn = (form) => [...Object.values(form.knobs), ...Object.values(form.optimizers).flatMap(Object.values)].some((texts) => rangeOf(texts));

const drawsOf = (form) => Number(form.random.count) || 0;

/** How many values a setting multiplies the runs by: nets with each combination of their own knobs, and optimisers too. */
function factor(form, path) {
  const combinations = (knobs) => Object.values(knobs).reduce((count, texts) => count * (rangeOf(texts) ? 1 : texts.length), 1);
  const all = (chosen) => Object.values(chosen).reduce((count, knobs) => count + combinations(knobs), 0);
  if (path === "model") return all(form.models);
  if (path === "optimizer") return Object.keys(form.optimizers).length > 1 ? all(form.optimizers) : 1;
  const texts = textsAt(form, path);
  return rangeOf(texts) ? 1 : texts.length;
}

/**
 * What the runs are a product of, in the order of the sentence: {factors: [{count, noun}], runs}. Factors of one are left
 * out, but for seeds; of seeds that are launched until something is known there is none, and `runs` is null.
 */
export function productOf(form, catalog) {
  const several = Object.keys(form.optimizers).length > 1;
  const more = recipe(form, catalog).filter(({ path }) => !several || split(path)[1] === "");
  const paths = ["model", "dataset", "pixel_order", "epochs", "optimizer", ...(several ? [] : ["optimizer.lr"]), ...more.map(({ path }) => path)];
  const titles = Object.fromEntries(more.map(({ path, title }) => [path, title]));
  const factors = paths.map((path) => ({ count: factor(form, path), noun: NOUNS[path] ?? `values of ${titles[path]}` }));
  if (drawn(form)) factors.push({ count: drawsOf(form), noun: "draws" });
  const kept = factors.filter(({ count }) => count !== 1);
  if (wayOf(form) !== "fixed") return { factors: kept, runs: null };
  const seeds = form.knobs.seed.length;
  const all = [...kept, { count: seeds, noun: seeds === 1 ? "seed" : "seeds" }];
  return { factors: all, runs: all.reduce((runs, { count }) => runs * count, 1) };
}

/** The recipe as one line, and whether all of it is at its default: "SGD, momentum 0.5, batch size 64, constant learning rate, no augmentation". */
export function recipeOf(form, catalog) {
  const settings = recipe(form, catalog);
  const at = Object.fromEntries(settings.map((one) => [one.path, one]));
  const optimizers = Object.keys(form.optimizers);
  const usual = optimizers.length === 1 && optimizers[0] === DEFAULT_OPTIMIZER;
  const augments = ["crop_padding", "flip", "cutout"].map((path) => at[path]).filter(({ texts }) => !texts.every((text) => NEUTRAL.includes(text)));
  const told = settings.filter((one) => {
    const [head, knob] = split(one.path);
    if (["batch_size", "schedule", "crop_padding", "flip", "cutout"].includes(head)) return false;
    return knob ? !one.texts.every((text) => NEUTRAL.includes(text)) : !isDefault(one);
  });
  const ofOptimizers = told.filter(({ path }) => split(path)[1]);
  const words = [
    listed(optimizers.map((name) => catalog.optimizers.find((one) => one.name === name).title)),
    ...ofOptimizers.map((one) => `${one.title} ${listed(one.texts)}`),
    `batch size ${listed(at.batch_size.texts)}`,
    `${listed(at.schedule.texts)} learning rate`,
    ...(augments.length ? augments.map((one) => `${one.title} ${listed(one.texts)}`) : ["no augmentation"]),
    ...told.filter((one) => !ofOptimizers.includes(one)).map((one) => `${one.title} ${listed(one.texts)}`),
  ];
  return { isDefault: usual && settings.every(isDefault), text: words.filter(Boolean).join(", ") };
}
