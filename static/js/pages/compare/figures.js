// The figures of a comparison in words and tables.

import { showAnswer, showPairs, showWatched } from "../../answer.js";
import { offerAsking } from "../../better.js";
import { showConfigurations } from "../../configurations.js";
import { report, setText } from "../../dom.js";
import { chosen, styleOf } from "../../facets.js";
import { drawFinals } from "../../finals.js";
import { plural } from "../../format.js";
import { drawSweep } from "../../sweep.js";
import { wayOut } from "../../views/wayout.js";
import { showTab, tellEnd } from "../../views/tab.js";
import { offerKnobs } from "./controls.js";
import { moreSeeds } from "./launch.js";
import { asks, byId, remember, state, view, what } from "./state.js";

export function showFigures() {
  setText(byId("title"), state.compared.title);
  const going = state.compared.ended < state.compared.runs;
  const { ended, runs, title, verdict } = state.compared;
  showTab(title, going ? `${ended}/${runs}` : null, ended / runs);
  tellEnd(byId("notify"), going, title, verdict?.title ?? "All runs have ended");
  if (!state.compared.runs) {
    setText(byId("answer"), "No run is left in this experiment.");
    return;
  }
  showStop();
  if (byId("more-seeds")) {
    byId("more-seeds").hidden = state.compared.ended < state.compared.runs;
    setText(byId("more-seeds"), `Launch ${plural(moreSeeds(), "more seed")}`);
  }
  offerKnobs();
  state.style = styleOf(state.compared, chosen(view, state.compared));
  showPairs(state.compared);
  showConfigurations(state.compared, state.style, what.experiment);
  offerAsking(state.compared);
  beside();
  if (asks) return; // a question has a panel of its own: asking.js
  showAnswer(state.compared, state.style);
  if (what.experiment) showWayOut(state.compared).catch(report);
}

async function showWayOut(known) {
  const out = await wayOut(what.experiment, known);
  if (known === state.compared) byId("way-out").replaceChildren(...(out ? [out] : []));
}

/** Once it is there it stays there: nothing that launches comes under the pointer in its place. */
function showStop() {
  const stop = byId("stop");
  const left = state.compared.runs - state.compared.ended;
  if (left && what.experiment) stop.hidden = false;
  stop.disabled = !left;
  const stopped = state.compared.groups.some((one) => one.runs.some((run) => run.status === "stopped"));
  setText(stop, left ? `Stop ${plural(left, "run")}` : stopped ? "Stopped" : "All ended");
}

/** The charts beside the curves, one at a time when there is nothing else to do: the curves come first. */
function beside() {
  const [drawn, marks] = [state.compared, state.style];
  later(() => {
    if (drawn !== state.compared) return;
    drawFinals(byId("finals"), byId("finals-legend"), drawn.groups, marks);
    later(() => {
      if (drawn !== state.compared) return;
      if (!asks) showWatched(drawn, marks);
      drawSweep(drawn, marks, view, remember);
    });
  });
}

const later = (work) => requestIdleCallback(work, { timeout: 500 });
