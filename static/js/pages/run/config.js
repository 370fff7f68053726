// What a run was told to do, where it ran, and its attempts.

import { get } from "../../api.js";
import { el, setText, statusBadge } from "../../dom.js";
import { ago, duration, integer, moment } from "../../format.js";
import { showImages } from "../../images.js";
import { url } from "../../model/address.js";
import { join } from "../../model/paths.js";
import { byId, id, state } from "./state.js";

/** Of a spec, what has a row of its own in the configuration. */
const PLACED = [
  "model",
  "dataset",
  "pixel_order",
  "permutation_seed",
  "seed",
  "epochs",
  "batch_size",
  "optimizer",
  "device",
];

const titles = { models: new Map(), optimizers: new Map(), datasets: new Map(), knobs: new Map(), defaults: new Map() };

export async function catalogue() {
  const found = await get("/catalog");
  for (const model of found.models) {
    titles.models.set(model.name, model.title);
    for (const knob of model.knobs) titles.knobs.set(knob.path, knob.title);
  }
  for (const dataset of found.datasets) titles.datasets.set(dataset.name, dataset.title);
  for (const knob of found.training) {
    titles.knobs.set(knob.path, knob.title);
    titles.defaults.set(knob.path, knob.default);
  }
  for (const optimizer of found.optimizers) {
    titles.optimizers.set(optimizer.name, optimizer.title);
    for (const knob of optimizer.knobs) titles.knobs.set(knob.path, knob.title);
  }
  showConfig();
}

export async function showSeen(known) {
  const shuffled = state.run.spec.pixel_order === "shuffled";
  const shown = await showImages(byId("images"), {
    dataset: state.run.spec.dataset,
    orders: ["original", "shuffled"],
    seed: state.run.spec.permutation_seed,
    count: 6,
  });
  const row = shuffled ? "lower" : "upper";
  if (!shown) await known;
  const why = titles.datasets.has(state.run.spec.dataset)
    ? "The images can be shown once the data set is prepared."
    : "The data set is not there any more.";
  setText(byId("images-note"), shown ? `This run trains on the ${row} row.` : why);
}

export function showConfig() {
  const spec = state.run.spec;
  const knobs = (head) => Object.entries(spec[head]).filter(([key]) => key !== "name");
  const environment = state.run.attempts.at(-1)?.environment;
  const rest = Object.keys(spec).filter((key) => !PLACED.includes(key));
  const settled = (key) =>
    key === "precision" && spec[key] === "auto" && environment?.precision
      ? `auto: ${environment.precision}`
      : String(spec[key]);
  const rows = [
    ["Model", titles.models.get(spec.model.name) ?? spec.model.name],
    ...knobs("model").map(([key, value]) => [
      titles.knobs.get(join("model", key)) ?? key,
      Number.isInteger(value) ? integer(value) : String(value),
    ]),
    ["Data", titles.datasets.get(spec.dataset) ?? spec.dataset],
    [
      "Pixel order",
      spec.pixel_order === "shuffled" ? `shuffled, permutation seed ${spec.permutation_seed}` : "in order",
    ],
    ["Seed", String(spec.seed)],
    ["Epochs", integer(spec.epochs)],
    ["Batch size", integer(spec.batch_size)],
    ["Optimiser", titles.optimizers.get(spec.optimizer.name) ?? spec.optimizer.name],
    ...knobs("optimizer").map(([key, value]) => [titles.knobs.get(join("optimizer", key)) ?? key, String(value)]),
    ...rest
      .filter((key) => spec[key] !== titles.defaults.get(key))
      .map((key) => [titles.knobs.get(key) ?? key, settled(key)]),
    ["Other knobs", "at their defaults"],
    ["Device", spec.device],
    environment && ["Ran on", environment.device_title],
    environment && ["Software", software(environment)],
  ].filter(Boolean);
  const body = byId("config").tBodies[0];
  const text = JSON.stringify(rows);
  if (body.dataset.shown === text) return;
  body.dataset.shown = text;
  body.replaceChildren(
    ...rows.map(([title, value]) => el("tr", {}, el("th", { scope: "row" }, title), el("td", {}, value))),
  );
}

/** What an attempt noted; one on the CPU has no CUDA, one of an earlier version does not name Runyard. */
function software({ runyard, torch, cuda, cudnn, driver, python }) {
  const parts = { Runyard: runyard, torch: torch.split("+")[0], CUDA: cuda, cuDNN: cudnn, driver, Python: python };
  return Object.entries(parts)
    .filter(([, version]) => version)
    .map((part) => part.join(" "))
    .join(", ");
}

export function showAttempts() {
  const rows = state.run.attempts.toReversed().map((attempt) => {
    const current = attempt.n === state.run.attempts.length;
    const end = attempt.ended_at === null ? statusBadge(state.run) : (attempt.cause ?? "Finished");
    const seconds =
      ((attempt.ended_at ? Date.parse(attempt.ended_at) : Date.now()) - Date.parse(attempt.started_at)) / 1000;
    return el(
      "tr",
      {},
      el(
        "td",
        {},
        el("a", { href: url(`/api/v1/runs/${id}/log?attempt=${attempt.n}`), title: "Its log" }, String(attempt.n)),
      ),
      el("td.nowrap", { title: moment(attempt.started_at) }, ago(attempt.started_at)),
      el("td.right", {}, integer(attempt.from_step)),
      el("td.right", {}, duration(seconds)),
      el(current && state.run.status === "failed" ? "td.bad" : "td", {}, end),
    );
  });
  const none = el("tr", {}, el("td.muted", { colspan: 5 }, "None yet: the run waits for a free slot"));
  byId("attempts").tBodies[0].replaceChildren(
    ...(rows.length
      ? rows
      : [
          state.run.ended_at ? el("tr", {}, el("td.muted", { colspan: 5 }, "None: it was stopped in the queue")) : none,
        ]),
  );
}
