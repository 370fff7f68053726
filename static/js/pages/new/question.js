// What is asked until it is known, and how small a difference still matters.

import { el, setText } from "../../dom.js";
import { BEST, askable, bodyOf, inPoints, newQuestion } from "../../model/form.js";
import { settingAt } from "../../model/settings.js";
import { wayOf } from "../../model/way.js";
import { state } from "./state.js";

const byId = (id) => document.getElementById(id);
const TITLES = { model: "model", optimizer: "optimiser", dataset: "data" };

/** Wire the fields; `change(form)`: another form is wanted. */
export function beginQuestion(change) {
  for (const part of Object.keys(newQuestion())) {
    byId(`ask-${part}`).addEventListener("input", ({ target }) =>
      change({ ...state.form, ask: { ...state.form.ask, [part]: target.value } }),
    );
  }
  byId("smallest").addEventListener("input", ({ target }) => change({ ...state.form, smallest: target.value }));
}

/** What of a form can be asked about is chosen, where nothing else is. */
export function withAbout(form) {
  if (!form.ask || form.ask.about === BEST) return form;
  const offered = askable(bodyOf(form, state.catalog).grid);
  return offered.includes(form.ask.about) ? form : { ...form, ask: { ...form.ask, about: offered[0] ?? "" } };
}

/** Bring the fields up to date. */
export function showQuestion() {
  const { form } = state;
  const way = wayOf(form);
  byId("question").hidden = !form.ask;
  byId("ask-about-field").hidden = way === "best";
  setText(byId("ask-measure").options[0], way === "best" && holdsOut(form) ? "validation accuracy" : "test accuracy");
  showSmallest(form);
  if (!form.ask) return;
  if (way === "ask") showAbout(form);
  for (const [part, text] of Object.entries(form.ask))
    if (part !== "about" && byId(`ask-${part}`).value !== text) byId(`ask-${part}`).value = text;
}

/** Whether all runs hold images out of the training set: those then decide which is the best. */
const holdsOut = ({ knobs: { validation = [] } }) =>
  validation.length > 0 && validation.every((text) => Number(text) > 0);

function showAbout(form) {
  const offered = askable(bodyOf(form, state.catalog).grid);
  const title = (path) => TITLES[path] ?? settingAt(form, path, state.catalog)?.name ?? path;
  const words = (about) => {
    const [one, other] = about.split("×").map(title);
    return other ? `${one} × ${other}: does the effect differ?` : one;
  };
  const now = [...byId("ask-about").options].map(({ value }) => value).join();
  if (now !== offered.join() || !offered.length) {
    byId("ask-about").replaceChildren(
      ...(offered.length ? offered : [""]).map((about) =>
        el("option", { value: about }, about ? words(about) : "give one setting two values"),
      ),
    );
  }
  byId("ask-about").value = form.ask.about;
}

/** Which difference matters: of an accuracy in points. */
function showSmallest(form) {
  const field = byId("smallest");
  const typed = form.smallest.trim();
  if (field.value !== form.smallest) field.value = form.smallest;
  field.placeholder = inPoints(form) ? "1" : "5%";
  setText(byId("smallest-unit"), inPoints(form) ? "points of accuracy" : typed ? "in its unit" : "of the first mean");
  const measure = inPoints(form) ? "test accuracy" : (byId("ask-measure").selectedOptions[0]?.text ?? "it");
  const size = inPoints(form)
    ? `${typed || "1"} ${(typed || "1") === "1" ? "point" : "points"}`
    : typed || "5% of the first mean";
  setText(byId("matters-words"), typed === "0" ? "any difference" : `differences of ${measure} from ${size} on`);
}
