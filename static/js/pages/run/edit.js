// What is done with a run, and said of it: stop, pause, resume, delete; its name, tags and note.

import { patch, post, remove } from "../../api.js";
import { tagsIn } from "../../bulk.js";
import { asked, copy, report, toast } from "../../dom.js";
import { keys } from "../../keys.js";
import { url } from "../../model/address.js";
import { deleted, offerUndo, promiseUndo, stopped } from "../../undo.js";
import { relaunch } from "./cause.js";
import { byId, id, loaded, page, state } from "./state.js";

/** Attach what is pressed and typed; a click before the run is there waits for it. */
export function offerEdits() {
  byId("relaunch").addEventListener("click", () => relaunch().catch(report));
  byId("cause-way").addEventListener("click", () => loaded.then(() => relaunch(state.run.mend ?? {})).catch(report));
  for (const verb of ["stop", "pause", "resume"]) {
    byId(verb).addEventListener("click", async (event) => {
      event.target.disabled = true;
      try {
        state.run = await post(`/runs/${id}/${verb}`);
        if (verb === "stop") offerUndo(stopped([id]));
        page.showRun();
        page.refresh(); // what the stream told meanwhile may be newer than this answer
      } catch (error) {
        report(error);
      }
      event.target.disabled = false;
    });
  }
  byId("first").addEventListener("click", async () => {
    await post(`/runs/${id}/first`).catch(report);
    page.refresh();
  });
  byId("delete").addEventListener("click", async () => {
    try {
      await remove(`/runs/${id}`);
      promiseUndo(deleted([id]));
      location.assign(url("/"));
    } catch (error) {
      report(error);
    }
  });
  byId("edit-tags").addEventListener("click", async () => {
    await loaded;
    const typed = await asked("Tags", {
      label: "With commas between them",
      value: state.run.tags.join(", "),
      yes: "Save tags",
    });
    if (typed !== null) await change({ tags: tagsIn(typed) });
  });
  byId("edit-note").addEventListener("click", () => loaded.then(() => editNote(true)));
  byId("keep-note").addEventListener("click", () => editNote(false));
  byId("note-form").addEventListener("submit", async (event) => {
    event.preventDefault();
    if (await change({ note: byId("new-note").value })) editNote(false);
  });
  byId("note-form").addEventListener("keydown", (event) => event.key === "Escape" && editNote(false));
  keys({
    s: ["Stop", press("stop")],
    p: ["Pause", press("pause")],
    r: ["Resume", press("resume")],
    l: ["Relaunch with changes", press("relaunch")],
    e: ["Rename", press("edit-name")],
    t: ["Tag", press("edit-tags")],
    Delete: ["Delete", press("delete")],
  });
  byId("edit-name").addEventListener("click", () => loaded.then(() => editName(true)));
  byId("keep-name").addEventListener("click", () => editName(false));
  byId("rename").addEventListener("submit", async (event) => {
    event.preventDefault();
    if (await change({ name: byId("new-name").value })) editName(false);
  });
  byId("rename").addEventListener("keydown", (event) => event.key === "Escape" && editName(false));
  byId("copy-json").addEventListener("click", async () => {
    await loaded;
    toast(
      (await copy(JSON.stringify(state.run.spec, null, 2)))
        ? "Configuration copied"
        : "The configuration could not be copied",
    );
  });
}

const press = (name) => () => byId(name).hidden || byId(name).click();

/** Bring a change to the server; true when it took it. */
async function change(what) {
  try {
    state.run = await patch(`/runs/${id}`, what);
    page.showRun();
    return true;
  } catch (error) {
    report(error);
    return false;
  }
}

function editNote(open) {
  byId("note-form").hidden = !open;
  byId("note").hidden = open || !state.run.note;
  if (open) {
    byId("new-note").value = state.run.note;
    byId("new-note").focus();
  } else {
    byId("edit-note").focus();
  }
}

function editName(open) {
  byId("rename").hidden = !open;
  byId("name").hidden = byId("edit-name").hidden = open;
  if (open) {
    byId("new-name").value = state.run.name;
    byId("new-name").focus();
    byId("new-name").select();
  } else {
    byId("edit-name").focus();
  }
}
