// One run: its figures, loss and accuracy as they come, what it was told to do, how it ended.

import { get } from "../../api.js";
import { fetchCurves, replaceTail, tailStart } from "../../curves.js";
import { el, report, setStatus, setText, showArrived, swatch, toast } from "../../dom.js";
import { ENDED, RESUMABLE } from "../../format.js";
import { gathered, on } from "../../live.js";
import { query, url } from "../../model/address.js";
import { offerChoices, offerSmoothing } from "../../views/choice.js";
import { showTab } from "../../views/tab.js";
import { drawAccuracy } from "./accuracy.js";
import { showCause } from "./cause.js";
import { catalogue, showAttempts, showConfig, showSeen } from "./config.js";
import { offerEdits } from "./edit.js";
import { showFigures, showLastLoss, showTimes, showUsage } from "./figures.js";
import { follow, showLog } from "./log.js";
import { drawLoss, drawnWidth, showLossTable } from "./loss.js";
import { byId, id, isHere, page, remember, state, tests, view } from "./state.js";

Object.assign(page, { showRun, refresh: () => refresh(), loadCurves });

offerEdits();

// Controls first, so that no click is lost while the data are on their way

offerChoices(view, (key, value) => {
  view[key] = value;
  if (key === "y") {
    remember();
    redraw();
  } else unzoom();
});
function unzoom() {
  view.from = view.to = "";
  remember();
  loadCurves().catch(report);
}
byId("reset-zoom").addEventListener("click", unzoom);
offerSmoothing(view, async () => {
  remember();
  await loadCurves();
});
byId("as-table").addEventListener("click", (event) => {
  const open = byId("loss-table").hidden;
  byId("loss-table").hidden = !open;
  event.target.setAttribute("aria-expanded", String(open));
  setText(event.target, open ? "Hide the table" : "Show as a table");
  showLossTable();
});
document.addEventListener("themechange", () => redraw());
new ResizeObserver(() => byId("loss-chart").clientWidth !== drawnWidth() && redraw()).observe(byId("loss-chart"));

// Data

const options = () => ({
  points: Math.max(200, Math.min(1000, Math.round(byId("loss-chart").clientWidth / 1.4))),
  smoothing: Number(view.smoothing),
});

const zoom = () =>
  view.x === "step" && view.from ? { from: Math.max(1, Number(view.from)), to: Number(view.to) } : {};

async function loadTests() {
  for (const name of Object.keys(tests))
    if (name.startsWith("test/") || state.run.metrics[name])
      tests[name] = await fetchCurves([id], name, { points: 1000 });
}

async function loadCurves() {
  state.trainLoss = await fetchCurves([id], "train/loss", { ...options(), ...zoom() });
  await loadTests();
  redraw();
}

const refresh = gathered(async () => {
  if (!state.trainLoss) return begin(); // the first try met a server that was away
  const fresh = await get(`/runs/${id}`);
  if (fresh.attempts.length !== state.run?.attempts.length || fresh.steps_done < state.run.steps_done) {
    state.run = fresh; // a new attempt has dropped the points beyond its checkpoint
    showRun();
    await Promise.all([loadCurves(), showLog()]);
    return;
  }
  const isNew = (name) => fresh.summary[name]?.last_step !== state.run?.summary[name]?.last_step;
  const tested = isNew("test/accuracy") || isNew("early/accuracy") || fresh.status !== state.run?.status;
  state.run = fresh;
  const from = tailStart(state.trainLoss, [id]);
  if (!zoom().to || from <= zoom().to) {
    const to = zoom().to ? { to: zoom().to } : {};
    const tail = await fetchCurves([id], "train/loss", {
      width: state.trainLoss.width,
      smoothing: Number(view.smoothing),
      from,
      ...to,
    });
    replaceTail(state.trainLoss, tail, from);
  }
  if (tested) await loadTests();
  showRun();
  redraw();
  showUsage().catch(report);
  if (tested || !ENDED.includes(state.run.status)) follow("log");
});
on("run", (event) => {
  if (event.run !== id) return;
  if (begun) refresh();
  else missed = true;
});
on("counts", () => state.run?.status === "queued" && showCause()); // its place may be another one
on("deleted", (event) => event.run === id && toast("This run was deleted", { kind: "bad" }));

async function begin() {
  state.run = await get(`/runs/${id}`);
  isHere();
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
setInterval(() => state.run && showTimes(), 1000);

function showRun() {
  setText(byId("name"), state.run.name);
  const share = state.run.steps_done / state.run.steps_total;
  const works = ["starting", "running"].includes(state.run.status);
  showTab(state.run.name, works ? `${Math.floor(100 * share)}%` : null, share);
  setStatus(byId("status"), state.run);
  const ended = ENDED.includes(state.run.status);
  const asked = state.run.stop_requested || state.run.pause_requested;
  byId("stop").hidden = (ended && !state.run.retry_at) || (!ended && state.run.stop_requested);
  setText(byId("stop"), state.run.retry_at ? "Don’t resume" : "Stop");
  byId("pause").hidden = ended || asked;
  byId("resume").hidden = !RESUMABLE.includes(state.run.status) || state.run.diverged; // it would become NaN again
  byId("delete").hidden = ["starting", "running"].includes(state.run.status);
  byId("tags").replaceChildren(...state.run.tags.map((tag) => el("a.tag", { href: url(`/${query({ tag })}`) }, tag)));
  setText(byId("edit-tags"), state.run.tags.length ? "Edit tags" : "Add tag");
  setText(byId("edit-note"), state.run.note ? "Edit note" : "Add note");
  setText(byId("note"), state.run.note);
  byId("note").hidden = !state.run.note || !byId("note-form").hidden;
  const line = byId("configuration");
  if (!line.querySelector("svg")) line.prepend(swatch(state.run.spec.model.name, state.run.spec.pixel_order));
  showCause();
  showFigures();
  showTimes();
  showConfig();
  showAttempts();
  byId("weights").hidden = state.run.status !== "succeeded";
}

function redraw() {
  if (!state.trainLoss || !state.run) return;
  showLastLoss();
  showFigures();
  drawLoss();
  drawAccuracy();
  showLossTable();
}
