// The Runs page: filter, watch, select to compare. Filters and order are in the URL; rows change in place.

import { get } from "./api.js";
import { query, url } from "./model/address.js";
import { bulkBar, relaunchFailed } from "./bulk.js";
import { columnsMenu } from "./columns.js";
import { el, icon, report, setStatus, setText, showArrived, statusBadge, swatch } from "./dom.js";
import { fetchCurves } from "./curves.js";
import { ago, duration, elapsed, ENDED, integer, loss, moment, percent, plural, STATUSES } from "./format.js";
import { keys } from "./keys.js";
import { offerViews } from "./views.js";
import { gathered, on } from "./live.js";
import { kept } from "./metrics.js";
import { valueAt } from "./model/paths.js";
import { keepPromise, stopExperiment } from "./undo.js";
import { spark, topOf } from "./views/spark.js";
import { showWelcome } from "./welcome.js";
import { beginNow, queueNow } from "./pages/runs/now.js";
import { ordinal, placeOf, soon } from "./model/queue.js";

const PAGE = 100;
const SPARK_POINTS = 60;
const WIDE = 19; // columns of the table
const MOST_QUEUED = 3; // runs of a group that wait; more are folded to one line
const FEW = 8; // runs that are fetched one by one; more, and the list is fetched again

const byId = (id) => document.getElementById(id);
const body = byId("runs").tBodies[0];
const given = new URL(location.href).searchParams;
const view = {
  q: given.get("q") ?? "",
  status: given.getAll("status"),
  experiment: given.get("experiment") ?? "",
  dataset: given.get("dataset") ?? "",
  tag: given.getAll("tag"),
  group: given.get("group") ?? "",
  sort: given.get("sort") ?? "created",
  order: given.get("order") ?? "desc",
};

const WORDY = ["name", "model", "dataset", "pixel_order", "device", "seed", "train/loss"]; // least first, when first asked

let runs = new Map(); // id -> run, in the order shown
let next = null;
let counts = null;
let catalog = null;
const experiments = new Map();
const sparks = new Map(); // id -> curve
const rows = new Map(); // id -> its elements
const selected = new Set();
const closed = new Set(); // experiments whose runs are folded away
const unfolded = new Set(); // experiments whose queued runs are shown one by one

// Controls

let typing = 0;
byId("q").value = view.q;
byId("q").addEventListener("input", (event) => {
  view.q = event.target.value.trim();
  clearTimeout(typing);
  typing = setTimeout(changed, 200);
});
byId("filters").addEventListener("submit", (event) => event.preventDefault());
byId("group").addEventListener("change", (event) => {
  view.group = event.target.value;
  closed.clear();
  remember();
  render();
});
offerViews();
for (const key of ["experiment", "dataset"]) {
  byId(key).addEventListener("change", (event) => {
    view[key] = event.target.value;
    changed();
  });
}
byId("chips").addEventListener("click", (event) => {
  const chip = event.target.closest("button");
  if (!chip) return;
  view.status = chip.value === "all" || view.status.includes(chip.value) ? [] : [chip.value];
  showChips();
  changed();
});
byId("clear").addEventListener("click", () => {
  Object.assign(view, { q: "", status: [], experiment: "", dataset: "", tag: [] });
  for (const key of ["q", "experiment", "dataset"]) byId(key).value = "";
  showChips();
  changed();
});
for (const sorter of document.querySelectorAll("[data-sort]")) {
  sorter.addEventListener("click", () => {
    const again = view.sort === sorter.dataset.sort;
    const first = WORDY.includes(sorter.dataset.sort) ? "asc" : "desc";
    view.order = again ? (view.order === "desc" ? "asc" : "desc") : first;
    view.sort = sorter.dataset.sort;
    changed();
  });
}
byId("more").addEventListener("click", () => load(next).catch(report));
byId("all").addEventListener("change", (event) => {
  for (const id of runs.keys()) choose(id, event.target.checked);
  showSelection();
});
const bulk = bulkBar({
  chosen: () => [...selected].map((id) => runs.get(id)).filter(Boolean),
  clear: () => {
    selected.clear();
    showSelection();
  },
});
columnsMenu(byId("columns-list"));
document.addEventListener("click", (event) => event.target.closest("#columns") || byId("columns").removeAttribute("open"));
byId("columns").addEventListener("keydown", (event) => event.key === "Escape" && byId("columns").removeAttribute("open"));
body.addEventListener("click", (event) => {
  const tag = event.target.closest("button.tag")?.value;
  if (tag && !view.tag.includes(tag)) filterTags([...view.tag, tag]);
});
byId("tag-filter").addEventListener("click", (event) => {
  const tag = event.target.closest("button")?.value;
  if (tag) filterTags(view.tag.filter((one) => one !== tag));
});
function filterTags(tags) {
  view.tag = tags;
  changed();
}

