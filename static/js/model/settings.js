// @ts-check
// The settings of a form: where each one's values are, what it is called, and whether it changes anything. Pure functions.

import { keyOf, knobPaths, valueOf, named } from "./form.js";
import { join, split } from "./paths.js";
/** @import { Catalog } from "../../../types/runyard" */

export const DEFAULT_OPTIMIZER = "sgd";
/** Settings that have a word of their own in the sentence, whatever their value; all others are the recipe. */
const IN_THE_SENTENCE = ["dataset", "pixel_order", "epochs", "seed"];
const steps = ({ knobs }) => knobs.schedule?.includes("step") ?? false;
/** Settings that change something only beside others. */
const APPLIES = {
  permutation_seed: ({ knobs }) => knobs.pixel_order?.includes("shuffled") ?? false,
  decay_epochs: steps,
  decay_factor: steps,
  validation_seed: ({ knobs }) => (knobs.validation ?? []).some((text) => Number(text) !== 0),
};
const DEVICE = {
  path: "device",
  title: "Device",
  help: "What the runs train on; any free: the best that is free",
  kind: "choice",
  default: "auto",
  choices: [],
};

/** A title within a sentence: "Learning rate" -> "learning rate"; one of capitals stays as it is. */
export const lower = (title) => (/^[A-Z][A-Z]/.test(title) ? title : `${title[0].toLowerCase()}${title.slice(1)}`);

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

/**
 * The form with other texts of a setting, equal ones once; of `model` and `optimizer` with others chosen, in the catalogue's order, new ones with their defaults.
 * @param {Catalog} catalog
 */
export function withTexts(form, path, texts, catalog) {
  const changed = structuredClone(form);
  const names = [...new Set(texts.map((text) => text.trim()).filter(Boolean))];
  if (path === "model" || path === "optimizer") {
    const kind = `${path}s`;
    const fresh = (knobs) => Object.fromEntries(knobs.map((knob) => [keyOf(knob), [String(knob.default)]]));
    const known = catalog[kind].filter((one) => names.includes(one.name));
    changed[kind] = Object.fromEntries(known.map((one) => [one.name, changed[kind][one.name] ?? fresh(one.knobs)]));
  } else {
    const [of, key] = place(changed, path);
    of[key] = names;
  }
  return changed;
}

/** A knob of the catalogue as a setting of this form: {path, title, name, help, choices, kind, fallback, texts}; `name` is the title within a sentence. */
const settingOf = (form, path, knob, name = lower(knob.title)) => ({
  path,
  title: `${name[0].toUpperCase()}${name.slice(1)}`,
  name,
  help: knob.help,
  choices: knob.choices,
  kind: knob.kind,
  fallback: knob.default,
  texts: textsAt(form, path),
});

/**
 * The settings of the chosen optimisers; several have the optimiser's name in theirs.
 * @param {Catalog} catalog
 */
export function optimizerSettings(form, catalog) {
  const several = Object.keys(form.optimizers).length > 1;
  return Object.keys(form.optimizers).flatMap((name) => {
    const { knobs, title } = named(catalog.optimizers, name);
    return knobs.map((knob) =>
      settingOf(
        form,
        join(several ? name : "optimizer", keyOf(knob)),
        knob,
        `${several ? `${title}'s ` : ""}${lower(knob.title)}`,
      ),
    );
  });
}

/**
 * The same of the chosen models.
 * @param {Catalog} catalog
 */
export function modelSettings(form, catalog) {
  const several = Object.keys(form.models).length > 1;
  return Object.keys(form.models).flatMap((name) => {
    const { knobs, title } = named(catalog.models, name);
    return knobs.map((knob) =>
      settingOf(form, join(name, keyOf(knob)), knob, `${several ? `${title}'s ` : ""}${lower(knob.title)}`),
    );
  });
}

/**
 * All but what the sentence says in any case and the models' own: the recipe.
 * @param {Catalog} catalog
 */
export function recipeSettings(form, catalog) {
  const known = Object.fromEntries([...catalog.training, DEVICE].map((knob) => [knob.path, knob]));
  const paths = knobPaths(catalog).map(([path]) => path);
  return [
    ...optimizerSettings(form, catalog).filter(({ path }) => path !== "optimizer.lr"),
    ...paths.filter((path) => !IN_THE_SENTENCE.includes(path)).map((path) => settingOf(form, path, known[path])),
  ];
}

/**
 * The setting at a path, as in recipeSettings(); null for models, data sets, optimisers and what there isn't.
 * @param {Catalog} catalog
 */
export function settingAt(form, path, catalog) {
  const training = catalog.training.find((knob) => knob.path === path);
  if (training) return settingOf(form, path, training);
  return (
    [...modelSettings(form, catalog), ...optimizerSettings(form, catalog), ...recipeSettings(form, catalog)].find(
      (one) => one.path === path,
    ) ?? null
  );
}

export const isDefault = ({ texts, fallback }) => texts.length === 1 && valueOf(texts[0]) === valueOf(String(fallback));

/** Whether a setting is offered: not where it changes nothing, unless something else than its default is there. */
export const applies = (form, setting) => APPLIES[setting.path]?.(form) !== false || !isDefault(setting);

/**
 * Path to the texts that it had before, of all that one form has other than another.
 * @param {Catalog} catalog
 */
export function changesOf(form, before, catalog) {
  const paths = [
    "model",
    "optimizer",
    ...knobPaths(catalog).map(([path]) => path),
    ...[form, before].flatMap((one) =>
      [...modelSettings(one, catalog), ...optimizerSettings(one, catalog)].map(({ path }) => path),
    ),
  ];
  const differ = (path) =>
    textsAt(form, path).join() !== textsAt(before, path).join() &&
    textsAt(before, path).length > 0 &&
    textsAt(form, path).length > 0;
  return Object.fromEntries([...new Set(paths)].filter(differ).map((path) => [path, textsAt(before, path)]));
}
