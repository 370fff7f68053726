// One run: its figures, loss and accuracy as they come, what it was told to do, how it ended.

import { get, patch, post, remove } from "./api.js";
import { query, url } from "./model/address.js";
import { tagsIn } from "./bulk.js";
import { asked, copy, el, report, setStatus, setText, showArrived, statusBadge, swatch, toast } from "./dom.js";
import { caption, fetchCurves, replaceTail, tailStart, xOf } from "./curves.js";
import { ago, duration, elapsed, ENDED, integer, loss, moment, percent, RESUMABLE } from "./format.js";
import { showImages } from "./images.js";
import { keys } from "./keys.js";
import { gathered, on } from "./live.js";
import { color, dash, token } from "./palette.js";
import { declared, kept } from "./metrics.js";
import { join } from "./model/paths.js";
import { decadesOf, extremesOf, scaleOf } from "./model/scale.js";
import { deleted, offerUndo, promiseUndo, stopped } from "./undo.js";
import { band, draw, line, onZoom, tip, xAxis, yAxis } from "./plots.js";

const byId = (id) => document.getElementById(id);
const id = Number(byId("run").dataset.run);
const address = new URL(location.href);
const view = { x: "step", y: "", smoothing: "0.95", from: "", to: "" };
const DEFAULTS = { ...view };
for (const key of Object.keys(view)) if (address.searchParams.has(key)) view[key] = address.searchParams.get(key);

const HEIGHT = 290;

let run = null;
let arrived;
/** The run is there: clicks that need it wait for this, so that none is lost. */
const loaded = new Promise((resolve) => (arrived = resolve));
let trainLoss = null;
let tests = { "test/loss": null, "test/accuracy": null, "validation/accuracy": null };
/** Of a spec, what has a row of its own in the configuration. */
const PLACED = ["model", "dataset", "pixel_order", "permutation_seed", "seed", "epochs", "batch_size", "optimizer", "device"];
const titles = { models: new Map(), optimizers: new Map(), datasets: new Map(), knobs: new Map(), defaults: new Map() };

// Controls first, so that no click is lost while the data are on their way

for (const choice of document.querySelectorAll("[data-choice]")) {
  const key = choice.dataset.choice;
  const show = () => {
    for (const button of choice.children) button.setAttribute("aria-pressed", String(button.value === view[key]));
  };
  choice.addEventListener("click", (event) => {
    if (event.target.tagName !== "BUTTON") return;
    view[key] = event.target.value;
    show();
    if (key === "y") {
      remember();
      redraw();
    } else unzoom();
  });
  show();
}
function unzoom() {
  view.from = view.to = "";
  remember();
  loadCurves().catch(report);
}
byId("reset-zoom").addEventListener("click", unzoom);
const slider = byId("smoothing");
const showSmoothing = () => setText(byId("smoothing-value"), Number(view.smoothing) ? Number(view.smoothing).toFixed(2) : "off");
slider.value = view.smoothing;
slider.addEventListener("input", () => {
  view.smoothing = slider.value;
  showSmoothing();
  smoothingMoved("smoothing");
});
const smoothingMoved = gathered(async () => {
  remember();
  await loadCurves();
}, 120);
showSmoothing();

byId("relaunch").addEventListener("click", () => relaunch().catch(report));
byId("cause-way").addEventListener("click", () => loaded.then(() => relaunch(run.mend ?? {})).catch(report));
for (const verb of ["stop", "pause", "resume"]) {
  byId(verb).addEventListener("click", async (event) => {
    event.target.disabled = true;
    try {
      run = await post(`/runs/${id}/${verb}`);
      if (verb === "stop") offerUndo(stopped([id]));
      showRun();
      refresh(); // what the stream told meanwhile may be newer than this answer
    } catch (error) {
      report(error);
    }
    event.target.disabled = false;
  });
}
byId("delete").addEventListener("click", async () => {
  try {
    await remove(`/runs/${id}`);
    promiseUndo(deleted([id]));
    location.assign(url("/"));
  } catch (error) {
    report(error);
  }
});
byId("edit-tags").addEventListener("click", async () => {
  await loaded;
  const typed = await asked("Tags", { label: "With commas between them", value: run.tags.join(", "), yes: "Save tags" });
  if (typed !== null) await change({ tags: tagsIn(typed) });
});
byId("edit-note").addEventListener("click", () => loaded.then(() => editNote(true)));
byId("keep-note").addEventListener("click", () => editNote(false));
byId("note-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  if (await change({ note: byId("new-note").value })) editNote(false);
});
byId("note-form").addEventListener("keydown", (event) => event.key === "Escape" && editNote(false));

