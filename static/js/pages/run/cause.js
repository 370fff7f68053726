// Why a run failed, waits or learned nothing, in one line, and the way out.

import { get } from "../../api.js";
import { setText } from "../../dom.js";
import { integer } from "../../format.js";
import { gathered } from "../../live.js";
import { placeOf } from "../../model/queue.js";
import { showTimes } from "./figures.js";
import { byId, id, loaded, state } from "./state.js";

/** The run once more, with changes: a dialog. */
export async function relaunch(changes = {}) {
  await loaded;
  const { openRelaunch } = await import("../../views/relaunch.js");
  const experiment = document.querySelector(".under-head a")?.textContent;
  const why = !Object.keys(changes).length
    ? ""
    : `${state.run.diverged ? "The steps were too large" : "It learned nothing"}. Smaller steps usually help; what is changed is marked.`;
  await openRelaunch(state.run, { changes, why, where: state.run.experiment_id ? `“${experiment}”` : "" });
}

/** Which place a queued run has and when it begins; why it does not, where that is not that others go first. */
const showWaiting = gathered(async () => {
  const [{ waits }, queue] = await Promise.all([get("/system"), get("/queue")]);
  if (state.run.status !== "queued") return;
  state.waits = placeOf(id, queue);
  byId("first").hidden = !(state.waits?.place > 1);
  showTimes();
  byId("cause").hidden = !waits;
  if (!waits) return;
  setText(byId("cause-title"), "Nothing starts at the moment");
  setText(byId("cause-more"), `${waits[0].toUpperCase()}${waits.slice(1)}.`);
  byId("cause-way").hidden = true;
}, 500);

export function showCause() {
  const failed = ["failed", "lost"].includes(state.run.status);
  byId("first").hidden ||= state.run.status !== "queued";
  if (state.run.status === "queued") {
    showWaiting();
    return;
  }
  byId("cause").hidden = !failed && !state.run.untrained;
  if (state.run.untrained) showUntrained();
  if (!failed) return;
  setText(byId("cause-title"), state.run.cause_title ?? "The cause was not recorded");
  const goesOn = state.run.retry_at ? "It resumes by itself in a moment. " : "";
  const kept = state.run.steps_done
    ? `The ${integer(state.run.steps_done)} steps that were recorded are kept.`
    : "No step was recorded.";
  setText(byId("cause-more"), `${goesOn}${state.run.cause_detail ? `${state.run.cause_detail} ` : ""}${kept}`);
  byId("cause-way").hidden = Boolean(state.run.retry_at);
  setText(byId("cause-way"), state.run.mend ? wayOut(state.run.mend) : "Launch it again");
}

/** A run that ended well and learned nothing: what that means, and what usually helps. */
function showUntrained() {
  setText(byId("cause-title"), "It learned nothing");
  setText(
    byId("cause-more"),
    "On the test images it is no better than always giving the most frequent class. A lower learning rate, or more epochs, usually helps.",
  );
  byId("cause-way").hidden = false;
  setText(byId("cause-way"), wayOut(state.run.mend));
}

const wayOut = (mend) => `Try learning rate ${mend["optimizer.lr"]}`;
