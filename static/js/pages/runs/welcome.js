// The empty Runs page: presets to launch, the same from a script, the machine.

import { get, post } from "../../api.js";
import { query, url } from "../../model/address.js";
import { el, report, setText } from "../../dom.js";
import { compact } from "../../model/form.js";
import { bytes, plural } from "../../format.js";
import { showImages } from "../../images.js";
import { launchedExperiment, promiseUndo } from "../../undo.js";

const byId = (id) => document.getElementById(id);

/** Number of runs that a preset's grid makes. */
export const sizeOf = (preset) => Object.values(preset.grid).reduce((product, values) => product * values.length, 1);

export async function showWelcome() {
  const [catalog, system] = await Promise.all([get("/catalog"), get("/system")]);
  byId("presets").replaceChildren(...catalog.presets.map((preset, index) => card(preset, catalog, index === 0)));
  showMachine(system);
  const preset = catalog.presets.find((one) => one.base.dataset === "digits") ?? catalog.presets[0];
  const body = compact({ name: preset.title, base: preset.base, grid: preset.grid });
  setText(
    byId("script"),
    `curl ${location.origin}${url("/api/v1/experiments")} \\\n  -H 'Content-Type: application/json' -d '${body}'`,
  );
}

function card(preset, catalog, first) {
  const dataset = catalog.datasets.find((one) => one.name === preset.base.dataset);
  const images = el("div.strip.bare");
  const shuffles = (preset.grid.pixel_order ?? []).includes("shuffled");
  showImages(images, {
    dataset: dataset.name,
    orders: shuffles ? ["original", "shuffled"] : ["original"],
    seed: 1,
    count: shuffles ? 5 : 10,
  })
    .then(
      (shown) =>
        shown ||
        images.replaceChildren(el("p.note", {}, `${dataset.title}’s images are shown here after the download.`)),
    )
    .catch(report);
  const launch = el(
    `button.btn.writes${first ? ".btn-primary" : ""}`,
    { type: "button" },
    `Launch ${plural(sizeOf(preset), "run")}`,
  );
  launch.addEventListener("click", async () => {
    launch.disabled = true;
    try {
      const made = await post("/experiments", { name: preset.title, base: preset.base, grid: preset.grid });
      promiseUndo(launchedExperiment(made));
      location.assign(url(`/compare${query({ experiment: made.id })}`));
    } catch (error) {
      launch.disabled = false;
      report(error);
    }
  });
  const trains = Object.entries(preset.grid).map(([knob, values]) => plural(values.length, KNOBS[knob] ?? knob));
  const have = dataset.on_disk
    ? dataset.download_mb
      ? "on disk"
      : "installed"
    : `${dataset.download_mb} MB to download`;
  return el(
    "article.card.preset",
    {},
    images,
    el("h2", {}, preset.question),
    el("p.muted", {}, preset.description),
    el(
      "dl.pairs",
      {},
      el("dt", {}, "Trains"),
      el("dd", {}, trains.join(" × ")),
      el("dt", {}, "Data"),
      el("dd", {}, `${dataset.title}, ${have}`),
    ),
    el(
      "div.row",
      {},
      launch,
      el("a", { href: url(`/experiments/new${query({ preset: preset.name })}`) }, "Change first"),
    ),
  );
}

const KNOBS = { model: "model", pixel_order: "pixel order", seed: "seed", "optimizer.lr": "learning rate" };

function showMachine(system) {
  const gpus = (system.devices ?? []).filter((device) => device.name !== "cpu");
  const slots = (system.devices ?? []).find((device) => device.name === "cpu")?.slots;
  const rows = [
    ["Processor", `${plural(system.cores, "core")}${slots === undefined ? "" : `, ${plural(slots, "slot")}`}`],
    [
      "GPU",
      system.devices === null
        ? "being looked for"
        : gpus.map((device) => device.title).join(", ") || "none found; models train on the processor",
    ],
    ["Disk", `${bytes(system.disk_free)} free in ${system.home}`],
    ["Server", `Runyard ${system.version}, Python ${system.python}, ${bytes(system.memory)} of memory`],
    ["Who can reach it", `you, on this machine only (${location.host})`],
  ];
  byId("machine").tBodies[0].replaceChildren(
    ...rows.map(([title, value]) => el("tr", {}, el("th", { scope: "row" }, title), el("td", {}, value))),
  );
}