// Keyboard: a row is pointed at, and the selection acted on

function step(by) {
  const shown = [...body.querySelectorAll("tr.run:not([hidden])")];
  const at = shown.indexOf(document.activeElement.closest?.("tr.run"));
  shown[Math.max(0, Math.min(shown.length - 1, at + by))]?.querySelector(".run-name").focus();
}
function toggle() {
  const id = Number(document.activeElement.closest?.("tr.run")?.dataset.run);
  if (!id) return;
  if (!selected.delete(id)) selected.add(id);
  showSelection();
}
keys({
  "/": ["Search", () => byId("q").focus()],
  j: ["Next run", () => step(1)],
  k: ["Run before", () => step(-1)],
  ArrowDown: ["", () => step(1)],
  ArrowUp: ["", () => step(-1)],
  x: ["Select the run, or not", toggle],
  c: ["Compare the selected runs", () => bulk.run("compare")],
  s: ["Stop the selected runs", () => bulk.run("stop")],
  p: ["Pause the selected runs", () => bulk.run("pause")],
  r: ["Resume the selected runs", () => bulk.run("resume")],
  t: ["Tag the selected runs", () => bulk.run("tag")],
  Delete: ["Delete the selected runs", () => bulk.run("delete")],
  Escape: ["Select none", () => byId("bulk-clear").click()],
});
let last = null; // row whose box was pressed before
let isRange = false; // with Shift: from there to here
body.addEventListener("pointerdown", (event) => (isRange = event.shiftKey));
body.addEventListener("keydown", (event) => (isRange = event.shiftKey));
body.addEventListener("change", (event) => {
  const row = event.target.closest("tr");
  const id = Number(row?.dataset.run);
  if (!id) return;
  const shown = [...body.querySelectorAll("tr.run:not([hidden])")];
  const [from, to] = [shown.findIndex((one) => Number(one.dataset.run) === last), shown.indexOf(row)].sort((a, b) => a - b);
  const range = isRange && from >= 0 ? shown.slice(from, to + 1) : [row];
  for (const one of range) choose(Number(one.dataset.run), event.target.checked);
  last = id;
  showSelection();
});
const choose = (id, chosen) => (chosen ? selected.add(id) : selected.delete(id));

function remember() {
  const { sort, order, ...rest } = view;
  const shown = sort === "created" && order === "desc" ? rest : view;
  history.replaceState(null, "", url(`/${query(shown)}`));
}

function changed() {
  remember();
  load().catch(report);
}

// Data

const filters = () => {
  const { group, experiment, ...shown } = view; // groups are made here
  const archived = experiment === "archived";
  return { ...shown, experiment: archived ? "" : experiment, archived: archived || null, status: statusesOf(view.status) };
};
const statusesOf = (chosen) => chosen.flatMap((status) => (status === "running" ? ["starting", "running"] : [status]));

let loading = 0;

async function load(cursor = null) {
  const turn = (loading += 1);
  let page;
  try {
    page = await get(`/runs${query({ ...filters(), limit: PAGE, cursor })}`);
  } catch (error) {
    if (!error.errors?.some((one) => one.field === "q")) throw error;
    if (turn === loading) showFilterError(error.message); // the list stays as it was
    showArrived();
    return;
  }
  if (turn !== loading) return; // a later question was asked meanwhile
  showFilterError("");
  const found = page.items.map((run) => [run.id, run]);
  runs = new Map(cursor ? [...runs, ...found] : found);
  next = page.next;
  for (const id of selected) if (!runs.has(id)) selected.delete(id);
  await learnExperiments();
  render();
  await loadSparks(page.items.map((run) => run.id));
}

function showFilterError(words) {
  setText(byId("q-error"), words);
  byId("q-error").hidden = !words;
  byId("q").classList.toggle("wrong", Boolean(words));
}

