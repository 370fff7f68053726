// All data sets: what each is, eight of its images, whether it is on disk.

import { get } from "./api.js";
import { report } from "./dom.js";
import { multiple, showImages } from "./images.js";
import { showWhere } from "./preparing.js";

for (const card of document.querySelectorAll("[data-dataset]")) {
  const name = card.dataset.dataset;
  const strip = card.querySelector(".strip");
  const images = () => showImages(strip, { dataset: name, orders: ["original"], seed: 1, count: 8, size: multiple(Number(card.dataset.shape.split(",")[2]), 40) });
  const changed = (dataset) => dataset.prepared && images().catch(report);
  get(`/datasets/${name}`)
    .then((dataset) => showWhere(card.querySelector(".where"), dataset, changed))
    .catch(report);
}
