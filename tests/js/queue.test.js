import assert from "node:assert/strict";
import { test } from "node:test";

import { nextWords, ordinal, placeOf, soon } from "../../static/js/model/queue.js";

const group = (id, run_ids, first, starts = [3]) => ({
  experiment_id: id,
  experiment: id && `E${id}`,
  run_ids,
  first,
  starts,
});
const said = (waiting) =>
  nextWords(waiting)
    .map(({ text, name }) => text + name)
    .join("");

test("what comes next is said by experiments", () => {
  assert.equal(said([group(1, [1, 2, 3, 4], 1)]), "4 runs of E1");
  assert.equal(said([group(1, [1], 1), group(2, [5, 6], 2)]), "1 run of E1, then 2 of E2");
  assert.equal(nextWords([group(1, [1], 1)], 40).at(-1).text, ", then 40 more");
  assert.equal(said([group(null, [1], 1), group(null, [2], 2)]), "1 run, then 1 run");
  assert.equal(
    said([1, 2, 3, 4, 5].map((id) => group(id, [id], id))),
    "1 run of E1, then 1 of E2, then 1 of E3, then 2 more",
  );
});

test("places are said as people say them", () => {
  assert.deepEqual([0, 4.9, 25, 400].map(soon), ["in a moment", "in a moment", "in 25 s", "in 7 min"]);
  assert.deepEqual([1, 2, 3, 4, 11, 12, 13, 21, 102, 111].map(ordinal), [
    "1st",
    "2nd",
    "3rd",
    "4th",
    "11th",
    "12th",
    "13th",
    "21st",
    "102nd",
    "111th",
  ]);
});

test("a run's place is that of its group and its place there", () => {
  const queue = { waiting: [group(1, [7, 8], 1, [2, 4]), group(2, [9], 3, [null])] };
  assert.deepEqual(placeOf(8, queue), { place: 2, starts: 4 });
  assert.deepEqual(placeOf(9, queue), { place: 3, starts: null });
  assert.equal(placeOf(1, queue), null);
  assert.equal(placeOf(1, null), null);
});
