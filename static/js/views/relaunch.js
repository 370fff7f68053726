// A run once more, as the sentence of it in a dialog: what is changed is marked, and can be put back.

import { get, post } from "../api.js";
import { el, icon, setText } from "../dom.js";
import { duration, plural } from "../format.js";
import { gathered } from "../live.js";
import { query, url } from "../model/address.js";
import { bodyOf, changedAddress } from "../model/form.js";
import { formsOf, isOne, overridesOf, wasOf } from "../model/relaunch.js";
import { nameOf, sentenceOf } from "../model/sentence.js";
import { textsAt, withTexts } from "../model/settings.js";
import { launched, launchedExperiment, promiseUndo } from "../undo.js";
import { closeEditor, placeEditor } from "./editor.js";
import { showSentence } from "./sentence.js";
import { concerns, openSetting, titleOf } from "./setting.js";

/**
 * Open it. `changes`: path to another value, that it begins with; `why`: the sentence under the heading; `where`: what
 * the new run belongs to, in words.
 */
export async function openRelaunch(run, { changes = {}, why = "", where = "" } = {}) {
  const catalog = await get("/catalog");
  const { before, form } = formsOf(run.spec, changes, catalog);
  const state = { form, errors: [], editor: null, launching: false };

  const sentence = el("p.sentence", { role: "group", "aria-label": "What is launched" });
  const wrong = el("div");
  const marks = el("p.marks.note");
  const says = el("p.muted.says", { "aria-live": "polite" });
  const launch = el(
    "button.btn.btn-primary",
    { value: "yes" },
    el("span", {}, "Relaunch"),
    " ",
    el("kbd", { "aria-hidden": "true" }, "Ctrl ↵"),
  );
  const all = el("a", {}, "All settings");
  const close = el(
    "button.btn.btn-quiet.btn-icon",
    { type: "button", "aria-label": "Close", onclick: () => dialog.close() },
    icon("close"),
  );
  const heading = Object.keys(changes).length ? "Relaunch with a change" : "Relaunch";
  const foot = el(
    "div.actions.spread",
    {},
    says,
    el("span.row", {}, all, el("button.btn", { type: "button", onclick: () => dialog.close() }, "Cancel"), launch),
  );
  const parts = [
    el("div.spread", {}, el("h2", {}, heading), close),
    why && el("p.muted", {}, why),
    sentence,
    wrong,
    marks,
    foot,
  ];
  const dialog = el(
    "dialog.relaunch",
    { "aria-label": heading },
    el("form", { method: "dialog", novalidate: true }, ...parts),
  );

  const asWords = () => wasOf(state.form, before, catalog);
  const change = (next) => {
    state.form = next;
    show();
    plan("now");
  };
  const show = () => {
    const changed = asWords();
    const isWrong = (path) => state.errors.some(({ field }) => concerns(field, path));
    const words = sentenceOf(state.form, catalog, changed);
    showSentence(sentence, words, {
      titles: (path) => titleOf(path, state.form, catalog),
      wrong: new Set(words.map(({ path }) => path).filter((path) => path && isWrong(path))),
      press,
    });
    wrong.replaceChildren(...state.errors.map(({ message }) => el("p.error", { role: "alert" }, message)));
    const back = Object.entries(changed).map(([path, was]) =>
      el(
        "button.btn-link",
        { type: "button", onclick: () => change(withTexts(state.form, path, textsAt(before, path), catalog)) },
        `Put ${was} back`,
      ),
    );
    if (back.length > 1)
      back.push(
        el(
          "button.btn-link",
          { type: "button", onclick: () => change(before) },
          back.length === 2 ? "Put both back" : "Put all back",
        ),
      );
    marks.replaceChildren(
      ...(back.length
        ? [
            el(
              "span",
              {},
              el("i.mark"),
              ` changed from ${run.status === "failed" ? "the failed run" : "the run before"}`,
            ),
            ...back,
          ]
        : ["Press a word to change it."]),
    );
    all.href = changedAddress({ ...state.form, name: run.name }, changed);
    state.editor?.mark(state.errors);
    placeEditor();
  };
  const press = (path, anchor) =>
    openSetting(path, anchor, {
      now: () => state.form,
      catalog,
      devices: [],
      change,
      opened: (editor) => (state.editor = editor),
      closed: () => (state.editor = null),
    });
  const body = () => bodyOf({ ...state.form, name: nameOf(state.form, catalog) }, catalog);
  const plan = gathered(async () => {
    try {
      const found = await post("/experiments/plan", body());
      state.errors = [];
      const time = found.seconds === null ? "" : `, about ${duration(found.seconds)}`;
      const place = isOne(state.form, catalog) ? where && ` in ${where}` : ", as an experiment of their own";
      setText(
        says,
        `${plural(found.runs, "run")}${place}${time}. ${run.status === "failed" ? "The failed run" : "The run before"} stays.`,
      );
    } catch (error) {
      state.errors = error.errors?.length ? error.errors : [{ field: "", message: error.message }];
    }
    launch.disabled = state.launching || state.errors.length > 0;
    show();
  }, 120);
  const submit = async () => {
    state.launching = launch.disabled = true;
    try {
      if (isOne(state.form, catalog)) {
        const made = await post(`/runs/${run.id}/relaunch`, { overrides: overridesOf(state.form, before, catalog) });
        promiseUndo(launched([made.id]));
        location.assign(url(`/runs/${made.id}`));
      } else {
        const made = await post("/experiments", body());
        promiseUndo(launchedExperiment(made));
        location.assign(url(`/compare${query({ experiment: made.id })}`));
      }
    } catch (error) {
      state.errors = error.errors?.length ? error.errors : [{ field: "", message: error.message }];
      state.launching = false;
      show();
    }
  };
  // the plan that is shown may be that of what was typed before: the server says what is wrong
  const submitByKey = (event) => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || event.repeat || state.launching) return;
    event.preventDefault();
    submit();
  };
  document.addEventListener("keydown", submitByKey); // wherever the focus is
  dialog.addEventListener("close", () => {
    document.removeEventListener("keydown", submitByKey);
    closeEditor();
    dialog.remove();
  });
  dialog.querySelector("form").addEventListener("submit", (event) => {
    event.preventDefault();
    submit();
  });
  document.body.append(dialog);
  show();
  dialog.showModal();
  sentence.querySelector(".changed, .setting-word")?.focus();
  plan("now");
}
