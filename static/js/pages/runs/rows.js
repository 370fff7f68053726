// The row of a run: made once, changed in place.

import { el, setStatus, setText, statusBadge, swatch } from "../../dom.js";
import { ago, duration, elapsed, integer, loss, moment, percent } from "../../format.js";
import { kept } from "../../metrics.js";
import { url } from "../../model/address.js";
import { ORDERS } from "../../model/sentence.js";
import { ordinal, placeOf, soon } from "../../model/queue.js";
import { spark, topOf } from "../../views/spark.js";
import { queueNow } from "./now.js";
import { moveFirst } from "./first.js";
import { experiments, rows, runs, sparks, titleOf, view, WIDE } from "./state.js";

/** The elements of a run: its row, and one for why it failed. */
export function runRows(run, hidden) {
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
    when: el("span"),
    started: el("td.right.nowrap.muted.c-started"),
    device: el("td.muted.c-device"),
    pick: el("input", { type: "checkbox", "aria-label": `Select ${run.name}` }),
  };
  parts.started.append(parts.when);
  parts.row = el(
    "tr.run",
    { "data-run": run.id, hidden },
    el("td.pick", {}, parts.pick),
    el("td.p-status", {}, parts.status),
    el("td.p-name", {}, parts.of, parts.name, parts.tags),
    el(
      "td.c-model",
      {},
      el(
        "span.named",
        {},
        swatch(run.spec.model.name, run.spec.pixel_order),
        `${titleOf("models", run.spec.model.name)}, ${ORDERS[run.spec.pixel_order]}`,
      ),
    ),
    el("td.nowrap.c-data", {}, titleOf("datasets", run.spec.dataset)),
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

/** Bring a run to its row. */
export function showRow(run) {
  const parts = rows.get(run.id);
  if (!parts) return;
  setStatus(parts.status, run);
  setText(parts.name, run.name);
  const outside = view.group || view.sort !== "created";
  setText(parts.of, outside && run.experiment_id ? `${experiments.get(run.experiment_id)?.name ?? ""} · ` : "");
  parts.name.title = run.note;
  if (parts.tags.dataset.shown !== run.tags.join()) {
    parts.tags.dataset.shown = run.tags.join();
    parts.tags.replaceChildren(
      ...run.tags.map((tag) => el("button.tag", { type: "button", value: tag, title: `Only runs tagged ${tag}` }, tag)),
    );
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
  const best =
    accuracy && !heldOut && accuracy.best > kept(accuracy)
      ? el("span.muted.best", {}, `best ${(accuracy.best * 100).toFixed(2)} `)
      : null;
  parts.accuracy.replaceChildren(...[best, percent(kept(accuracy))].filter(Boolean));
  setText(parts.device, run.device ?? "–");
  showTimes(run);
  const failed = ["failed", "lost"].includes(run.status);
  parts.why.hidden = !failed || parts.row.hidden;
  if (failed) {
    const way = el("a", { href: url(`/runs/${run.id}`) }, run.retry_at ? "It resumes by itself" : "See what to do");
    parts.why.lastElementChild.replaceChildren(
      el("span.bad", {}, `${run.cause_title}. ${run.cause_detail ?? ""} `),
      way,
    );
  }
}

/** How long it has taken, when it began or which place it has in the queue. */
export function showTimes(run) {
  const parts = rows.get(run.id);
  if (!parts) return;
  setText(parts.time, duration(elapsed(run)));
  const waits = run.status === "queued" ? placeOf(run.id, queueNow()) : null;
  const begins = waits && waits.starts !== null ? `, ${soon(waits.starts)}` : "";
  setText(parts.when, waits ? `${ordinal(waits.place)} in the queue${begins}` : ago(run.started_at));
  const isBehind = waits?.place > 1;
  if (isBehind && !parts.toFront) {
    parts.toFront = moveFirst([run.id], `Move ${run.name} to the front`);
    parts.started.append(parts.toFront);
  }
  if (parts.toFront) parts.toFront.hidden = !isBehind; // made once: it keeps the keyboard's place
  parts.started.title = moment(run.started_at);
}

/** Curves of the loss, on one scale. */
export function showSparks() {
  const top = topOf([...runs.keys()].map((id) => sparks.get(id)));
  for (const [id, parts] of rows) {
    const run = runs.get(id);
    const curve = sparks.get(id);
    const value = curve?.smoothed?.at(-1);
    setText(parts.last, value === undefined ? "–" : loss(value));
    parts.spark.innerHTML = spark(run, curve, top); // numbers and names of our own only
  }
}
