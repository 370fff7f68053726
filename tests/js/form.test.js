import assert from "node:assert/strict";
import { test } from "node:test";

import { segment } from "../../static/js/model/address.js";
import {
  addressOf,
  askable,
  bodyOf,
  compact,
  emptyForm,
  changedAddress,
  formAt,
  formOf,
  inPoints,
  newQuestion,
  newSearch,
  rangeOf,
  rangesOf,
  valueOf,
} from "../../static/js/model/form.js";
import { valueAt } from "../../static/js/model/paths.js";
import { withTexts } from "../../static/js/model/settings.js";
import { catalog } from "./catalog.js";

const form = (base = {}, grid = {}) => formOf("x", { dataset: "digits", model: "cnn", ...base }, grid, catalog);
const there = (of) => formAt(new URL(addressOf(of), "http://here").search, catalog);

test("a body says what is not at its default, several values in the grid", () => {
  assert.deepEqual(bodyOf(form(), catalog), {
    name: "x",
    base: {
      model: "cnn",
      optimizer: { name: "sgd", lr: 0.01, momentum: 0.5, nesterov: "off", weight_decay: 0 },
      dataset: "digits",
      epochs: 1,
      batch_size: 64,
      seed: 1,
      pixel_order: "original",
    },
    grid: {},
  });
  const swept = bodyOf(form({ epochs: 2 }, { "optimizer.lr": [0.1, 0.2], seed: [1, 2], cutout: [0, 8] }), catalog);
  assert.deepEqual(swept.grid, { "optimizer.lr": [0.1, 0.2], seed: [1, 2], cutout: [0, 8] });
  assert.equal("lr" in swept.base.optimizer, false);
  assert.deepEqual(bodyOf({ ...form(), models: {} }, catalog).grid, { model: [] }, "the server says what is missing");
});

test("every preset comes back from its address and from its body as it was", () => {
  assert.ok(catalog.presets.length > 5);
  for (const { base, grid, title } of catalog.presets) {
    const given = formOf(title, base, grid, catalog);
    assert.deepEqual(there(given), given, title);
    const { base: again, grid: andAgain } = bodyOf(given, catalog);
    assert.deepEqual(formOf(title, again, andAgain, catalog), given, title);
  }
});

test("an address keeps optimisers, questions, what matters and ranges", () => {
  const both = form({}, { optimizer: ["sgd", { name: "adam", lr: 0.3 }] });
  assert.deepEqual(there(both), both);
  const asked = {
    ...form({}, { pixel_order: ["original", "shuffled"] }),
    ask: { ...newQuestion(), about: "pixel_order", max_hours: "2" },
    smallest: "0.5",
  };
  assert.deepEqual(there(asked), asked);
  const search = { ...withTexts(form(), "optimizer.lr", ["0.001..0.1:log"]), random: { count: "7", seed: "3" } };
  assert.deepEqual(there(search), search);
});

test("an address that says little gets a net that fits, and one that says nothing no form", () => {
  assert.equal(formAt("", catalog), null);
  assert.equal(formAt("?preset=x", catalog), null);
  const begun = formAt("?dataset=mnist", catalog);
  assert.deepEqual([Object.keys(begun.models), begun.name], [["cnn"], "CNN on MNIST"]);
  assert.equal(formAt("?dataset=nothing", catalog), null);
  const versions = {
    ...catalog,
    datasets: [...catalog.datasets, ...["folder:pets@2", "folder:pets@10"].map((name) => ({ name, title: name }))],
  };
  assert.deepEqual(formAt("?model=cnn&dataset=folder:pets", versions).knobs.dataset, ["folder:pets@10"], "the newest");
  assert.deepEqual(formAt("?model=cnn&dataset=folder:gone", versions).knobs.dataset, ["folder:gone"]);
  const fcOnly = { ...catalog, models: catalog.models.filter((one) => one.name !== "cnn") };
  assert.notEqual(Object.keys(formAt("?dataset=mnist", fcOnly).models)[0], "cnn");
});

