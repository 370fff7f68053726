// Filters, order, menus and keys of the Runs page; they take effect while its data are still on their way.

import { el, icon } from "../../dom.js";
import { integer, STATUSES } from "../../format.js";
import { keys } from "../../keys.js";
import { suggest, vocabulary } from "../../model/search.js";
import { offerSuggestions } from "../../views/suggest.js";
import { columnsMenu } from "./columns.js";
import { bulk, showSelection } from "./selection.js";
import { body, byId, choose, closed, experiments, page, remember, runs, selected, state, view } from "./state.js";
import { offerViews } from "./views.js";

const WORDY = ["name", "model", "dataset", "pixel_order", "device", "seed", "train/loss"]; // least first, when first asked
/** What can be searched for, of what is there. */
function wordsNow() {
  const here = [...runs.values()];
  const unique = (values) => [...new Set(values)].sort();
  return vocabulary(state.catalog, {
    tags: unique(here.flatMap((run) => run.tags)),
    experiments: unique([...experiments.values()].map(({ name }) => name)),
    series: unique(here.flatMap((run) => Object.keys(run.metrics))).filter((name) => !name.startsWith("system/")),
  });
}

let typing = 0;
byId("q").value = view.q;
byId("q").addEventListener("input", (event) => {
  view.q = event.target.value.trim();
  clearTimeout(typing);
  typing = setTimeout(() => page.changed(), 200);
});
/** Suggest again: the catalogue has come. */
export const suggestAgain = offerSuggestions(byId("q"), (text, caret) =>
  state.catalog ? suggest(text, caret, wordsNow()) : [],
);
byId("filters").addEventListener("submit", (event) => event.preventDefault());
byId("group").addEventListener("change", (event) => {
  view.group = event.target.value;
  closed.clear();
  remember();
  page.render();
});
offerViews();
for (const key of ["experiment", "dataset"]) {
  byId(key).addEventListener("change", (event) => {
    view[key] = event.target.value;
    page.changed();
  });
}
byId("chips").addEventListener("click", (event) => {
  const chip = event.target.closest("button");
  if (!chip) return;
  view.status = chip.value === "all" || view.status.includes(chip.value) ? [] : [chip.value];
  showChips();
  page.changed();
});
byId("clear").addEventListener("click", () => {
  Object.assign(view, { q: "", status: [], experiment: "", dataset: "", tag: [] });
  for (const key of ["q", "experiment", "dataset"]) byId(key).value = "";
  showChips();
  page.changed();
});
for (const sorter of document.querySelectorAll("[data-sort]")) {
  sorter.addEventListener("click", () => {
    const again = view.sort === sorter.dataset.sort;
    const first = WORDY.includes(sorter.dataset.sort) ? "asc" : "desc";
    view.order = again ? (view.order === "desc" ? "asc" : "desc") : first;
    view.sort = sorter.dataset.sort;
    page.changed();
  });
}
byId("more").addEventListener("click", () => page.more());
byId("all").addEventListener("change", (event) => {
  for (const id of runs.keys()) choose(id, event.target.checked);
  showSelection();
});
columnsMenu(byId("columns-list"));
document.addEventListener(
  "click",
  (event) => event.target.closest("#columns") || byId("columns").removeAttribute("open"),
);
byId("columns").addEventListener(
  "keydown",
  (event) => event.key === "Escape" && byId("columns").removeAttribute("open"),
);
body.addEventListener("click", (event) => {
  const tag = event.target.closest("button.tag")?.value;
  if (tag && !view.tag.includes(tag)) filterTags([...view.tag, tag]);
});
byId("tag-filter").addEventListener("click", (event) => {
  const tag = event.target.closest("button")?.value;
  if (tag) filterTags(view.tag.filter((one) => one !== tag));
});
function filterTags(tags) {
  view.tag = tags;
  page.changed();
}

// Keyboard: a row is pointed at, and the selection acted on

function step(by) {
  const shown = [...body.querySelectorAll("tr.run:not([hidden])")];
  const at = shown.indexOf(document.activeElement.closest?.("tr.run"));
  shown[Math.max(0, Math.min(shown.length - 1, at + by))]?.querySelector(".run-name").focus();
}
function toggle() {
  const id = Number(document.activeElement.closest?.("tr.run")?.dataset.run);
  if (!id) return;
  if (!selected.delete(id)) selected.add(id);
  showSelection();
}
keys({
  "/": ["Search", () => byId("q").focus()],
  j: ["Next run", () => step(1)],
  k: ["Run before", () => step(-1)],
  ArrowDown: ["", () => step(1)],
  ArrowUp: ["", () => step(-1)],
  x: ["Select the run, or not", toggle],
  c: ["Compare the selected runs", () => bulk.run("compare")],
  s: ["Stop the selected runs", () => bulk.run("stop")],
  p: ["Pause the selected runs", () => bulk.run("pause")],
  r: ["Resume the selected runs", () => bulk.run("resume")],
  t: ["Tag the selected runs", () => bulk.run("tag")],
  Delete: ["Delete the selected runs", () => bulk.run("delete")],
  Escape: ["Select none", () => byId("bulk-clear").click()],
});

/** The tags that are filtered by. */
export function showTagFilter() {
  byId("tag-filter").hidden = !view.tag.length;
  byId("tag-filter").replaceChildren(
    ...view.tag.map((tag) =>
      el(
        "button.chip.status",
        { type: "button", value: tag, "aria-label": `Not only runs tagged ${tag}` },
        tag,
        icon("close"),
      ),
    ),
  );
}

/** A chip for each status that runs have, with their number. */
export function showChips() {
  if (!state.counts) return;
  const total = Object.values(state.counts).reduce((a, b) => a + b, 0);
  const number = { ...state.counts, running: state.counts.running + state.counts.starting };
  const chips = [
    ["all", total],
    ...STATUSES.map((status) => [status, number[status]]).filter(
      ([status, count]) => count || view.status.includes(status),
    ),
  ];
  byId("chips").replaceChildren(
    ...chips.map(([status, count]) => {
      const pressed = status === "all" ? !view.status.length : view.status.includes(status);
      const word = status[0].toUpperCase() + status.slice(1);
      const mark = status === "all" ? null : icon(status);
      return el(
        "button.chip.status",
        { type: "button", value: status, "aria-pressed": String(pressed), "data-chip": status },
        mark,
        word,
        el("b", {}, integer(count)),
      );
    }),
  );
}