async function learnExperiments(again = []) {
  const wanted = new Set([...runs.values()].map((run) => run.experiment_id).filter(Boolean));
  const asked = [...wanted].filter((id) => !experiments.has(id) || again.includes(id));
  await Promise.all(asked.map(async (id) => experiments.set(id, await get(`/experiments/${id}`))));
}

async function loadSparks(ids) {
  const begun = ids.filter((id) => runs.get(id)?.steps_done);
  if (!begun.length) return;
  // Those of one length together: the buckets are as wide as the longest of what is asked for needs
  const lengths = new Set(begun.map((id) => runs.get(id).steps_total));
  const asked = [...lengths].map((length) => begun.filter((id) => runs.get(id).steps_total === length));
  for (const curves of await Promise.all(asked.map((of) => fetchCurves(of, "train/loss", { points: SPARK_POINTS, smoothing: 0.9 })))) {
    for (const [id, curve] of curves.items) sparks.set(id, curve);
  }
  showSparks();
}

const refresh = gathered(async (ids) => {
  const unknown = [...ids].some((id) => !runs.has(id));
  if (unknown || ids.size > FEW || view.status.length || view.sort !== "created" || /[:<>=]/.test(view.q)) {
    const before = runs.size;
    if (before > PAGE && !unknown) return refreshAll([...ids].filter((id) => runs.has(id)));
    await learnExperiments([...experiments.keys()].slice(-5));
    return load();
  }
  await refreshSome([...ids]);
}, 300);

/** Those that are shown, however many have changed: a few at a time. */
async function refreshAll(ids) {
  for (let at = 0; at < ids.length; at += FEW) await refreshSome(ids.slice(at, at + FEW));
}

async function refreshSome(ids) {
  const fresh = await Promise.all(ids.filter((id) => runs.has(id)).map((id) => get(`/runs/${id}`)));
  const moved = fresh.filter((run) => runs.get(run.id)?.status !== run.status);
  const refolds = moved.some((run) => [run.status, runs.get(run.id)?.status].includes("queued")); // out of the line of those that wait, or into it
  for (const run of fresh) runs.set(run.id, run);
  await learnExperiments(moved.map((run) => run.experiment_id).filter(Boolean));
  if (refolds) render();
  else for (const run of fresh) showRow(run);
  showGroups();
  bulk.show();
  await loadSparks(ids);
}

on("run", ({ run }) => refresh(run));
on("deleted", ({ run }) => {
  runs.delete(run);
  selected.delete(run);
  experiments.clear();
  learnExperiments().then(render).catch(report);
});
on("counts", (found) => {
  counts = found;
  showChips();
  const any = Object.values(found).some(Boolean);
  if (any && byId("list").hidden) load().catch(report);
  byId("list").hidden = !any;
  byId("welcome").hidden = any;
  if (!any) welcome();
});

let welcomed = false;
function welcome() {
  if (welcomed) return;
  welcomed = true;
  showWelcome().catch(report);
}

async function begin() {
  if (byId("list").hidden) return welcome();
  [catalog] = await Promise.all([get("/catalog"), beginNow(showQueued), load()]);
  showArrived();
  const known = await get("/experiments?limit=100");
  const option = (value, text) => el("option", { value }, text);
  byId("experiment").append(...known.items.map((one) => option(one.id, one.name)), option("archived", "Archived experiments"));
  byId("dataset").append(...catalog.datasets.map((one) => option(one.name, one.title)));
  byId("experiment").value = view.experiment;
  byId("dataset").value = view.dataset;
  byId("group").value = view.group;
  render();
  return undefined;
}
begin().catch(report);
keepPromise();
setInterval(() => runs.forEach(showTimes), 1000);

// Drawing

function showTagFilter() {
  byId("tag-filter").hidden = !view.tag.length;
  byId("tag-filter").replaceChildren(...view.tag.map((tag) => el("button.chip.status", { type: "button", value: tag, "aria-label": `Not only runs tagged ${tag}` }, tag, icon("close"))));
}

