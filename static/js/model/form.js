// @ts-check
// An experiment as the form holds it: knob paths to lists of texts, as typed; and its ways into a URL and a request.

import { query, url } from "./address.js";
import { join, leaf } from "./paths.js";
/** @import { Catalog } from "../../../types/runyard" */

/**
 * The entry of the catalogue with that name, which is known to be there.
 * @template {{ name: string }} T
 * @param {T[]} entries
 * @param {string} name
 */
export const named = (entries, name) => /** @type {T} */ (entries.find((one) => one.name === name));

/** {name, models: {fc: {n_hidden: ["8"]}}, optimizers: {sgd: {lr: ["0.1", "0.01"], …}}, knobs: {dataset: ["digits"], …}} */
export const emptyForm = () => ({
  name: "",
  models: /** @type {Record<string, Record<string, string[]>>} */ ({}),
  optimizers: /** @type {Record<string, Record<string, string[]>>} */ ({}),
  knobs: /** @type {Record<string, string[]>} */ ({}),
  ask: /** @type {Record<string, string> | null} */ (null),
  smallest: "",
  random: { count: "20", seed: "1" },
});
const RANGE = /^([-+.\deE]+)\.\.([-+.\deE]+)(:log)?$/;

/** A typed range, as 0.001..0.1:log, for POST /experiments; null for any other text. */
export function rangeOf(texts) {
  const found = texts.length === 1 ? RANGE.exec(texts[0].trim()) : null;
  return found && { low: valueOf(found[1]), high: valueOf(found[2]), ...(found[3] && { log: true }) };
}

/** Knob path to range, of every field that has one. */
export function rangesOf(form) {
  const [optimizer, ...others] = Object.values(form.optimizers);
  const own =
    others.length || !optimizer
      ? []
      : Object.entries(optimizer).map(([knob, texts]) => [join("optimizer", knob), texts]);
  const found = [...own, ...Object.entries(form.knobs)].map(([path, texts]) => [path, rangeOf(texts)]);
  return Object.fromEntries(found.filter(([, range]) => range));
}

/** What "ask until answered" begins with; `about` is a knob's path, or two with × between them, or BEST. */
export const newQuestion = () => ({
  about: "",
  measure: "test/accuracy",
  max_seeds: "20",
  max_runs: "",
  max_hours: "",
});
const BOTH = "×";
export const BEST = "best";
/** What "find the best" begins with. */
export const newSearch = () => ({ ...newQuestion(), about: BEST, max_seeds: "30" });

/** What can be asked of a grid: the effect of each knob of two values, the interaction of each two such knobs. */
export function askable(grid) {
  const two = Object.keys(grid).filter((path) => path !== "seed" && grid[path].length === 2);
  two.sort((a, b) => Number(b === "pixel_order") - Number(a === "pixel_order"));
  return [...two, ...two.flatMap((one, at) => two.slice(at + 1).map((other) => `${one}${BOTH}${other}`))];
}

/** The question of POST /experiments. */
function questionOf(ask) {
  const knobs = ask.about.split(BOTH).filter(Boolean);
  return {
    ...(ask.about === BEST ? { kind: "best" } : { kind: knobs.length === 2 ? "interaction" : "effect", knobs }),
    ...(ask.measure !== "test/accuracy" && { measure: ask.measure }), // else the server's choice: images held out, where there are some
    max_seeds: valueOf(ask.max_seeds),
    ...(ask.max_runs.trim() && { max_runs: valueOf(ask.max_runs) }),
    ...(ask.max_hours.trim() && { max_hours: valueOf(ask.max_hours) }),
  };
}

/** Whether a smallest difference that matters is typed in points, as of an accuracy. */
export const inPoints = (form) => !form.ask || form.ask.measure.startsWith("test/accuracy");

/** What matters, for POST /experiments; left empty it is the usual. */
function mattersOf(form) {
  if (!form.smallest.trim()) return {};
  const value = valueOf(form.smallest);
  return { smallest: typeof value === "number" && inPoints(form) ? Number((value / 100).toPrecision(12)) : value };
}

/** Text as the API takes it: a number where it is one, else the text itself, so that the server's words fit it. */
export function valueOf(text) {
  return text.trim() !== "" && Number.isFinite(Number(text)) ? Number(text) : text;
}

// What a request says even where it is the default; all else only where it is not
const SAID = ["dataset", "pixel_order", "seed", "epochs", "batch_size"];

/**
 * The body of POST /experiments: one value goes into the base, several into the grid; default knobs stay unsaid.
 * @param {Catalog} catalog
 */