test("a question leaves the seeds to the server", () => {
  const asked = {
    ...form({}, { pixel_order: ["original", "shuffled"], seed: [1, 2] }),
    ask: { ...newQuestion(), about: "pixel_order" },
    smallest: "0.5",
  };
  const body = bodyOf(asked, catalog);
  assert.deepEqual(
    [body.question, body.smallest, "seed" in body.grid],
    [{ kind: "effect", knobs: ["pixel_order"], max_seeds: 20 }, 0.005, false],
  );
  const both = { ...newQuestion(), about: "model×pixel_order", measure: "test/loss", max_runs: "40", max_hours: "1.5" };
  assert.deepEqual(bodyOf({ ...asked, ask: both }, catalog).question, {
    kind: "interaction",
    knobs: ["model", "pixel_order"],
    measure: "test/loss",
    max_seeds: 20,
    max_runs: 40,
    max_hours: 1.5,
  });
  assert.equal(bodyOf({ ...asked, ask: both }, catalog).smallest, 0.5, "a loss has no points");
  assert.deepEqual(bodyOf({ ...asked, ask: newSearch() }, catalog).question, { kind: "best", max_seeds: 30 });
  assert.deepEqual([inPoints(asked), inPoints({ ...asked, ask: both })], [true, false]);
  assert.equal(bodyOf({ ...form(), smallest: "1%" }, catalog).smallest, "1%");
});

test("what can be asked is two values of one setting, or two such settings", () => {
  assert.deepEqual(
    askable({ model: ["fc", "cnn"], pixel_order: ["original", "shuffled"], epochs: [1, 2, 3], seed: [1, 2] }),
    ["pixel_order", "model", "pixel_order×model"],
  );
  assert.deepEqual(askable({}), []);
});

test("a range is one text of low..high, with :log or without", () => {
  assert.deepEqual(rangeOf(["0.001..1e-1:log"]), { low: 0.001, high: 0.1, log: true });
  assert.deepEqual(rangeOf([" 1..3 "]), { low: 1, high: 3 });
  assert.deepEqual([rangeOf(["1..2", "3"]), rangeOf(["0.1"])], [null, null]);
  const search = withTexts(withTexts(form(), "epochs", ["1..5"]), "optimizer.lr", ["0.01..0.1"]);
  assert.deepEqual(bodyOf(search, catalog).random, {
    count: 20,
    ranges: { "optimizer.lr": { low: 0.01, high: 0.1 }, epochs: { low: 1, high: 5 } },
  });
  assert.equal(bodyOf({ ...search, random: { count: "5", seed: "9" } }, catalog).random.seed, 9);
  assert.deepEqual(rangesOf(emptyForm()), {});
});

test("a number is a number, and anything else goes to the server as it is", () => {
  assert.deepEqual(["1e-3", "0.5", "abc", "", " "].map(valueOf), [0.001, 0.5, "abc", "", " "]);
});

test("the address of a form that comes from a run marks what was changed", () => {
  const form = formOf("again", { dataset: "digits", model: "fc", seed: 2 }, {}, catalog);
  assert.match(changedAddress(form, {}), /^\/experiments\/new\?name=again&model=fc&.*seed=2.*[^&]$/);
  assert.match(changedAddress(form, { "optimizer.lr": 100 }), /&changed=optimizer.lr%3D100$/);
});

test("a spec's values by path", () => {
  const spec = { model: { name: "fc", n_hidden: 8 }, optimizer: { name: "sgd", lr: 0.1 }, dataset: "digits", seed: 2 };
  assert.deepEqual(
    [
      valueAt(spec, "model"),
      valueAt(spec, "optimizer.lr"),
      valueAt(spec, "model.n_features"),
      valueAt(spec, "seed"),
      valueAt({ ...spec, cutout: null }, "cutout"),
    ],
    ["fc", 0.1, null, 2, null],
  );
  assert.equal(segment("folder:my pets@2"), "folder:my%20pets@2");
});

test("JSON has a line for each entry", () => {
  const body = { name: "x", base: { epochs: 1 }, grid: { seed: [1, 2] } };
  assert.equal(
    compact(body),
    '{\n  "name": "x",\n  "base": {\n    "epochs": 1\n  },\n  "grid": {\n    "seed": [1, 2]\n  }\n}',
  );
  const whole = { ...body, grid: {}, random: { count: 5 }, smallest: 0.01, question: { kind: "best" } };
  assert.deepEqual(JSON.parse(compact(whole)), whole);
});
