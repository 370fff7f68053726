// The answer as an instrument: a line for each change, its values, and the difference between them on one zero line.
// Live and done have the same lines at the same places; only marks and words differ.

import { ticks } from "../bars.js";
import { el, setText } from "../dom.js";
import { percent } from "../format.js";

const MARKS = { clear: "●", small: "◐", "no difference": "⊖", pending: "◌" };
const SURE = ["clear", "small", "no difference"];
const MOST_TICKS = 8;
const PAD = 0.04; // of the scale, at each end

/** Draw the lines. `compared`: what GET /compare said; `style`: facets.js's; `press(row)`: a line was pressed. */
export function showLines(element, compared, style, press) {
  const { verdict, measure, facts } = compared;
  const scale = scaleOf(verdict.rows, facts.smallest, measure);
  const [first, second] = verdict.heads;
  const lines = verdict.rows.map((row) => {
    const { difference: one } = row;
    const { colour } = style.of(compared.groups[row.group]);
    return el(
      "button.change-line",
      { type: "button", "aria-haspopup": "dialog", onclick: () => press(row) },
      el(
        "span.named",
        {},
        style.mark(compared.groups[row.group], verdict.knob),
        el("span", {}, row.name || verdict.heads.join(", ")),
      ),
      value(row.first, first, measure),
      el("span.scale", { role: "img", "aria-label": one ? spoken(one) : "nothing yet" }, ...scale.drawn(one, colour)),
      value(row.second, second, measure),
      el(
        `span.word${one && SURE.includes(one.decision) ? ".strong" : ".muted"}`,
        {},
        one ? wordOf(one) : "○ nothing yet",
      ),
      el("span.lead", {}, el("b", {}, row.lead), el("span.muted", {}, row.under)),
    );
  });
  const axis = el(
    "div.change-axis",
    {},
    el("span.scale", { "aria-hidden": "true" }, ...scale.axis()),
    el("span.note", {}, measure.unit),
  );
  element.replaceChildren(...lines, axis);
}

const value = (sample, head, measure) =>
  el("span.value", {}, el("b", {}, sample ? figure(sample.mean, measure) : "–"), el("span.note", {}, head));
const figure = (mean, measure) => (measure.is_accuracy ? percent(mean) : String(Number(mean.toPrecision(4))));
const spoken = ({ value_text: text, interval_text: interval }) =>
  interval ? `${text}, ${interval}` : text || "nothing yet";

/** The decision in a word with a mark of its own; while runs are to come, of how many seeds it is. */
function wordOf(one) {
  if (one.decision === "pending") return `${MARKS.pending} ${one.n} of ${one.launched} seeds`;
  return `${MARKS[one.decision] ?? "○"} ${one.word}`;
}

/** The interval that is drawn: the one that decides; before that the one that may be looked at. */
function intervalOf(one) {
  if (one.low !== null) return { low: one.low, high: one.high, isPeek: false };
  const look = one.looks.at(-1);
  return look?.low != null && look.high != null ? { low: look.low, high: look.high, isPeek: true } : null;
}

/** One scale for all lines: drawn(difference, colour) and axis() give what stands on it. */
function scaleOf(rows, smallest, measure) {
  const found = rows.map((row) => row.difference).filter(Boolean);
  const intervals = found.map(intervalOf).filter(Boolean);
  const all = [
    0,
    -smallest,
    smallest,
    ...found.flatMap((one) => one.by_seed),
    ...intervals.flatMap(({ low, high }) => [low, high]),
  ];
  const [least, greatest] = [Math.min(...all), Math.max(...all)];
  const span = (greatest - least || 1) * (1 + 2 * PAD);
  const from = least - span * (PAD / (1 + 2 * PAD));
  const at = (number) => `${(100 * (number - from)) / span}%`;
  const placed = (name, left, right = null) => {
    const part = el(`i.${name}`);
    part.style.left = at(left);
    if (right !== null) part.style.width = `${(100 * (right - left)) / span}%`;
    return part;
  };
  const unit = measure.is_accuracy ? 100 : 1;

  function drawn(one, colour) {
    const parts = [el("i.track"), smallest > 0 && placed("too-small", -smallest, smallest), placed("zero", 0)];
    const interval = one && intervalOf(one);
    if (interval) parts.push(placed(interval.isPeek ? "bar-peek" : "bar-interval", interval.low, interval.high));
    if (one?.value != null && one.centre !== "none") parts.push(placed("mean", one.value));
    for (const each of one?.by_seed ?? []) parts.push(placed("seed", each));
    const kept = parts.filter(Boolean);
    for (const part of kept) part.style.setProperty("--colour", colour);
    return kept;
  }

  function axis() {
    const parts = smallest > 0 ? [placed("too-small", -smallest, smallest)] : [];
    for (const tick of ticks(from * unit, (from + span) * unit, MOST_TICKS)) {
      const label = placed("tick", tick / unit);
      setText(label, tick === 0 ? "0" : `${tick < 0 ? "−" : "+"}${Number(Math.abs(tick).toPrecision(3))}`);
      parts.push(label);
    }
    return parts;
  }
  return { drawn, axis };
}