/** Bring a change to the server; true when it took it. */
async function change(what) {
  try {
    run = await patch(`/runs/${id}`, what);
    showRun();
    return true;
  } catch (error) {
    report(error);
    return false;
  }
}

function editNote(open) {
  byId("note-form").hidden = !open;
  byId("note").hidden = open || !run.note;
  if (open) {
    byId("new-note").value = run.note;
    byId("new-note").focus();
  } else {
    byId("edit-note").focus();
  }
}

const press = (name) => () => byId(name).hidden || byId(name).click();
keys({
  s: ["Stop", press("stop")],
  p: ["Pause", press("pause")],
  r: ["Resume", press("resume")],
  l: ["Relaunch with changes", press("relaunch")],
  e: ["Rename", press("edit-name")],
  t: ["Tag", press("edit-tags")],
  Delete: ["Delete", press("delete")],
});
byId("edit-name").addEventListener("click", () => loaded.then(() => editName(true)));
byId("keep-name").addEventListener("click", () => editName(false));
byId("rename").addEventListener("submit", async (event) => {
  event.preventDefault();
  if (await change({ name: byId("new-name").value })) editName(false);
});
byId("rename").addEventListener("keydown", (event) => event.key === "Escape" && editName(false));
byId("copy-json").addEventListener("click", async () => {
  await loaded;
  toast((await copy(JSON.stringify(run.spec, null, 2))) ? "Configuration copied" : "The configuration could not be copied");
});
byId("as-table").addEventListener("click", (event) => {
  const open = byId("loss-table").hidden;
  byId("loss-table").hidden = !open;
  event.target.setAttribute("aria-expanded", String(open));
  setText(event.target, open ? "Hide the table" : "Show as a table");
  showLossTable();
});
document.addEventListener("themechange", () => redraw());
let width = 0;
new ResizeObserver(() => byId("loss-chart").clientWidth !== width && redraw()).observe(byId("loss-chart"));

function editName(open) {
  byId("rename").hidden = !open;
  byId("name").hidden = byId("edit-name").hidden = open;
  if (open) {
    byId("new-name").value = run.name;
    byId("new-name").focus();
    byId("new-name").select();
  } else {
    byId("edit-name").focus();
  }
}

function remember() {
  const shown = Object.fromEntries(Object.entries(view).filter(([key, value]) => value !== DEFAULTS[key]));
  history.replaceState(null, "", url(`/runs/${id}${query(shown)}`));
}

// Data

const USAGE_MS = 2000; // the server looks no more often
let usageAt = -Infinity;
const USED_OF = { start: "Since it began", minute: "In the last minute", run: "While it trained" };

/** What it uses of the machine, or used. */
async function showUsage() {
  const ended = ENDED.includes(run.status);
  if (!ended && performance.now() - usageAt < USAGE_MS) return;
  usageAt = performance.now();
  const { sentence, of } = await get(`/runs/${id}/usage`);
  setText(byId("usage"), sentence ? `${USED_OF[of]}: ${sentence}` : "");
}

const options = () => ({
  points: Math.max(200, Math.min(1000, Math.round(byId("loss-chart").clientWidth / 1.4))),
  smoothing: Number(view.smoothing),
});
const zoom = () => (view.x === "step" && view.from ? { from: Math.max(1, Number(view.from)), to: Number(view.to) } : {});

