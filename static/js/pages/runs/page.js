// The Runs page: filter, watch, select to compare. Filters and order are in the address; rows change in place.

import { get } from "../../api.js";
import { fetchCurves } from "../../curves.js";
import { el, report, setText, showArrived } from "../../dom.js";
import { plural } from "../../format.js";
import { gathered, on } from "../../live.js";
import { query } from "../../model/address.js";
import { groupsOf } from "../../model/groups.js";
import { keepPromise } from "../../undo.js";
import { showChips, showTagFilter, suggestAgain } from "./controls.js";
import { groupRow, knobRow, queuedRow, showGroups, showQueued } from "./groups.js";
import { beginNow } from "./now.js";
import { runRows, showRow, showSparks, showTimes } from "./rows.js";
import { bulk, showSelection } from "./selection.js";
import {
  body,
  byId,
  closed,
  experiments,
  filters,
  page,
  remember,
  rows,
  runs,
  selected,
  sparks,
  state,
  unfolded,
  view,
  WIDE,
} from "./state.js";
import { showWelcome } from "./welcome.js";

const PAGE = 100;
const MOST = 500; // that the server gives at a time
const SPARK_POINTS = 60;
const MOST_QUEUED = 3; // runs of a group that wait; more are folded to one line
const FEW = 8; // runs that are fetched one by one; more, and the list is fetched again

Object.assign(page, {
  render,
  changed() {
    remember();
    wanted = PAGE;
    load().catch(report);
  },
  more() {
    wanted = Math.min(MOST, wanted + PAGE);
    load(state.next).catch(report);
  },
});

let loading = 0;
let wanted = PAGE; // runs that the list is to hold: one that is made anew meanwhile holds as many

async function load(cursor = null) {
  const turn = (loading += 1);
  let got;
  try {
    got = await get(`/runs${query({ ...filters(), limit: cursor ? PAGE : wanted, cursor })}`);
  } catch (error) {
    if (!error.errors?.some((one) => one.field === "q")) throw error;
    if (turn === loading) showFilterError(error.message); // the list stays as it was
    showArrived();
    return;
  }
  if (turn !== loading) return; // a later question was asked meanwhile
  showFilterError("");
  const found = got.items.map((run) => [run.id, run]);
  if (!cursor) runs.clear();
  for (const [id, run] of found) runs.set(id, run);
  state.next = got.next;
  for (const id of selected) if (!runs.has(id)) selected.delete(id);
  await learnExperiments();
  render();
  await loadSparks(got.items.map((run) => run.id));
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
  for (const curves of await Promise.all(
    asked.map((of) => fetchCurves(of, "train/loss", { points: SPARK_POINTS, smoothing: 0.9 })),
  )) {
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
  state.counts = found;
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

/** The keyboard's place among the rows, as a function that returns to it once they are made anew. */
function keyboardPlace() {
  const row = document.activeElement.closest?.("tr") ?? null;
  const [kind, id] = (body.contains(row) && Object.entries(row.dataset)[0]) || [];
  if (!kind) return () => {};
  const controls = (of) => [...(of?.querySelectorAll("a, button, input") ?? [])];
  const at = controls(row).indexOf(document.activeElement);
  return () => controls(body.querySelector(`[data-${kind}="${id}"]`))[at]?.focus({ preventScroll: true });
}

/** The queue is another one. */
function queueChanged() {
  showQueued();
  showGroups();
}

/** The whole list anew; what has the keyboard's place keeps it. */
function render() {
  const comeBack = keyboardPlace();
  showTagFilter();
  rows.clear();
  const parts = [];
  for (const group of groupsOf([...runs.values()], view)) {
    if (group.key) parts.push(knobRow(group));
    else if (group.experiment) parts.push(groupRow(group.experiment));
    else if (view.sort === "created")
      parts.push(el("tr.group", {}, el("td", { colspan: WIDE }, el("span.group-name.muted", {}, "Single runs"))));
    const hidden = closed.has(group.key ?? group.experiment);
    const waits = group.experiment ? group.members.filter((run) => run.status === "queued") : [];
    const isFolded = waits.length > MOST_QUEUED;
    if (isFolded) parts.push(queuedRow(group.experiment, waits, hidden));
    for (const run of group.members)
      parts.push(...runRows(run, hidden || (isFolded && run.status === "queued" && !unfolded.has(group.experiment))));
  }
  body.replaceChildren(...parts);
  byId("runs").hidden = !runs.size;
  byId("nothing").hidden = runs.size > 0;
  byId("more").hidden = state.next === null;
  const inExperiments = new Set([...runs.values()].map((run) => run.experiment_id).filter(Boolean)).size;
  setText(
    byId("range"),
    runs.size
      ? `${plural(runs.size, "run")}${inExperiments ? ` in ${plural(inExperiments, "experiment")}` : ""}${state.next ? " shown" : ""}`
      : "",
  );
  for (const sorter of document.querySelectorAll("[data-sort]")) {
    sorter.dataset.direction = sorter.dataset.sort === view.sort ? view.order : "";
  }
  for (const head of document.querySelectorAll("#runs th:has(.sorter)")) {
    const sorted = head.querySelector('.sorter:not([data-direction=""])')?.dataset.direction;
    head.setAttribute("aria-sort", { asc: "ascending", desc: "descending" }[sorted] ?? "none");
  }
  runs.forEach(showRow);
  showGroups();
  showQueued();
  showSparks();
  showSelection();
  comeBack();
}

async function begin() {
  if (byId("list").hidden) return welcome();
  [state.catalog] = await Promise.all([get("/catalog"), beginNow(queueChanged), load()]);
  showArrived();
  suggestAgain();
  const known = await get("/experiments?limit=100");
  const option = (value, text) => el("option", { value }, text);
  byId("experiment").append(
    ...known.items.map((one) => option(one.id, one.name)),
    option("archived", "Archived experiments"),
  );
  byId("dataset").append(...state.catalog.datasets.map((one) => option(one.name, one.title)));
  byId("experiment").value = view.experiment;
  byId("dataset").value = view.dataset;
  byId("group").value = view.group;
  render();
  return undefined;
}
begin().catch(report);
keepPromise();
setInterval(() => runs.forEach(showTimes), 1000);
