// The figures of a run: how far it is, how quick, how good, what it uses.

import { get } from "../../api.js";
import { setText } from "../../dom.js";
import { ago, duration, elapsed, ENDED, integer, loss, moment, percent } from "../../format.js";
import { kept } from "../../metrics.js";
import { ordinal, soon } from "../../model/queue.js";
import { byId, id, state, tests } from "./state.js";

const USAGE_MS = 2000; // the server looks no more often

let usageAt = -Infinity;

const USED_OF = { start: "Since it began", minute: "In the last minute", run: "While it trained" };

/** What it uses of the machine, or used. */
export async function showUsage() {
  const ended = ENDED.includes(state.run.status);
  if (!ended && performance.now() - usageAt < USAGE_MS) return;
  usageAt = performance.now();
  const { sentence, of } = await get(`/runs/${id}/usage`);
  setText(byId("usage"), sentence ? `${USED_OF[of]}: ${sentence}` : "");
}

export function showTimes() {
  const when = state.run.ended_at
    ? `${state.run.status} ${ago(state.run.ended_at)}`
    : state.run.started_at
      ? `started ${ago(state.run.started_at)}`
      : state.run.status === "queued" && state.waits
        ? `${ordinal(state.waits.place)} in the queue${state.waits.starts === null ? "" : `, starts ${soon(state.waits.starts)}`}`
        : `queued ${ago(state.run.created_at)}`;
  setText(byId("when"), when);
  byId("when").title = moment(state.run.ended_at ?? state.run.started_at ?? state.run.created_at);
  const seconds = elapsed(state.run);
  if (ENDED.includes(state.run.status)) {
    const early = state.run.status === "succeeded" && state.run.steps_done < state.run.steps_total;
    const verb = early ? "stopped early after" : state.run.status === "succeeded" ? "in" : `${state.run.status} after`;
    setText(
      byId("f-left"),
      `of ${integer(state.run.steps_total)} steps${seconds === null ? "" : `, ${verb} ${duration(seconds)}`}`,
    );
  } else if (state.run.steps_done && seconds) {
    const left = (seconds * (state.run.steps_total - state.run.steps_done)) / state.run.steps_done;
    setText(byId("f-left"), `of ${integer(state.run.steps_total)} steps, about ${duration(left)} left`);
  } else {
    setText(byId("f-left"), `of ${integer(state.run.steps_total)} steps`);
  }
}

export function showFigures() {
  setText(byId("f-steps"), integer(state.run.steps_done));
  const bar = byId("f-bar");
  const share = Math.round((100 * state.run.steps_done) / state.run.steps_total);
  bar.setAttribute("aria-valuenow", String(share));
  bar.firstElementChild.style.width = `${share}%`;
  bar.firstElementChild.dataset.status = state.run.status;
  const epoch = Math.min(
    state.run.spec.epochs,
    Math.floor(state.run.steps_done / state.run.steps_per_epoch) + (ENDED.includes(state.run.status) ? 0 : 1),
  );
  setText(byId("f-epoch"), integer(state.run.status === "queued" ? 0 : epoch));
  setText(byId("f-epochs"), `of ${integer(state.run.spec.epochs)}`);
  const seconds = elapsed(state.run);
  const images = state.run.steps_done * state.run.spec.batch_size;
  setText(byId("f-speed"), seconds && images ? integer(images / seconds) : "–");
  const accuracy = state.run.summary["test/accuracy"];
  setText(byId("f-accuracy"), percent(kept(accuracy)));
  const heldOut = state.run.summary["validation/accuracy"]; // what chose the epoch, where images were held out
  const best = accuracy && !heldOut && accuracy.best > kept(accuracy);
  const earlier = accuracy && accuracy.final !== null && accuracy.final !== accuracy.last; // the weights of an earlier epoch were kept
  const step = earlier ? (heldOut ?? accuracy).best_step : lastTestStep();
  const at =
    accuracy && `epoch ${Math.round(step / state.run.steps_per_epoch)}${earlier && heldOut ? ", by validation" : ""}`;
  setText(byId("f-accuracy-note"), best ? `best ${percent(accuracy.best)}` : (at ?? ""));
  setText(byId("f-parameters"), integer(state.run.parameters));
  setText(byId("f-device"), state.run.device ?? state.run.spec.device);
  const threads = state.run.attempts.at(-1)?.environment?.threads;
  setText(byId("f-threads"), threads ? `${threads} thread${threads === 1 ? "" : "s"}` : "");
}

const lastTestStep = () => tests["test/accuracy"]?.items.get(id)?.steps.at(-1) ?? state.run.steps_per_epoch;

export function showLastLoss() {
  const curve = state.trainLoss?.items.get(id);
  const value = curve?.smoothed?.at(-1) ?? curve?.last.at(-1);
  setText(byId("f-loss"), loss(value));
  setText(byId("f-loss-note"), value == null ? "" : curve.smoothed ? "smoothed" : "last batch");
}
