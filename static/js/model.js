// One model: its layers from a real trace, where its parameters and its work are, what a trained one's first layer looks for.
// Data set, knobs and run are in the URL.

import { get } from "./api.js";
import { query, url } from "./model/address.js";
import { el, report, setText, swatch } from "./dom.js";
import { bytes, integer, percent, plural } from "./format.js";
import { multiple } from "./images.js";
import { kept } from "./metrics.js";
import { color } from "./palette.js";
import { join, leaf } from "./model/paths.js";

const MOST_RUNS = 100; // to choose from, the best first

const byId = (id) => document.getElementById(id);
const name = byId("model").dataset.name;
const address = new URL(location.href);
const dataset = byId("dataset");
const knobs = new Map(
  address.searchParams.getAll("knob").map((one) => [one.split("=")[0], one.slice(one.indexOf("=") + 1)]),
);
let wantedRun = address.searchParams.get("run");

byId("title").prepend(swatch(name, "original"));
const wanted = address.searchParams.get("dataset");
if ([...dataset.options].some((one) => one.value === wanted)) dataset.value = wanted;
dataset.addEventListener("change", () => showLayers().catch(report));
byId("run").addEventListener("change", (event) => {
  wantedRun = event.target.value;
  remember();
  showFilters().catch(report);
});

const set = () => [...knobs].map(([key, value]) => `${key}=${value}`);

function remember() {
  history.replaceState(
    null,
    "",
    url(`/models/${name}${query({ dataset: dataset.value, knob: set(), run: wantedRun })}`),
  );
}

/** 152800000 -> "152.8 M" */
const large = (value) =>
  value >= 1e9 ? `${(value / 1e9).toFixed(2)} G` : value >= 1e5 ? `${(value / 1e6).toFixed(1)} M` : integer(value);

async function showKnobs() {
  const catalog = await get("/catalog");
  const model = catalog.models.find((one) => one.name === name);
  byId("knobs").replaceChildren(
    ...model.knobs.map((knob) => {
      const key = leaf(knob.path);
      const value = knobs.get(key) ?? String(knob.default);
      const field = knob.choices.length
        ? el("select", {}, ...knob.choices.map((one) => el("option", { value: one, selected: one === value }, one)))
        : el("input.narrow", {
            type: "number",
            value,
            min: knob.minimum,
            max: knob.maximum,
            step: knob.kind === "int" ? 1 : "any",
          });
      field.addEventListener("change", () => {
        if (!field.checkValidity()) return field.reportValidity();
        if (field.value === String(knob.default)) knobs.delete(key);
        else knobs.set(key, field.value);
        showLayers().catch(report);
      });
      return el("label", {}, `${knob.title} `, field);
    }),
  );
}

let asked = 0;

async function showLayers() {
  remember();
  const own = ++asked;
  byId("train").href = url(
    `/experiments/new${query({ model: name, dataset: dataset.value, ...Object.fromEntries([...knobs].map(([key, value]) => [join("model", key), value])) })}`,
  );
  const found = await get(`/models/${name}/layers${query({ dataset: dataset.value, knob: set() })}`);
  if (own !== asked) return; // another one was chosen meanwhile
  setText(byId("answer"), found.answer);
  const linear = found.layers
    .filter((one) => one.title.startsWith("linear"))
    .reduce((sum, one) => sum + one.parameters, 0);
  setText(
    byId("answer-note"),
    `Fully connected layers: ${integer(linear)} of ${integer(found.parameters)} parameters.`,
  );
  setText(byId("parameters"), integer(found.parameters));
  setText(byId("work"), large(found.multiply_adds));
  setText(byId("weights"), bytes(found.parameters * 4));
  const most = (key) => Math.max(1, ...found.layers.map((one) => one[key]));
  const [parameters, work] = [most("parameters"), most("multiply_adds")];
  const bar = (share, colour) => {
    const box = el("span.share.plain", {}, el("span"));
    box.firstElementChild.style.cssText = `width: ${100 * share}%; background: ${colour}`;
    return box;
  };
  byId("layers").tBodies[0].replaceChildren(
    ...found.layers.map((one) =>
      el(
        one.multiply_adds ? "tr" : "tr.inner",
        { title: one.path },
        el("td.nowrap", {}, one.title),
        el("td.right.nowrap", {}, one.output.join(" × ")),
        el("td.right", {}, one.parameters ? integer(one.parameters) : "–"),
        el("td.bar-cell", {}, one.multiply_adds ? bar(one.parameters / parameters, color(name)) : null),
        el("td.right.nowrap", {}, one.multiply_adds ? large(one.multiply_adds) : "–"),
        el("td.bar-cell", {}, one.multiply_adds ? bar(one.multiply_adds / work, "var(--ghost)") : null),
      ),
    ),
  );
  byId("layers").tFoot.replaceChildren(
    el(
      "tr",
      {},
      el("th", { scope: "row", colspan: 2 }, "Total"),
      el("td.right.strong", {}, integer(found.parameters)),
      el("td.bar-cell"),
      el("td.right.strong", {}, large(found.multiply_adds)),
      el("td.bar-cell"),
    ),
  );
}

