// The sentence of a new experiment, the ways of it, and the lines below: what is chosen, and its editors.

import { el, setText } from "../../dom.js";
import { integer } from "../../format.js";
import { showImages } from "../../images.js";
import { gathered } from "../../live.js";
import { rangeOf, rangesOf } from "../../model/form.js";
import { recipeOf, sentenceOf, worded } from "../../model/sentence.js";
import { applies, isDefault, recipeSettings, textsAt, withTexts } from "../../model/settings.js";
import { wayOf, withWay } from "../../model/way.js";
import { placeEditor } from "../../views/editor.js";
import { roving } from "../../views/roving.js";
import { showSentence, showWord, wordButton } from "../../views/sentence.js";
import { concerns, openSetting, titleOf } from "../../views/setting.js";
import { nameNow, state } from "./state.js";

const byId = (id) => document.getElementById(id);
const WAYS = { fixed: "a fixed number", ask: "until I know", best: "until the best is found", search: "a search" };
const NOTES = {
  ask: "Seeds are launched in matched sets, from seed 1 on, until 0 is outside the interval (a difference), or the interval lies within ± what matters (none that matters), or the budget is spent.",
  best: "All configurations run two seeds; those that are ruled out run no more, the others run the next, until one is left, or all that are left lie within what matters of each other, or the budget is spent.",
  search:
    "Each draw takes one value of every range at random. Press a word to set its range; any setting that is a number can be drawn.",
};

let press = () => {};
let editor = null; // of the word that is open: {mark(errors)}

/** Wire what is there from the start; `change(form)`: another form is wanted. */
export function beginWords(change) {
  roving(byId("ways"));
  byId("ways").addEventListener(
    "click",
    ({ target }) => target.value && change(withWay(state.form, target.value, state.catalog)),
  );
  byId("hold-out").addEventListener("click", () => change(withTexts(state.form, "validation", [String(tenth())])));
  byId("name").addEventListener("input", ({ target }) => change({ ...state.form, name: target.value.trim() }));
  const wide = matchMedia("(min-width: 641px)");
  const unfold = () => (byId("ways-line").open = wide.matches);
  wide.addEventListener("change", unfold);
  unfold();
  const form = {
    now: () => state.form,
    get catalog() {
      return state.catalog;
    },
    get devices() {
      return state.devices;
    },
    change,
    opened: (found) => (editor = found),
    closed: () => (editor = null),
  };
  // of seeds that are launched until something is known, the most is all that there is to set
  press = (path, anchor) =>
    path === "seed" && state.form.ask ? byId("ask-max_seeds").select() : openSetting(path, anchor, form);
}

/** Bring all of it up to date with the form and what is wrong with it. */
export function showWords() {
  const { form, catalog, changed } = state;
  const settings = recipeSettings(form, catalog);
  const paths = new Set(
    [...sentenceOf(form, catalog, changed).map(({ path }) => path), ...settings.map(({ path }) => path)].filter(
      Boolean,
    ),
  );
  const wrong = new Set([...paths].filter((path) => state.errors.some(({ field }) => concerns(field, path))));
  showSentence(byId("sentence"), sentenceOf(form, catalog, changed), {
    titles: (path) => titleOf(path, form, catalog),
    wrong,
    press,
  });
  showRecipe(
    settings.filter((setting) => applies(form, setting)),
    wrong,
  );
  showWays();
  showChosen();
  setText(byId("name-words"), nameNow());
  byId("name").placeholder = nameNow();
  if (byId("name").value.trim() !== form.name) byId("name").value = form.name;
  editor?.mark(state.errors);
  placeEditor();
  seen("images");
}

function showRecipe(settings, wrong) {
  const { form, catalog, changed } = state;
  const { isDefault: usual, text } = recipeOf(form, catalog);
  setText(byId("recipe-title"), usual ? "Recipe: defaults" : "Recipe");
  setText(byId("recipe-words"), text);
  const known = new Map([...byId("settings").children].map((row) => [row.dataset.setting, row]));
  const optimizers = {
    path: "optimizer",
    title: "Optimiser",
    help: "What makes the steps",
    texts: textsAt(form, "optimizer"),
    fallback: "sgd",
  };
  const rows = [optimizers, ...settings].map((setting) => {
    const { path, title, help, texts } = setting;
    const row =
      known.get(path) ?? el("div", { "data-setting": path, title: help }, el("span.note"), wordButton(path, press));
    setText(row.firstElementChild, title);
    const words =
      path === "device"
        ? (state.devices.find(({ value }) => value === texts[0])?.title ?? texts[0])
        : worded(path, texts, form, catalog);
    showWord(
      row.lastElementChild,
      { text: words, count: rangeOf(texts) ? 1 : texts.length, was: changed[path] ?? null },
      title,
      wrong.has(path),
    );
    row.classList.toggle("own", !isDefault(setting));
    return row;
  });
  if (rows.some((row, at) => byId("settings").children[at] !== row) || rows.length !== known.size)
    byId("settings").replaceChildren(...rows);
}

function showWays() {
  const way = wayOf(state.form);
  for (const button of byId("ways").children) button.setAttribute("aria-pressed", String(button.value === way));
  setText(byId("way-words"), WAYS[way]);
  byId("way-note").hidden = !(way in NOTES);
  setText(byId("way-note").firstElementChild, NOTES[way] ?? "");
  byId("way-note").lastElementChild.hidden = way === "search";
}

/** A tenth of the training images. */
const tenth = () =>
  Math.round(
    (state.catalog.datasets.find(({ name }) => name === state.form.knobs.dataset?.[0])?.train_size ?? 0) / 10,
  ) || 1000;

/** Where an epoch, or one of several configurations, is chosen and no images are held out to choose it by. */
function showChosen() {
  const { keep = [], early_stopping: stopping = [], validation = [] } = state.form.knobs;
  const choosesEpoch = keep.includes("best") || stopping.some((epochs) => Number(epochs) > 0);
  const choosesOne = wayOf(state.form) === "best" || Object.keys(rangesOf(state.form)).length > 0;
  const what = [choosesEpoch && "the epoch", choosesOne && "the best configuration"].filter(Boolean).join(" and ");
  byId("chosen-by-tests").hidden = !what || !validation.includes("0");
  setText(byId("chosen"), what);
  setText(byId("hold-out"), `Hold out ${integer(tenth())} training images`);
}

let shownImages = "";
const seen = gathered(async () => {
  const { dataset, pixel_order: order, permutation_seed: seeds } = state.form.knobs;
  const orders = order.includes("shuffled") ? ["original", "shuffled"] : ["original"];
  const wish = {
    dataset: dataset[0],
    orders,
    seed: Number(seeds[0] ?? 1),
    count: innerWidth < 640 ? 4 : 8,
    size: 56,
    labels: false,
  };
  if (!wish.dataset || JSON.stringify(wish) === shownImages || !Number.isInteger(wish.seed)) return;
  shownImages = JSON.stringify(wish);
  const shown = await showImages(byId("images"), wish).catch(() => true);
  if (!shown)
    byId("images").replaceChildren(el("p.note", {}, "Its images can be shown after the download, at the first run."));
}, 100);
