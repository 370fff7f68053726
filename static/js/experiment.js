// What can be done with the experiment that the compare page shows: its menu and its note.

import { get, patch, post, remove } from "./api.js";
import { relaunchFailed } from "./bulk.js";
import { asked, report, setText, toast } from "./dom.js";
import { valueOf } from "./model/form.js";
import { plural } from "./format.js";
import { gathered, on } from "./live.js";
import { deletedExperiment, launched, offerUndo, promiseUndo } from "./undo.js";
import { url } from "./model/address.js";

const byId = (id) => document.getElementById(id);
const menu = byId("experiment-menu");
const id = Number(menu.dataset.experiment);
let experiment = null;
/** Clicks that need it wait for it. */
const loaded = get(`/experiments/${id}`).then(show);
loaded.catch(report);

const actions = {
  rename: async () => {
    const name = await asked("Rename the experiment", { label: "Name", value: experiment.name, yes: "Save" });
    if (name !== null) show(await patch(`/experiments/${id}`, { name }));
  },
  note: async () => {
    const note = await asked("Note", { label: "In your own words", value: experiment.note, yes: "Save note" });
    if (note !== null) show(await patch(`/experiments/${id}`, { note }));
  },
  relaunch: async () => {
    await relaunchFailed(id);
    await refresh("relaunched");
  },
  values: async () => {
    const typed = await asked("Add values of a knob", {
      label: "As optimizer.lr=0.03,0.05",
      yes: "Launch",
      detail: "Each run of this experiment is launched with these values as well; what is there already is not.",
    });
    if (typed === null) return;
    const [path, texts = ""] = typed.split("=");
    const made = await post(`/experiments/${id}/more`, {
      values: { [path.trim()]: texts.split(",").map((text) => valueOf(text.trim())) },
    });
    if (made.run_ids.length) offerUndo(launched(made.run_ids));
    else toast("All of these are there already");
  },
  archive: async () => {
    show(await patch(`/experiments/${id}`, { archived: !experiment.archived }));
    toast(experiment.archived ? "Archived: lists leave it out, and this address stays" : "Back in the lists");
  },
  delete: async () => {
    await remove(`/experiments/${id}`);
    promiseUndo(deletedExperiment(id, experiment.name));
    location.assign(url("/"));
  },
};
for (const [name, action] of Object.entries(actions)) {
  byId(`experiment-${name}`).addEventListener("click", () => {
    menu.removeAttribute("open");
    loaded.then(action).catch(report);
  });
}
document.addEventListener("click", (event) => event.target.closest("#experiment-menu") || menu.removeAttribute("open"));
menu.addEventListener("keydown", (event) => event.key === "Escape" && menu.removeAttribute("open"));

function show(fresh) {
  experiment = fresh;
  setText(byId("title"), experiment.name);
  setText(byId("experiment-note-text"), experiment.note);
  byId("experiment-note-text").hidden = !experiment.note;
  byId("experiment-relaunch").hidden = !experiment.to_relaunch;
  setText(byId("experiment-relaunch"), `Relaunch ${plural(experiment.to_relaunch, "failed run")}`);
  setText(byId("experiment-archive"), experiment.archived ? "Bring back from the archive" : "Archive");
  byId("experiment-delete").disabled = experiment.counts.running + experiment.counts.starting > 0;
}

const refresh = gathered(async () => show(await get(`/experiments/${id}`)), 500);
on("run", (event) => event.experiment === id && refresh("run"));