function showChips() {
  if (!counts) return;
  const total = Object.values(counts).reduce((a, b) => a + b, 0);
  const number = { ...counts, running: counts.running + counts.starting };
  const chips = [["all", total], ...STATUSES.map((status) => [status, number[status]]).filter(([status, count]) => count || view.status.includes(status))];
  byId("chips").replaceChildren(
    ...chips.map(([status, count]) => {
      const pressed = status === "all" ? !view.status.length : view.status.includes(status);
      const word = status[0].toUpperCase() + status.slice(1);
      const mark = status === "all" ? null : icon(status);
      return el("button.chip.status", { type: "button", value: status, "aria-pressed": String(pressed), "data-chip": status }, mark, word, el("b", {}, integer(count)));
    }),
  );
}

const titleOf = (kind, name) => catalog?.[kind].find((one) => one.name === name)?.title ?? name;

/** Consecutive runs of one experiment stand together, oldest first; in any other order each run stands alone. */
function groupsShown() {
  const list = [...runs.values()];
  if (view.group) return groupsBy(view.group, list);
  if (view.sort !== "created") return [{ experiment: null, members: list }];
  const groups = [];
  for (const run of list) {
    const last = groups.at(-1);
    if (last && last.experiment === run.experiment_id) last.members.push(run);
    else groups.push({ experiment: run.experiment_id, members: [run] });
  }
  if (view.order === "desc") for (const group of groups) if (group.experiment) group.members.reverse();
  return groups;
}

/** Runs with the same value of a knob stand together, in the list's order. */
function groupsBy(knob, list) {
  const groups = new Map();
  for (const run of list) {
    const value = valueAt(run.spec, knob);
    const key = `${knob}=${value}`;
    if (!groups.has(key)) groups.set(key, { key, value, experiment: null, members: [] });
    groups.get(key).members.push(run);
  }
  const number = (one) => (typeof one.value === "number" ? one.value : Infinity);
  return [...groups.values()].sort((a, b) => number(a) - number(b) || 0);
}

/** "Learning rate 0.1 · 3 runs, test accuracy 94.20 ± 0.41% (3)": of the runs shown, those that succeeded. */
function knobRow({ key, value, members }) {
  const done = members.filter((run) => run.status === "succeeded" && run.summary["test/accuracy"]);
  const figures = done.map((run) => kept(run.summary["test/accuracy"]) * 100);
  const mean = figures.reduce((sum, one) => sum + one, 0) / figures.length;
  const deviation = figures.length > 1 ? Math.sqrt(figures.reduce((sum, one) => sum + (one - mean) ** 2, 0) / (figures.length - 1)) : null;
  const said = figures.length ? `test accuracy ${mean.toFixed(2)}${deviation === null ? "" : ` ± ${deviation.toFixed(2)}`}%, ${plural(figures.length, "run")} that succeeded` : "none has succeeded yet";
  const title = byId("group").selectedOptions[0].text;
  const words = view.group === "model" ? titleOf("models", value) : view.group === "dataset" ? titleOf("datasets", value) : String(value ?? "none");
  const fold = el("button.btn.btn-quiet.disclose", { type: "button", "aria-expanded": String(!closed.has(key)), "aria-label": `Runs with ${title} ${words}` }, icon("right"));
  fold.addEventListener("click", () => {
    if (!closed.delete(key)) closed.add(key);
    render();
  });
  const compare = url(`/compare${query({ run: members.slice(0, 250).map((run) => run.id) })}`);
  const line = el("div.group-line", {}, fold, el("span.group-name", {}, `${title}: ${words}`), el("span", {}, said), el("span.row.group-end", {}, el("span.muted", {}, `${plural(members.length, "run")} shown`), el("a", { href: compare }, "Compare")));
  return el("tr.group", { "data-group": key }, el("td", { colspan: WIDE }, line));
}

/** The keyboard's place among the rows, as a function that returns to it once they are made anew. */
function keyboardPlace() {
  const row = document.activeElement.closest?.("tr") ?? null;
  const [kind, id] = (body.contains(row) && Object.entries(row.dataset)[0]) || [];
  if (!kind) return () => {};
  const controls = (of) => [...(of?.querySelectorAll("a, button, input") ?? [])];
  const at = controls(row).indexOf(document.activeElement);
  return () => controls(body.querySelector(`[data-${kind}="${id}"]`))[at]?.focus({ preventScroll: true });
}

