// New experiment: a form whose preview, errors and script are the server's answer to the same body that it launches.

import { get, post } from "./api.js";
import { query } from "./model/address.js";
import { chipField, choiceField } from "./chips.js";
import { copy, el, report, setText, swatch, toast } from "./dom.js";
import { BEST, addressOf, askable, bodyOf, compact, emptyForm, formAt, formOf, inPoints, keyOf, newQuestion, newSearch, rangesOf } from "./model/form.js";
import { duration, integer, plural } from "./format.js";
import { showImages } from "./images.js";
import { gathered } from "./live.js";
import { productOf, said, sentenceOf } from "./model/sentence.js";
import { launchedExperiment, promiseUndo } from "./undo.js";

const byId = (id) => document.getElementById(id);
const RANGE = /^(\d+)-(\d+)$/;
const MOST_SEEDS = 500;

let catalog = null;
let form = emptyForm();
let plan = null;
let language = "curl";
let preset = null;

// Fields

const fields = {};
const chip = (path, place, options = {}) => {
  fields[path] = chipField(place, {
    ...options,
    onchange: () => {
      form.knobs[path] = fields[path].values();
      edited();
    },
  });
  byId(`f-${place}`).replaceWith(fields[path].box);
};
chip("epochs", "epochs");
chip("batch_size", "batch_size");
chip("permutation_seed", "permutation_seed");
/** "1-5" stands for 1, 2, 3, 4, 5. */
chip("seed", "seed", {
  expand: (text) => {
    const [, first, last] = (text.match(RANGE) ?? []).map(Number);
    const count = last - first + 1;
    return count > 0 && count <= MOST_SEEDS ? Array.from({ length: count }, (_, at) => String(first + at)) : [text];
  },
});
const tickedFields = new Map(); // element id -> [path, field] of the knobs of what is or was ticked

byId("name").addEventListener("input", (event) => {
  form.name = event.target.value;
  edited();
});
byId("device").addEventListener("change", (event) => {
  form.knobs.device = [event.target.value];
  edited();
});
byId("order").addEventListener("click", (event) => {
  if (event.target.tagName !== "BUTTON") return;
  form.knobs.pixel_order = event.target.value === "both" ? ["original", "shuffled"] : [event.target.value];
  showOrder();
  edited();
});
byId("how").addEventListener("click", (event) => {
  if (event.target.tagName !== "BUTTON") return;
  const how = event.target.value;
  if (how !== howOf(form)) form.ask = how === "fixed" ? null : how === BEST ? newSearch() : newQuestion();
  showAsk();
  edited();
});
for (const part of Object.keys(newQuestion())) {
  byId(`ask-${part}`).addEventListener("input", (event) => {
    form.ask[part] = event.target.value;
    showAsk();
    edited();
  });
}
byId("smallest").addEventListener("input", (event) => {
  form.smallest = event.target.value;
  showSmallest();
  edited();
});
byId("unused").addEventListener("click", () => {
  form.knobs.seed = unused.map(String);
  showForm();
  edited();
});
byId("hold-out").addEventListener("click", () => {
  form.knobs.validation = [String(tenth())];
  showForm();
  edited();
});
for (const part of ["count", "seed"]) {
  byId(`random-${part}`).addEventListener("input", (event) => {
    form.random[part] = event.target.value;
    edited();
  });
}
byId("form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const button = byId("launch");
  button.disabled = true;
  try {
    const made = await post("/experiments", bodyOf(form, catalog));
    promiseUndo(launchedExperiment(made));
    location.assign(`/compare${query({ experiment: made.id })}`);
  } catch (error) {
    showErrors(error);
  }
});
byId("form").addEventListener("keydown", (event) => {
  // Enter in a field completes that field; launching takes the button
  if (event.key === "Enter" && event.target.tagName === "INPUT") event.preventDefault();
});
for (const name of ["curl", "python"]) {
  byId(`t-${name}`).addEventListener("click", () => {
    language = name;
    showScript();
  });
}
byId("copy").addEventListener("click", async () => toast((await copy(byId("script").textContent)) ? "Copied" : "It could not be copied"));

async function begin() {
  const system = get("/system");
  catalog = await get("/catalog");
  const asked = new URLSearchParams(location.search).get("preset");
  const chosen = catalog.presets.find((one) => one.name === asked);
  const fallback = catalog.presets.find((one) => catalog.datasets.find((data) => data.name === one.base.dataset)?.on_disk) ?? catalog.presets[0];
  const given = chosen ? null : formAt(location.search, catalog);
  if (given) form = given;
  else usePreset(chosen ?? fallback);
  addRest();
  byId("whole").disabled = false; // what is typed before would be lost
  showPresets();
  showDatasets();
  showForm();
  showChanged();
  await edited();
  for (const device of (await system).devices ?? []) byId("device").append(el("option", { value: device.name }, `${device.name}, ${device.title}`));
  byId("device").value = form.knobs.device[0];
}
begin().catch(report);

