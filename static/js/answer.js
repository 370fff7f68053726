// The answer of a comparison: the sentences, the table that bears them out, every difference with its interval.

import { query, url } from "./model/address.js";
import { bars } from "./bars.js";
import { el, icon, setText } from "./dom.js";
import { integer, percent, plural, roughly } from "./format.js";
import { openArithmetic } from "./views/arithmetic.js";
import { showLines } from "./views/instrument.js";
import { drawInterval } from "./sequence.js";

const byId = (id) => document.getElementById(id);
let compared = null;

/** Sentences, progress and table; `fresh`: what GET /compare said. */
export function showAnswer(fresh, style) {
  compared = fresh;
  const { verdict } = compared;
  const going = compared.ended < compared.runs;
  byId("before").replaceChildren(
    ...verdict.sentences.slice(0, verdict.headline).map((sentence) => el("p.problem", {}, icon("failed"), sentence)),
  );
  byId("answer").replaceChildren(
    ...verdict.sentences.slice(verdict.headline).map((sentence, at) => el(at ? "span" : "span.headline", {}, sentence)),
  );
  setText(byId("progress"), progressed(going));
  for (const part of byId("instrument").querySelectorAll("[data-waits]")) part.removeAttribute("data-waits");
  const isLines = verdict.knob !== null && verdict.rows.length > 0;
  byId("instrument").classList.toggle("of-lines", isLines);
  byId("lines").hidden = !isLines;
  setText(byId("headline"), verdict.title);
  setText(byId("compared"), verdict.compared);
  setText(byId("verdict-note"), isLines ? verdict.sureness : verdict.note);
  byId("matters").closest("label").hidden = !verdict.rows.some((row) => row.difference);
  byId("how-this-works").hidden = !verdict.note;
  showLacking(verdict);
  if (isLines) showLines(byId("lines"), compared, style, (row) => openArithmetic(row, compared, byId("instrument")));
  else showTable(verdict, style);
}

function progressed(going) {
  const done = `${compared.ended} of ${plural(compared.runs, "run")} ended`;
  if (going) return `${done}${countStates()}${compared.left === null ? "" : `, about ${roughly(compared.left)} left`}`;
  const seeds = [...new Set(compared.groups.map((one) => one.n))];
  if (!Math.max(...seeds)) return done;
  return `${done}, ${seeds.length === 1 ? `${plural(seeds[0], "seed")} each` : `${Math.min(...seeds)} to ${Math.max(...seeds)} seeds`}`;
}

/** The table that bears the sentences out: each configuration against the best. */
function showTable(verdict, style) {
  const measure = compared.measure;
  const table = byId("answer-table");
  table.hidden = !verdict.rows.length;
  const isSet = verdict.rows.some(
    (row) => row.difference?.decision === "may be best" || row.difference?.decision === "ruled out",
  );
  if (isSet) return showSet(table, verdict, style);
  table.tFoot.replaceChildren();
  const columns = [...verdict.heads, "against best", "interval"];
  table.tHead.replaceChildren(
    el("tr", {}, el("th", {}, "Configuration"), ...columns.map((name) => el("th.right", {}, name)), el("td")),
  );
  table.tBodies[0].replaceChildren(
    ...verdict.rows.map((row) =>
      el(
        "tr",
        {},
        el("td", {}, el("span.named", {}, style.mark(compared.groups[row.group], null), row.name)),
        figure(row, row.first, measure),
        el("td.right.strong", {}, row.difference ? row.difference.value_text || "–" : row.first ? "best" : "–"),
        el("td.right", {}, row.difference?.interval_text || "–"),
        el("td", {}, row.difference ? sureness(row.difference, { counts: true }) : row.word),
      ),
    ),
  );
}

/** Which may be the best: a bar of each against the best, in the order of the setting where that is a number. */
function showSet(table, { rows, scale }, style) {
  const { measure, facts } = compared;
  const named = (row) => (scale ? row.value : row.name);
  const drawn = bars(rows, measure, facts.smallest);
  const best = rows.filter((row) => !row.difference).map(named);
  const most = Math.max(...rows.map((row) => row.difference?.n ?? 0));
  const heading = `${measure.is_accuracy ? "points " : ""}against ${best.length === 1 ? best[0] : "the best"}`;
  table.tHead.replaceChildren(
    el(
      "tr",
      {},
      ...[scale ?? "Configuration", measure.title, heading].map((name, at) =>
        el(at === 1 ? "th.right" : "th", {}, name),
      ),
      el("td"),
    ),
  );
  table.tBodies[0].replaceChildren(
    ...rows.map((row) => {
      const group = compared.groups[row.group];
      const one = row.difference;
      return el(
        `tr${one?.decision === "ruled out" ? ".out" : ""}`,
        {},
        el("td", {}, el("span.named", {}, style.mark(group, null), named(row))),
        figure(row, row.first, measure),
        el(
          "td",
          { title: one?.interval_text ? `${one.value_text} (${one.interval_text})` : null },
          drawn.bar(one, style.of(group).colour),
        ),
        el(
          "td",
          {},
          one ? sureness(one, { counts: true, most, word: row.word }) : el("span.sure", {}, `● ${row.word}`),
        ),
      );
    }),
  );
  table.tFoot.replaceChildren(el("tr", {}, el("td", { colspan: 2 }), el("td", {}, drawn.axis()), el("td")));
}

/** What leads on: values that nobody tried, past the end of the grid or on both sides of the best; and new seeds for the
 * winner of several, which was chosen by its looks. */
