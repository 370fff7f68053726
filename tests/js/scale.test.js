import assert from "node:assert/strict";
import { test } from "node:test";

import { decadesOf, extremesOf, scaleOf } from "../../static/js/model/scale.js";

const curve = (mean, smoothed = null) => ({ mean, smoothed });

test("an axis is logarithmic by itself over more than three decades", () => {
  assert.equal(scaleOf("", [curve([2.3, 0.5])], false), "linear");
  assert.equal(scaleOf("", [curve([2.3, 40_000])], false), "log");
  assert.equal(scaleOf("", [curve([2.3]), curve([null, 0.001])], false), "log");
  assert.equal(scaleOf("", [curve([2.3, 0.0001], [2.3, 0.4])], false), "linear", "by what the lines show");
  assert.equal(scaleOf("", [curve([0.0001, 0.9])], true), "linear", "not a fraction's");
  assert.equal(scaleOf("linear", [curve([1, 40_000])], false), "linear");
  assert.equal(scaleOf("log", [curve([1])], true), "log");
  assert.equal(scaleOf("", [], false), "linear");
});

test("ticks stand decades apart", () => {
  assert.deepEqual([decadesOf(1, 10), decadesOf(0.01, 10), decadesOf(1, 1e24)], [undefined, 1, 4]);
});

test("what is not over 0 has no place on a logarithmic axis", () => {
  assert.deepEqual(extremesOf([curve([0, -1, null, 3, 5])]), { least: 3, greatest: 5 });
});