const changes = new URLSearchParams(location.search).getAll("changed"); // as optimizer.lr=100: the knob, and what it was

/** What a link into the form has other than the run it comes from: marked, and on the screen. */
function showChanged() {
  for (const [path, was] of changes.map((change) => change.split("="))) {
    const box = document.querySelector(`[data-knob="${CSS.escape(path)}"]`);
    if (!box) continue;
    box.classList.add("changed");
    box.append(el("span.note", {}, `was ${was}`));
    box.scrollIntoView({ block: "center" });
  }
}

let unused = []; // seeds that none of these configurations was launched with

function usePreset(chosen) {
  preset = chosen;
  form = formOf(chosen.title, chosen.base, chosen.grid, catalog);
}

/** Something was changed: bring preview, script, images and address up to date. */
function edited() {
  showAbout();
  showChosen();
  showRandom();
  const own = preset && !form.ask && JSON.stringify(bodyOf(formOf(form.name, preset.base, preset.grid, catalog), catalog)) === JSON.stringify(bodyOf(form, catalog));
  if (!own) preset = null;
  showPressed();
  showSeedsNote();
  history.replaceState(null, "", preset && form.name === preset.title ? `/experiments/new${query({ preset: preset.name })}` : addressOf(form));
  showScript();
  ask("plan");
  seen("images");
}

/** A tenth of the training images. */
const tenth = () => Math.round(catalog.datasets.find((one) => one.name === form.knobs.dataset?.[0])?.train_size / 10) || 1000;

/** Where an epoch, or one of several configurations, is chosen and no images are held out to choose it by. */
function showChosen() {
  const { keep = [], early_stopping: stopping = [], validation = [] } = form.knobs;
  const choosesEpoch = keep.includes("best") || stopping.some((epochs) => Number(epochs) > 0);
  const choosesOne = howOf(form) === BEST || Object.keys(rangesOf(form)).length > 0;
  const what = [choosesEpoch && "the epoch", choosesOne && "the best configuration"].filter(Boolean).join(" and ");
  byId("chosen-by-tests").hidden = !what || !validation.includes("0");
  setText(byId("chosen"), what);
  showMeasure();
  setText(byId("hold-out"), `Hold out ${integer(tenth())} training images`);
}

const ask = gathered(async () => {
  const body = bodyOf(form, catalog);
  try {
    plan = await post("/experiments/plan", body);
    showPlan();
  } catch (error) {
    if (!body.name) await post("/experiments/plan", { ...body, name: "unnamed" }).catch((other) => error.errors.push(...other.errors));
    showErrors(error); // a name that is missing hides no other error
  }
}, 120);

// What the form shows

function showForm() {
  byId("name").value = form.name;
  for (const [path, field] of Object.entries(fields)) field.set(form.knobs[path]);
  byId("device").value = form.knobs.device[0];
  showOrder();
  showModels();
  showOptimizers();
  showPressed();
  showAsk();
}

/** The training knobs that have no place of their own in the page. */
function addRest() {
  const rest = catalog.training.filter((knob) => !(knob.path in fields) && knob.path !== "pixel_order");
  byId("rest-errors").dataset.errors = rest.map((knob) => knob.path).join(" ");
  for (const knob of rest) {
    const { path } = knob;
    fields[path] = knobField(path, knob, () => {
      form.knobs[path] = fields[path].values();
      edited();
    });
    byId("rest").append(el("div", {}, el("label", { for: path, title: knob.help }, knob.title), fields[path].box));
  }
}

function knobField(id, knob, onchange) {
  return knob.choices.length ? choiceField(id, { choices: knob.choices, label: knob.title, onchange }) : chipField(id, { onchange });
}

function showPresets() {
  const blank = { name: "blank", title: "Blank", note: "everything by hand" };
  const cards = catalog.presets.map((one) => ({ name: one.name, title: one.question, note: one.title, one }));
  byId("presets").replaceChildren(
    ...[...cards, blank].map(({ name, title, note, one }) =>
      el(
        "button.pickcard",
        {
          type: "button",
          "data-preset": name,
          onclick: () => {
            if (one) usePreset(one);
            else {
              preset = null;
              form = formOf("", { dataset: "digits", model: "cnn" }, {}, catalog);
            }
            showForm();
            edited();
          },
        },
        el("span", {}, title),
        el("span.note", {}, note),
      ),
    ),
  );
}