function render() {
  const comeBack = keyboardPlace();
  showTagFilter();
  rows.clear();
  const parts = [];
  for (const group of groupsShown()) {
    if (group.key) parts.push(knobRow(group));
    else if (group.experiment) parts.push(groupRow(group.experiment));
    else if (view.sort === "created") parts.push(el("tr.group", {}, el("td", { colspan: WIDE }, el("span.group-name.muted", {}, "Single runs"))));
    const hidden = closed.has(group.key ?? group.experiment);
    const waits = group.experiment ? group.members.filter((run) => run.status === "queued") : [];
    const isFolded = waits.length > MOST_QUEUED;
    if (isFolded) parts.push(queuedRow(group.experiment, waits, hidden));
    for (const run of group.members) parts.push(...runRows(run, hidden || (isFolded && run.status === "queued" && !unfolded.has(group.experiment))));
  }
  body.replaceChildren(...parts);
  byId("runs").hidden = !runs.size;
  byId("nothing").hidden = runs.size > 0;
  byId("more").hidden = next === null;
  const inExperiments = new Set([...runs.values()].map((run) => run.experiment_id).filter(Boolean)).size;
  setText(byId("range"), runs.size ? `${plural(runs.size, "run")}${inExperiments ? ` in ${plural(inExperiments, "experiment")}` : ""}${next ? " shown" : ""}` : "");
  for (const sorter of document.querySelectorAll("[data-sort]")) {
    const is = sorter.dataset.sort === view.sort;
    sorter.closest("th").setAttribute("aria-sort", is ? (view.order === "asc" ? "ascending" : "descending") : "none");
  }
  runs.forEach(showRow);
  showGroups();
  showQueued();
  showSparks();
  showSelection();
  comeBack();
}

/** The queued runs of an experiment in one line: how many, which seeds, their places, when the first of them begins. */
function queuedRow(id, waits, hidden) {
  const open = unfolded.has(id);
  const fold = el("button.btn.btn-quiet.disclose", { type: "button", "aria-expanded": String(open), "aria-label": "Each of the queued runs" }, icon("right"));
  fold.addEventListener("click", () => {
    if (!unfolded.delete(id)) unfolded.add(id);
    render();
  });
  const seeds = [...new Set(waits.map((run) => run.spec.seed))].sort((a, b) => a - b);
  const which = seeds.length === 1 ? `seed ${seeds[0]}` : `seeds ${seeds[0]} to ${seeds.at(-1)}`;
  const row = el(
    "tr.queued-line",
    { "data-queued": id, hidden },
    el("td.pick"),
    el("td", { colspan: WIDE - 1 }, el("div.queued-runs", {}, statusBadge({ status: "queued" }), fold, el("span", {}, el("b", {}, `${plural(waits.length, "run")}, ${which}`), el("span.muted.places")), el("span.muted.starts"))),
  );
  row.waits = waits.map((run) => run.id);
  return row;
}

/** Places in the queue, and when it is a run's turn. */
function showQueued() {
  const queue = queueNow();
  for (const row of body.querySelectorAll("tr.queued-line")) {
    const places = row.waits.map((id) => placeOf(id, queue)).filter(Boolean).sort((a, b) => a.place - b.place);
    const [first, last] = [places[0], places.at(-1)];
    setText(row.querySelector(".places"), first ? `, ${ordinal(first.place)} to ${ordinal(last.place)} in the queue` : "");
    setText(row.querySelector(".starts"), first?.starts == null ? "" : `first ${soon(first.starts)}`);
  }
  for (const run of runs.values()) if (run.status === "queued") showTimes(run);
}

function groupRow(id) {
  const bar = el("span.bar.group-bar");
  const said = el("span.muted");
  const stop = el("button.btn-link.writes", { type: "button", hidden: true });
  stop.addEventListener("click", async () => {
    stop.disabled = true;
    await stopExperiment(id).catch(report);
    stop.disabled = false;
  });
  const again = el("button.btn-link.writes", { type: "button", hidden: true });
  again.addEventListener("click", async () => {
    again.disabled = true;
    await relaunchFailed(id).catch(report);
    again.disabled = false;
  });
  const fold = el("button.btn.btn-quiet.disclose", { type: "button", "aria-expanded": String(!closed.has(id)), "aria-label": `Runs of ${experiments.get(id)?.name}` }, icon("right"));
  fold.addEventListener("click", () => {
    if (!closed.delete(id)) closed.add(id);
    render();
  });
  const pick = el("input", { type: "checkbox", "aria-label": `Select the runs of ${experiments.get(id)?.name}` });
  pick.addEventListener("change", () => {
    for (const run of runs.values()) if (run.experiment_id === id) choose(run.id, pick.checked);
    showSelection();
  });
  const line = el(
    "div.group-line",
    {},
    pick,
    fold,
    el("a.group-name", { href: url(`/compare${query({ experiment: id })}`) }, experiments.get(id)?.name ?? ""),
    bar,
    said,
    el("span.row.group-end", {}, stop, again, el("a", { href: url(`/compare${query({ experiment: id })}`) }, "Compare")),
  );
  const row = el("tr.group", { "data-experiment": id }, el("td", { colspan: WIDE }, line));
  row.parts = { bar, said, stop, again, pick };
  return row;
}