async function loadTests() {
  for (const name of Object.keys(tests)) if (name.startsWith("test/") || run.metrics[name]) tests[name] = await fetchCurves([id], name, { points: 1000 });
}

async function loadCurves() {
  trainLoss = await fetchCurves([id], "train/loss", { ...options(), ...zoom() });
  await loadTests();
  redraw();
}

const refresh = gathered(async () => {
  if (!trainLoss) return begin(); // the first try met a server that was away
  const fresh = await get(`/runs/${id}`);
  if (fresh.attempts.length !== run?.attempts.length || fresh.steps_done < run.steps_done) {
    run = fresh; // a new attempt has dropped the points beyond its checkpoint
    showRun();
    await Promise.all([loadCurves(), showLog()]);
    return;
  }
  const tested = kept(fresh.summary["test/accuracy"]) !== kept(run?.summary["test/accuracy"]) || fresh.status !== run?.status;
  run = fresh;
  const from = tailStart(trainLoss, [id]);
  if (!zoom().to || from <= zoom().to) {
    const to = zoom().to ? { to: zoom().to } : {};
    const tail = await fetchCurves([id], "train/loss", { width: trainLoss.width, smoothing: Number(view.smoothing), from, ...to });
    replaceTail(trainLoss, tail, from);
  }
  if (tested) await loadTests();
  showRun();
  redraw();
  showUsage().catch(report);
  if (tested || !ENDED.includes(run.status)) follow("log");
});
on("run", (event) => {
  if (event.run !== id) return;
  if (begun) refresh();
  else missed = true;
});
on("deleted", (event) => event.run === id && toast("This run was deleted", { kind: "bad" }));

async function begin() {
  run = await get(`/runs/${id}`);
  arrived();
  showRun();
  const known = catalogue();
  await Promise.all([loadCurves().finally(showArrived), showLog(), showUsage(), known, showSeen(known)]);
}
let begun = false;
let missed = false;
begin()
  .catch((error) => (showArrived(), report(error)))
  .finally(() => {
    begun = true;
    if (missed) refresh();
  });
setInterval(() => run && showTimes(), 1000);

