// Which runs are chosen, and what can be done with them.

import { bulkBar } from "../../bulk.js";
import { body, byId, choose, rows, runs, selected } from "./state.js";

/** The bar of actions on what is chosen. */
export const bulk = bulkBar({
  chosen: () => [...selected].map((id) => runs.get(id)).filter(Boolean),
  clear: () => {
    selected.clear();
    showSelection();
  },
});

let last = null; // row whose box was pressed before
let isRange = false; // with Shift: from there to here
body.addEventListener("pointerdown", (event) => (isRange = event.shiftKey));
body.addEventListener("keydown", (event) => (isRange = event.shiftKey));
body.addEventListener("change", (event) => {
  const row = event.target.closest("tr");
  const id = Number(row?.dataset.run);
  if (!id) return;
  const shown = [...body.querySelectorAll("tr.run:not([hidden])")];
  const [from, to] = [shown.findIndex((one) => Number(one.dataset.run) === last), shown.indexOf(row)].sort(
    (a, b) => a - b,
  );
  const range = isRange && from >= 0 ? shown.slice(from, to + 1) : [row];
  for (const one of range) choose(Number(one.dataset.run), event.target.checked);
  last = id;
  showSelection();
});

/** Show what is chosen, on rows, groups and the bar. */
export function showSelection() {
  for (const [id, parts] of rows) {
    parts.pick.checked = selected.has(id);
    parts.row.classList.toggle("selected", selected.has(id));
  }
  for (const row of body.querySelectorAll("tr.group[data-experiment]")) {
    const members = [...runs.values()].filter((run) => run.experiment_id === Number(row.dataset.experiment));
    const chosen = members.filter((run) => selected.has(run.id)).length;
    row.parts.pick.checked = chosen > 0 && chosen === members.length;
    row.parts.pick.indeterminate = chosen > 0 && chosen < members.length;
  }
  const all = byId("all");
  all.checked = runs.size > 0 && selected.size === runs.size;
  all.indeterminate = selected.size > 0 && !all.checked;
  bulk.show();
}