function showGroups() {
  for (const row of body.querySelectorAll("tr.group")) {
    const experiment = experiments.get(Number(row.dataset.experiment));
    if (!experiment || !row.parts) continue;
    const { counts: own, run_ids: ids } = experiment;
    const { bar, said, stop, again } = row.parts;
    const ended = ENDED.reduce((sum, status) => sum + own[status], 0);
    const running = own.running + own.starting;
    const share = (status, count) => el("span", { "data-status": status, style: `width:${(100 * count) / ids.length}%` });
    bar.replaceChildren(...ENDED.map((status) => share(status, own[status])), share("running", running));
    const words = [
      `${own.succeeded} of ${ids.length} done`,
      running && `${running} running`,
      own.queued && `${own.queued} queued`,
      ...["failed", "stopped", "paused", "lost"].map((status) => own[status] && `${own[status]} ${status}`),
    ];
    const left = ended < ids.length ? secondsLeft(experiment.id) : null;
    if (left !== null) words.push(`about ${duration(left)} left`);
    setText(said, words.filter(Boolean).join(", "));
    again.hidden = !experiment.to_relaunch;
    setText(again, `Relaunch ${experiment.to_relaunch} failed`);
    stop.hidden = ended === ids.length;
    setText(stop, `Stop ${plural(ids.length - ended, "run")}`);
  }
}

/** Seconds until an experiment is done, by the pace of its runs; null while a model's pace is not known. */
function secondsLeft(experiment) {
  const members = [...runs.values()].filter((run) => run.experiment_id === experiment);
  if (members.length !== experiments.get(experiment).run_ids.length) return null;
  const pace = new Map();
  for (const { spec, steps_done: steps, seconds } of members) {
    const [allSteps, allSeconds] = pace.get(spec.model.name) ?? [0, 0];
    pace.set(spec.model.name, [allSteps + steps, allSeconds + seconds]);
  }
  let left = 0;
  for (const run of members.filter((one) => !ENDED.includes(one.status))) {
    const [steps, seconds] = pace.get(run.spec.model.name);
    if (!steps) return null;
    left += ((run.steps_total - run.steps_done) * seconds) / steps;
  }
  const atOnce = members.filter((run) => run.status === "running").length;
  return atOnce ? left / atOnce : null;
}

function runRows(run, hidden) {
  const parts = {
    status: statusBadge(run),
    of: el("span.muted.run-of"),
    name: el("a.run-name", { href: url(`/runs/${run.id}`) }),
    tags: el("span.tags"),
    step: el("td.right.nowrap.p-step.c-step"),
    bar: el("span"),
    spark: el("td.c-spark.p-spark"),
    last: el("td.right.c-last"),
    accuracy: el("td.right.nowrap.p-accuracy.c-accuracy"),
    time: el("td.right.nowrap.c-time"),
    started: el("td.right.nowrap.muted.c-started"),
    device: el("td.muted.c-device"),
    pick: el("input", { type: "checkbox", "aria-label": `Select ${run.name}` }),
  };
  parts.row = el(
    "tr.run",
    { "data-run": run.id, hidden },
    el("td.pick", {}, parts.pick),
    el("td.p-status", {}, parts.status),
    el("td.p-name", {}, parts.of, parts.name, parts.tags),
    el("td.c-model", {}, el("span.named", {}, swatch(run.spec.model.name, run.spec.pixel_order), titleOf("models", run.spec.model.name))),
    el("td.nowrap.c-data", {}, titleOf("datasets", run.spec.dataset)),
    el("td.c-order", {}, run.spec.pixel_order),
    el("td.right.c-seed", {}, String(run.spec.seed)),
    el("td.right.c-epochs", {}, integer(run.spec.epochs)),
    el("td.right.c-batch", {}, integer(run.spec.batch_size)),
    el("td.right.c-lr", {}, String(run.spec.optimizer.lr)),
    el("td.right.c-parameters", {}, integer(run.parameters)),
    parts.step,
    el("td.c-bar", {}, el("span.bar", {}, parts.bar)),
    parts.spark,
    parts.last,
    parts.accuracy,
    parts.time,
    parts.started,
    parts.device,
  );
  parts.why = el("tr.why", { hidden: true }, el("td.pick"), el("td", { colspan: WIDE - 1 }));
  rows.set(run.id, parts);
  return [parts.row, parts.why];
}

