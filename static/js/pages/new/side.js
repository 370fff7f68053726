// What would be launched, in the server's words: the product, its time, the configurations, what is wrong; and the script.

import { query, url } from "../../model/address.js";
import { copy, el, setText, swatch, toast } from "../../dom.js";
import { compact } from "../../model/form.js";
import { duration, integer, plural } from "../../format.js";
import { productOf } from "../../model/sentence.js";
import { withTexts } from "../../model/settings.js";
import { bodyNow, state } from "./state.js";

const byId = (id) => document.getElementById(id);
const MOST_SHOWN = 250; // runs that an address can name
let language = "curl";

/** Wire what is there from the start; `change(form)`: another form is wanted. */
export function beginSide(change) {
  byId("unused").addEventListener("click", () =>
    change(withTexts(state.form, "seed", state.plan.unused_seeds.map(String), state.catalog)),
  );
  for (const name of ["curl", "python"]) {
    byId(`t-${name}`).addEventListener("click", () => {
      language = name;
      showScript();
    });
  }
  byId("copy").addEventListener("click", async () => {
    toast((await copy(byId("script").textContent)) ? "Copied" : "It could not be copied");
  });
}

/** What the runs are a product of; where equal ones count once, what is left. */
function productWords() {
  const { plan, form, catalog } = state;
  const { factors, runs } = productOf(form, catalog);
  const configurations = plan.configurations.length;
  const all =
    runs === plan.runs
      ? factors
      : [{ count: configurations, noun: configurations === 1 ? "configuration" : "configurations" }, factors.at(-1)];
  const words = all.flatMap(({ count, noun }, at) => {
    const varied = count > 1 && !noun.startsWith("seed");
    return [
      at > 0 && el("span.muted", {}, " × "),
      varied ? el("b.count", {}, integer(count)) : integer(count),
      ` ${noun}`,
    ];
  });
  return [...words, el("span.muted", {}, " = "), plural(plan.runs, "run")];
}

/** The plan of the form, or what is wrong with it. */
export function showPlan(error = null) {
  const { plan, catalog, form } = state;
  byId("problem").hidden = !error;
  byId("launch").disabled = Boolean(error);
  byId("configurations").hidden = !plan;
  if (error) return setText(byId("problem").lastElementChild, problemWords(error));
  byId("product").replaceChildren(
    ...(plan.question ? [plan.question] : productWords().filter((word) => word !== false)),
  );
  byId("plan").replaceChildren(...plan.configurations.map(row));
  setText(byId("plan-note"), noteOf(plan));
  showAlready();
  setText(
    byId("launch-words"),
    plan.question ? `Ask, with ${plural(plan.runs, "run")} first` : `Launch ${plural(plan.runs, "run")}`,
  );
  const dataset = catalog.datasets.find(({ name }) => name === form.knobs.dataset[0]);
  const work = plan.seconds === null ? `${integer(plan.steps)} steps in all` : `about ${duration(plan.seconds)}`;
  const most = plan.question ? `, at most ${plural(plan.most_runs, "run")}` : "";
  const ahead = plan.ahead ? `, after ${plural(plan.ahead, "run")} of others` : "";
  const takes =
    dataset && !dataset.on_disk ? `${dataset.download_mb} MB are downloaded first` : `${work}${most}${ahead}`;
  setText(byId("takes"), takes);
  setText(byId("launch-note"), takes);
}

const row = (one) =>
  el(
    "tr",
    {},
    el("td", {}, el("span.named", {}, swatch(one.spec.model.name, one.spec.pixel_order), one.name)),
    el("td.right", {}, integer(one.parameters)),
    el("td.right", {}, integer(one.runs)),
    el(
      "td.right.nowrap",
      {
        title:
          one.seconds === null
            ? "No run like it has ended here yet"
            : `${integer(one.steps)} steps, by runs like it here`,
      },
      one.seconds === null ? `${integer(one.steps)} steps` : duration(one.seconds),
    ),
  );

function noteOf({ configurations, seeds, question, already }) {
  const several = configurations.length > 1;
  const words = [];
  if (several && seeds > 1)
    words.push(`Seed by seed: after ${plural(configurations.length, "run")} every configuration has one.`);
  if (!question && several && seeds < 4)
    words.push(`With ${plural(seeds, "seed")} there is no interval to look at while they run: that takes 4.`);
  else if (!question && seeds === 1) words.push("With one seed there is nothing to judge chance by.");
  if (!already.length) words.push("No run of these exists yet.");
  return words.join(" ");
}

function showAlready() {
  const { already, runs, question, unused_seeds: unused } = state.plan;
  byId("already").hidden = !already.length;
  if (!already.length) return;
  const which =
    already.length === runs
      ? `All ${plural(already.length, "run")} of these`
      : `${already.length} of these ${runs} runs`;
  setText(
    byId("already").firstElementChild,
    `${which} ran before, with these seeds: what they give was known, so it is judged as watched.`,
  );
  byId("unused").hidden = Boolean(question) || !unused.length;
  setText(
    byId("unused"),
    unused.length === 1 ? `Take seed ${unused[0]}` : `Take seeds ${unused[0]} to ${unused.at(-1)}`,
  );
  byId("already").lastElementChild.href = url(`/compare${query({ run: already.slice(0, MOST_SHOWN) })}`);
}

function problemWords({ errors = [], message }) {
  const names = [
    ...new Set(
      errors.map(({ field }) =>
        field
          .replace(/^grid\./, "")
          .split(".")
          .at(-1)
          .replaceAll("_", " "),
      ),
    ),
  ];
  return names.length
    ? `${names.length === 1 ? "One setting" : `${names.length} settings`} to correct: ${names.join(", ")}.`
    : message;
}

/** What a script would send. */
export function showScript() {
  const body = bodyNow();
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
