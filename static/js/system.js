// The System page: devices and slots, what runs, the queue in order, disk, versions, settings.

import { get, post } from "./api.js";
import { el, report, setText, showArrived, swatch } from "./dom.js";
import { ago, bytes, duration, integer, moment, plural } from "./format.js";
import { gathered, on } from "./live.js";
import { url } from "./model/address.js";

const byId = (id) => document.getElementById(id);
const QUEUE_SHOWN = 100;
const REFRESH_MS = 5000;

let titles = new Map();
let running = [];

const refresh = gathered(async () => {
  const [system, atWork, waiting] = await Promise.all([
    get("/system"),
    get("/runs?status=running&status=starting&order=asc"),
    get(`/runs?status=queued&sort=queue&order=asc&limit=${QUEUE_SHOWN}`),
  ]);
  running = atWork.items;
  showDevices(system);
  showRunning();
  showQueue(waiting, system);
  showDisk(system);
  showServer(system);
  showSettings(system);
  showArrived();
}, 300);

on("run", refresh);
on("deleted", refresh);
on("counts", refresh);

async function begin() {
  const catalog = await get("/catalog");
  titles = new Map(catalog.models.map((model) => [model.name, model.title]));
  refresh("all");
}
begin().catch((error) => (showArrived(), report(error)));
setInterval(() => document.hidden || refresh("time"), REFRESH_MS);
setInterval(showSigns, 1000);

const cell = (text, kind = "td") => el(kind, {}, text);
const right = (text) => el("td.right.nowrap", {}, text);
const model = (run) =>
  el(
    "td",
    {},
    el(
      "span.named",
      {},
      swatch(run.spec.model.name, run.spec.pixel_order),
      titles.get(run.spec.model.name) ?? run.spec.model.name,
    ),
  );
const link = (run) => el("td", {}, el("a.strong", { href: url(`/runs/${run.id}`) }, run.name));

function showDevices(system) {
  const devices = system.devices ?? [];
  const used = devices.reduce((sum, device) => sum + device.used, 0);
  const slots = devices.reduce((sum, device) => sum + device.slots, 0);
  const cpu = devices.find((device) => device.name === "cpu");
  const isFull = cpu && cpu.used < cpu.slots && cpu.threads_used >= cpu.threads;
  setText(
    byId("slots-note"),
    system.devices
      ? `${used} of ${plural(slots, "slot")} in use${isFull ? `; they use all ${cpu.threads} CPU threads` : ""}`
      : "being looked for",
  );
  byId("devices").replaceChildren(
    ...devices.map((device) => {
      const cpu = device.name === "cpu";
      const boxes = Array.from({ length: device.slots }, (_, at) => el(`i${at < device.used ? ".on" : ""}`));
      const memory = cpu ? `${bytes(system.memory_used)} of ${bytes(system.memory_total)}` : bytes(device.memory);
      return el(
        "tr",
        {},
        el("td.strong", {}, device.name),
        cell(device.title),
        el(
          "td",
          {},
          el("span.slots", { role: "img", "aria-label": `${device.used} of ${device.slots} in use` }, ...boxes),
        ),
        right(`${device.used} of ${device.slots}`),
        right(cpu ? `${Math.round(system.load * 100)}%` : "–"),
        right(memory),
      );
    }),
  );
}

function showRunning() {
  byId("no-running").hidden = running.length > 0;
  byId("running").closest("table").hidden = !running.length;
  byId("running").replaceChildren(
    ...running.map((run) => {
      const attempt = run.attempts.at(-1);
      const worker = attempt?.pid
        ? `process ${attempt.pid}, ${plural(attempt.environment?.threads ?? 1, "thread")}`
        : "starting";
      return el(
        "tr",
        {},
        link(run),
        model(run),
        cell(run.device ?? "–"),
        cell(worker),
        el("td.right.nowrap", { "data-heartbeat": attempt?.heartbeat_at ?? "" }),
      );
    }),
  );
  showSigns();
}

function showSigns() {
  for (const place of byId("running").querySelectorAll("[data-heartbeat]")) {
    const iso = place.dataset.heartbeat;
    const seconds = iso ? Math.max(0, (Date.now() - new Date(iso).getTime()) / 1000) : null;
    setText(place, seconds === null ? "–" : `${duration(seconds)} ago`);
    place.classList.toggle("bad", seconds !== null && seconds > 10);
  }
}

