// Which runs stand together.

import assert from "node:assert/strict";
import { test } from "node:test";

import { groupsOf } from "../../static/js/model/groups.js";

const run = (id, experiment, lr = 0.1, model = "cnn") => ({
  id,
  experiment_id: experiment,
  spec: { model: { name: model }, optimizer: { name: "sgd", lr } },
});
const shape = (groups) =>
  groups.map(({ experiment, value, members }) => [value ?? experiment, members.map(({ id }) => id)]);
const NEWEST = { sort: "created", order: "desc", group: "" };

test("runs of an experiment that follow each other stand together, oldest first", () => {
  const list = [run(6, 2), run(5, 2), run(4, null), run(3, 1), run(2, 1), run(1, 2)];
  assert.deepEqual(shape(groupsOf(list, NEWEST)), [
    [2, [5, 6]],
    [null, [4]],
    [1, [2, 3]],
    [2, [1]],
  ]);
});

test("single runs stay newest first, and the oldest first keep their order", () => {
  assert.deepEqual(shape(groupsOf([run(2, null), run(1, null)], NEWEST)), [[null, [2, 1]]]);
  assert.deepEqual(shape(groupsOf([run(1, 1), run(2, 1)], { ...NEWEST, order: "asc" })), [[1, [1, 2]]]);
});

test("in any other order nothing stands together", () => {
  assert.deepEqual(shape(groupsOf([run(1, 1), run(2, 1)], { sort: "duration", order: "desc", group: "" })), [
    [null, [1, 2]],
  ]);
  assert.deepEqual(groupsOf([], NEWEST), []);
});

test("runs with the same value stand together, numbers in their order", () => {
  const list = [run(1, 1, 0.1), run(2, 1, 0.01), run(3, 2, 0.1)];
  assert.deepEqual(shape(groupsOf(list, { ...NEWEST, group: "optimizer.lr" })), [
    [0.01, [2]],
    [0.1, [1, 3]],
  ]);
  const named = [run(1, 1, 0.1, "vgg"), run(2, 1, 0.1, "cnn")];
  assert.deepEqual(shape(groupsOf(named, { ...NEWEST, group: "model" })), [
    ["vgg", [1]],
    ["cnn", [2]],
  ]);
});
