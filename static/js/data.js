// All data sets: what each is, eight of its images, whether it is on disk; folders of images that can be read.

import { get } from "./api.js";
import { segment, url } from "./model/address.js";
import { el, report, setText } from "./dom.js";
import { ago } from "./format.js";
import { multiple, showImages } from "./images.js";
import { showWhere, sinceRead } from "./preparing.js";

const byId = (id) => document.getElementById(id);
const SIDES = [28, 32, 64, 224];

for (const card of document.querySelectorAll("[data-dataset]")) {
  const name = card.dataset.dataset;
  const strip = card.querySelector(".strip");
  const images = () =>
    showImages(strip, {
      dataset: name,
      orders: ["original"],
      seed: 1,
      count: 8,
      size: multiple(Number(card.dataset.shape.split(",")[2]), 40),
    });
  get(`/datasets/${segment(name)}/state`)
    .then((state) => showWhere(card.querySelector(".where"), state, (now) => now.prepared && images().catch(report)))
    .catch(report);
}

const versionOf = (state) => Number(state.name.split("@").at(-1));

/** A folder: how its images are made alike is chosen before it is read, and is part of the name. */
function folderRow(folder, items) {
  const title = folder.replace("folder:", "");
  const side = el(
    "select",
    { "aria-label": `Side of the images of ${title}` },
    ...SIDES.map((one) => el("option", { value: one, selected: one === 32 }, `${one} × ${one}`)),
  );
  const colour = el(
    "select",
    { "aria-label": `Colour of the images of ${title}` },
    el("option", { value: "" }, "colour"),
    el("option", { value: "-grey" }, "grey"),
  );
  const where = el("td");
  const show = () => {
    const name = side.value === "32" && !colour.value ? folder : `${folder}@${side.value}${colour.value}`;
    const versions = items.filter((one) => one.folder === name).sort((a, b) => versionOf(a) - versionOf(b));
    const state = versions.at(-1) ?? {
      name,
      title,
      on_disk: true,
      prepared: false,
      preparing: false,
      progress: null,
      error: null,
    };
    if (state.prepared)
      where.replaceChildren(
        el("a", { href: url(`/data/${segment(state.name)}`) }, `Read ${ago(state.read_at)}: open it`),
        ...sinceRead(where, state),
      );
    else showWhere(where, state, (now) => now.prepared && location.assign(url(`/data/${segment(now.name)}`)));
  };
  for (const field of [side, colour]) field.addEventListener("change", show);
  show();
  return el("tr", {}, el("th", { scope: "row" }, title), el("td", {}, side), el("td", {}, colour), where);
}

get("/datasets")
  .then(({ directory, folders, items }) => {
    setText(byId("directory"), directory);
    byId("folders").hidden = !folders.length;
    byId("none").hidden = folders.length > 0;
    byId("folders").tBodies[0].replaceChildren(...folders.map((one) => folderRow(one, items)));
  })
  .catch(report);