function showQueue(waiting, system) {
  const { items } = waiting;
  byId("no-queue").hidden = items.length > 0;
  byId("queue").closest("table").hidden = !items.length;
  const total = system.counts.queued;
  byId("waits").hidden = !system.waits || !total;
  setText(byId("waits"), system.waits ? `Nothing starts: ${system.waits}.` : "");
  setText(
    byId("queue-note"),
    total > items.length
      ? `the first ${integer(items.length)} of ${integer(total)}`
      : items.length
        ? plural(total, "run")
        : "",
  );
  byId("queue").replaceChildren(
    ...items.map((run, at) => {
      const first = el("button.btn-link.writes", { type: "button" }, "Move to front");
      first.addEventListener("click", async () => {
        first.disabled = true;
        await post(`/runs/${run.id}/first`).catch(report);
        refresh("moved");
      });
      const device = run.spec.device === "auto" ? "any device" : run.spec.device;
      return el(
        "tr",
        { "data-run": run.id },
        right(String(at + 1)),
        link(run),
        model(run),
        el("td.muted", {}, `a slot on ${device}`),
        el("td.right.nowrap", {}, at ? first : el("span.muted", {}, "next")),
      );
    }),
  );
}

function showDisk(system) {
  setText(byId("disk-free"), `${bytes(system.disk_free)} free`);
  setText(byId("home"), system.home);
  byId("disk").replaceChildren(
    ...system.disk.map(({ what, path, bytes: size }) =>
      el("tr", {}, cell(what), el("td", {}, el("code", {}, path)), right(bytes(size))),
    ),
  );
}

function showServer(system) {
  const { versions } = system;
  const up = (Date.now() - new Date(system.started_at).getTime()) / 1000;
  const rows = [
    ["Runyard", `${system.version}, up ${duration(up)}`],
    ["Machine", `${system.host}, process ${system.process}, ${bytes(system.memory)} of memory`],
    ["Python", system.python],
    ["PyTorch", `torch ${versions.torch}, torchvision ${versions.torchvision}`],
    ["Web", `FastAPI ${versions.fastapi}, Plotly ${versions.plotly}`],
    ["Store", `SQLite ${versions.sqlite}, schema ${versions.schema}`],
    ["Live streams", integer(system.listeners)],
    [
      "Who can reach it",
      system.shared
        ? "others too: a token is required"
        : `you, on this machine only (${location.host}); its other users need a token`,
    ],
  ];
  byId("server").replaceChildren(
    ...rows.map(([title, value]) => el("tr", {}, el("th", { scope: "row" }, title), cell(value))),
  );
  byId("plugins-section").hidden = !system.plugins.length;
  byId("plugins").replaceChildren(
    ...system.plugins.map((one) =>
      el(
        "tr",
        {},
        el("td.strong", {}, one.name),
        cell(one.kind),
        cell(`${one.package} ${one.version}`),
        one.error ? el("td.bad", {}, `left out: ${one.error}`) : cell(one.warning ?? "ready"),
      ),
    ),
  );
  byId("tokens-section").hidden = !system.shared && !system.tokens.length;
  byId("tokens").replaceChildren(
    ...system.tokens.map((one) =>
      el(
        "tr",
        {},
        el("td.strong", {}, one.name),
        cell(one.access === "read" ? "read-only" : "full"),
        el("td.right", { title: moment(one.created_at) }, ago(one.created_at)),
      ),
    ),
  );
}

function showSettings(system) {
  const changed = system.settings.filter((one) => one.source !== "default").length;
  setText(byId("settings-note"), `${changed} of ${system.settings.length} differ from the default`);
  byId("settings").replaceChildren(
    ...system.settings.map((one) =>
      el(
        "tr",
        {},
        el("td", {}, el("code", {}, one.name)),
        el("td", {}, one.value === null ? el("span.muted", {}, "not set") : el("code", {}, one.value)),
        one.source === "default" ? el("td.muted", {}, "default") : el("td.strong", {}, one.source),
        el("td.muted", {}, one.help),
      ),
    ),
  );
}
