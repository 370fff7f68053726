// What a finished run says of the test set: confusion matrix, accuracy per class, its most confident mistakes.
// What is looked at (a cell, a class, which pixels) is in the URL.

import { get } from "./api.js";
import { query, url } from "./model/address.js";
import { el, report, setText, swatch } from "./dom.js";
import { capital, integer, loss, percent, plural } from "./format.js";
import { showGallery } from "./gallery.js";
import { on } from "./live.js";
import { kept } from "./metrics.js";
import { color } from "./palette.js";
import { offerChoices } from "./views/choice.js";

const byId = (id) => document.getElementById(id);
const page = byId("predictions");
const id = Number(page.dataset.run);
const address = new URL(location.href);
const DEFAULTS = { matrix: "counts", pixels: "original", label: "", cell: "" };
const view = { ...DEFAULTS };
for (const key of Object.keys(view)) if (address.searchParams.has(key)) view[key] = address.searchParams.get(key);

/** More classes than this are not drawn as a matrix: what is confused most is listed. */
const MOST_CLASSES = 24;
const PAIRS = 20;
const FULL = 0.1; // share of a row that went wrong from which on red is full

let said = null;

offerChoices(view, (key, value) => change({ [key]: value }));
byId("configuration").prepend(swatch(page.dataset.model, page.dataset.order));

function change(what) {
  Object.assign(view, what);
  const shown = Object.fromEntries(Object.entries(view).filter(([key, value]) => value !== DEFAULTS[key]));
  history.replaceState(null, "", url(`/runs/${id}/predictions${query(shown)}`));
  if (said) show(Object.keys(what));
}

async function begin() {
  const run = await get(`/runs/${id}`);
  try {
    said = await get(`/runs/${id}/predictions`);
  } catch (error) {
    if (error.status !== 404) throw error;
    const waits = ["queued", "starting", "running"].includes(run.status);
    setText(
      byId("absent"),
      waits
        ? "Nothing yet: the net is asked about the whole test set at the end of its training."
        : `${capital(error.message)}.`,
    );
    byId("absent").hidden = false;
    return;
  }
  byId("absent").hidden = true;
  for (const part of ["said", "figures", "with"]) byId(part).hidden = false;
  const byShare = said.classes.filter((one) => one.n).toSorted((a, b) => b.right / b.n - a.right / a.n);
  setText(byId("f-accuracy"), percent(said.right / said.n));
  setText(byId("f-interval"), `${percent(said.low, 1)} to ${percent(said.high, 1)}`);
  byId("f-interval").title = "95% Wilson interval";
  setText(byId("f-loss"), loss(kept(run.summary["test/loss"])));
  setText(byId("f-wrong"), integer(said.n - said.right));
  setText(byId("f-size"), `of ${integer(said.n)}`);
  for (const [key, one] of [
    ["easy", byShare[0]],
    ["hard", byShare.at(-1)],
  ]) {
    setText(byId(`f-${key}`), one.name);
    setText(byId(`f-${key}-share`), percent(one.right / one.n, 1));
  }
  setText(byId("f-sure"), percent(said.confidence, 1));
  showClasses(byShare);
  show(Object.keys(view));
}

/** Bring up to date what depends on these parts of the view. */
function show(keys) {
  const any = (...names) => names.some((name) => keys.includes(name));
  if (any("matrix", "cell")) showMatrix();
  if (any("label")) showChips();
  const galleries = [
    any("pixels") && showFirst(),
    any("label", "pixels") && showMistakes(),
    any("cell", "pixels") && showCell(),
  ];
  Promise.all(galleries).catch((error) => {
    setText(byId("first-note"), error.status === 404 ? error.message : "");
    if (error.status !== 404) report(error);
  });
}

function showClasses(byShare) {
  const colour = color(page.dataset.model);
  byId("classes").tBodies[0].replaceChildren(
    ...byShare.map((one) => {
      const share = one.right / one.n;
      const bar = el("span.share", {}, el("span"));
      bar.firstElementChild.style.cssText = `width: ${share * 100}%; background: ${colour}`;
      const hover = `${integer(one.right)} of ${integer(one.n)}; 95% interval ${percent(one.low, 1)} to ${percent(one.high, 1)}`;
      return el(
        "tr",
        { title: hover },
        el("th", { scope: "row" }, one.name),
        el("td", {}, bar),
        el("td.right", {}, percent(share, 1)),
      );
    }),
  );
}

