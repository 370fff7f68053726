// The button that moves queued runs to the front.

import { post } from "../../api.js";
import { el, report, toast } from "../../dom.js";
import { plural } from "../../format.js";

/** A button for runs that wait, in the order in which they are then to start; `label` where it does not stand by their name. */
export function moveFirst(runs, label = null) {
  const button = el("button.btn-link.writes.to-front", { type: "button", "aria-label": label }, "Move to front");
  button.addEventListener("click", async () => {
    button.disabled = true;
    try {
      const done = await post("/runs/bulk", { action: "first", run_ids: runs });
      toast(
        done.run_ids.length
          ? `${plural(done.run_ids.length, "run")} moved to the front of the queue`
          : "They are no longer in the queue",
      );
    } catch (error) {
      report(error);
    }
    button.disabled = false;
  });
  return button;
}