export function bodyOf(form, catalog) {
  const base = {};
  const grid = {};
  const defaults = new Map(knobPaths(catalog));
  const models = Object.entries(form.models).flatMap(([name, knobs]) => {
    const model = named(catalog.models, name);
    const plain = (one) => model.knobs.every((knob) => one[keyOf(knob)] === knob.default);
    return combinations(name, knobs).map((one) => (plain(one) ? name : one));
  });
  if (models.length === 1) base.model = models[0];
  else if (models.length) grid.model = models;
  else grid.model = [];
  const optimizers = Object.entries(form.optimizers);
  if (optimizers.length === 1) {
    const [[name, knobs]] = optimizers;
    base.optimizer = { name };
    for (const [knob, texts] of Object.entries(knobs)) {
      if (rangeOf(texts)) continue;
      if (texts.length === 1) base.optimizer[knob] = valueOf(texts[0]);
      else grid[join("optimizer", knob)] = texts.map(valueOf);
    }
  } else {
    grid.optimizer = optimizers.flatMap(([name, knobs]) => combinations(name, knobs));
  }
  for (const [path, texts] of Object.entries(form.knobs)) {
    if (rangeOf(texts)) continue;
    const values = texts.map(valueOf);
    if (!SAID.includes(path) && values.length === 1 && values[0] === defaults.get(path)) continue;
    if (values.length !== 1) {
      grid[path] = values;
      continue;
    }
    base[path] = values[0];
  }
  const ranges = rangesOf(form);
  const { count, seed } = form.random;
  const random = Object.keys(ranges).length
    ? { random: { count: valueOf(count), ranges, ...(seed !== "1" && { seed: valueOf(seed) }) } }
    : {};
  const matters = mattersOf(form);
  if (!form.ask) return { name: form.name, base, grid, ...random, ...matters };
  delete base.seed;
  delete grid.seed;
  return { name: form.name, base, grid, ...random, ...matters, question: questionOf(form.ask) };
}

/** Every combination of the knobs of a model or an optimiser, each as `{name, …knobs}`. */
function combinations(name, knobs) {
  return Object.entries(knobs).reduce(
    (found, [knob, texts]) => found.flatMap((one) => texts.map((text) => ({ ...one, [knob]: valueOf(text) }))),
    [{ name }],
  );
}

/** The form's address: `model=fc&fc.n_hidden=8&optimizer=sgd&optimizer.lr=0.1&optimizer.lr=0.01&…` */
export function addressOf(form) {
  const values = {
    name: form.name,
    model: Object.keys(form.models),
    optimizer: Object.keys(form.optimizers),
    ...form.knobs,
  };
  for (const [model, knobs] of Object.entries(form.models)) {
    for (const [knob, texts] of Object.entries(knobs)) values[`${model}.${knob}`] = texts;
  }
  const several = values.optimizer.length > 1;
  for (const [name, knobs] of Object.entries(form.optimizers)) {
    for (const [knob, texts] of Object.entries(knobs)) values[`${several ? name : "optimizer"}.${knob}`] = texts;
  }
  const ask = form.ask ? Object.fromEntries(Object.entries(form.ask).map(([key, text]) => [`ask.${key}`, text])) : {};
  const draws = Object.keys(rangesOf(form)).length
    ? { "random.count": form.random.count, "random.seed": form.random.seed }
    : {};
  const matters = form.smallest.trim() ? { smallest: form.smallest } : {};
  return url(`/experiments/new${query({ ...values, ...draws, ...matters, ...ask })}`);
}

/**
 * What an address says of a form; null where it says nothing.
 * @param {Catalog} catalog
 */
export function formAt(search, catalog) {
  const given = new URLSearchParams(search);
  const form = emptyForm();
  const known = knobPaths(catalog);
  form.name = given.get("name") ?? "";
  form.smallest = given.get("smallest") ?? "";
  for (const model of catalog.models.filter((one) => given.getAll("model").includes(one.name))) {
    form.models[model.name] = knobsAt(given, model.name, model.knobs);
  }
  const ticked = given.getAll("optimizer");
  for (const { name, knobs } of catalog.optimizers.filter((one) =>
    (ticked.length ? ticked : [DEFAULT_OPTIMIZER]).includes(one.name),
  )) {
    form.optimizers[name] = knobsAt(given, ticked.length > 1 ? name : "optimizer", knobs);
  }
  for (const [path, fallback] of known) form.knobs[path] = listed(given.getAll(path), fallback);
  form.knobs.dataset = form.knobs.dataset.map((name) => newest(name, catalog));
  for (const key of Object.keys(form.random)) form.random[key] = given.get(`random.${key}`) ?? form.random[key];
  if (given.has("ask.about")) {
    form.ask = Object.fromEntries(
      Object.entries(newQuestion()).map(([key, fallback]) => [key, given.get(`ask.${key}`) ?? fallback]),
    );
  }
  if (!Object.keys(form.models).length) {
    const says = [...given.keys()].some((key) => key in form.knobs || key.startsWith("optimizer"));
    const model = says && fitting(form.knobs.dataset[0], catalog);
    if (!model) return null;
    form.models[model.name] = knobsAt(given, model.name, model.knobs);
    form.name ||= `${model.title} on ${catalog.datasets.find((one) => one.name === form.knobs.dataset[0])?.title ?? form.knobs.dataset[0]}`;
  }
  return form;
}