function showMatrix() {
  const { classes, confusion } = said;
  if (classes.length > MOST_CLASSES) return showPairs();
  const heads = classes.map((one) => el("th", { scope: "col", title: one.name }, el("span", {}, one.name)));
  const rows = classes.map((one, label) => {
    const cells = confusion[label].map((count, predicted) => {
      const share = one.n ? count / one.n : 0;
      const text = view.matrix === "share" ? (share * 100).toFixed(1) : integer(count);
      if (label === predicted) return el("td.same", {}, text);
      const key = `${label}-${predicted}`;
      const button = el(
        "button",
        {
          type: "button",
          "aria-pressed": String(view.cell === key),
          "aria-label": `${classes[label].name} taken for ${classes[predicted].name}: ${plural(count, "image")}`,
          disabled: count === 0,
          onclick: () => change({ cell: view.cell === key ? "" : key }),
        },
        text,
      );
      const cell = el(count < 20 && share < FULL / 2 ? "td.few" : "td", {}, button);
      cell.style.setProperty("--wrong", `${Math.min(1, share / FULL) * 62}%`);
      return cell;
    });
    return el("tr", {}, el("th", { scope: "row", title: one.name }, one.name), ...cells);
  });
  const focused = document.activeElement?.closest?.("#matrix button")?.getAttribute("aria-label");
  byId("matrix").replaceChildren(
    el("thead", {}, el("tr", {}, el("th.corner.muted", {}, "true ↓ predicted →"), ...heads)),
    el("tbody", {}, ...rows),
  );
  if (focused)
    byId("matrix")
      .querySelector(`button[aria-label="${CSS.escape(focused)}"]`)
      ?.focus();
  const sizes = new Set(classes.map((one) => one.n));
  const each =
    sizes.size === 1
      ? `Each row holds the ${integer([...sizes][0])} test images of a class.`
      : "Each row holds the test images of a class.";
  setText(
    byId("matrix-note"),
    `${each} Red grows with the share of the row that went wrong, full from 10% on; the diagonal is left plain. Press a cell to see its images.`,
  );
}

/** With many classes: the pairs that are confused most. */
function showPairs() {
  document.querySelector("[data-choice=matrix]").hidden = true;
  const { classes, confusion } = said;
  const pairs = confusion.flatMap((row, label) =>
    row.map((count, predicted) => ({ label, predicted, count, share: count / (classes[label].n || 1) })),
  );
  const most = pairs
    .filter((one) => one.label !== one.predicted && one.count)
    .toSorted((a, b) => b.share - a.share)
    .slice(0, PAIRS);
  setText(byId("matrix-title"), "Confused most");
  byId("matrix").className = "pairs";
  byId("matrix").replaceChildren(
    el(
      "thead",
      {},
      el(
        "tr",
        {},
        el("th", {}, "True"),
        el("th", {}, "Predicted"),
        el("th.right", {}, "Images"),
        el("th.right", {}, "of the class"),
      ),
    ),
    el(
      "tbody",
      {},
      ...most.map(({ label, predicted, count, share }) =>
        el(
          "tr",
          {},
          el("td", {}, classes[label].name),
          el(
            "td",
            {},
            el(
              "button.btn-link",
              { type: "button", onclick: () => change({ cell: `${label}-${predicted}` }) },
              classes[predicted].name,
            ),
          ),
          el("td.right", {}, integer(count)),
          el("td.right", {}, percent(share, 1)),
        ),
      ),
    ),
  );
  setText(
    byId("matrix-note"),
    `The matrix of ${classes.length} classes has ${integer(classes.length ** 2)} cells: these are its fullest outside the diagonal. The JSON below has all of them.`,
  );
}

function showChips() {
  const wrong = said.classes.map((one, label) => [String(label), one.name, one.n - one.right]);
  const chips = [["", "All", said.n - said.right], ...wrong].map(([label, name, count]) =>
    el(
      "button.chip",
      { type: "button", "aria-pressed": String(view.label === label), onclick: () => change({ label }) },
      name,
      " ",
      el("b.muted", {}, integer(count)),
    ),
  );
  const kept = byId("chips").scrollLeft;
  const focused = [...byId("chips").children].indexOf(document.activeElement);
  byId("chips").replaceChildren(...chips);
  byId("chips").scrollLeft = kept;
  if (focused >= 0) chips[focused].focus();
}

const seen = () => view.pixels === "seen";

async function showFirst() {
  const asked = { run: id, sort: "index" };
  await showGallery(byId("first"), asked, { size: 60, seen: seen(), said: () => [0], count: 8 });
  const items = [...byId("first").children].slice(0, 8);
  setText(
    byId("first-note"),
    `${items.filter((one) => !one.querySelector(".wrong")).length} of ${items.length} right; true name, then the predicted one`,
  );
}

async function showMistakes() {
  const asked = { run: id, right: false, label: view.label };
  const total = await showGallery(byId("mistakes"), asked, { rows: rows(), seen: seen(), more: byId("mistakes-more") });
  if (!total) byId("mistakes").replaceChildren(el("p.muted", {}, "None: every image is right."));
}

async function showCell() {
  const [label, predicted] = view.cell.split("-").map(Number);
  const there = said.classes[label] && said.classes[predicted];
  byId("cell").hidden = !there;
  if (!there) return;
  setText(byId("cell-title"), `${said.classes[label].name} taken for ${said.classes[predicted].name}`);
  const total = await showGallery(
    byId("cell-images"),
    { run: id, label, predicted },
    { rows: rows(), seen: seen(), more: byId("cell-more") },
  );
  setText(byId("cell-note"), `${plural(total, "image")}, most confident first`);
}

/** Rows of a gallery that are shown at first. */
const rows = () => (window.innerWidth < 640 ? 2 : 1);

on("run", (event) => event.run === id && !said && begin().catch(report));
begin().catch(report);
