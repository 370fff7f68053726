// The editor of one setting of an experiment's form, by its path.

import { el, swatch } from "../dom.js";
import { integer, plural } from "../format.js";
import { rangeOf } from "../model/form.js";
import { split } from "../model/paths.js";
import { modelSettings, optimizerSettings, settingAt, textsAt, withTexts } from "../model/settings.js";
import { around, middle } from "../model/way.js";
import { choicesBlock, openEditor, rangeBlock, valuesBlock } from "./editor.js";

const TITLES = { model: "Models", dataset: "Data", optimizer: "Optimiser", seed: "Seeds", "random.count": "Draws" };
const ORDERS = [
  { value: "original", title: "in order" },
  { value: "shuffled", title: "shuffled", note: "by one fixed permutation of the pixels, the same for every image" },
];
const SPAN = /^(\d+)-(\d+)$/;
const MOST_SEEDS = 500;

/** What a setting is called. */
export const titleOf = (path, form, catalog) => TITLES[path] ?? settingAt(form, path, catalog)?.title ?? path;

/** What is known of its errors: of a path those of its own settings too. */
const messagesAt = (errors, path) => errors.filter(({ field }) => concerns(field, path)).map(({ message }) => message);

/** Whether an error of a field of the request is about a setting. */
export function concerns(field, path) {
  const bare = field.replace(/^(grid|random\.ranges)\./, "");
  return bare === path || (["model", "optimizer"].includes(path) && bare.startsWith(`${path}.`));
}

/**
 * Open the editor of a setting under its word. form: {now(), catalog, devices, change(form)}.
 * Returns {mark(errors)}, which shows the errors of the request in it.
 */
export function openSetting(path, anchor, form) {
  const again = () => openSetting(path, anchor, form);
  const blocks = blocksOf(path, form, again);
  const title = titleOf(path, form.now(), form.catalog);
  openEditor(
    anchor,
    title,
    blocks.map(({ box }) => box),
    form.closed,
  );
  form.opened({ mark: (errors) => blocks.forEach(({ at, mark }) => mark(messagesAt(errors, at))) });
}

function blocksOf(path, form, again) {
  const { catalog } = form;
  const take = (at) => (texts) => form.change(withTexts(form.now(), at, texts, catalog));
  if (path === "model" || path === "optimizer") {
    const choices = choicesBlock({
      title: TITLES[path],
      options: optionsOf(path, form),
      chosen: textsAt(form.now(), path),
      change: take(path),
    });
    const own = (path === "model" ? modelSettings : optimizerSettings)(form.now(), catalog).filter(
      (one) => one.path !== "optimizer.lr",
    );
    return [{ at: path, ...choices }, ...own.map((setting) => settingBlock(setting, form, again))];
  }
  if (path === "dataset")
    return [
      {
        at: path,
        ...choicesBlock({
          title: TITLES.dataset,
          options: optionsOf(path, form),
          chosen: textsAt(form.now(), path),
          change: take(path),
        }),
      },
    ];
  if (path === "seed") return [{ at: path, ...seedsBlock(form) }];
  if (path === "random.count") return drawBlocks(form);
  return [settingBlock(settingAt(form.now(), path, catalog), form, again)];
}

function optionsOf(path, { now, catalog }) {
  if (path === "optimizer")
    return catalog.optimizers.map(({ name, title, description }) => ({ value: name, title, note: description }));
  if (path === "model") {
    const data = textsAt(now(), "dataset")[0];
    return catalog.models.map(({ name, title, parameters }) => {
      const note = parameters[data] === undefined ? "takes other images" : `${integer(parameters[data])} parameters`;
      return { value: name, title, note, mark: swatch(name, "original") };
    });
  }
  return catalog.datasets.map(({ name, title, train_size: train, on_disk: there, download_mb: megabytes }) => {
    const where = megabytes === 0 ? "installed" : there ? "on disk" : `${megabytes} MB to download`;
    return { value: name, title, note: `${integer(train)} images, ${where}` };
  });
}

/** Of a knob: its choices, a range, or values. */
function settingBlock({ path, title, help, choices, kind, texts }, form, again) {
  const change = (next) => form.change(withTexts(form.now(), path, next, form.catalog));
  if (path === "pixel_order")
    return { at: path, ...choicesBlock({ title, help, options: ORDERS, chosen: texts, change }) };
  const offered = path === "device" ? form.devices : choices.map((value) => ({ value, title: value }));
  if (offered.length)
    return {
      at: path,
      ...choicesBlock({ title, help, options: offered, chosen: texts, change, several: path !== "device" }),
    };
  const range = rangeOf(texts);
  const restart = (next) => (change([next]), again());
  if (range)
    return {
      at: path,
      ...rangeBlock({ title, range, change: (text) => change([text]), end: () => restart(middle(range)) }),
    };
  const [head, knob] = split(path);
  const isDrawn = kind !== "choice" && (knob ? head === "optimizer" : true); // what the server draws: training settings, and those of one optimiser
  const begin = () =>
    restart(Number.isInteger(Number(texts[0])) && kind === "int" ? wholeAround(texts[0]) : around(texts[0]));
  return { at: path, ...valuesBlock({ title, help, texts, change, range: isDrawn ? begin : null }) };
}

