// How an interval comes to be, seed by seed: what opens over the charts when a line of the answer is pressed.

import { el, icon } from "../dom.js";
import { significant } from "../format.js";

/** Open it under `anchor`. `row`: a line of the answer; `compared`: what GET /compare said. */
export function openArithmetic(row, compared, anchor) {
  const { measure, verdict } = compared;
  const { difference: one } = row;
  if (!one) return;
  const unit = measure.is_accuracy ? 100 : 1;
  const digits = decimalsOf(one, unit);
  const show = (value) => (value == null ? "–" : (value * unit).toFixed(digits));
  const signed = (value) => (value == null ? "–" : `${value < 0 ? "−" : "+"}${Math.abs(value * unit).toFixed(digits)}`);
  const [second, first] = [1, 0].map((at) => verdict.heads[at]);
  const title = `${row.name ? `${row.name}, ` : ""}${second} − ${first}`;
  const close = el(
    "button.btn.btn-quiet.btn-icon",
    { type: "button", "aria-label": "Close", onclick: () => box.hidePopover() },
    icon("close"),
  );
  const box = el(
    "div.arithmetic",
    { popover: "auto", role: "dialog", "aria-label": title },
    el("div.spread", {}, el("h2", {}, title), close),
    el("div.arithmetic-parts", {}, seedsTable(one, show, signed), interval(one, { show, signed, unit: measure.unit })),
    el(
      "div.arithmetic-parts",
      {},
      el(
        "div.whole-answer",
        {},
        el("p", {}, verdict.sentences.slice(verdict.headline).join(" ")),
        el("p.note", {}, `${verdict.note}`),
      ),
      key(compared),
    ),
  );
  box.addEventListener("toggle", (event) => {
    if (event.newState === "closed") box.remove();
  });
  document.body.append(box);
  box.showPopover();
  const place = anchor.getBoundingClientRect();
  box.style.top = `${place.bottom + scrollY + 8}px`;
  box.style.left = `${Math.max(8, place.left + scrollX + (place.width - box.offsetWidth) / 2)}px`;
  close.focus({ preventScroll: true });
}

/** As many decimals as the values need so that they subtract: two of a per cent, four figures of the rest. */
function decimalsOf(one, unit) {
  if (unit === 100) return 2;
  const sizes = one.sides.flatMap((side) => side.values.map(({ value }) => Math.abs(value)));
  const largest = Math.max(1e-12, ...sizes);
  return Math.max(0, 3 - Math.floor(Math.log10(largest)));
}

/** A row a seed: the second value, minus the first, the difference; then the means. */
function seedsTable(one, show, signed) {
  const [first, second] = one.sides.toSorted((a, b) => a.weight - b.weight);
  const rows =
    one.matched === "none"
      ? []
      : second.values.map(({ seed, value }, at) => [
          `seed ${seed}`,
          show(value),
          show(first.values[at]?.value),
          signed(one.by_seed[at]),
        ]);
  const mean = (side) =>
    side.values.length ? side.values.reduce((sum, { value }) => sum + value, 0) / side.values.length : null;
  rows.push([one.centre === "median" ? "median" : "mean", show(mean(second)), show(mean(first)), signed(one.value)]);
  return el(
    "table.of-seeds",
    {},
    el(
      "tbody",
      {},
      ...rows.map(([name, a, b, c], at) =>
        el(
          at === rows.length - 1 ? "tr.strong" : "tr",
          {},
          el("th", { scope: "row" }, name),
          el("td.right", {}, a),
          el("td.muted", {}, "−"),
          el("td.right", {}, b),
          el("td.muted", {}, "="),
          el("td.right.strong", {}, c),
        ),
      ),
    ),
  );
}

/** From the differences to the interval, where it is Student's. */
function interval(one, { show, signed, unit }) {
  const rows = [];
  if (one.deviation != null) rows.push(["they spread by", show(one.deviation), `${unit}, standard deviation`]);
  const error = one.deviation == null || one.matched === "none" ? null : one.deviation / Math.sqrt(one.n);
  if (error !== null && !one.watched && one.low !== null && one.centre === "mean") {
    const factor = (one.high - one.value) / error;
    rows.push(["so their mean is known to", show(error), `${show(one.deviation)} ÷ √${one.n}`]);
    rows.push([
      one.family > 1 ? `times, for ${one.family} comparisons` : "times",
      factor.toFixed(2),
      `Student’s t, ${one.n - 1} degrees of freedom, ${significant(100 - 5 / one.family)}%`,
    ]);
    rows.push(["gives", `± ${show(one.high - one.value)}`, `so from ${signed(one.low)} to ${signed(one.high)}`]);
  } else if (one.interval_text) {
    rows.push([
      "so it lies within",
      one.interval_text,
      one.watched ? "an interval that holds however often one looks" : unit,
    ]);
  } else {
    rows.push([
      "no interval yet",
      "",
      one.decision === "pending"
        ? "it is decided when all runs have ended"
        : `it takes at least ${one.least_seeds} seeds`,
    ]);
  }
  return el(
    "table.of-interval",
    {},
    el(
      "tbody",
      {},
      ...rows.map(([name, value, words]) =>
        el("tr", {}, el("th", { scope: "row" }, name), el("td.right.strong", {}, value), el("td.muted", {}, words)),
      ),
    ),
  );
}

const WORDS = [
  ["●", "clear", [-2.2, -1.2], (least) => `all of it beyond ${least}`],
  ["◐", "small", [0.2, 1.8], (least) => `not 0, but may be under ${least}`],
  ["⊖", "too small to matter", [-0.7, 0.6], (least) => `all of it within ${least}`],
  ["○", "open", [-1.4, 1.9], (least) => `could be 0, could be over ${least}`],
];

/** What the four words mean, drawn with the marks of the answer. */
function key({ facts, measure }) {
  if (!facts.smallest) return null;
  const size = significant(facts.smallest * (measure.is_accuracy ? 100 : 1));
  const least = [size, size === "1" ? measure.unit.replace(/s$/, "") : measure.unit].filter(Boolean).join(" ");
  const rows = WORDS.map(([mark, word, [low, high], words]) => {
    const drawn = [el("i.too-small"), el("i.zero"), el("i.bar-interval")];
    const at = (value) => 50 + value * 18;
    [drawn[0].style.left, drawn[0].style.width] = [`${at(-1)}%`, "36%"];
    drawn[1].style.left = "50%";
    [drawn[2].style.left, drawn[2].style.width] = [`${at(low)}%`, `${(high - low) * 18}%`];
    drawn[2].style.setProperty("--colour", "var(--muted)");
    return el(
      "tr",
      {},
      el("th", { scope: "row" }, `${mark} ${word}`),
      el("td", {}, el("span.scale.small", { "aria-hidden": "true" }, ...drawn)),
      el("td.muted", {}, words(least)),
    );
  });
  return el("table.of-words", {}, el("caption", {}, "The four words"), el("tbody", {}, ...rows));
}