async function catalogue() {
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

async function showSeen(known) {
  const shuffled = run.spec.pixel_order === "shuffled";
  const shown = await showImages(byId("images"), {
    dataset: run.spec.dataset,
    orders: ["original", "shuffled"],
    seed: run.spec.permutation_seed,
    count: 6,
  });
  const row = shuffled ? "lower" : "upper";
  if (!shown) await known;
  const why = titles.datasets.has(run.spec.dataset) ? "The images can be shown once the data set is prepared." : "The data set is not there any more.";
  setText(byId("images-note"), shown ? `This run trains on the ${row} row.` : why);
}

const log = { attempt: 0, end: 0 };

/** The log's tail, read on from where it ended; a new attempt begins a new log. */
async function showLog() {
  const attempt = run.attempts.length;
  const anew = attempt !== log.attempt || !log.end;
  const answer = await fetch(url(`/api/v1/runs/${id}/log${query({ after: anew ? null : log.end })}`));
  if (!answer.ok) return;
  const box = byId("log");
  const atEnd = box.scrollTop + box.clientHeight >= box.scrollHeight - 8;
  const text = await answer.text();
  if (anew) setText(box, text || "Nothing yet: the log begins when a worker starts.");
  else if (text) box.append(text);
  Object.assign(log, { attempt, end: Number(answer.headers.get("Runyard-Log-End")) });
  setText(byId("log-state"), ENDED.includes(run.status) ? "ended" : "following");
  if (atEnd) box.scrollTop = box.scrollHeight;
}
const follow = gathered(showLog, 500);

// Words and figures

function showRun() {
  setText(byId("name"), run.name);
  document.title = `${run.name} · Runyard`;
  setStatus(byId("status"), run);
  const ended = ENDED.includes(run.status);
  const asked = run.stop_requested || run.pause_requested;
  byId("stop").hidden = (ended && !run.retry_at) || (!ended && run.stop_requested);
  setText(byId("stop"), run.retry_at ? "Don’t resume" : "Stop");
  byId("pause").hidden = ended || asked;
  byId("resume").hidden = !RESUMABLE.includes(run.status) || run.diverged; // it would become NaN again
  byId("delete").hidden = ["starting", "running"].includes(run.status);
  byId("tags").replaceChildren(...run.tags.map((tag) => el("a.tag", { href: url(`/${query({ tag })}`) }, tag)));
  setText(byId("edit-tags"), run.tags.length ? "Edit tags" : "Add tag");
  setText(byId("edit-note"), run.note ? "Edit note" : "Add note");
  setText(byId("note"), run.note);
  byId("note").hidden = !run.note || !byId("note-form").hidden;
  const line = byId("configuration");
  if (!line.querySelector("svg")) line.prepend(swatch(run.spec.model.name, run.spec.pixel_order));
  showCause();
  showFigures();
  showTimes();
  showConfig();
  showAttempts();
  byId("weights").hidden = run.status !== "succeeded";
}

function showTimes() {
  const when = run.ended_at
    ? `${run.status} ${ago(run.ended_at)}`
    : run.started_at
      ? `started ${ago(run.started_at)}`
      : `queued ${ago(run.created_at)}`;
  setText(byId("when"), when);
  byId("when").title = moment(run.ended_at ?? run.started_at ?? run.created_at);
  const seconds = elapsed(run);
  if (ENDED.includes(run.status)) {
    const early = run.status === "succeeded" && run.steps_done < run.steps_total;
    const verb = early ? "stopped early after" : run.status === "succeeded" ? "in" : `${run.status} after`;
    setText(byId("f-left"), `of ${integer(run.steps_total)} steps${seconds === null ? "" : `, ${verb} ${duration(seconds)}`}`);
  } else if (run.steps_done && seconds) {
    const left = (seconds * (run.steps_total - run.steps_done)) / run.steps_done;
    setText(byId("f-left"), `of ${integer(run.steps_total)} steps, about ${duration(left)} left`);
  } else {
    setText(byId("f-left"), `of ${integer(run.steps_total)} steps`);
  }
}

function showFigures() {
  setText(byId("f-steps"), integer(run.steps_done));
  const bar = byId("f-bar");
  const share = Math.round((100 * run.steps_done) / run.steps_total);
  bar.setAttribute("aria-valuenow", String(share));
  bar.firstElementChild.style.width = `${share}%`;
  bar.firstElementChild.dataset.status = run.status;
  const epoch = Math.min(run.spec.epochs, Math.floor(run.steps_done / run.steps_per_epoch) + (ENDED.includes(run.status) ? 0 : 1));
  setText(byId("f-epoch"), integer(run.status === "queued" ? 0 : epoch));
  setText(byId("f-epochs"), `of ${integer(run.spec.epochs)}`);
  const seconds = elapsed(run);
  const images = run.steps_done * run.spec.batch_size;
  setText(byId("f-speed"), seconds && images ? integer(images / seconds) : "–");
  const accuracy = run.summary["test/accuracy"];
  setText(byId("f-accuracy"), percent(kept(accuracy)));
  const heldOut = run.summary["validation/accuracy"]; // what chose the epoch, where images were held out
  const best = accuracy && !heldOut && accuracy.best > kept(accuracy);
  const earlier = accuracy && accuracy.final !== null && accuracy.final !== accuracy.last; // the weights of an earlier epoch were kept
  const step = earlier ? (heldOut ?? accuracy).best_step : lastTestStep();
  const at = accuracy && `epoch ${Math.round(step / run.steps_per_epoch)}${earlier && heldOut ? ", by validation" : ""}`;
  setText(byId("f-accuracy-note"), best ? `best ${percent(accuracy.best)}` : (at ?? ""));
  setText(byId("f-parameters"), integer(run.parameters));
  setText(byId("f-device"), run.device ?? run.spec.device);
  const threads = run.attempts.at(-1)?.environment?.threads;
  setText(byId("f-threads"), threads ? `${threads} thread${threads === 1 ? "" : "s"}` : "");
}

const lastTestStep = () => tests["test/accuracy"]?.items.get(id)?.steps.at(-1) ?? run.steps_per_epoch;

function showLastLoss() {
  const curve = trainLoss?.items.get(id);
  const value = curve?.smoothed?.at(-1) ?? curve?.last.at(-1);
  setText(byId("f-loss"), loss(value));
  setText(byId("f-loss-note"), value == null ? "" : curve.smoothed ? "smoothed" : "last batch");
}

/** The run once more, with changes: a dialog. */
async function relaunch(changes = {}) {
  await loaded;
  const { openRelaunch } = await import("./views/relaunch.js");
  const experiment = document.querySelector(".under-head a")?.textContent;
  const why = !Object.keys(changes).length ? "" : `${run.diverged ? "The steps were too large" : "It learned nothing"}. Smaller steps usually help; what is changed is marked.`;
  await openRelaunch(run, { changes, why, where: run.experiment_id ? `“${experiment}”` : "" });
}

/** Why a run failed, in one line, and the way out. */
/** Why a queued run does not start, where that is not that others go first. */
async function showWaiting() {
  const { waits } = await get("/system");
  if (run.status !== "queued") return;
  byId("cause").hidden = !waits;
  if (!waits) return;
  setText(byId("cause-title"), "Nothing starts at the moment");
  setText(byId("cause-more"), `${waits[0].toUpperCase()}${waits.slice(1)}.`);
  byId("cause-way").hidden = true;
}

function showCause() {
  const failed = ["failed", "lost"].includes(run.status);
  if (run.status === "queued") {
    showWaiting().catch(report);
    return;
  }
  byId("cause").hidden = !failed && !run.untrained;
  if (run.untrained) showUntrained();
  if (!failed) return;
  const [title, ...rest] = (run.cause ?? "The cause was not recorded").split(": ");
  setText(byId("cause-title"), title[0].toUpperCase() + title.slice(1));
  const goesOn = run.retry_at ? "It resumes by itself in a moment. " : "";
  const kept = run.steps_done ? `The ${integer(run.steps_done)} steps that were recorded are kept.` : "No step was recorded.";
  const more = rest.join(": ");
  setText(byId("cause-more"), `${goesOn}${more ? `${more[0].toUpperCase()}${more.slice(1)}. ` : ""}${kept}`);
  byId("cause-way").hidden = Boolean(run.retry_at);
  setText(byId("cause-way"), run.mend ? wayOut(run.mend) : "Launch it again");
}

/** A run that ended well and learned nothing: what that means, and what usually helps. */
function showUntrained() {
  setText(byId("cause-title"), "It learned nothing");
  setText(byId("cause-more"), "On the test images it is no better than always giving the most frequent class. A lower learning rate, or more epochs, usually helps.");
  byId("cause-way").hidden = false;
  setText(byId("cause-way"), wayOut(run.mend));
}

const wayOut = (mend) => `Try learning rate ${mend["optimizer.lr"]}`;

function showConfig() {
  const spec = run.spec;
  const knobs = (head) => Object.entries(spec[head]).filter(([key]) => key !== "name");
  const environment = run.attempts.at(-1)?.environment;
  const rest = Object.keys(spec).filter((key) => !PLACED.includes(key));
  const settled = (key) => key === "precision" && spec[key] === "auto" && environment?.precision ? `auto: ${environment.precision}` : String(spec[key]);
  const rows = [
    ["Model", titles.models.get(spec.model.name) ?? spec.model.name],
    ...knobs("model").map(([key, value]) => [titles.knobs.get(join("model", key)) ?? key, Number.isInteger(value) ? integer(value) : String(value)]),
    ["Data", titles.datasets.get(spec.dataset) ?? spec.dataset],
    ["Pixel order", spec.pixel_order === "shuffled" ? `shuffled, permutation seed ${spec.permutation_seed}` : "in order"],
    ["Seed", String(spec.seed)],
    ["Epochs", integer(spec.epochs)],
    ["Batch size", integer(spec.batch_size)],
    ["Optimiser", titles.optimizers.get(spec.optimizer.name) ?? spec.optimizer.name],
    ...knobs("optimizer").map(([key, value]) => [titles.knobs.get(join("optimizer", key)) ?? key, String(value)]),
    ...rest.filter((key) => spec[key] !== titles.defaults.get(key)).map((key) => [titles.knobs.get(key) ?? key, settled(key)]),
    ["Other knobs", "at their defaults"],
    ["Device", spec.device],
    environment && ["Ran on", environment.device_title],
    environment && ["Software", software(environment)],
  ].filter(Boolean);
  const body = byId("config").tBodies[0];
  const text = JSON.stringify(rows);
  if (body.dataset.shown === text) return;
  body.dataset.shown = text;
  body.replaceChildren(...rows.map(([title, value]) => el("tr", {}, el("th", { scope: "row" }, title), el("td", {}, value))));
}

/** What an attempt noted; one on the CPU has no CUDA, one of an earlier version does not name Runyard. */
function software({ runyard, torch, cuda, cudnn, driver, python }) {
  const parts = { Runyard: runyard, torch: torch.split("+")[0], CUDA: cuda, cuDNN: cudnn, driver, Python: python };
  return Object.entries(parts).filter(([, version]) => version).map((part) => part.join(" ")).join(", ");
}

function showAttempts() {
  const rows = run.attempts.toReversed().map((attempt) => {
    const current = attempt.n === run.attempts.length;
    const end = attempt.ended_at === null ? statusBadge(run) : attempt.cause ?? "Finished";
    const seconds = ((attempt.ended_at ? Date.parse(attempt.ended_at) : Date.now()) - Date.parse(attempt.started_at)) / 1000;
    return el(
      "tr",
      {},
      el("td", {}, el("a", { href: url(`/api/v1/runs/${id}/log?attempt=${attempt.n}`), title: "Its log" }, String(attempt.n))),
      el("td.nowrap", { title: moment(attempt.started_at) }, ago(attempt.started_at)),
      el("td.right", {}, integer(attempt.from_step)),
      el("td.right", {}, duration(seconds)),
      el(current && run.status === "failed" ? "td.bad" : "td", {}, end),
    );
  });
  const none = el("tr", {}, el("td.muted", { colspan: 5 }, "None yet: the run waits for a free slot"));
  byId("attempts").tBodies[0].replaceChildren(...(rows.length ? rows : [run.ended_at ? el("tr", {}, el("td.muted", { colspan: 5 }, "None: it was stopped in the queue")) : none]));
}

// Charts

function redraw() {
  if (!trainLoss || !run) return;
  showLastLoss();
  showFigures();
  drawLoss();
  drawAccuracy();
  showLossTable();
}

function xRange() {
  if (view.from) return [Number(view.from), Number(view.to)];
  const curve = trainLoss.items.get(id);
  const steps = run.status === "failed" && run.steps_done ? run.steps_done : run.steps_total;
  if (view.x === "step") return [0, steps];
  if (view.x === "epoch") return [0, steps / run.steps_per_epoch];
  const last = curve?.times.at(-1) ?? 1;
  const whole = run.status === "running" && run.steps_done ? (last * run.steps_total) / run.steps_done : last;
  return [0, Math.max(whole, 0.01)];
}

function drawLoss() {
  const element = byId("loss-chart");
  width = element.clientWidth;
  const curve = trainLoss.items.get(id);
  const colour = color(run.spec.model.name);
  const style = { dash: dash(run.spec.pixel_order), width: 2 };
  const traces = [{ type: "scatter", x: [null], y: [null], hoverinfo: "skip" }];
  let high = 2.5;
  if (curve?.steps.length) {
    const x = xOf(curve, view.x, run.steps_per_epoch);
    const y = curve.smoothed ?? curve.mean;
    traces.push(band(x, curve.min, curve.max, colour, 0.2, {}));
    traces.push(line(x, y, colour, { ...style, name: curve.smoothed ? "smoothed" : "mean", hovertemplate: "%{y:.4f}" }));
    if (run.status === "running") traces.push(tip(x.at(-1), y.at(-1), colour, {}));
    high = curve.max.reduce((a, b) => Math.max(a, b), 0) * 1.02;
  }
  const test = tests["test/loss"]?.items.get(id);
  if (test?.steps.length) {
    traces.push({
      type: "scatter",
      mode: "markers",
      x: xOf(test, view.x, run.steps_per_epoch),
      y: test.last,
      name: "test loss",
      hovertemplate: "%{y:.4f}",
      cliponaxis: false,
      marker: { symbol: "diamond", size: 9, color: token("--text"), line: { width: 1.5, color: token("--ground") } },
    });
    high = Math.max(high, ...test.last.map((value) => value * 1.02));
  }
  const scale = scaleOf(view.y, trainLoss.items.values(), false);
  for (const button of document.querySelectorAll('[data-choice="y"] button')) button.setAttribute("aria-pressed", String(button.value === scale));
  byId("reset-zoom").hidden = !view.from;
  const { least } = extremesOf(trainLoss.items.values());
  const range = scale === "log" && Number.isFinite(least) ? [Math.log10(least * 0.9), Math.log10(high)] : [0, high];
  const logarithmic = scale === "log" && { type: "log", rangemode: "normal", tickformat: "", tickformatstops: [], dtick: decadesOf(least * 0.9, high), exponentformat: "power" };
  element.style.height = `${HEIGHT}px`;
  draw(
    element,
    traces,
    {
      width,
      height: HEIGHT,
      margin: { l: 44, r: 24, t: 22, b: 30 },
      xaxis: xAxis(view.x, xRange(), { nticks: Math.max(3, Math.floor(width / 80)) }),
      yaxis: yAxis(declared(run.metrics, "train/loss"), { range, ...logarithmic }),
      shapes: [...resumed().map(({ x }) => mark(x, token("--muted"), "dot")), ...(run.status === "failed" && run.steps_done ? [mark(onAxis(run.steps_done), token("--bad"), "solid")] : [])],
      annotations: [...resumed().map(({ x, n }) => ({ text: `attempt ${n}`, x, y: 1, yref: "paper", xanchor: "left", yanchor: "top", showarrow: false, xshift: 4, font: { color: token("--muted") } })), { text: "nats", x: 0, y: 1, xref: "paper", yref: "paper", xanchor: "right", yanchor: "bottom", showarrow: false, xshift: -4, yshift: 6 }],
    },
    `loss ${view.x} ${scale}`,
  );
  setText(byId("caption"), caption(trainLoss, Number(view.smoothing)));
  byId("loss-legend").replaceChildren(
    el("span", {}, swatch(run.spec.model.name, run.spec.pixel_order), curve?.smoothed ? "smoothed" : "mean"),
    el("span", {}, el("i.area", {}), "min to max"),
    el("span", {}, "◆ test loss"),
  );
  byId("loss-legend").querySelector(".area").style.background = colour;
  if (!element.dataset.zooms) {
    element.dataset.zooms = "yes";
    onZoom(element, zoomed);
  }
}

/** A step's place on the horizontal axis; NaN where the time of a step is not known. */
function onAxis(step) {
  if (view.x === "step") return step;
  if (view.x === "epoch") return step / run.steps_per_epoch;
  const curve = trainLoss.items.get(id);
  const at = curve ? curve.steps.findIndex((one) => one >= step) : -1;
  return at < 0 ? NaN : curve.times[at];
}

/** Where attempts after the first went on. */
const resumed = () => run.attempts.filter((one) => one.from_step > 0).map((one) => ({ n: one.n, x: onAxis(one.from_step) })).filter(({ x }) => Number.isFinite(x));

const mark = (x, colour, style) => ({ type: "line", x0: x, x1: x, yref: "paper", y0: 0, y1: 1, line: { color: colour, width: 1.5, dash: style } });

const zoomTo = gathered(async () => {
  remember();
  if (view.x === "step") await loadCurves();
}, 150);

function zoomed(change) {
  if (change["xaxis.autorange"]) {
    view.from = view.to = "";
    zoomTo("all");
  } else if (change["xaxis.range[0]"] !== undefined) {
    const round = view.x === "step" ? Math.round : (value) => value;
    view.from = String(round(Math.max(0, change["xaxis.range[0]"])));
    view.to = String(round(Math.max(1, change["xaxis.range[1]"])));
    zoomTo("part");
  }
}

function drawAccuracy() {
  const element = byId("accuracy-chart");
  const curve = tests["test/accuracy"]?.items.get(id);
  const heldOut = tests["validation/accuracy"]?.items.get(id);
  const colour = color(run.spec.model.name);
  const values = [...(curve?.last ?? []), ...(heldOut?.last ?? [])];
  const x = (curve?.steps ?? []).map((step) => step / run.steps_per_epoch);
  const [low, high] = values.length ? [Math.min(...values), Math.max(...values)] : [0, 1];
  const pad = Math.max(0.01, (high - low) * 0.15);
  element.style.height = `${HEIGHT}px`;
  draw(
    element,
    [
      { type: "scatter", x: [null], y: [null], hoverinfo: "skip" },
      ...(heldOut ? [line(heldOut.steps.map((step) => step / run.steps_per_epoch), heldOut.last, token("--muted"), { width: 1.25, name: "validation accuracy", hovertemplate: "%{y:.2%} validation" })] : []),
      line(x, curve?.last ?? [], colour, {
        mode: "lines+markers",
        dash: dash(run.spec.pixel_order),
        name: "test accuracy",
        hovertemplate: "%{y:.2%}",
        marker: { size: 8, color: token("--ground"), line: { color: colour, width: 1.75 } },
        cliponaxis: false,
      }),
    ],
    {
      width: element.clientWidth,
      height: HEIGHT,
      margin: { l: 44, r: 34, t: 22, b: 30 },
      hovermode: "x unified",
      xaxis: xAxis("epoch", [0, Math.max(run.spec.epochs, 1) * 1.04], { nticks: Math.min(run.spec.epochs + 1, 7), hoverformat: ",", ticksuffix: run.spec.epochs === 1 ? " epoch" : " epochs" }),
      yaxis: yAxis(declared(run.metrics, "test/accuracy"), { range: values.length ? [Math.max(0, low - pad), Math.min(1.002, high + pad)] : [0, 1] }),
    },
    "accuracy",
  );
  const best = run.summary["test/accuracy"];
  setText(
    byId("accuracy-note"),
    best
      ? accuracyNote(best)
      : ENDED.includes(run.status)
        ? "No epoch was finished."
        : "The first point comes at the end of the first epoch.",
  );
}

/** Which epoch was the best: of a run with validation images the one that they choose. */
function accuracyNote(best) {
  const judge = run.summary["validation/accuracy"];
  if (!judge) return `Best ${percent(best.best)} at epoch ${Math.round(best.best_step / run.steps_per_epoch)}.`;
  return `Grey: on the ${integer(run.spec.validation)} images held out, best ${percent(judge.best)} at epoch ${Math.round(judge.best_step / run.steps_per_epoch)}.`;
}

function showLossTable() {
  const box = byId("loss-table");
  const curve = trainLoss?.items.get(id);
  if (box.hidden || !curve) return;
  const cells = (values, tag = "td.right") => values.map((value) => el(tag, {}, value));
  box.replaceChildren(
    el(
      "table",
      {},
      el("thead", {}, el("tr", {}, ...cells(["Up to step", "Min", "Mean", "Max", "Smoothed"], "th.right"))),
      el(
        "tbody",
        {},
        ...curve.steps.map((step, at) =>
          el("tr", {}, ...cells([integer(step), loss(curve.min[at]), loss(curve.mean[at]), loss(curve.max[at]), loss(curve.smoothed?.[at])])),
        ),
      ),
    ),
  );
}