async function showRuns() {
  const page = await get(
    `/runs${query({ q: `model:"${name}"`, status: "succeeded", sort: "test/accuracy", limit: MOST_RUNS })}`,
  );
  const runs = page.items;
  const count = `${page.next ? "over " : ""}${plural(runs.length, "finished run")}`;
  byId("runs").replaceChildren(
    runs.length ? `${count}, best ${percent(kept(runs[0].summary["test/accuracy"]))}` : "none finished yet",
  );
  if (wantedRun && !runs.some((run) => String(run.id) === wantedRun)) runs.push(...(await wantedAlone()));
  byId("run").hidden = !runs.length;
  byId("run").replaceChildren(
    ...runs.map((run) =>
      el(
        "option",
        { value: run.id, selected: String(run.id) === wantedRun },
        `${run.name} · ${percent(kept(run.summary["test/accuracy"]))} · run ${run.id}`,
      ),
    ),
  );
  await showFilters();
}

/** The run that the address names, where it is not among the best; none where it is gone or of another model. */
async function wantedAlone() {
  const run = await get(`/runs/${encodeURIComponent(wantedRun)}`).catch(() => null);
  return run?.spec.model.name === name ? [run] : [];
}

async function showFilters() {
  const box = byId("filters");
  box.replaceChildren();
  const run = byId("run").value;
  if (!run) return setText(byId("filters-note"), "They are shown once a run of this model has finished.");
  let found;
  try {
    found = await get(`/runs/${run}/filters`);
  } catch (error) {
    if (error.status !== 404) throw error;
    return setText(byId("filters-note"), `${error.message[0].toUpperCase()}${error.message.slice(1)}.`);
  }
  const [units, channels, height, width] = found.shape;
  const values = new Float32Array(Uint8Array.from(atob(found.weights), (letter) => letter.charCodeAt(0)).buffer);
  const each = channels * height * width;
  const size = multiple(width, width > 12 ? 84 : 40);
  box.style.setProperty("--size", `${size}px`);
  box.append(
    ...Array.from({ length: units }, (_, at) =>
      filter(values.subarray(at * each, (at + 1) * each), found.shape, size, at),
    ),
  );
  setText(
    byId("filters-note"),
    `${plural(units, "filter")} of ${width} × ${height} pixels${channels === 3 ? " in colour" : ""}, largest weights first; grey is 0, each filter scaled by itself.`,
  );
}

/** Weights as brightness about a middle grey. */
function filter(weights, [, channels, height, width], size, at) {
  const canvas = el("canvas", { width, height, role: "img", "aria-label": `Filter ${at + 1}` });
  const context = canvas.getContext("2d");
  const image = context.createImageData(width, height);
  const largest = weights.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-12);
  const area = height * width;
  for (let place = 0; place < area; place += 1) {
    for (let channel = 0; channel < 3; channel += 1)
      image.data[4 * place + channel] =
        127.5 + (127.5 * weights[(channels === 3 ? channel : 0) * area + place]) / largest;
    image.data[4 * place + 3] = 255;
  }
  context.putImageData(image, 0, 0);
  canvas.style.width = canvas.style.height = `${size}px`;
  return el("span.picture", {}, canvas);
}

showLayers().catch(report);
showKnobs().catch(report);
showRuns().catch(report);
