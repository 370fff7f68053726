// What one click launched, stopped or deleted can be undone for a while: from its toast, also on the page that it leads to.

import { get, post, remove } from "./api.js";
import { report, toast } from "./dom.js";
import { plural } from "./format.js";
import { root, url } from "./model/address.js";

const SECONDS = 20;
const TRIES = 20; // half a second each: a worker that was asked to stop needs a moment to leave
const PROMISED = `runyard.undo${root}`;

/** What can be offered: `{words, did, …}`, which a page can hand to the next one. */
export const deleted = (ids) => ({ words: `${plural(ids.length, "run")} deleted`, did: "deleted", ids });
export const deletedExperiment = (id, name) => ({ words: `${name} deleted`, did: "deletedExperiment", id });
export const launched = (ids, words = `${plural(ids.length, "run")} queued`) => ({ words, did: "launched", ids });
export const launchedExperiment = ({ id, run_ids: ids }) => ({
  words: `${plural(ids.length, "run")} queued`,
  did: "launchedExperiment",
  id,
});
export const stopped = (ids, asking = null) => ({
  words: `Stopping ${plural(ids.length, "run")}`,
  did: "stopped",
  ids,
  asking,
});

const UNDOING = {
  deleted: ({ ids }) => post("/runs/bulk", { action: "restore", run_ids: ids }),
  deletedExperiment: ({ id }) => post(`/experiments/${id}/restore`),
  launched: async ({ ids }) => {
    await post("/runs/bulk", { action: "stop", run_ids: ids });
    await insist("delete", ids);
  },
  launchedExperiment: async ({ id }) => {
    await again(async () => {
      await post(`/experiments/${id}/stop`);
      await remove(`/experiments/${id}`);
    });
    location.assign(url("/"));
  },
  stopped: async ({ ids, asking }) => {
    await insist("resume", ids);
    if (asking) await post(`/experiments/${asking}/question/continue`);
  },
};

/** Say what was done, with a button that undoes it. */
export function offerUndo(undo) {
  toast(undo.words, { action: { label: "Undo", run: () => UNDOING[undo.did](undo).catch(report) }, seconds: SECONDS });
}

/** Stop all that an experiment has not finished, and offer to let it go on: its question, too. */
export async function stopExperiment(id) {
  const { asking } = await get(`/experiments/${id}`);
  const { run_ids: ids } = await post(`/experiments/${id}/stop`);
  if (ids.length) offerUndo(stopped(ids, asking === "asking" ? id : null));
}

/** Offer it on the page that comes next. */
export const promiseUndo = (undo) => sessionStorage.setItem(PROMISED, JSON.stringify(undo));

/** Keep what the page before promised. */
export function keepPromise() {
  const undo = JSON.parse(sessionStorage.getItem(PROMISED) ?? "null");
  sessionStorage.removeItem(PROMISED);
  if (undo) offerUndo(undo);
}

/** Have an action done to each of these runs, as soon as they have left what they are at. */
async function insist(action, ids) {
  let left = ids;
  await again(async () => {
    const done = await post("/runs/bulk", { action, run_ids: left });
    left = done.refused.map((one) => one.run);
    if (left.length) throw new Error(done.refused[0].message);
  });
}

/** Try until it goes well; raises what the last try met. */
async function again(attempt) {
  for (let tries = 1; ; tries++) {
    try {
      return await attempt();
    } catch (error) {
      if (tries === TRIES) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}
