// Where a data set is: on disk, on its way with a progress bar, or to be downloaded.

import { get, post } from "./api.js";
import { segment, url } from "./model/address.js";
import { el, icon, report } from "./dom.js";
import { ago, percent } from "./format.js";

const LOOK_MS = 700;

/**
 * Fill `box` with a data set's state (of GET /datasets/NAME/state); looks again while it is being prepared, and calls
 * `changed(state)` at first and at the end.
 */
export function showWhere(box, state, changed) {
  box.replaceChildren(...parts(box, state, changed));
  if (!state.preparing) return changed(state);
  setTimeout(async () => {
    try {
      showWhere(box, await get(`/datasets/${segment(state.name)}/state`), changed);
    } catch (error) {
      report(error);
    }
  }, LOOK_MS);
}

/** What became of a folder of images since it was read, with a button that reads it again. */
export function sinceRead(box, state) {
  if (state.source === "gone") return [el("p.note", {}, "The folder is gone; what was read of it is kept.")];
  if (state.source !== "changed") return [];
  const button = el("button.btn-link.writes", { type: "button" }, "Read it again");
  button.addEventListener("click", async () => {
    button.disabled = true;
    try {
      const next = await post(`/datasets/${segment(state.name)}/prepare?again=true`);
      showWhere(box, next, (now) => now.prepared && location.assign(url(`/data/${segment(now.name)}`)));
    } catch (error) {
      button.disabled = false;
      report(error);
    }
  });
  return [el("p.note", {}, "The folder has changed since. ", button, ", as a new version: runs keep this one.")];
}

function parts(box, state, changed) {
  const status = (name, words) => el("span.status", { "data-status": name }, icon(name), el("span", {}, words));
  if (state.prepared)
    return [
      status("succeeded", state.read_at ? `Read ${ago(state.read_at)}` : state.download_mb ? "On disk" : "Installed"),
      ...sinceRead(box, state),
    ];
  if (state.preparing) {
    const bar = el("span.share", {}, el("span"));
    bar.firstElementChild.style.cssText = `width: ${100 * (state.progress ?? 0)}%; background: var(--accent)`;
    const words =
      state.progress === null || state.progress === 1 ? "Reading" : `Downloading ${percent(state.progress, 0)}`;
    return [status("running", words), bar];
  }
  const words = state.on_disk ? "On disk, not read yet" : `Not on disk, ${state.download_mb} MB to download`;
  const button = el("button.btn-link.writes", { type: "button" }, state.on_disk ? "Read it" : "Download");
  button.addEventListener("click", async () => {
    button.disabled = true;
    try {
      showWhere(box, await post(`/datasets/${segment(state.name)}/prepare`), changed);
    } catch (error) {
      button.disabled = false;
      report(error);
    }
  });
  return [el("span.row", {}, el("span", {}, words), button), state.error && el("p.bad.note", {}, state.error)].filter(
    Boolean,
  );
}
