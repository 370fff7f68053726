// The lines that stand over runs: of an experiment, of its queued runs, of a value that runs are grouped by.

import { relaunchFailed } from "../../bulk.js";
import { el, icon, report, setText, statusBadge } from "../../dom.js";
import { ENDED, plural, roughly } from "../../format.js";
import { kept } from "../../metrics.js";
import { query, url } from "../../model/address.js";
import { ordinal, placeOf, soon } from "../../model/queue.js";
import { stopExperiment } from "../../undo.js";
import { moveFirst } from "./first.js";
import { queueNow } from "./now.js";
import { showTimes } from "./rows.js";
import { showSelection } from "./selection.js";
import { body, byId, choose, closed, experiments, page, runs, titleOf, unfolded, view, WIDE } from "./state.js";

/** "Learning rate 0.1 · 3 runs, test accuracy 94.20 ± 0.41% (3)": of the runs shown, those that succeeded. */
export function knobRow({ key, value, members }) {
  const done = members.filter((run) => run.status === "succeeded" && run.summary["test/accuracy"]);
  const figures = done.map((run) => kept(run.summary["test/accuracy"]) * 100);
  const mean = figures.reduce((sum, one) => sum + one, 0) / figures.length;
  const deviation =
    figures.length > 1
      ? Math.sqrt(figures.reduce((sum, one) => sum + (one - mean) ** 2, 0) / (figures.length - 1))
      : null;
  const said = figures.length
    ? `test accuracy ${mean.toFixed(2)}${deviation === null ? "" : ` ± ${deviation.toFixed(2)}`}%, ${plural(figures.length, "run")} that succeeded`
    : "none has succeeded yet";
  const title = byId("group").selectedOptions[0].text;
  const words =
    view.group === "model"
      ? titleOf("models", value)
      : view.group === "dataset"
        ? titleOf("datasets", value)
        : String(value ?? "none");
  const fold = el(
    "button.btn.btn-quiet.disclose",
    { type: "button", "aria-expanded": String(!closed.has(key)), "aria-label": `Runs with ${title} ${words}` },
    icon("right"),
  );
  fold.addEventListener("click", () => {
    if (!closed.delete(key)) closed.add(key);
    page.render();
  });
  const compare = url(`/compare${query({ run: members.slice(0, 250).map((run) => run.id) })}`);
  const line = el(
    "div.group-line",
    {},
    fold,
    el("span.group-name", {}, `${title}: ${words}`),
    el("span", {}, said),
    el(
      "span.row.group-end",
      {},
      el("span.muted", {}, `${plural(members.length, "run")} shown`),
      el("a", { href: compare }, "Compare"),
    ),
  );
  return el("tr.group", { "data-group": key }, el("td", { colspan: WIDE }, line));
}

/** The queued runs of an experiment in one line: how many, which seeds, their places, when the first of them begins. */
export function queuedRow(id, waits, hidden) {
  const open = unfolded.has(id);
  const fold = el(
    "button.btn.btn-quiet.disclose",
    { type: "button", "aria-expanded": String(open), "aria-label": "Each of the queued runs" },
    icon("right"),
  );
  fold.addEventListener("click", () => {
    if (!unfolded.delete(id)) unfolded.add(id);
    page.render();
  });
  const seeds = [...new Set(waits.map((run) => run.spec.seed))].sort((a, b) => a - b);
  const which = seeds.length === 1 ? `seed ${seeds[0]}` : `seeds ${seeds[0]} to ${seeds.at(-1)}`;
  const row = el(
    "tr.queued-line",
    { "data-queued": id, hidden },
    el("td.pick"),
    el(
      "td",
      { colspan: WIDE - 1 },
      el(
        "div.queued-runs",
        {},
        statusBadge({ status: "queued" }),
        fold,
        el("span", {}, el("b", {}, `${plural(waits.length, "run")}, ${which}`), el("span.muted.places")),
        el("span.muted.starts"),
      ),
    ),
  );
  row.waits = waits.map((run) => run.id);
  return row;
}

