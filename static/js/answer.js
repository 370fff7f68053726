// The answer of a comparison: the sentences, the table that bears them out, every difference with its interval.

import { el, setText } from "./dom.js";
import { integer, percent, plural, points } from "./format.js";
import { drawInterval } from "./sequence.js";

const byId = (id) => document.getElementById(id);
let compared = null;

/** Sentences, progress and table; `fresh`: what GET /compare said. */
export function showAnswer(fresh, style) {
  compared = fresh;
  const { verdict } = compared;
  const going = compared.ended < compared.runs;
  byId("answer").replaceChildren(
    ...verdict.sentences.map((sentence, index) => el("span", {}, going && index === 0 ? soFar(sentence) : sentence)),
  );
  setText(byId("progress"), progressed(going));
  showVerdict(verdict, style);
}

const soFar = (sentence) => (sentence.startsWith("No ") ? sentence : `So far, ${sentence.replace(/^[A-Z](?=[a-z])/, (letter) => letter.toLowerCase())}`);

function progressed(going) {
  const done = `${compared.ended} of ${plural(compared.runs, "run")} ended`;
  if (going) return `${done}${countStates()}; the answer updates as runs end`;
  const seeds = [...new Set(compared.groups.map((one) => one.n))];
  return `${done}, ${seeds.length === 1 ? `${plural(seeds[0], "seed")} each` : `${Math.min(...seeds)} to ${Math.max(...seeds)} seeds`}`;
}

/** The table that bears the sentences out: a knob's two values and their difference, or each against the best. */
function showVerdict(verdict, style) {
  const measure = compared.measure;
  setText(byId("verdict-note"), verdict.note);
  byId("how-this-works").hidden = !verdict.note;
  const table = byId("answer-table");
  table.hidden = !verdict.rows.length;
  const heading = measure.title.charAt(0).toUpperCase() + measure.title.slice(1);
  const interval = verdict.watched ? "valid while watched" : "95% interval";
  const columns = [...verdict.heads, verdict.knob ? "difference" : "against best", interval];
  table.tHead.replaceChildren(
    el("tr", {}, el("th", {}, verdict.knob ? heading : "Configuration"), ...columns.map((name) => el("th.right", {}, name)), el("th", {}, "")),
  );
  table.tBodies[0].replaceChildren(
    ...verdict.rows.map((row) =>
      el(
        "tr",
        {},
        el("td", {}, el("span.named", {}, style.mark(compared.groups[row.group], verdict.knob), row.name)),
        figure(row.first, measure),
        verdict.knob && figure(row.second, measure),
        el("td.right.strong", {}, row.difference ? changed(row.difference.value, measure) : row.first && !verdict.knob ? "best" : "–"),
        el("td.right", {}, ends(row.difference, measure)),
        el("td", {}, sureness(row, verdict)),
      ),
    ),
  );
}

const figure = (sample, measure) =>
  el(sample ? "td.right.strong" : "td.right.muted", {}, sample ? (measure.is_accuracy ? percent(sample.mean) : short(sample.mean)) : "none done");
const short = (value) => (Math.abs(value) >= 1000 ? integer(value) : String(Number(value.toPrecision(4))));
const changed = (value, measure) => (measure.is_accuracy ? points(value) : `${value < 0 ? "−" : "+"}${short(Math.abs(value))}`);
const ends = (difference, measure) =>
  difference?.low == null ? "–" : `${changed(difference.low, measure)} to ${changed(difference.high, measure)}`;

const SHOWN_PAIRS = 8;

/** "Learning rate 0.01 → 0.1": what both names begin with is said once. */
function fromTo(first, second) {
  const common = [...first].findIndex((letter, at) => letter !== second[at]);
  const said = /^(\D*[ a-z]) /.exec(first.slice(0, Math.max(0, common)))?.[0] ?? "";
  return `${first} → ${said && !said.includes(",") ? second.slice(said.length) : second}`;
}

/** While watched: the interval as it came to be, seed by seed, of one of the differences that the answer is about. */
export function showWatched(fresh, style) {
  const { verdict, measure, groups } = fresh;
  const rows = verdict.rows.filter((row) => row.difference?.looks.length);
  byId("watched").hidden = !rows.length;
  if (!rows.length) return;
  const select = byId("watched-row");
  if ([...select.options].map((one) => one.value).join() !== rows.map((row) => row.name).join()) {
    select.replaceChildren(...rows.map((row) => el("option", {}, row.name)));
  }
  const show = () => {
    const row = rows.find((one) => one.name === select.value) ?? rows[0];
    const { looks } = row.difference;
    const { colour } = style.of(groups[row.group]);
    const settledAfter = !row.difference.clear ? null : looks.findIndex((look) => look.low > 0 || (look.high !== null && look.high < 0)) + 1 || null;
    drawInterval(byId("watched-plot"), { looks, measure, least: verdict.least_seeds, settledAfter, budget: Math.max(6, looks.length), unit: "seed", colour, height: 240 });
  };
  select.onchange = show;
  show();
}

/** Two configurations each; with many, those with the best (or worst) figures of evidence. */
export function showPairs(fresh) {
  compared = fresh;
  const { pairs, groups, measure, verdict } = compared;
  byId("pairs-part").hidden = pairs.length < 2;
  byId("pairs").tHead.querySelector("[data-interval]").textContent = verdict.watched ? "valid while watched" : "95% interval";
  const how = { seed: "paired by seed", arrival: "paired by arrival", none: "Welch’s t" };
  const matched = [...new Set(pairs.map((one) => how[one.matched]))].join(", ");
  const shown = pairs.slice(0, SHOWN_PAIRS);
  setText(byId("pairs-note"), `${measure.is_accuracy ? "points, " : ""}${matched}${shown.length < pairs.length ? `; ${shown.length} of ${pairs.length}` : ""}`);
  byId("pairs").tBodies[0].replaceChildren(
    ...shown.map((one) =>
      el(
        "tr",
        {},
        el("td", {}, fromTo(groups[one.first].name, groups[one.second].name)),
        el(one.clear ? "td.right.strong" : "td.right", {}, changed(one.value, measure)),
        el("td.right", {}, one.low == null ? el("span.muted", {}, one.n < verdict.least_seeds ? "too few seeds" : "–") : ends(one, measure)),
        el("td.right", {}, one.p_corrected == null ? "–" : one.p_corrected < 0.0001 ? "<0.0001" : one.p_corrected.toFixed(4)),
      ),
    ),
  );
}

/** In a word whether a difference is more than chance: a full dot where it is, an open one where that can't be told. */
function sureness(row, verdict) {
  const difference = row.difference;
  if (!difference) return row.first && !verdict.knob ? `best of ${compared.groups.length}` : el("span.muted", {}, "–");
  if (difference.clear) return el("span.sure", {}, "● clear");
  if (difference.low == null) {
    const least = verdict.least_seeds;
    const why = difference.n < least ? `needs at least ${least} seeds` : "no spread to judge by";
    return el("span.sure.muted", {}, `○ ${why}`);
  }
  if (difference.value === 0 && difference.deviation === 0) return el("span.sure.muted", {}, "○ exactly the same");
  return el("span.sure.muted", {}, difference.low * difference.high > 0 ? "○ not once corrected" : "○ may be chance");
}

function countStates() {
  const counts = {};
  for (const one of compared.groups) for (const run of one.runs) counts[run.status] = (counts[run.status] ?? 0) + 1;
  const running = (counts.running ?? 0) + (counts.starting ?? 0);
  return `${running ? `, ${running} running` : ""}${counts.queued ? `, ${counts.queued} queued` : ""}`;
}
