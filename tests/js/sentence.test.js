import assert from "node:assert/strict";
import { test } from "node:test";

import { bodyOf, formOf, newQuestion, newSearch } from "../../static/js/model/form.js";
import { nameOf, productOf, recipeOf, said, sentenceOf } from "../../static/js/model/sentence.js";
import {
  applies,
  modelSettings,
  optimizerSettings,
  recipeSettings,
  settingAt,
  textsAt,
  withTexts,
} from "../../static/js/model/settings.js";
import { around, middle, wayOf, withWay } from "../../static/js/model/way.js";
import { catalog, preset } from "./catalog.js";

const form = (base = {}, grid = {}) => formOf("x", { dataset: "digits", model: "cnn", ...base }, grid, catalog);
const sentence = (of, changed) => said(sentenceOf(of, catalog, changed));
const product = (of) => {
  const { factors, runs } = productOf(of, catalog);
  return `${factors.map(({ count, noun }) => `${count} ${noun}`).join(" × ")} = ${runs}`;
};

test("a form says what it is, and the preset what it asks", () => {
  assert.equal(sentence(form()), "Train CNN on Digits, pixels in order, for 1 epoch, learning rate 0.01, seed 1.");
  const { base, grid, title } = preset("mnist-fc-vs-cnn");
  const four = formOf(title, base, grid, catalog);
  assert.equal(
    sentence(four),
    "Train FC and CNN on MNIST, pixels in order and shuffled, for 1 epoch, learning rate 0.01, 5 seeds.",
  );
  assert.equal(product(four), "2 nets × 2 orders × 5 seeds = 20");
});

test("several values are words of their own, and multiply", () => {
  const rates = form({ dataset: "mnist" }, { epochs: [1, 3], "optimizer.lr": [0.01, 0.03, 0.1, 0.3], seed: [1, 2, 3] });
  assert.equal(
    sentence(rates),
    "Train CNN on MNIST, pixels in order, for 1 and 3 epochs, learning rate 0.01, 0.03, 0.1, 0.3, 3 seeds.",
  );
  assert.equal(product(rates), "2 epochs × 4 rates × 3 seeds = 24");
  const words = Object.fromEntries(
    sentenceOf(rates, catalog)
      .filter(({ path }) => path)
      .map(({ path, count }) => [path, count]),
  );
  assert.deepEqual(words, { model: 1, dataset: 1, pixel_order: 1, epochs: 2, "optimizer.lr": 4, seed: 1 });
});

test("a setting of the recipe is in the sentence where it has several values", () => {
  const batches = form({}, { batch_size: [32, 64], "optimizer.momentum": [0.5, 0.9] });
  assert.match(sentence(batches), /learning rate 0.01, momentum 0.5 and 0.9, batch size 32 and 64, seed 1\.$/);
  assert.equal(product(batches), "2 values of momentum × 2 values of batch size × 1 seed = 4");
});