/** Places in the queue, and when it is a run's turn. */
export function showQueued() {
  const queue = queueNow();
  for (const row of body.querySelectorAll("tr.queued-line")) {
    const places = row.waits
      .map((id) => placeOf(id, queue))
      .filter(Boolean)
      .sort((a, b) => a.place - b.place);
    const [first, last] = [places[0], places.at(-1)];
    setText(
      row.querySelector(".places"),
      first ? `, ${ordinal(first.place)} to ${ordinal(last.place)} in the queue` : "",
    );
    setText(row.querySelector(".starts"), first?.starts == null ? "" : `first ${soon(first.starts)}`);
  }
  for (const run of runs.values()) if (run.status === "queued") showTimes(run);
}

/** The line over the runs of an experiment. */
export function groupRow(id) {
  const bar = el("span.bar.group-bar");
  const said = el("span.muted");
  const stop = el("button.btn-link.writes", { type: "button", hidden: true });
  stop.addEventListener("click", async () => {
    stop.disabled = true;
    await stopExperiment(id).catch(report);
    stop.disabled = false;
  });
  const first = el("span", { hidden: true });
  const again = el("button.btn-link.writes", { type: "button", hidden: true });
  again.addEventListener("click", async () => {
    again.disabled = true;
    await relaunchFailed(id).catch(report);
    again.disabled = false;
  });
  const fold = el(
    "button.btn.btn-quiet.disclose",
    { type: "button", "aria-expanded": String(!closed.has(id)), "aria-label": `Runs of ${experiments.get(id)?.name}` },
    icon("right"),
  );
  fold.addEventListener("click", () => {
    if (!closed.delete(id)) closed.add(id);
    page.render();
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
    el(
      "span.row.group-end",
      {},
      first,
      stop,
      again,
      el("a", { href: url(`/compare${query({ experiment: id })}`) }, "Compare"),
    ),
  );
  const row = el("tr.group", { "data-experiment": id }, el("td", { colspan: WIDE }, line));
  row.parts = { bar, said, first, stop, again, pick };
  return row;
}

/** How far each experiment is. */
export function showGroups() {
  for (const row of body.querySelectorAll("tr.group")) {
    const experiment = experiments.get(Number(row.dataset.experiment));
    if (!experiment || !row.parts) continue;
    const { counts: own, run_ids: ids } = experiment;
    const { bar, said, first, stop, again } = row.parts;
    const ended = ENDED.reduce((sum, status) => sum + own[status], 0);
    const running = own.running + own.starting;
    const share = (status, count) =>
      el("span", { "data-status": status, style: `width:${(100 * count) / ids.length}%` });
    bar.replaceChildren(...ENDED.map((status) => share(status, own[status])), share("running", running));
    const words = [
      `${own.succeeded} of ${ids.length} done`,
      running && `${running} running`,
      own.queued && `${own.queued} queued`,
      ...["failed", "stopped", "paused", "lost"].map((status) => own[status] && `${own[status]} ${status}`),
    ];
    const left = ended < ids.length ? (queueNow()?.left[experiment.id] ?? null) : null;
    if (left !== null) words.push(`about ${roughly(left)} left`);
    setText(said, words.filter(Boolean).join(", "));
    const waits = queueNow()?.waiting.filter((one) => one.experiment_id === experiment.id) ?? [];
    first.hidden = !waits.length || waits[0].first === 1;
    if (!first.hidden && first.dataset.runs !== String(waits[0].run_ids)) {
      first.dataset.runs = String(waits[0].run_ids);
      first.replaceChildren(
        moveFirst(
          waits.flatMap((one) => one.run_ids),
          `Move the queued runs of ${experiment.name} to the front`,
        ),
      );
    }
    again.hidden = !experiment.to_relaunch;
    setText(again, `Relaunch ${experiment.to_relaunch} failed`);
    stop.hidden = ended === ids.length;
    setText(stop, `Stop ${ids.length - ended}`);
    stop.setAttribute("aria-label", `Stop ${plural(ids.length - ended, "run")} of ${experiment.name}`);
  }
}
