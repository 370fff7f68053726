// Two finished runs on the same test images: where they agree, whether chance explains the difference, and the images
// that only one of them gets right. The runs and the class looked at are in the URL.

import { get } from "./api.js";
import { query, url } from "./model/address.js";
import { copy, el, report, setText, swatch, toast } from "./dom.js";
import { capital, integer, percent, plural, points } from "./format.js";
import { showGallery } from "./gallery.js";
import { kept } from "./metrics.js";
import { color } from "./palette.js";

const byId = (id) => document.getElementById(id);
const address = new URL(location.href);
let chosen = address.searchParams.getAll("run").map(Number).filter(Boolean).slice(0, 2);
let label = address.searchParams.get("label") ?? "";
let runs = []; // the two
let others = []; // every finished run on the same data set

byId("copy").addEventListener("click", async () => {
  toast((await copy(location.href)) ? "Link copied" : "The link could not be copied: it is in the address line");
});
byId("swap").addEventListener("click", () => choose(chosen.toReversed()));
byId("first-run").addEventListener("change", (event) =>
  choose([Number(event.target.value), chosen[1] === Number(event.target.value) ? chosen[0] : chosen[1]]),
);
byId("second-run").addEventListener("change", (event) =>
  choose([chosen[0] === Number(event.target.value) ? chosen[1] : chosen[0], Number(event.target.value)]),
);

function choose(two) {
  chosen = two;
  label = "";
  show().catch(report);
}

function absent(text) {
  setText(byId("absent"), text);
  byId("absent").hidden = false;
  byId("said").hidden = byId("curves").hidden = true;
}

async function begin() {
  if (!chosen.length) return absent("No run is named: open a finished run’s predictions and choose “Compare with …”.");
  const first = await get(`/runs/${chosen[0]}`);
  others = (await get(`/runs${query({ dataset: first.spec.dataset, status: "succeeded", limit: 200 })}`)).items;
  if (!others.some((one) => one.id === first.id)) others.unshift(first);
  if (chosen.length === 1) {
    const other = partner(first);
    if (!other)
      return absent("There is no other finished run on the same data set yet: launch one, and it can be chosen here.");
    chosen.push(other.id);
  }
  await show();
}

/** The run that one would compare with: of the same experiment and seed, else of the experiment, else the newest. */
function partner(run) {
  const rest = others.filter((one) => one.id !== run.id);
  const near = (one) => 2 * (one.experiment_id === run.experiment_id) + (one.spec.seed === run.spec.seed);
  return rest.toSorted((a, b) => near(b) - near(a))[0];
}

const name = (at) => (runs[0].name === runs[1].name ? `${runs[at].name} (run ${runs[at].id})` : runs[at].name);
const mark = (at) => swatch(runs[at].spec.model.name, runs[at].spec.pixel_order);

async function show() {
  history.replaceState(null, "", url(`/compare/predictions${query({ run: chosen, label })}`));
  runs = await Promise.all(chosen.map((id) => get(`/runs/${id}`)));
  for (const run of runs) if (!others.some((one) => one.id === run.id)) others.unshift(run);
  ["first-run", "second-run"].forEach((id, at) => {
    byId(id).replaceChildren(
      ...others.map((one) =>
        el(
          "option",
          { value: one.id, selected: one.id === chosen[at] },
          `${one.name} · ${percent(kept(one.summary["test/accuracy"]))} · run ${one.id}`,
        ),
      ),
    );
  });
  byId("swap").disabled = false;
  document.title = `${name(0)} and ${name(1)} · Runyard`;
  let two;
  try {
    two = await get(`/compare/predictions${query({ run: chosen })}`);
  } catch (error) {
    if (![404, 422].includes(error.status)) throw error;
    return absent(`${capital(error.message)}.`);
  }
  byId("absent").hidden = true;
  byId("said").hidden = byId("curves").hidden = false;
  byId("curves").href = url(`/compare${query({ run: chosen })}`);
  setText(byId("answer"), two.answer);
  const kinds = two.over_seeds
    ? `; over ${plural(two.over_seeds.seeds.length, "seed")} see below`
    : ": other seeds would give other nets";
  setText(byId("speaks"), `This speaks of these two trained nets, not of what they are made of${kinds}.`);
  setText(byId("shares-of"), `On ${integer(two.n)} test images`);
  byId("shares").tBodies[0].replaceChildren(
    ...two.shares.map((share, at) =>
      el(
        "tr",
        {},
        el("td", {}, el("span.named", {}, mark(at), name(at))),
        el("td.right.strong", {}, percent(share.right / two.n)),
        el("td.right", {}, `${percent(share.low)} to ${percent(share.high)}`),
      ),
    ),
  );
  showAgreement(two);
  showChance(two);
  showClasses(two);
  showChips(two);
  await showImages();
}

function showAgreement(two) {
  const cell = (count, words, differs) =>
    el(differs ? "td.differs" : "td.alike", {}, el("b", {}, integer(count)), el("span.note", {}, words));
  const sum = (count) => el("td.sum", {}, el("b", {}, integer(count)));
  const [a, b] = two.shares.map((share) => share.right);
  byId("agree").replaceChildren(
    el(
      "thead",
      {},
      el("tr", {}, el("td"), el("th.muted", { colspan: 3 }, el("span.named", {}, mark(1), name(1)))),
      el(
        "tr",
        {},
        el("th", {}, el("span.named.muted", {}, mark(0), name(0))),
        ...["right", "wrong", "together"].map((word) => el("th.right.muted", { scope: "col" }, word)),
      ),
    ),
    el(
      "tbody",
      {},
      el(
        "tr",
        {},
        el("th.muted", { scope: "row" }, "right"),
        cell(two.both_right, "both right"),
        cell(two.only_first, `only ${name(0)}`, true),
        sum(a),
      ),
      el(
        "tr",
        {},
        el("th.muted", { scope: "row" }, "wrong"),
        cell(two.only_second, `only ${name(1)}`, true),
        cell(two.both_wrong, "both wrong"),
        sum(two.n - a),
      ),
      el("tr", {}, el("th.muted", { scope: "row" }, "together"), sum(b), sum(two.n - b), sum(two.n)),
    ),
  );
}