function showPressed() {
  const press = (selector, is) => document.querySelectorAll(selector).forEach((card) => card.setAttribute("aria-pressed", String(is(card))));
  press("[data-preset]", (card) => card.getAttribute("data-preset") === preset?.name);
  press("[data-dataset]", (card) => card.getAttribute("data-dataset") === form.knobs.dataset?.[0]);
  const dataset = catalog.datasets.find((one) => one.name === form.knobs.dataset?.[0]);
  setText(byId("about-data"), dataset?.description ?? "");
}

function showModels() {
  const note = (model) => el("span.note", { "data-parameters": model.name }, sizeOf(model));
  const cards = catalog.models.map((model) => ({ ...model, mark: swatch(model.name, "original"), note: note(model) }));
  showTickable("model", form.models, cards);
}

const showOptimizers = () => showTickable("optimizer", form.optimizers, catalog.optimizers);

/** Cards of which several can be ticked; a ticked one shows its knobs. */
function showTickable(kind, chosen, cards) {
  byId(`${kind}s`).replaceChildren(
    ...cards.map(({ name, title, description, knobs, mark, note }) => {
      const ticked = name in chosen;
      const id = `${kind[0]}-${name}`;
      const box = el("input", { type: "checkbox", id, checked: ticked });
      box.addEventListener("change", () => {
        if (box.checked) chosen[name] = Object.fromEntries(knobs.map((knob) => [keyOf(knob), [String(knob.default)]]));
        else delete chosen[name];
        const inOrder = cards.filter((one) => one.name in chosen).map((one) => [one.name, chosen[one.name]]);
        for (const [one] of inOrder) delete chosen[one];
        Object.assign(chosen, Object.fromEntries(inOrder));
        showTickable(kind, chosen, cards);
        byId(id).focus();
        edited();
      });
      return el(
        `div.pickcard.model${ticked ? ".on" : ""}`,
        { [`data-${kind}`]: name, title: description },
        el("label.named", { for: id }, box, mark, title),
        note,
        ...(ticked ? knobs.map((knob) => tickedKnob(kind, name, chosen[name], knob)) : []),
      );
    }),
  );
}

function tickedKnob(kind, name, values, knob) {
  const id = `k-${name}-${keyOf(knob)}`;
  const field = knobField(id, knob, () => {
    values[keyOf(knob)] = field.values();
    edited();
  });
  field.set(values[keyOf(knob)]);
  tickedFields.set(id, [knob.path, field]);
  return el("div.knob", { "data-knob": knob.path }, el("label.note", { for: id, title: knob.help }, knob.title), field.box);
}

/** How large a model is on the chosen data, or that it can't take its images. */
function sizeOf(model) {
  const parameters = model.parameters[form.knobs.dataset?.[0]];
  return parameters === undefined ? "takes other images" : `${integer(parameters)} parameters`;
}

function showDatasets() {
  byId("datasets").replaceChildren(
    ...catalog.datasets.map((one) =>
      el(
        "button.pickcard",
        {
          type: "button",
          "data-dataset": one.name,
          onclick: () => {
            form.knobs.dataset = [one.name];
            for (const model of catalog.models) setText(document.querySelector(`[data-parameters="${model.name}"]`), sizeOf(model));
            edited();
          },
        },
        el("span", {}, one.title),
        el("span.note", {}, `${integer(one.train_size)} + ${integer(one.test_size)}, ${one.download_mb === 0 ? "installed" : one.on_disk ? "on disk" : `${one.download_mb} MB to download`}`),
      ),
    ),
  );
}

function showOrder() {
  const orders = form.knobs.pixel_order;
  const now = orders.length > 1 ? "both" : orders[0];
  for (const button of byId("order").children) button.setAttribute("aria-pressed", String(button.value === now));
}

const howOf = ({ ask }) => (ask === null ? "fixed" : ask.about === BEST ? BEST : "ask");
/** Whether all runs hold images out of the training set. */
const holdsOut = () => (form.knobs.validation ?? []).every((text) => Number(text) > 0) && Boolean(form.knobs.validation?.length);

/** The images held out decide which is the best, where all have such. */
function showMeasure() {
  setText(byId("ask-measure").options[0], howOf(form) === BEST && holdsOut() ? "validation accuracy" : "test accuracy");
}

