// An experiment as the form holds it: knob paths to lists of texts, as typed; and its ways into a URL and a request.

import { query } from "./api.js";

/** {name, models: {fc: {n_hidden: ["8"]}}, knobs: {dataset: ["digits"], "optimizer.lr": ["0.1", "0.01"], …}} */
export const emptyForm = () => ({ name: "", models: {}, knobs: {} });

/** Text as the API takes it: a number where it is one, else the text itself, so that the server's words fit it. */
export function valueOf(text) {
  return text.trim() !== "" && Number.isFinite(Number(text)) ? Number(text) : text;
}

const UNSAID = ["permutation_seed", "device"]; // left out of a request where they have their default

/** The body of POST /experiments: one value goes into the base, several into the grid; default knobs stay unsaid. */
export function bodyOf(form, catalog) {
  const base = {};
  const grid = {};
  const defaults = new Map(knobPaths(catalog));
  const models = Object.entries(form.models).flatMap(([name, knobs]) => {
    const model = catalog.models.find((one) => one.name === name);
    const plain = (one) => model.knobs.every((knob) => one[knob.path.split(".")[1]] === knob.default);
    return combinations(name, knobs).map((one) => (plain(one) ? name : one));
  });
  if (models.length === 1) base.model = models[0];
  else if (models.length) grid.model = models;
  else grid.model = [];
  for (const [path, texts] of Object.entries(form.knobs)) {
    const values = texts.map(valueOf);
    if (UNSAID.includes(path) && values.length === 1 && values[0] === defaults.get(path)) continue;
    if (values.length !== 1) {
      grid[path] = values;
      continue;
    }
    const [head, knob] = path.split(".");
    if (knob) base[head] = { ...base[head], [knob]: values[0] };
    else base[head] = values[0];
  }
  return { name: form.name, base, grid };
}

/** Every combination of a model's knobs, each as `{name, …knobs}`. */
function combinations(name, knobs) {
  return Object.entries(knobs).reduce(
    (found, [knob, texts]) => found.flatMap((one) => texts.map((text) => ({ ...one, [knob]: valueOf(text) }))),
    [{ name }],
  );
}

/** The form's address: `model=fc&fc.n_hidden=8&optimizer.lr=0.1&optimizer.lr=0.01&…` */
export function addressOf(form) {
  const values = { name: form.name, model: Object.keys(form.models), ...form.knobs };
  for (const [model, knobs] of Object.entries(form.models)) {
    for (const [knob, texts] of Object.entries(knobs)) values[`${model}.${knob}`] = texts;
  }
  return `/experiments/new${query(values)}`;
}

/** What an address says of a form; null where it says nothing. */
export function formAt(search, catalog) {
  const given = new URLSearchParams(search);
  const form = emptyForm();
  const known = knobPaths(catalog);
  form.name = given.get("name") ?? "";
  for (const model of catalog.models.filter((one) => given.getAll("model").includes(one.name))) {
    const own = model.knobs.map((knob) => knob.path.split(".")[1]);
    form.models[model.name] = Object.fromEntries(
      own.map((knob, at) => [knob, listed(given.getAll(`${model.name}.${knob}`), model.knobs[at].default)]),
    );
  }
  for (const [path, fallback] of known) form.knobs[path] = listed(given.getAll(path), fallback);
  return Object.keys(form.models).length ? form : null;
}

const listed = (values, fallback) => (values.length ? values : [String(fallback)]);

/** [path, default] of every knob of the form but the models and theirs. */
export function knobPaths(catalog) {
  return [
    ["dataset", "digits"],
    ...catalog.training.map((knob) => [knob.path, knob.default]),
    ...catalog.optimizers.sgd.map((knob) => [knob.path, knob.default]),
    ["device", "auto"],
  ];
}

/** A base and a grid (a preset, or what an experiment was made of) as a form. */
export function formOf(name, base, grid, catalog) {
  const form = emptyForm();
  form.name = name;
  const models = grid.model ?? [base.model ?? "cnn"];
  for (const one of models) {
    const given = typeof one === "string" ? { name: one } : one;
    const model = catalog.models.find((known) => known.name === given.name);
    const own = (form.models[model.name] ??= {});
    for (const knob of model.knobs) {
      const key = knob.path.split(".")[1];
      const texts = (grid[knob.path] ?? [given[key] ?? knob.default]).map(String);
      own[key] = [...new Set([...(own[key] ?? []), ...texts])];
    }
  }
  for (const [path, fallback] of knobPaths(catalog)) {
    const [head, knob] = path.split(".");
    const single = knob ? base[head]?.[knob] : base[head];
    form.knobs[path] = (grid[path] ?? [single ?? fallback]).map(String);
  }
  return form;
}

/** The address of a form filled with one run's spec. */
export function formAddress(name, spec) {
  const form = emptyForm();
  form.name = name;
  for (const [key, value] of Object.entries(spec)) {
    if (key === "model") {
      const { name: model, ...knobs } = value;
      form.models[model] = Object.fromEntries(Object.entries(knobs).map(([knob, setting]) => [knob, [String(setting)]]));
    } else if (key === "optimizer") {
      for (const [knob, setting] of Object.entries(value)) if (knob !== "name") form.knobs[`optimizer.${knob}`] = [String(setting)];
    } else {
      form.knobs[key] = [String(value)];
    }
  }
  return addressOf(form);
}

/** JSON with a line for each entry of base and grid, and everything below on that line. */
export function compact(body) {
  const inline = (value) => JSON.stringify(value, null, 1).replace(/\n\s*/g, " ").replace(/([[{]) | ([\]}])/g, "$1$2");
  const entries = (part) => Object.entries(part).map(([key, value]) => `    ${JSON.stringify(key)}: ${inline(value)}`);
  const block = (part) => (Object.keys(part).length ? `{\n${entries(part).join(",\n")}\n  }` : "{}");
  return `{\n  "name": ${JSON.stringify(body.name)},\n  "base": ${block(body.base)},\n  "grid": ${block(body.grid)}\n}`;
}
