// What leads on from an experiment that has no result: its cause is the headline, and this is the one way out.

import { get, post } from "../api.js";
import { el, report } from "../dom.js";
import { plural } from "../format.js";
import { mendedAddress } from "../model/relaunch.js";
import { relaunchFailed } from "../bulk.js";

/** The button, or null where there is none. `experiment`: its id; `compared`: what GET /compare says of it. */
export async function wayOut(experiment, compared) {
  const members = compared.groups.flatMap((one) => one.runs);
  if (compared.ended < compared.runs || compared.groups.some((one) => one.n)) return null;
  const failed = members.filter((run) => run.status === "failed" || run.status === "lost").map(({ run }) => run);
  const stopped = members.filter((run) => run.status === "stopped").map(({ run }) => run);
  if (!failed.length)
    return stopped.length
      ? button(`Resume ${plural(stopped.length, "run")}`, () =>
          post("/runs/bulk", { action: "resume", run_ids: stopped }),
        )
      : null;
  const [run, whole, catalog] = await Promise.all([
    get(`/runs/${failed[0]}`),
    get(`/experiments/${experiment}`),
    get("/catalog"),
  ]);
  if (!run.mend) return button(`Relaunch ${plural(failed.length, "run")}`, () => relaunchFailed(experiment));
  return el(
    "a.btn.btn-primary.writes",
    { href: mendedAddress(whole, run.mend, catalog) },
    `Try learning rate ${run.mend["optimizer.lr"]}`,
  );
}

function button(words, act) {
  const made = el("button.btn.btn-primary.writes", { type: "button" }, words);
  made.addEventListener("click", async () => {
    made.disabled = true;
    await act().catch(report);
    made.disabled = false;
  });
  return made;
}