test("a net's own settings are told where they are not its usual ones", () => {
  const wide = form({ model: { name: "cnn", n_features: 12 } });
  assert.match(sentence(wide), /^Train CNN, feature maps 12 on Digits/);
  const nets = form({}, { model: ["fc", { name: "cnn", n_features: 6 }, { name: "cnn", n_features: 12 }] });
  assert.match(sentence(nets), /^Train FC and CNN, CNN's feature maps 6 and 12 on/);
  assert.equal(product(nets), "3 nets × 1 seed = 3");
});

test("an optimiser is told where it is not the usual one, and several have their own rates", () => {
  assert.match(
    sentence(form({ optimizer: { name: "adam", lr: 0.002 } })),
    /for 1 epoch, by Adam, learning rate 0.002, seed 1\.$/,
  );
  const both = form({}, { optimizer: ["sgd", { name: "adam", lr: 0.001 }, { name: "adam", lr: 0.01 }] });
  assert.match(sentence(both), /by SGD and Adam, Adam's learning rate 0.001 and 0.01, seed 1\.$/);
  assert.equal(product(both), "3 optimisers × 1 seed = 3");
});

test("typing replaces, comparing adds, and an equal value counts once", () => {
  const one = form();
  const replaced = withTexts(one, "optimizer.lr", ["0.1"]);
  assert.deepEqual(textsAt(replaced, "optimizer.lr"), ["0.1"]);
  assert.deepEqual(textsAt(one, "optimizer.lr"), ["0.01"], "the form before is as it was");
  assert.deepEqual(
    textsAt(
      withTexts(replaced, "optimizer.lr", [...textsAt(replaced, "optimizer.lr"), " 0.3", "0.1", ""]),
      "optimizer.lr",
    ),
    ["0.1", "0.3"],
  );
  assert.deepEqual(bodyOf(withTexts(one, "epochs", ["2"]), catalog).base.epochs, 2);
  assert.deepEqual(textsAt(withTexts(one, "cnn.n_features", ["3"]), "cnn.n_features"), ["3"]);
});

test("nets and optimisers are chosen in the catalogue's order, and keep what was typed", () => {
  const chosen = withTexts(withTexts(form(), "cnn.n_features", ["9"]), "model", ["cnn", "fc"], catalog);
  assert.deepEqual(textsAt(chosen, "model"), ["fc", "cnn"]);
  assert.deepEqual(chosen.models.cnn.n_features, ["9"]);
  const optimizers = withTexts(form(), "optimizer", ["adam", "sgd"], catalog);
  assert.deepEqual(textsAt(optimizers, "optimizer"), ["sgd", "adam"]);
  assert.deepEqual(textsAt(optimizers, "adam.lr"), ["0.001"]);
  assert.deepEqual(textsAt(withTexts(optimizers, "adam.lr", ["0.5"]), "adam.lr"), ["0.5"]);
  assert.deepEqual(textsAt(withTexts(form(), "model", [], catalog), "model"), []);
});

test("ranges are drawn from, and multiply by the draws", () => {
  const search = withTexts(form(), "optimizer.lr", ["0.001..0.1:log"]);
  assert.match(sentence(search), /learning rate 0.001 to 0.1, 20 draws, seed 1\.$/);
  assert.equal(product(search), "20 draws × 1 seed = 20");
  assert.equal(product({ ...search, random: { count: "few", seed: "1" } }), "0 draws × 1 seed = 0");
  assert.match(sentence({ ...search, random: { count: "1", seed: "1" } }), /, 1 draw, /);
  assert.match(sentence(withTexts(form(), "batch_size", ["16..256:log"])), /batch size 16 to 256, 20 draws/);
});

test("until it is known there is no number of seeds", () => {
  const { base, grid, title } = preset("mnist-fc-vs-cnn");
  const four = formOf(title, base, grid, catalog);
  assert.deepEqual([four, { ...four, ask: newQuestion() }, { ...four, ask: newSearch() }].map(wayOf), [
    "fixed",
    "ask",
    "best",
  ]);
  assert.match(sentence({ ...four, ask: newQuestion() }), /, seeds until it is answered\.$/);
  assert.match(sentence({ ...four, ask: newSearch() }), /, seeds until the best is found\.$/);
  assert.equal(product({ ...four, ask: newQuestion() }), "2 nets × 2 orders = null");
});

test("what was changed is told with what it was, also where it is no word of its own", () => {
  const mended = form({ model: "fc", optimizer: { lr: 0.1, momentum: 0.9 } });
  const changed = { "optimizer.lr": "100", "optimizer.momentum": "0.99" };
  assert.match(sentence(mended, changed), /learning rate 0.1, momentum 0.9, seed 1\.$/);
  const was = sentenceOf(mended, catalog, changed)
    .filter((one) => one.was)
    .map(({ path, text, was: before }) => [path, before, text]);
  assert.deepEqual(was, [
    ["optimizer.lr", "100", "0.1"],
    ["optimizer.momentum", "0.99", "0.9"],
  ]);
  assert.match(sentence(form(), { optimizer: "adam" }), /by SGD, learning rate/);
});

test("the recipe is one line, and says whether it is the usual one", () => {
  assert.deepEqual(recipeOf(form(), catalog), {
    isDefault: true,
    text: "SGD, momentum 0.5, batch size 64, constant learning rate, no augmentation",
  });
  const modern = form({
    optimizer: { lr: 0.1, momentum: 0.9, nesterov: "on", weight_decay: 0.0005 },
    crop_padding: 4,
    flip: "horizontal",
    schedule: "cosine",
    label_smoothing: 0.1,
  });
  assert.deepEqual(recipeOf(modern, catalog), {
    isDefault: false,
    text: "SGD, momentum 0.9, nesterov on, weight decay 0.0005, batch size 64, cosine learning rate, random crop 4, random flip horizontal, label smoothing 0.1",
  });
  assert.match(recipeOf(form({ optimizer: "adam" }), catalog).text, /^Adam, batch size 64/);
  assert.equal(recipeOf(form({ optimizer: "adam" }), catalog).isDefault, false);
  assert.match(recipeOf(form({}, { optimizer: ["sgd", "adam"] }), catalog).text, /^SGD and Adam, /);
});

test("what the catalogue does not know is called by its name", () => {
  const gone = withTexts(form(), "dataset", ["folder:gone"]);
  assert.match(sentence(gone), /on folder:gone, pixels/);
  assert.match(sentence(withTexts(form(), "pixel_order", ["spiral"])), /pixels spiral/);
  assert.deepEqual(textsAt(form(), "nothing.there"), []);
});

test("a search begins around the rate, and leaves the middle of its ranges", () => {
  const search = withWay(form(), "search", catalog);
  assert.equal(wayOf(search), "search");
  assert.deepEqual(textsAt(search, "optimizer.lr"), ["0.001..0.1:log"]);
  assert.equal(withWay(search, "search", catalog), search);
  assert.deepEqual(withWay(search, "fixed", catalog), form());
  const best = withWay(search, "best", catalog);
  assert.deepEqual([wayOf(best), textsAt(best, "optimizer.lr")], ["best", ["0.01"]]);
  const asked = withWay(best, "ask", catalog);
  assert.deepEqual([wayOf(asked), textsAt(asked, "optimizer.lr")], ["ask", ["0.01"]]);
  assert.equal(wayOf(withWay(best, "search", catalog)), "search");
  const two = withWay(withTexts(form(), "optimizer", ["sgd", "adam"], catalog), "search", catalog);
  assert.deepEqual([textsAt(two, "optimizer"), textsAt(two, "optimizer.lr")], [["sgd"], ["0.001..0.1:log"]]);
  assert.equal(around("much"), "0.001..0.1:log");
  assert.equal(middle({ low: 16, high: 48 }), "32");
});

test("an experiment that nobody named is called after what it compares", () => {
  const { base, grid, title } = preset("mnist-fc-vs-cnn");
  assert.equal(nameOf(formOf(title, base, grid, catalog), catalog), "FC and CNN on MNIST, pixel order");
  assert.equal(
    nameOf(form({ dataset: "mnist" }, { epochs: [1, 3], "optimizer.lr": [0.01, 0.1] }), catalog),
    "CNN on MNIST, epochs × learning rate",
  );
  assert.equal(nameOf(form({}, { batch_size: [8, 9] }), catalog), "CNN on Digits, batch size");
  assert.equal(
    nameOf(
      withTexts(
        form(),
        "model",
        catalog.models.map(({ name }) => name),
        catalog,
      ),
      catalog,
    ),
    `${catalog.models.length} nets on Digits`,
  );
  assert.equal(nameOf(withTexts(form(), "model", [], catalog), catalog), "No net on Digits");
});

test("a setting that changes nothing is not offered, unless it is not at its default", () => {
  const offered = (of) =>
    recipeSettings(of, catalog)
      .filter((setting) => applies(of, setting))
      .map(({ path }) => path);
  const dependent = ["permutation_seed", "decay_epochs", "decay_factor", "validation_seed"];
  assert.deepEqual(
    dependent.filter((path) => offered(form()).includes(path)),
    [],
  );
  const all = form({ schedule: "step", validation: 100, pixel_order: "shuffled" });
  assert.deepEqual(
    dependent.filter((path) => offered(all).includes(path)),
    dependent,
  );
  assert.ok(offered(form({ decay_epochs: 7 })).includes("decay_epochs"));
  assert.ok(
    !offered({
      ...form(),
      knobs: { ...form().knobs, pixel_order: undefined, schedule: undefined, validation: undefined },
    }).includes("decay_factor"),
  );
});

test("a setting is found by its path", () => {
  assert.equal(settingAt(form(), "epochs", catalog).title, "Epochs");
  assert.equal(settingAt(form(), "optimizer.lr", catalog).name, "learning rate");
  assert.equal(settingAt(form(), "cnn.n_features", catalog).title, "Feature maps");
  assert.equal(settingAt(form(), "device", catalog).fallback, "auto");
  assert.equal(settingAt(form(), "model", catalog), null);
  assert.deepEqual(
    modelSettings(withTexts(form(), "model", ["fc", "cnn"], catalog), catalog).map(({ title }) => title),
    ["FC's hidden units", "CNN's feature maps"],
  );
  assert.deepEqual(
    optimizerSettings(withTexts(form(), "optimizer", ["adam", "sgd"], catalog), catalog)
      .slice(0, 2)
      .map(({ path }) => path),
    ["sgd.lr", "sgd.momentum"],
  );
});