function showChance(two) {
  const differ = two.only_first + two.only_second;
  const [most, at] = two.only_first >= two.only_second ? [two.only_first, 0] : [two.only_second, 1];
  const signed = (value) => `${points(value)}`;
  const rows = [
    ["They differ on", plural(differ, "image")],
    ...(differ
      ? [
          [`${name(at)} wins`, `${integer(most)} of them, ${percent(most / differ, 1)}`],
          ["By chance", `about ${integer(differ / 2)}, if both were equally good`],
        ]
      : []),
    ["p", two.p < 0.0001 ? "< 0.0001" : two.p.toPrecision(2)],
    ["Difference", `${signed(two.difference)} points, 95% interval ${signed(two.low)} to ${signed(two.high)}`],
    ...overSeeds(two),
    [
      "Same answer",
      `${plural(two.both_right + two.same_wrong, "image")}; on ${integer(two.same_wrong)} both say the same wrong class`,
    ],
  ];
  byId("chance").tBodies[0].replaceChildren(
    ...rows.map(([title, value]) => el("tr", {}, el("th", { scope: "row" }, title), el("td", {}, value))),
  );
  setText(
    byId("chance-note"),
    `Only images on which exactly one net is right can tell them apart; the ${integer(two.n - differ)} others say nothing.`,
  );
}

/** What the two configurations differ by over their seeds, and what other seeds and other images would change. */
function overSeeds({ over_seeds: found }) {
  if (!found) return [];
  const half = (value) => `± ${(100 * value).toFixed(1)}`;
  const seeds = `${plural(found.seeds.length, "seed")} that ran in both`;
  return [
    [
      `Over ${seeds}`,
      `${points(found.difference)} points, ${half(found.by_seeds)} by other seeds, ${half(found.by_images_too)} if the test images were others, too`,
    ],
  ];
}

function showClasses(two) {
  const most = Math.max(1, ...two.classes.flatMap((one) => [one.only_first, one.only_second]));
  const bar = (count, at) => {
    const part = el("span");
    part.style.cssText = `width: ${(100 * count) / most}%; background: ${color(runs[at].spec.model.name)}`;
    if (at === 1 && runs[0].spec.model.name === runs[1].spec.model.name) part.style.opacity = "0.5";
    return el(at === 1 ? "span.half.left" : "span.half", {}, part);
  };
  const head = (at) => el("span.named", {}, mark(at), `only ${name(at)}`);
  byId("classes").tHead.replaceChildren(
    el(
      "tr",
      {},
      el("th.muted", {}, "True class"),
      el("th.muted", { colspan: 3 }, el("span.row.between", {}, head(1), head(0))),
      el("th.right.muted", {}, "Balance"),
    ),
  );
  byId("classes").tBodies[0].replaceChildren(
    ...two.classes.map((one) => {
      const balance = one.only_first - one.only_second;
      return el(
        "tr",
        {},
        el("th", { scope: "row" }, one.name),
        el("td.right", {}, integer(one.only_second)),
        el("td.halves", {}, el("span.both", {}, bar(one.only_second, 1), bar(one.only_first, 0))),
        el("td", {}, integer(one.only_first)),
        el("td.right.strong", {}, balance > 0 ? `+${integer(balance)}` : balance < 0 ? `−${integer(-balance)}` : "0"),
      );
    }),
  );
}

function showChips(two) {
  const chips = [["", "All classes"], ...two.classes.map((one, at) => [String(at), one.name])].map(([value, title]) =>
    el(
      "button.chip",
      {
        type: "button",
        value,
        "aria-pressed": String(label === value),
        onclick: (event) => {
          label = value;
          for (const chip of byId("chips").children)
            chip.setAttribute("aria-pressed", String(chip === event.currentTarget));
          history.replaceState(null, "", url(`/compare/predictions${query({ run: chosen, label })}`));
          showImages().catch(report);
        },
      },
      title,
    ),
  );
  byId("chips").replaceChildren(...chips);
}

async function showImages() {
  const names = [name(0), name(1)];
  const sides = [
    ["only-first", [true, false], 0],
    ["only-second", [false, true], 1],
  ];
  await Promise.all(
    sides.map(async ([id, right, at]) => {
      byId(`${id}-title`).replaceChildren(mark(at), `Only ${names[at]} is right`);
      const total = await showGallery(
        byId(id),
        { run: chosen, right, label },
        { rows: 2, said: () => [1 - at], more: byId(`${id}-more`), names },
      );
      setText(byId(`${id}-note`), total ? `${plural(total, "image")}; below each what ${names[1 - at]} says` : "none");
    }),
  ).catch((error) => {
    if (error.status !== 404) throw error;
    for (const [id] of sides) byId(id).replaceChildren(el("p.muted", {}, `${error.message}.`));
  });
}

begin().catch((error) => (error.status === 404 ? absent(`${capital(error.message)}.`) : report(error)));