/** A range of whole numbers around one. */
const wholeAround = (text) => `${Math.max(1, Math.round(Number(text) / 4))}..${Math.max(4, Number(text) * 4)}:log`;

/** "1-5" and "1, 2, 3" as texts. */
const seedsIn = (text) =>
  text
    .split(/[,;\s]+/)
    .filter(Boolean)
    .flatMap((one) => {
      const [, first, last] = (one.match(SPAN) ?? []).map(Number);
      const count = last - first + 1;
      return count > 0 && count <= MOST_SEEDS ? Array.from({ length: count }, (_, at) => String(first + at)) : [one];
    });

/** 1, 2, 3, 5 -> "1-3, 5" */
function spans(texts) {
  const runs = [];
  for (const text of texts) {
    const last = runs.at(-1);
    if (last && Number(text) === last.at(-1) + 1) last.push(Number(text));
    else runs.push(Number.isInteger(Number(text)) ? [Number(text)] : [text]);
  }
  return runs.map((run) => (run.length > 2 ? `${run[0]}-${run.at(-1)}` : run.join(", "))).join(", ");
}

/** How many seeds, and which. */
function seedsBlock(form) {
  const change = (texts) => form.change(withTexts(form.now(), "seed", texts, form.catalog));
  const seeds = () => textsAt(form.now(), "seed");
  const error = el("p.error", { role: "alert", hidden: true });
  const note = el("p.note");
  const say = () => {
    const count = seeds().length;
    note.textContent =
      count < 2
        ? "With one seed there is nothing to judge chance by."
        : count < 5
          ? `With ${plural(count, "seed")} only large differences show; 5 or more show smaller ones.`
          : "";
  };
  const count = el("input", {
    type: "text",
    inputmode: "numeric",
    value: String(seeds().length),
    "aria-label": "How many seeds",
    oninput: () => {
      const wanted = Number(count.value);
      if (!Number.isInteger(wanted) || wanted < 1 || wanted > MOST_SEEDS) return;
      const first = Number(seeds()[0]) || 1;
      change(Array.from({ length: wanted }, (_, at) => String(first + at)));
      which.value = spans(seeds());
      say();
    },
  });
  const which = el("input", {
    type: "text",
    value: spans(seeds()),
    "aria-label": "Which seeds",
    oninput: () => {
      change(seedsIn(which.value));
      count.value = String(seeds().length);
      say();
    },
  });
  say();
  const mark = (messages) => {
    error.hidden = !messages.length;
    error.textContent = messages.join("; ");
  };
  const fields = el("div.editor-fields", {}, el("label", {}, "How many", count), el("label", {}, "Which", which));
  const foot = el(
    "div.editor-foot",
    {},
    el("span.note", {}, "1-5 stands for 1, 2, 3, 4, 5"),
    el("span.note", {}, el("kbd", {}, "↵"), " done"),
  );
  return {
    box: el("div.editor-block", {}, el("div.editor-head", {}, el("b", {}, "Seeds")), fields, note, error, foot),
    mark,
  };
}

/** How often values are drawn from the ranges, and the seed of the draws. */
function drawBlocks(form) {
  const part = (key, words) => {
    const input = el("input", {
      type: "text",
      inputmode: "numeric",
      value: form.now().random[key],
      "aria-label": words,
    });
    input.addEventListener("input", () =>
      form.change({ ...form.now(), random: { ...form.now().random, [key]: input.value.trim() } }),
    );
    return el("label", {}, words, input);
  };
  const error = el("p.error", { role: "alert", hidden: true });
  const mark = (messages) => {
    error.hidden = !messages.length;
    error.textContent = messages.join("; ");
  };
  const note = el(
    "p.note",
    {},
    "Each draw takes one value of every range, and goes with every combination of the other values.",
  );
  const fields = el("div.editor-fields", {}, part("count", "How many"), part("seed", "Seed of the draws"));
  return [
    {
      at: "random.count",
      box: el("div.editor-block", {}, el("div.editor-head", {}, el("b", {}, "Draws")), fields, note, error),
      mark,
    },
  ];
}