function showLacking({ lacking, has_winner: hasWinner }) {
  const confirm = byId("confirm-winner");
  if (confirm) confirm.hidden = !hasWinner || compared.ended < compared.runs;
  const button = byId("add-values");
  if (!button) return;
  button.hidden = !lacking || compared.ended < compared.runs;
  if (!lacking) return;
  const values = lacking.values.map(String);
  setText(button, `Add ${values.join(" and ")}`);
  button.title = lacking.beyond
    ? "The grid ends where the best stands: values past its end"
    : "Values between the best and its neighbours";
}

const figure = (row, sample, measure) => {
  if (sample) return el("td.right.strong", {}, measure.is_accuracy ? percent(sample.mean) : short(sample.mean));
  return el(
    "td.right.muted",
    {},
    row.difference && row.difference.n && row.difference.centre !== "mean" ? "–" : "none done",
  );
};
const short = (value) => (Math.abs(value) >= 1000 ? integer(value) : String(Number(value.toPrecision(4))));

/** Over how many seeds a difference is, of those that were launched. */
const ofSeeds = (one) => (one.n < one.launched ? `${one.n} of ${one.launched} seeds` : plural(one.n, "seed"));

const MARKS = { clear: "●", small: "◐", "no difference": "⊖", pending: "◌", "may be best": "●", "ruled out": "✕" };

/** The decision in a word, with a mark of its own, so that colour is not needed; `counts`: of how many seeds it is, where
 * that are not all that were launched, or that `most` of the rows have. */
function sureness(one, { counts = false, most = one.n, word = one.word } = {}) {
  const isShown = ["clear", "small", "may be best"].includes(one.decision);
  const counted =
    counts && (one.n < one.launched || one.n < most || one.decision === "too few") ? ` · ${ofSeeds(one)}` : "";
  return el(isShown ? "span.sure" : "span.sure.muted", {}, `${MARKS[one.decision] ?? "○"} ${word}${counted}`);
}

const SHOWN = 9;

/** In how many seeds it went the same way; where seeds don't match how many runs there are. */
function agreed(one) {
  if (!one.n) return "–";
  return one.matched === "seed" ? `${one.value < 0 ? one.below : one.above} of ${one.n}` : `${one.n} each`;
}

/** A link to the runs of a seed that lies far off. */
function farOff(one) {
  const groups = one.sides.map((side) => compared.groups[side.group]);
  const runs = groups.flatMap((group) => group.runs.filter((run) => run.seed === one.outlier).map((run) => run.run));
  return el("a.note", { href: url(`/compare${query({ run: runs })}`) }, ` seed ${one.outlier} lies far off`);
}

/** All that is claimed, decided together: the same figures as in the sentences. */
export function showPairs(fresh) {
  compared = fresh;
  const { contrasts } = compared.facts;
  byId("pairs-part").hidden = contrasts.length < 2;
  const how = { seed: "paired by seed", order: "paired in order", none: "Welch’s t" };
  const matched = [...new Set(contrasts.filter((one) => one.n).map((one) => how[one.matched]))].join(", ");
  const shown = contrasts.slice(0, SHOWN);
  const rest = shown.length < contrasts.length ? `${shown.length} of ${contrasts.length}` : "";
  setText(byId("pairs-note"), [compared.measure.is_accuracy && "points", matched, rest].filter(Boolean).join(", "));
  byId("pairs").tBodies[0].replaceChildren(
    ...shown.map((one) =>
      el(
        "tr",
        {},
        el("td", {}, one.title, one.outlier === null ? "" : farOff(one)),
        el("td.right.strong", {}, one.value_text || "–"),
        el("td.right", {}, one.interval_text || el("span.muted", {}, one.decision === "pending" ? "at the end" : "–")),
        el("td.right", {}, agreed(one)),
        el("td", {}, sureness(one)),
      ),
    ),
  );
}

/** The interval that may be watched as it came to be, seed by seed, of one of the differences. */
export function showWatched(fresh, style) {
  const { measure, groups } = fresh;
  const contrasts = fresh.facts.contrasts.filter((one) => one.looks.length);
  byId("watched").hidden = !contrasts.length;
  if (!contrasts.length) return;
  const select = byId("watched-row");
  if ([...select.options].map((one) => one.value).join("|") !== contrasts.map((one) => one.title).join("|")) {
    select.replaceChildren(...contrasts.map((one) => el("option", {}, one.title)));
  }
  const isPending = contrasts[0].decision === "pending";
  const together =
    isPending || contrasts[0].family === 1 ? "95% of each by itself" : `95% for all ${contrasts[0].family} together`;
  setText(
    byId("watched-note"),
    `○ one seed, ━ mean so far, ▒ interval that holds however often one looks, ${together}${isPending ? "; it decides nothing" : ""}.`,
  );
  const show = () => {
    const one = contrasts.find((each) => each.title === select.value) ?? contrasts[0];
    const { looks } = one;
    const { colour } = style.of(groups[one.sides.at(-1).group]);
    const isShown = one.decision === "clear" || one.decision === "small";
    const settledAfter = isShown
      ? looks.findIndex((look) => look.low > 0 || (look.high !== null && look.high < 0)) + 1 || null
      : null;
    drawInterval(byId("watched-plot"), {
      looks,
      measure,
      least: one.looks_from,
      settledAfter,
      budget: Math.max(6, one.launched),
      unit: "seed",
      colour,
      height: 240,
    });
  };
  select.onchange = show;
  show();
}

function countStates() {
  const counts = {};
  for (const one of compared.groups) for (const run of one.runs) counts[run.status] = (counts[run.status] ?? 0) + 1;
  const running = (counts.running ?? 0) + (counts.starting ?? 0);
  return `${running ? `, ${running} running` : ""}${counts.queued ? `, ${counts.queued} queued` : ""}`;
}