function showRow(run) {
  const parts = rows.get(run.id);
  if (!parts) return;
  setStatus(parts.status, run);
  setText(parts.name, run.name);
  const outside = view.group || view.sort !== "created";
  setText(parts.of, outside && run.experiment_id ? `${experiments.get(run.experiment_id)?.name ?? ""} · ` : "");
  parts.name.title = run.note;
  if (parts.tags.dataset.shown !== run.tags.join()) {
    parts.tags.dataset.shown = run.tags.join();
    parts.tags.replaceChildren(...run.tags.map((tag) => el("button.tag", { type: "button", value: tag, title: `Only runs tagged ${tag}` }, tag)));
  }
  const whole = run.steps_done === run.steps_total;
  parts.step.replaceChildren(
    el(run.steps_done ? "span" : "span.muted", {}, integer(run.steps_done)),
    ...(whole ? [] : [el("span.muted", {}, ` of ${integer(run.steps_total)}`)]),
  );
  parts.bar.parentElement.hidden = whole || run.status === "queued";
  parts.bar.style.width = `${(100 * run.steps_done) / run.steps_total}%`;
  parts.bar.dataset.status = run.status;
  const accuracy = run.summary["test/accuracy"];
  const heldOut = run.summary["validation/accuracy"]; // else the best epoch is what these images say, not the test
  const best = accuracy && !heldOut && accuracy.best > kept(accuracy) ? el("span.muted.best", {}, `best ${(accuracy.best * 100).toFixed(2)} `) : null;
  parts.accuracy.replaceChildren(...[best, percent(kept(accuracy))].filter(Boolean));
  setText(parts.device, run.device ?? "–");
  showTimes(run);
  const failed = ["failed", "lost"].includes(run.status);
  parts.why.hidden = !failed || parts.row.hidden;
  if (failed) {
    const way = el("a", { href: url(`/runs/${run.id}`) }, run.retry_at ? "It resumes by itself" : "See what to do");
    parts.why.lastElementChild.replaceChildren(el("span.bad", {}, `${run.cause?.[0].toUpperCase()}${run.cause?.slice(1)}. `), way);
  }
}

function showTimes(run) {
  const parts = rows.get(run.id);
  if (!parts) return;
  setText(parts.time, duration(elapsed(run)));
  const waits = run.status === "queued" ? placeOf(run.id, queueNow()) : null;
  setText(parts.started, waits ? `${ordinal(waits.place)} in the queue` : ago(run.started_at));
  parts.started.title = moment(run.started_at);
}

function showSparks() {
  const top = topOf([...runs.keys()].map((id) => sparks.get(id)));
  for (const [id, parts] of rows) {
    const run = runs.get(id);
    const curve = sparks.get(id);
    const value = curve?.smoothed?.at(-1);
    setText(parts.last, value === undefined ? "–" : loss(value));
    parts.spark.innerHTML = spark(run, curve, top); // numbers and names of our own only
  }
}

function showSelection() {
  for (const [id, parts] of rows) {
    parts.pick.checked = selected.has(id);
    parts.row.classList.toggle("selected", selected.has(id));
  }
  for (const row of body.querySelectorAll("tr.group[data-experiment]")) {
    const members = [...runs.values()].filter((run) => run.experiment_id === Number(row.dataset.experiment));
    const chosen = members.filter((run) => selected.has(run.id)).length;
    row.parts.pick.checked = chosen > 0 && chosen === members.length;
    row.parts.pick.indeterminate = chosen > 0 && chosen < members.length;
  }
  const all = byId("all");
  all.checked = runs.size > 0 && selected.size === runs.size;
  all.indeterminate = selected.size > 0 && !all.checked;
  bulk.show();
}
