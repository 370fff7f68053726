// The configurations of a comparison as a table, its runs below each on demand; and what differs among them.

import { query, url } from "./model/address.js";
import { el, icon, setText } from "./dom.js";
import { csvOf, duration, integer, loss, plural } from "./format.js";
import { slug } from "./share.js";

const byId = (id) => document.getElementById(id);
let compared = null;
let style = null;

byId("download").addEventListener("click", download);

/** Table and differences; `experiment`: its id, where it is one. */
export function showConfigurations(fresh, styled, experiment) {
  compared = fresh;
  style = styled;
  byId("download").disabled = false;
  showTable();
  showDifferences();
  const link = byId("show-runs");
  link.hidden = !experiment;
  link.href = url(`/${query({ experiment })}`);
  setText(link, `Show ${plural(compared.runs, "run")}`);
}

const opened = new Set();

function showTable() {
  const published = compared.groups.some((one) =>
    Object.values(one.metrics).some((metric) => metric.published != null),
  );
  byId("table").tHead.querySelector("[data-published]").hidden = !published;
  byId("table").tBodies[0].replaceChildren(...compared.groups.flatMap((one) => tableRows(one, published)));
  const two = nearest();
  byId("image-by-image").hidden = !two;
  if (two) byId("image-by-image").href = url(`/compare/predictions${query({ run: two })}`);
}

/** Two finished runs on the same test images: of two configurations and one seed where there are such. */
function nearest() {
  const done = compared.groups.flatMap((one) =>
    one.runs.filter((run) => run.status === "succeeded").map((run) => ({ ...run, one })),
  );
  const [first, ...rest] = done;
  const near = (run) => 2 * (run.one !== first.one) + (run.seed === first.seed);
  const second = rest
    .filter((run) => run.one.knobs.dataset === first.one.knobs.dataset)
    .toSorted((a, b) => near(b) - near(a))[0];
  return second ? [first.run, second.run] : null;
}

function tableRows(one, published) {
  const open = opened.has(one.name);
  const toggle = el(
    "button.btn.btn-quiet.disclose",
    {
      type: "button",
      "aria-expanded": String(open),
      "aria-label": `Runs of ${one.name}`,
      onclick: () => {
        if (!opened.delete(one.name)) opened.add(one.name);
        showTable();
      },
    },
    icon("right"),
  );
  const accuracy = one.metrics["test/accuracy"];
  const rows = [
    el(
      "tr",
      {},
      el("td", {}, toggle),
      el("td", {}, el("span.named", {}, style.mark(one), one.name)),
      el("td.right", {}, integer(one.parameters)),
      el("td.right", {}, String(one.n), el("span.muted", {}, ` of ${one.runs.length}`)),
      deviating(accuracy, 100, 2),
      el("td.right", {}, accuracy?.best == null ? "–" : (accuracy.best * 100).toFixed(2)),
      published && el("td.right", {}, accuracy?.published == null ? "–" : (accuracy.published * 100).toFixed(2)),
      deviating(one.metrics["test/loss"], 1, 4),
      el("td.right", {}, one.images_per_second == null ? "–" : integer(one.images_per_second)),
      el("td.right", {}, duration(one.seconds)),
    ),
  ];
  if (open) rows.push(...one.runs.map((run) => runRow(run, one, published)));
  return rows;
}

function runRow(run, one, published) {
  const last = (metric) => one.metrics[metric]?.values.find((one) => one.run === run.run)?.value;
  const accuracy = last("test/accuracy");
  return el(
    "tr.inner",
    {},
    el("td"),
    el("td", {}, el("a", { href: url(`/runs/${run.run}`) }, `seed ${run.seed}`)),
    el("td"),
    el("td.right.muted", {}, run.status),
    el("td.right", {}, accuracy == null ? "–" : (accuracy * 100).toFixed(2)),
    el("td"),
    published && el("td"),
    el("td.right", {}, loss(last("test/loss"))),
    el("td"),
    el("td"),
  );
}

function deviating(metric, factor, digits) {
  if (!metric) return el("td.right", {}, "–");
  const deviation = metric.std == null ? null : el("span.muted", {}, ` ± ${(metric.std * factor).toFixed(digits)}`);
  return el("td.right", {}, el("span.strong", {}, (metric.mean * factor).toFixed(digits)), deviation);
}

const factRow = (title, values) => el("tr", {}, el("th", { scope: "row" }, title), el("td", {}, values.join(", ")));

function showDifferences() {
  byId("differences").tBodies[0].replaceChildren(
    ...compared.differences.map((one) => factRow(one.title, one.titles)),
    ...compared.ran_on.map((one) => factRow(one.title, one.values)),
  );
  setText(byId("same"), compared.same.length ? `The same in all: ${compared.same.join(", ")}.` : "");
}

function download() {
  const columns = [
    "configuration",
    "parameters",
    "n",
    "accuracy_mean",
    "accuracy_std",
    "accuracy_best",
    "accuracy_published",
    "train_loss_mean",
    "test_loss_mean",
    "seconds",
  ];
  const rows = compared.groups.map((one) => {
    const accuracy = one.metrics["test/accuracy"];
    return [
      one.name,
      one.parameters,
      one.n,
      accuracy?.mean,
      accuracy?.std,
      accuracy?.best,
      accuracy?.published,
      one.metrics["train/loss"]?.mean,
      one.metrics["test/loss"]?.mean,
      one.seconds,
    ];
  });
  el("a", {
    href: `data:text/csv;charset=utf-8,${encodeURIComponent(csvOf([columns, ...rows]))}`,
    download: `${slug(compared.title)}.csv`,
  }).click();
}
