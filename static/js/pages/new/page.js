// New experiment: one sentence. Its plan, errors and script are the server's answer to the same body that it launches.

import { get, post } from "../../api.js";
import { el, report, toast } from "../../dom.js";
import { gathered } from "../../live.js";
import { query, url } from "../../model/address.js";
import { launchedExperiment, promiseUndo } from "../../undo.js";
import { beginQuestion, showQuestion, withAbout } from "./question.js";
import { beginSide, showPlan, showScript } from "./side.js";
import { showStarted, showStarts } from "./starts.js";
import { addressNow, bodyNow, state, take, useAddress } from "./state.js";
import { beginWords, showWords } from "./words.js";

const byId = (id) => document.getElementById(id);

function change(form) {
  take(withAbout(form));
  edited();
}

/** The form is another one: bring preview, script, images and address up to date. */
function edited() {
  showStarted();
  showWords();
  showQuestion();
  showScript();
  history.replaceState(null, "", addressNow());
  plan("now");
}

const plan = gathered(async () => {
  try {
    state.plan = await post("/experiments/plan", bodyNow());
    state.errors = [];
    showPlan();
  } catch (error) {
    state.errors = error.errors ?? [];
    showPlan(error);
  }
  showErrors();
  showWords();
  if (launching) byId("launch").disabled = true;
}, 120);

const NOTHING_TO_ASK =
  "Nothing has two values yet: compare two models, two orders, or two of anything else, and ask about it.";
const ROWS = { name: /^name$/, question: /^question(\.|$)/, smallest: /^smallest$/ };

/** Each error under what it is about, in the words of the API; those of the sentence and the recipe below the sentence. */
function showErrors() {
  const left = new Set(state.errors);
  const said = (errors) => errors.map(({ message }) => el("p.error", { role: "alert" }, message));
  for (const [name, fields] of Object.entries(ROWS)) {
    const own = state.errors.filter(({ field }) => fields.test(field));
    own.forEach((one) => left.delete(one));
    if (name === "question" && state.form.ask?.about === "") own.splice(0, own.length, { message: NOTHING_TO_ASK });
    const row = document.querySelector(`[data-errors="${name}"]`);
    row.replaceChildren(...said(own));
    const line = row.closest("details");
    if (own.length && line) line.open = true;
  }
  byId("wrong").replaceChildren(...said([...left]));
}

let launching = false;

async function launch() {
  launching = byId("launch").disabled = true;
  try {
    const made = await post("/experiments", bodyNow());
    promiseUndo(launchedExperiment(made));
    location.assign(url(`/compare${query({ experiment: made.id })}`));
  } catch (error) {
    launching = false;
    state.errors = error.errors ?? [];
    showPlan(error);
    showErrors();
    if (!state.errors.length) toast(error.message, { kind: "bad" });
  }
}

async function begin() {
  const system = get("/system");
  state.catalog = await get("/catalog");
  useAddress(location.search);
  state.form = withAbout(state.form);
  beginWords(change);
  beginQuestion(change);
  beginSide(change);
  showStarts(edited);
  byId("whole").disabled = false; // what is typed before would be lost
  edited();
  if (document.activeElement === document.body) byId("main").focus({ preventScroll: true }); // the next Tab is the form's
  for (const { name, title } of (await system).devices ?? [])
    state.devices.push({ value: name, title: `${name}, ${title}` });
  showWords();
}

byId("form").addEventListener("submit", (event) => {
  event.preventDefault();
  launch();
});
byId("form").addEventListener("keydown", (event) => {
  // Enter in a field completes that field; launching takes the button, or Ctrl
  if (event.key === "Enter" && event.target.tagName === "INPUT") event.preventDefault();
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || event.repeat || byId("whole").disabled) return;
  event.preventDefault();
  // the plan that is shown may be that of what was typed before: the server says what is wrong
  if (!launching && !("readOnly" in document.body.dataset)) launch();
});
begin().catch(report);