/**
 * Of a folder of images that is named without a version the newest; any other name as it is.
 * @param {Catalog} catalog
 */
function newest(name, catalog) {
  const versions = catalog.datasets
    .map((one) => one.name)
    .filter((one) => one.startsWith(`${name}@`) && /^\d+$/.test(one.slice(name.length + 1)));
  if (!name.startsWith("folder:") || catalog.datasets.some((one) => one.name === name)) return name;
  return versions.sort((a, b) => Number(a.slice(name.length + 1)) - Number(b.slice(name.length + 1))).at(-1) ?? name;
}

/**
 * A model for a data set that somebody wants to train on: the CNN where it takes such images, else the first that does.
 * @param {Catalog} catalog
 */
function fitting(dataset, catalog) {
  const fits = catalog.models.filter((one) => dataset in one.parameters);
  return fits.find((one) => one.name === "cnn") ?? fits[0];
}

const knobsAt = (given, prefix, knobs) =>
  Object.fromEntries(knobs.map((knob) => [keyOf(knob), listed(given.getAll(join(prefix, keyOf(knob))), knob.default)]));
const listed = (values, fallback) => (values.length ? values : [String(fallback)]);

/**
 * [path, default] of every knob of the form but models and optimisers and theirs.
 * @param {Catalog} catalog
 * @returns {[string, unknown][]}
 */
export function knobPaths(catalog) {
  return [
    ["dataset", "digits"],
    ...catalog.training.map((knob) => /** @type {[string, unknown]} */ ([knob.path, knob.default])),
    ["device", "auto"],
  ];
}

/**
 * A base and a grid (a preset, or what an experiment was made of) as a form.
 * @param {Catalog} catalog
 */
export function formOf(name, base, grid, catalog) {
  const form = emptyForm();
  form.name = name;
  const gather = (into, choices, known) => {
    for (const one of choices) {
      const given = typeof one === "string" ? { name: one } : one;
      const own = (into[given.name] ??= {});
      for (const knob of known.find((entry) => entry.name === given.name).knobs) {
        const key = keyOf(knob);
        const texts = (grid[knob.path] ?? [given[key] ?? knob.default]).map(String);
        own[key] = [...new Set([...(own[key] ?? []), ...texts])];
      }
    }
  };
  gather(form.models, grid.model ?? [base.model ?? "cnn"], catalog.models);
  const optimizer = base.optimizer ?? DEFAULT_OPTIMIZER;
  gather(
    form.optimizers,
    grid.optimizer ?? [typeof optimizer === "string" ? optimizer : { name: DEFAULT_OPTIMIZER, ...optimizer }],
    catalog.optimizers,
  );
  for (const [path, fallback] of knobPaths(catalog))
    form.knobs[path] = (grid[path] ?? [base[path] ?? fallback]).map(String);
  return form;
}

const DEFAULT_OPTIMIZER = "sgd";
/** The knob's name within its model or optimiser. */
export const keyOf = (knob) => leaf(knob.path);

/** The address of a form that comes from a run, its changes marked. `changed`: path to what it was. */
export const changedAddress = (form, changed) =>
  `${addressOf(form)}${query({ changed: Object.entries(changed).map(([path, was]) => `${path}=${was}`) }).replace("?", "&")}`;

/** JSON with a line for each entry of base and grid, and everything below on that line. */
export function compact(body) {
  const inline = (value) =>
    JSON.stringify(value, null, 1)
      .replace(/\n\s*/g, " ")
      .replace(/([[{]) | ([\]}])/g, "$1$2");
  const entries = (part) => Object.entries(part).map(([key, value]) => `    ${JSON.stringify(key)}: ${inline(value)}`);
  const block = (part) => (Object.keys(part).length ? `{\n${entries(part).join(",\n")}\n  }` : "{}");
  const smallest = body.smallest === undefined ? "" : `,\n  "smallest": ${JSON.stringify(body.smallest)}`;
  const random = body.random ? `,\n  "random": ${inline(body.random)}` : "";
  const question = body.question ? `,\n  "question": ${inline(body.question)}` : "";
  return `{\n  "name": ${JSON.stringify(body.name)},\n  "base": ${block(body.base)},\n  "grid": ${block(body.grid)}${random}${smallest}${question}\n}`;
}