/** The fields of a question; what can be asked follows from the knobs that have two values. */
function showAsk() {
  const how = howOf(form);
  for (const button of byId("how").children) button.setAttribute("aria-pressed", String(button.value === how));
  byId("fixed").hidden = how !== "fixed";
  byId("ask").hidden = how === "fixed";
  byId("ask-about-field").hidden = byId("ask-note").hidden = how === BEST;
  byId("best-note").hidden = how !== BEST;
  showMeasure();
  showSmallest();
  if (!form.ask) return;
  for (const [part, text] of Object.entries(form.ask)) if (part !== "about" && byId(`ask-${part}`).value !== text) byId(`ask-${part}`).value = text;
  showAbout();
}

/** Which difference matters: of an accuracy in points. */
function showSmallest() {
  const field = byId("smallest");
  if (field.value !== form.smallest) field.value = form.smallest;
  field.placeholder = inPoints(form) ? "1" : "5%";
  setText(byId("smallest-unit"), inPoints(form) ? "points of accuracy" : form.smallest.trim() ? "in its unit" : "of the first mean");
}

function showAbout() {
  if (!form.ask || form.ask.about === BEST) return;
  const offered = askable(bodyOf(form, catalog).grid);
  if (!offered.includes(form.ask.about)) form.ask.about = offered[0] ?? "";
  const title = (path) => ({ model: "model", optimizer: "optimiser", dataset: "data" })[path] ?? knobTitle(path).toLowerCase();
  const words = (about) => {
    const [one, other] = about.split("×").map(title);
    return other ? `${one} × ${other}: does the effect differ?` : one;
  };
  const now = [...byId("ask-about").options].map((option) => option.value).join();
  if (now !== offered.join() || !offered.length) {
    byId("ask-about").replaceChildren(
      ...(offered.length ? offered : [""]).map((about) => el("option", { value: about }, about ? words(about) : "give one knob two values")),
    );
  }
  byId("ask-about").value = form.ask.about;
}

function knobTitle(path) {
  const known = [...catalog.training, ...catalog.models.flatMap((one) => one.knobs), ...catalog.optimizers.flatMap((one) => one.knobs)];
  return known.find((knob) => knob.path === path)?.title ?? path;
}

/** How often values are drawn, where a field holds a range. */
function showRandom() {
  byId("random").hidden = !Object.keys(rangesOf(form)).length;
  for (const part of ["count", "seed"]) if (byId(`random-${part}`).value !== form.random[part]) byId(`random-${part}`).value = form.random[part];
}

function showSeedsNote() {
  const count = form.knobs.seed.length;
  const words = count < 2 ? "nothing to judge chance by; 5 or more show differences" : "5 or more show smaller differences, and while you watch at least 4 are needed";
  setText(byId("seeds-note"), count < 5 ? `${plural(count, "seed")}: ${words}` : plural(count, "seed"));
}

let shownImages = "";
const seen = gathered(async () => {
  const orders = form.knobs.pixel_order.includes("shuffled") ? ["original", "shuffled"] : ["original"];
  const wish = { dataset: form.knobs.dataset[0], orders, seed: Number(form.knobs.permutation_seed[0] ?? 1), count: 8, size: innerWidth < 640 ? 28 : 56 };
  if (JSON.stringify(wish) === shownImages || !Number.isInteger(wish.seed)) return;
  shownImages = JSON.stringify(wish);
  const shown = await showImages(byId("images"), wish).catch(() => true);
  if (!shown) byId("images").replaceChildren(el("p.note", {}, "Its images can be shown after the download, at the first run."));
}, 100);

// The server's answer

/** What the runs are a product of; where equal ones count once, what is left. */
function productWords(configurations) {
  const { factors, runs } = productOf(form, catalog);
  const words = runs === plan.runs ? factors : [{ count: configurations, noun: configurations === 1 ? "configuration" : "configurations" }, factors.at(-1)];
  return `${words.map(({ count, noun }) => `${integer(count)} ${noun}`).join(" × ")} = ${plural(plan.runs, "run")}`;
}

