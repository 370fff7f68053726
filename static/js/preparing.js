// Where a data set is: on disk, on its way with a progress bar, or to be downloaded.

import { get, post } from "./api.js";
import { el, icon, report } from "./dom.js";
import { percent } from "./format.js";

const LOOK_MS = 700;

/** Fill `box`; looks again while the data set is being prepared, and calls `changed(dataset)` at first and at the end. */
export function showWhere(box, dataset, changed) {
  box.replaceChildren(...parts(box, dataset, changed));
  if (!dataset.preparing) return changed(dataset);
  setTimeout(async () => {
    try {
      showWhere(box, await get(`/datasets/${dataset.name}`), changed);
    } catch (error) {
      report(error);
    }
  }, LOOK_MS);
}

function parts(box, dataset, changed) {
  const status = (name, words) => el("span.status", { "data-status": name }, icon(name), el("span", {}, words));
  if (dataset.prepared) return [status("succeeded", dataset.download_mb ? "On disk" : "Installed")];
  if (dataset.preparing) {
    const bar = el("span.share", {}, el("span"));
    bar.firstElementChild.style.cssText = `width: ${100 * (dataset.progress ?? 0)}%; background: var(--accent)`;
    const words = dataset.progress === null || dataset.progress === 1 ? "Reading" : `Downloading ${percent(dataset.progress, 0)}`;
    return [status("running", words), bar];
  }
  const words = dataset.on_disk ? "On disk, not read yet" : `Not on disk, ${dataset.download_mb} MB to download`;
  const button = el("button.btn-link.writes", { type: "button" }, dataset.on_disk ? "Read it" : "Download");
  button.addEventListener("click", async () => {
    button.disabled = true;
    try {
      showWhere(box, await post(`/datasets/${dataset.name}/prepare`), changed);
    } catch (error) {
      button.disabled = false;
      report(error);
    }
  });
  return [el("span.row", {}, el("span", {}, words), button), dataset.error && el("p.bad.note", {}, dataset.error)].filter(Boolean);
}
