// One data set: samples by class, balance, brightness, pixels in order and shuffled. Seeds are in the URL.

import { get } from "./api.js";
import { query, segment, url } from "./model/address.js";
import { el, report, setText, showArrived } from "./dom.js";
import { bytes, integer, moment, percent, plural } from "./format.js";
import { cut, multiple, picture, showImages } from "./images.js";
import { gathered } from "./live.js";
import { showWhere } from "./preparing.js";

const byId = (id) => document.getElementById(id);
const name = byId("dataset").dataset.name;
const path = `/datasets/${segment(name)}`;
const address = new URL(location.href);
const view = { seed: address.searchParams.get("seed") ?? "1", samples: address.searchParams.get("samples") ?? "0" };
const CHANNELS = ["red", "green", "blue"];
const CLASSES = 20; // shown at a time

let dataset = null;

const slide = byId("seed-slide");
slide.value = byId("seed").value = view.seed;
const turned = gathered(showOrders, 60);
for (const field of [slide, byId("seed")]) {
  field.addEventListener("input", () => {
    if (!field.checkValidity() || field.value === "") return;
    view.seed = field.value;
    for (const other of [slide, byId("seed")]) if (other !== field) other.value = field.value;
    remember();
    turned("seed");
  });
}
byId("other-samples").addEventListener("click", () => {
  view.samples = String(Number(view.samples) + 1);
  remember();
  byId("samples").tBodies[0].replaceChildren();
  showSamples().catch(report);
});
byId("more-classes").addEventListener("click", () => showSamples().catch(report));

function remember() {
  history.replaceState(
    null,
    "",
    url(
      `/data/${segment(name)}${query({ seed: view.seed === "1" ? "" : view.seed, samples: view.samples === "0" ? "" : view.samples })}`,
    ),
  );
}

async function begin() {
  showWhere(byId("where"), await get(`${path}/state`), () => show().catch(report));
}

async function show() {
  dataset = await get(path);
  setText(byId("used"), plural(dataset.runs, "run"));
  byId("notes").replaceChildren(...dataset.notes.map((note) => el("p.note", {}, note)));
  byId("holds").hidden = !dataset.prepared;
  byId("absent").hidden = dataset.prepared;
  if (!dataset.prepared) {
    setText(byId("absent"), dataset.error ?? waiting());
    return;
  }
  showChannels();
  showFacts();
  byId("samples").tBodies[0].replaceChildren();
  await Promise.all([showSamples(), showOrders()]).finally(showArrived);
}

function waiting() {
  if (dataset.on_disk) return "Its images are shown here once it has been read.";
  const files = dataset.archives.length
    ? `; without a network, put ${dataset.archives.join(", ")} into the directory of data sets`
    : "";
  return `Its images are shown here once it is downloaded. A run that needs it downloads it by itself${files}.`;
}

async function showSamples() {
  const body = byId("samples").tBodies[0];
  const first = body.childElementCount;
  const found = await get(`${path}/samples${query({ first, classes: CLASSES, seed: view.samples })}`);
  const size = multiple(found.shape[2], 60);
  const most = Math.max(...dataset.classes.map((one) => one.train + one.test));
  const total = dataset.train_size + dataset.test_size;
  const each = found.shape[0] * found.shape[1] * found.shape[2];
  body.append(
    ...found.classes.map((title, at) => {
      const { train, test } = dataset.classes[first + at];
      const pictures = cut(found.images[at], Math.floor((atob(found.images[at]).length || each) / each));
      const bar = el("span.share.stacked", {}, el("span.key.train"), el("span.key.test"));
      bar.children[0].style.width = `${(100 * train) / most}%`;
      bar.children[1].style.width = `${(100 * test) / most}%`;
      return el(
        "tr",
        {},
        el("th", { scope: "row" }, title),
        el("td", {}, el("span.sample-row", {}, ...pictures.map((one) => picture(one, found.shape, size, title)))),
        el(
          "td.balance-cell",
          {},
          el("span", {}, `${integer(train)} + ${integer(test)}`),
          bar,
          el("span.muted", {}, percent((train + test) / total, 1)),
        ),
      );
    }),
  );
  const left = dataset.classes.length - body.childElementCount;
  byId("more-classes").hidden = left <= 0;
  setText(byId("more-classes"), `Show ${plural(Math.min(left, CLASSES), "more class").replace("classs", "classes")}`);
}

async function showOrders() {
  const size = multiple(dataset.shape[2], 90);
  const count = Math.max(2, Math.min(4, Math.floor(((byId("orders").clientWidth || 400) - 70) / (size + 6))));
  await showImages(byId("orders"), { dataset: name, orders: ["original", "shuffled"], seed: view.seed, count, size });
  const [channels, height, width] = dataset.shape;
  setText(
    byId("orders-note"),
    `One fixed permutation of the ${integer(height * width)} places, the same for every image${channels > 1 ? "; a place keeps its colours" : ""}. A fully connected net is given the same data either way.`,
  );
}

function showChannels() {
  byId("channels").tBodies[0].replaceChildren(
    ...dataset.channels.map((one, at) => {
      const title = dataset.channels.length === 1 ? "grey" : CHANNELS[at];
      return el(
        "tr",
        {},
        el("td", {}, title),
        el("td", {}, histogram(one, title)),
        el("td.right", {}, one.mean.toFixed(4)),
        el("td.right", {}, one.std.toFixed(4)),
      );
    }),
  );
  const words = (values) => values.map((value) => value.toFixed(4)).join(", ");
  setText(
    byId("normalised"),
    `Normalised in training with mean ${words(dataset.mean)} and deviation ${words(dataset.std)}.`,
  );
  const counts = new Set(dataset.classes.map((one) => one.train));
  const sizes = dataset.classes.map((one) => one.train);
  setText(
    byId("balance"),
    counts.size === 1 ? "balanced" : `${integer(Math.min(...sizes))} to ${integer(Math.max(...sizes))} images each`,
  );
}

/** 32 bars of 8 values each, with a line at the mean. */
function histogram({ histogram: counts, mean }, title) {
  const bars = Array.from({ length: 32 }, (_, at) => counts.slice(at * 8, at * 8 + 8).reduce((a, b) => a + b, 0));
  const highest = bars.toSorted((a, b) => b - a)[1] || 1; // pure black and white may tower over all others
  const box = el(`span.histogram.${title}`, {
    role: "img",
    "aria-label": `Histogram of ${title}, mean ${mean.toFixed(4)}`,
  });
  bars.forEach((count) => {
    const bar = el("i");
    bar.style.height = `${Math.min(100, (100 * count) / highest)}%`;
    box.append(bar);
  });
  const line = el("b");
  line.style.left = `${mean * 100}%`;
  box.append(line);
  return box;
}

function showFacts() {
  const area = dataset.shape.reduce((a, b) => a * b, 1);
  const rows = [
    ["Prepared", `${bytes(dataset.bytes)} as plain arrays, checked whenever a run begins`],
    [
      "From",
      dataset.read_at
        ? `a folder, as it was on ${moment(dataset.read_at)}`
        : dataset.download_mb
          ? `${dataset.archives.join(", ")}, ${dataset.download_mb} MB`
          : "the installed packages: no download",
    ],
    ["In memory", `${bytes((dataset.train_size + dataset.test_size) * area)} as bytes, on the device of each run`],
    ["Source", dataset.citation],
  ];
  byId("facts").tBodies[0].replaceChildren(
    ...rows.map(([title, value]) => el("tr", {}, el("th", { scope: "row" }, title), el("td", {}, value))),
  );
}

begin().catch(report);
