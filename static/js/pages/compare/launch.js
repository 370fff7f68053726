// What the compare page launches and stops: more seeds, more values, a confirmation.

import { post } from "../../api.js";
import { report } from "../../dom.js";
import { keys } from "../../keys.js";
import { url } from "../../model/address.js";
import { launched, launchedExperiment, offerUndo, promiseUndo, stopExperiment } from "../../undo.js";
import { offerNotification } from "../../views/tab.js";
import { byId, state, what } from "./state.js";

/** As many as would settle what is open, if that is not too many; else five. */
export const moreSeeds = () => {
  const wanted = state.compared.verdict.rows
    .map((row) => row.difference?.more_seeds)
    .filter((count) => count && count <= 20);
  return wanted.length ? Math.min(...wanted) : 5;
};

/** Attach the buttons. */
export function offerLaunches() {
  byId("more-seeds")?.addEventListener("click", async (event) => {
    event.target.disabled = true;
    try {
      const made = await post(`/experiments/${what.experiment}/more`, { seeds: moreSeeds() });
      offerUndo(launched(made.run_ids));
    } catch (error) {
      report(error);
    }
    event.target.disabled = false;
  });
  byId("add-values")?.addEventListener("click", async (event) => {
    const { knob, values } = state.compared.verdict.lacking;
    event.target.disabled = true;
    try {
      const made = await post(`/experiments/${what.experiment}/more`, { values: { [knob]: values } });
      offerUndo(launched(made.run_ids));
    } catch (error) {
      report(error);
    }
    event.target.disabled = false;
  });
  byId("confirm-winner")?.addEventListener("click", async (event) => {
    event.target.disabled = true;
    try {
      const made = await post(`/experiments/${what.experiment}/confirm`, {});
      promiseUndo(launchedExperiment(made));
      location.assign(url(`/compare?experiment=${made.id}`));
    } catch (error) {
      report(error);
      event.target.disabled = false;
    }
  });
  offerNotification(byId("notify"));
  keys({ s: ["Stop its runs", () => byId("stop").hidden || byId("stop").click()] });
  byId("stop").addEventListener("click", async (event) => {
    event.target.disabled = true;
    try {
      await stopExperiment(what.experiment);
    } catch (error) {
      report(error);
      event.target.disabled = false;
    }
  });
}
