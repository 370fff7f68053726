// "Which is better?": two configurations of the page go on with new seeds, by themselves, until that is settled.

import { post } from "./api.js";
import { askedFor } from "./dom.js";
import { valueOf } from "./model/form.js";
import { launchedExperiment, promiseUndo } from "./undo.js";
import { url } from "./model/address.js";

const button = document.getElementById("ask-better");
let compared = null;

/** `fresh`: what GET /compare said. */
export function offerAsking(fresh) {
  compared = fresh;
  button.hidden = compared.groups.length < 2;
}

button.addEventListener("click", async () => {
  const { groups, measure, facts } = compared;
  const options = groups.map((one, at) => [at, one.name]);
  const [better, other] = front();
  const unit = measure.is_accuracy ? 100 : 1;
  let made = null;
  await askedFor("Which is better?", {
    fields: {
      second: { label: `Is, by its ${measure.title},`, value: better, options },
      first: { label: "better than", value: other, options },
      smallest: {
        label: measure.is_accuracy
          ? "Smallest difference that matters, in points; 0: any"
          : "Smallest difference that matters, in its unit; 0: any",
        value: String(Number((facts.smallest * unit).toPrecision(3))),
      },
      max_seeds: { label: "At most so many seeds of each", value: "20" },
    },
    detail:
      "Both are launched with new seeds, in pairs, until it is settled. The seeds seen here don't count: they are why you ask.",
    yes: "Ask",
    act: async ({ first, second, smallest, max_seeds }) => {
      const [one, two] = [first, second].map((at) => groups[at].runs[0].run);
      const least = valueOf(smallest);
      made = await post("/experiments/ask", {
        first: one,
        second: two,
        measure: measure.name,
        smallest: typeof least === "number" ? Number((least / unit).toPrecision(12)) : least,
        max_seeds: valueOf(max_seeds),
      });
    },
  });
  if (!made) return;
  promiseUndo(launchedExperiment(made));
  location.assign(url(`/compare?experiment=${made.id}`));
});

/** The places of the two that lead; of the first two where nothing is measured yet. */
function front() {
  const sign = compared.measure.greater_is_better ? -1 : 1;
  const places = compared.groups.map((one, at) => [at, one.measured?.mean]);
  const measured = places.filter(([, mean]) => mean != null).toSorted(([, a], [, b]) => sign * (a - b));
  return (measured.length < 2 ? places : measured).slice(0, 2).map(([at]) => at);
}
