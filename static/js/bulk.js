// What can be done with the selected runs: the bar at the bottom, and deletion that can be undone.

import { post } from "./api.js";
import { query, url } from "./model/address.js";
import { asked, report, setText, toast } from "./dom.js";
import { ENDED, plural, RESUMABLE } from "./format.js";
import { deleted, launched, offerUndo, stopped } from "./undo.js";

const byId = (id) => document.getElementById(id);
const MOST_COMPARED = 100;

/** One action on many runs; what was refused is told, with the reason of the first. */
export async function act(action, ids, more = {}) {
  const done = await post("/runs/bulk", { action, run_ids: ids, ...more });
  if (done.refused.length) {
    const others = done.refused.length > 1 ? `, and ${done.refused.length - 1} more` : "";
    toast(`${done.refused[0].message}${others}`, { kind: "bad" });
  }
  return done.run_ids;
}

/** A new run for each of an experiment's that failed or was lost. */
export async function relaunchFailed(experiment) {
  const made = await post(`/experiments/${experiment}/relaunch-failed`);
  offerUndo(launched(made.run_ids, `${plural(made.run_ids.length, "run")} queued again, from the start`));
}

/** Delete, and offer to bring back what was deleted. */
export async function deleteRuns(ids) {
  const gone = await act("delete", ids);
  if (gone.length) offerUndo(deleted(gone));
}

/** Stop, and offer to let go on what was stopped. */
async function stopRuns(ids) {
  const asked = await act("stop", ids);
  if (asked.length) offerUndo(stopped(asked));
}

const APPLIES = {
  stop: (run) => !ENDED.includes(run.status) || run.retry_at,
  pause: (run) => ["queued", "starting", "running"].includes(run.status) && !run.pause_requested,
  resume: (run) => RESUMABLE.includes(run.status),
  delete: (run) => !["starting", "running"].includes(run.status),
};
const WORDS = { stop: "Stop", pause: "Pause", resume: "Resume", delete: "Delete" };

/** `chosen()`: the selected runs; `clear()`: select none. */
export function bulkBar({ chosen, clear }) {
  const fitting = (action) =>
    chosen()
      .filter(APPLIES[action])
      .map((run) => run.id);
  const doIt = {
    stop: () => stopRuns(fitting("stop")),
    pause: () => act("pause", fitting("pause")),
    resume: () => act("resume", fitting("resume")),
    tag: () => tag(chosen()),
    delete: () => deleteRuns(fitting("delete")),
    compare: () => location.assign(byId("bulk-compare").href),
  };
  for (const action of ["stop", "pause", "resume", "tag", "delete"]) {
    byId(`bulk-${action}`).addEventListener("click", async (event) => {
      event.currentTarget.disabled = true;
      await doIt[action]().catch(report);
      event.target.closest("button").disabled = false;
    });
  }
  byId("bulk-clear").addEventListener("click", clear);
  return {
    /** Run an action by its name, as a key does; nothing when nothing is selected. */
    run: (action) => chosen().length && doIt[action]()?.catch?.(report),
    show() {
      const runs = chosen();
      byId("bulk").hidden = !runs.length;
      document.body.classList.toggle("has-bulk", runs.length > 0);
      setText(byId("bulk-count"), `${plural(runs.length, "run")} selected`);
      setText(byId("bulk-compare"), `Compare ${plural(runs.length, "run")}`);
      byId("bulk-compare").href = url(`/compare${query({ run: runs.map((run) => run.id).slice(0, MOST_COMPARED) })}`);
      for (const [action, word] of Object.entries(WORDS)) {
        const count = runs.filter(APPLIES[action]).length;
        byId(`bulk-${action}`).hidden = !count;
        setText(byId(`bulk-${action}`), `${word} ${plural(count, "run")}`);
      }
    },
  };
}

/** Ask for the tags that all of them have, and bring the difference to the server. */
async function tag(runs) {
  const common = runs[0].tags.filter((one) => runs.every((run) => run.tags.includes(one)));
  const typed = await asked(`Tag ${plural(runs.length, "run")}`, {
    label: "Tags, with commas between them",
    value: common.join(", "),
    detail: runs.length > 1 ? "Shown are the tags that all of them have." : "",
    yes: "Save tags",
  });
  if (typed === null) return;
  const wanted = tagsIn(typed);
  const change = {
    add_tags: wanted.filter((one) => !common.includes(one)),
    remove_tags: common.filter((one) => !wanted.includes(one)),
  };
  if (change.add_tags.length || change.remove_tags.length)
    await act(
      "tag",
      runs.map((run) => run.id),
      change,
    );
}

/** "a, b,, a" -> ["a", "b"] */
export const tagsIn = (text) => [
  ...new Set(
    text
      .split(",")
      .map((one) => one.trim())
      .filter(Boolean),
  ),
];
