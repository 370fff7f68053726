import assert from "node:assert/strict";
import { test } from "node:test";

import { formOf } from "../../static/js/model/form.js";
import { formsOf, isOne, mendedAddress, overridesOf, wasOf } from "../../static/js/model/relaunch.js";
import { changesOf, withTexts } from "../../static/js/model/settings.js";
import { catalog } from "./catalog.js";

const SPEC = {
  model: { name: "fc", n_hidden: 8 },
  dataset: "digits",
  pixel_order: "original",
  epochs: 4,
  seed: 1,
  optimizer: { name: "sgd", lr: 100, momentum: 0.99 },
  cutout: 4,
};

test("a run once more is marked where it is another", () => {
  const { before, form } = formsOf(SPEC, { "optimizer.lr": 0.1, "optimizer.momentum": 0.9 }, catalog);
  assert.deepEqual(wasOf(form, before, catalog), { "optimizer.lr": "100", "optimizer.momentum": "0.99" });
  assert.deepEqual(wasOf(before, before, catalog), {});
  assert.deepEqual(wasOf(withTexts(before, "pixel_order", ["shuffled"], catalog), before, catalog), {
    pixel_order: "in order",
  });
  assert.deepEqual(changesOf(withTexts(before, "model", ["cnn"], catalog), before, catalog), { model: ["fc"] });
});

test("only what was changed is asked for, a net and an optimiser as a whole", () => {
  const { before, form } = formsOf(SPEC, { "optimizer.lr": 0.1 }, catalog);
  assert.deepEqual(overridesOf(form, before, catalog), {
    optimizer: { name: "sgd", lr: 0.1, momentum: 0.99, nesterov: "off", weight_decay: 0 },
  });
  assert.deepEqual(overridesOf(before, before, catalog), {});
  assert.deepEqual(
    overridesOf(withTexts(before, "cutout", ["0"], catalog), before, catalog),
    { cutout: 0 },
    "what is at its default again is said",
  );
  assert.deepEqual(overridesOf(withTexts(before, "model", ["cnn"], catalog), before, catalog), { model: "cnn" });
  assert.deepEqual(overridesOf(withTexts(before, "fc.n_hidden", ["16"], catalog), before, catalog), {
    model: { name: "fc", n_hidden: 16 },
  });
});

test("several values are an experiment of their own", () => {
  const { before } = formsOf(SPEC, {}, catalog);
  assert.equal(isOne(before, catalog), true);
  assert.equal(isOne(withTexts(before, "seed", ["1", "2"], catalog), catalog), false);
  assert.equal(isOne(withTexts(before, "optimizer.lr", ["0.01..0.1"], catalog), catalog), false);
  assert.equal(isOne(formOf("", SPEC, { epochs: [1, 2] }, catalog), catalog), false);
});

test("a whole experiment is mended with its changes marked", () => {
  const { seed, ...base } = SPEC;
  assert.equal(seed, 1);
  const address = mendedAddress(
    { name: "Too fast", base, grid: { seed: [1, 2] } },
    { "optimizer.lr": 0.1, "optimizer.momentum": 0.9 },
    catalog,
  );
  assert.match(
    address,
    /name=Too\+fast&model=fc.*seed=1&seed=2.*optimizer\.lr=0\.1.*&changed=optimizer\.lr%3D100&changed=optimizer\.momentum%3D0\.99$/,
  );
});
