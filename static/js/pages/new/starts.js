// What a new experiment can begin with: four presets, the others behind one button.

import { el } from "../../dom.js";
import { plural, roughly } from "../../format.js";
import { roving } from "../../views/roving.js";
import { state, useBlank, usePreset } from "./state.js";

const FIRST = 4;
const byId = (id) => document.getElementById(id);

/** Show them; `began()` is called after the form was filled by one. */
export function showStarts(began) {
  const { presets } = state.catalog;
  const cards = presets.map((preset) =>
    card(preset.name, preset.question, `${dataTitle(preset)} · ${timeOf(preset)}`, () => (usePreset(preset), began())),
  );
  cards.push(card("blank", "Blank", "a CNN on Digits", () => (useBlank(), began())));
  const rest = cards.slice(FIRST);
  const more = el(
    "button.pickcard.more-starts",
    { type: "button", onclick: () => (showAll(), rest[0].focus()) },
    `${rest.length} more`,
  );
  rest.forEach((one) => (one.hidden = true));
  byId("starts").replaceChildren(...cards, more);
  roving(byId("starts"));
}

const card = (name, question, note, begin) =>
  el(
    "button.pickcard",
    { type: "button", "data-preset": name, onclick: begin },
    el("span", {}, question),
    el("span.note", {}, note),
  );

const dataTitle = ({ base }) => state.catalog.datasets.find(({ name }) => name === base.dataset)?.title ?? base.dataset;
/** "8 min here"; where that is not known yet, how many runs. */
const timeOf = ({ grid, seconds }) => (seconds === null ? runsOf(grid) : `${roughly(seconds)} here`);
const runsOf = (grid) =>
  plural(
    Object.values(grid).reduce((product, values) => product * values.length, 1),
    "run",
  );

function showAll() {
  byId("starts").classList.add("all");
  byId("starts").querySelector(".more-starts")?.remove();
  byId("starts")
    .querySelectorAll("[hidden]")
    .forEach((one) => (one.hidden = false));
}

/** Which of them the form is. */
export function showStarted() {
  for (const one of byId("starts").querySelectorAll("[data-preset]")) {
    const is = one.dataset.preset === state.preset?.name;
    one.setAttribute("aria-pressed", String(is));
    if (is && one.hidden) showAll();
  }
}
