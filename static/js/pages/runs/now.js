// What runs now, what has just ended, what comes next: above the list, while something runs or waits.

import { get, post } from "../../api.js";
import { fetchCurves } from "../../curves.js";
import { el, report, setText, statusBadge, swatch } from "../../dom.js";
import { ago, integer, percent, plural, roughly } from "../../format.js";
import { gathered, on } from "../../live.js";
import { kept } from "../../metrics.js";
import { nextWords, soon } from "../../model/queue.js";
import { query, url } from "../../model/address.js";
import { offerUndo, stopped } from "../../undo.js";
import { spark, topOf } from "../../views/spark.js";

const REFRESH_MS = 5000;
const MOST_SHOWN = 8; // runs at work

const byId = (id) => document.getElementById(id);
let found = null;
let told = () => {};

/** What the server said last of the queue: {waiting: [{run_ids, first, starts, …}], …}; null before. */
export const queueNow = () => found;

/** Begin. `changed()` is called whenever the queue is another one. Resolves once it was shown for the first time. */
export function beginNow(changed) {
  told = changed;
  on("run", () => refresh("run"));
  on("deleted", () => refresh("deleted"));
  setInterval(() => document.hidden || byId("now").hidden || refresh("time"), REFRESH_MS);
  return update().catch(report);
}

const refresh = gathered(update, 1000);

async function update() {
  found = await get("/queue");
  const shown = found.running.slice(0, MOST_SHOWN);
  const runs = [...shown, ...(found.ended ? [found.ended] : [])].map(({ run }) => run.id);
  const isIdle = !found.running.length && !found.waiting.length;
  const curves = runs.length && !isIdle ? await fetchCurves(runs, "train/loss", { points: 60, smoothing: 0.9 }) : null;
  show(shown, curves, isIdle);
  told();
}

function show(shown, curves, isIdle) {
  byId("now").hidden = isIdle;
  if (isIdle) return;
  const queued = found.waiting.reduce((sum, one) => sum + one.run_ids.length, found.more);
  const { length } = found.running;
  setText(
    byId("now-said"),
    [`${length} running on ${plural(found.slots, "slot")}`, queued && `${integer(queued)} queued`]
      .filter(Boolean)
      .join(", "),
  );
  const top = topOf(curves ? [...curves.items.values()] : []);
  const lines = shown.map((one) => atWork(one, curves, top));
  if (found.ended) lines.push(justEnded(found.ended, curves, top));
  if (found.waiting.length) lines.push(next());
  // slots and two more: what was there keeps its height
  byId("now-lines").style.minHeight = `${32 * Math.max(byId("now-lines").children.length, lines.length)}px`;
  byId("now-lines").replaceChildren(...lines);
}

function named({ run, experiment }) {
  return el(
    "span.now-name",
    {},
    experiment && el("span.muted.now-of", {}, experiment),
    experiment && el("span.muted", {}, " · "),
    el("a", { href: url(`/runs/${run.id}`) }, run.name),
  );
}

const configuration = ({ model, run: { spec } }) =>
  el(
    "span.named.now-model",
    {},
    swatch(spec.model.name, spec.pixel_order),
    `${model}, ${spec.pixel_order === "shuffled" ? "shuffled" : "in order"}`,
  );

function curveOf(run, curves, top) {
  const place = el("span.now-spark");
  place.innerHTML = spark(run, curves?.items.get(run.id), top); // numbers and names of our own only
  return place;
}

function atWork(one, curves, top) {
  const { run, left } = one;
  const bar = el("span", { "data-status": run.status });
  bar.style.width = `${(100 * run.steps_done) / run.steps_total}%`;
  const stop = el("button.btn-link.writes", { type: "button", "aria-label": `Stop ${run.name}` }, "Stop");
  stop.addEventListener("click", async () => {
    stop.disabled = true;
    await post(`/runs/${run.id}/stop`).then(() => offerUndo(stopped([run.id])), report);
  });
  return el(
    "div.now-line",
    {},
    statusBadge(run),
    named(one),
    configuration(one),
    el("span.bar", {}, bar),
    el("span.right", {}, integer(run.steps_done), el("span.muted", {}, ` of ${integer(run.steps_total)}`)),
    curveOf(run, curves, top),
    el("span.right", {}, left === null ? "" : `${roughly(left)} left`),
    el("span.right", {}, stop),
  );
}

function justEnded(one, curves, top) {
  const { run } = one;
  const badge = statusBadge(run);
  if (run.status === "succeeded") setText(badge.lastElementChild, "Just ended");
  const accuracy = kept(run.summary["test/accuracy"]);
  return el(
    "div.now-line",
    {},
    badge,
    named(one),
    configuration(one),
    el("span.muted", {}, ago(run.ended_at)),
    el("span.right", {}, integer(run.steps_done)),
    curveOf(run, curves, top),
    el("span.right", {}, accuracy == null ? "" : percent(accuracy)),
    el("span.right", {}, el("a", { href: url(`/runs/${run.id}`) }, "Open")),
  );
}

function next() {
  const { waiting, done } = found;
  const words = nextWords(waiting, found.more).flatMap(({ text, experiment, name }) => [
    text,
    experiment === null ? name : el("a", { href: url(`/compare${query({ experiment })}`) }, name),
  ]);
  const [starts] = waiting[0].starts;
  const when = [starts !== null && `first ${soon(starts)}`, done !== null && `all done in about ${roughly(done)}`];
  const badge = statusBadge({ status: "queued" });
  setText(badge.lastElementChild, "Next");
  return el(
    "div.now-line.of-queue",
    {},
    badge,
    el("span.now-name", {}, ...words),
    el("span.right.muted", {}, when.filter(Boolean).join(", ")),
    el("span.right", {}, el("a", { href: url("/system") }, "Queue")),
  );
}