function showPlan() {
  showFieldErrors([]);
  const count = plan.configurations.length;
  if (plan.question) setText(byId("plan-title"), plan.question);
  else setText(byId("plan-title"), productWords(count));
  setText(byId("sentence"), said(sentenceOf(form, catalog)));
  byId("plan").replaceChildren(
    ...plan.configurations.map((one) =>
      el(
        "tr",
        {},
        el("td", {}, el("span.named", {}, swatch(one.spec.model.name, one.spec.pixel_order), one.name)),
        el("td.right", {}, integer(one.parameters)),
        el("td.right", {}, integer(one.runs)),
        el("td.right.nowrap", { title: one.seconds === null ? "No run like it has ended here yet" : `${integer(one.steps)} steps, by runs like it here` }, one.seconds === null ? `${integer(one.steps)} steps` : duration(one.seconds)),
      ),
    ),
  );
  for (const model of Object.keys(form.models)) {
    const sizes = [...new Set(plan.configurations.filter((one) => one.spec.model.name === model).map((one) => one.parameters))];
    const place = document.querySelector(`[data-parameters="${model}"]`);
    if (sizes.length) setText(place, `${sizes.map(integer).join(", ")} parameters`);
  }
  byId("already").hidden = !plan.already.length;
  if (plan.already.length) {
    const count = plan.already.length;
    const which = count === plan.runs ? `All ${plural(count, "run")} of these` : `${count} of these ${plan.runs} runs`;
    setText(byId("already").firstElementChild, `${which} ran before, with these seeds: what they give was known, so it is judged as watched.`);
    unused = plan.unused_seeds;
    byId("unused").hidden = Boolean(plan.question) || !unused.length;
    setText(byId("unused"), unused.length === 1 ? `Take seed ${unused[0]}` : `Take seeds ${unused[0]} to ${unused.at(-1)}`);
    byId("already").lastElementChild.href = `/compare${query({ run: plan.already.slice(0, 250) })}`;
  }
  byId("problem").hidden = true;
  byId("launch").disabled = false;
  setText(byId("launch"), plan.question ? `Ask, with ${plural(plan.runs, "run")} first` : `Launch ${plural(plan.runs, "run")}`);
  const dataset = catalog.datasets.find((one) => one.name === form.knobs.dataset[0]);
  const most = plan.question ? `, at most ${plural(plan.most_runs, "run")}` : "";
  const work = plan.seconds === null ? `${integer(plan.steps)} steps in all` : `about ${duration(plan.seconds)}`;
  setText(byId("launch-note"), dataset.on_disk ? `${work}${most}` : `${dataset.download_mb} MB are downloaded first`);
}

function showErrors(error) {
  const errors = error.errors ?? [];
  showFieldErrors(errors);
  byId("launch").disabled = true;
  byId("problem").hidden = false;
  const names = [...new Set(errors.map((one) => one.field.replace(/^grid\./, "").split(".").at(-1).replaceAll("_", " ")))];
  const said = names.length ? `${plural(names.length, "field")} to correct: ${names.join(", ")}.` : error.message;
  setText(byId("problem").lastElementChild, said);
}

/** Each error in a row under its field, in the words of the API. */
function showFieldErrors(errors) {
  const left = new Set(errors);
  for (const row of document.querySelectorAll("[data-errors]")) {
    const paths = row.dataset.errors.split(" ");
    const own = errors.filter(({ field }) => paths.some((path) => matches(field, path)));
    own.forEach((one) => left.delete(one));
    row.replaceChildren(...own.map(({ message }) => el("p.error", { role: "alert" }, message)));
  }
  for (const [path, field] of [...Object.entries(fields), ...tickedFields.values()]) {
    field.mark(errors.filter((one) => one.field.replace(/^grid\./, "") === path).map((one) => one.message));
  }
  byId("name").classList.toggle("wrong", errors.some((one) => one.field === "name"));
  if (left.size) toast([...left].map((one) => one.message).join("; "), { kind: "bad" });
}

const matches = (field, path) => {
  const bare = field.replace(/^(grid|random\.ranges)\./, "");
  return bare === path || (["model", "optimizer", "question", "random"].includes(path) && bare.startsWith(`${path}.`));
};

function showScript() {
  const body = bodyOf(form, catalog);
  const text = compact(body);
  // the Python client takes it from RUNYARD_TOKEN by itself
  const token = "needsToken" in document.body.dataset ? '-H "Authorization: Bearer $RUNYARD_TOKEN" ' : "";
  const script =
    language === "curl"
      ? `curl ${location.origin}/api/v1/experiments \\\n  ${token}-H 'Content-Type: application/json' -d '${text.replaceAll("'", "'\\''")}'`
      : `from app.client import Client\n\nwith Client("${location.origin}") as runyard:\n    experiment = runyard.launch_experiment(**${text.replaceAll("\n", "\n    ")})\n    ${body.question ? 'print(*runyard.wait_for_answer(experiment.id)["sentences"], sep="\\n")' : 'for run in runyard.wait(experiment.run_ids):\n        print(run.name, run.summary["test/accuracy"].kept)'}`;
  setText(byId("script"), script);
  for (const name of ["curl", "python"]) byId(`t-${name}`).setAttribute("aria-selected", String(name === language));
}
