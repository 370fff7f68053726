// What the search box suggests.

import assert from "node:assert/strict";
import { test } from "node:test";

import { suggest, vocabulary } from "../../static/js/model/search.js";
import { catalog } from "./catalog.js";

const words = vocabulary(catalog, {
  tags: ["paper", "my talk"],
  experiments: ["Which rate?"],
  series: ["test/accuracy", "val/f1"],
});
const labels = (text, caret = text.length) => suggest(text, caret, words).map(({ label }) => label);
const taken = (text, at = 0) => {
  const one = suggest(text, text.length, words)[at];
  return text.slice(0, one.from) + one.text + text.slice(one.to);
};

test("an empty box shows what can be asked", () => {
  assert.equal(labels("")[0], "Test accuracy");
  assert.ok(labels("").includes("Status"));
  assert.equal(labels("").length, 8);
});

test("a key is found by its name and by what it is called", () => {
  assert.equal(taken("acc"), "accuracy > ");
  assert.equal(taken("Test acc"), "accuracy > ");
  assert.equal(taken("model:cnn learning r"), "model:cnn lr > ");
  assert.equal(taken("rate"), "lr > ");
  assert.equal(taken("-stat"), "-status:");
  assert.deepEqual(labels("val/"), ["val/f1"]);
  assert.deepEqual(labels("zzz"), []);
  assert.deepEqual(labels("paper "), []);
});

test("behind a key stand its values", () => {
  assert.deepEqual(labels("status:s"), ["succeeded", "stopped"]);
  assert.equal(taken("status:failed,st"), "status:failed,stopped ");
  assert.equal(taken("tag:m"), 'tag:"my talk" ');
  assert.equal(taken('tag:"my'), 'tag:"my talk" ');
  assert.equal(taken("Pixel order: sh"), "Pixel order: shuffled ");
  assert.equal(taken("order:i"), 'order:"in order" ');
  assert.deepEqual(labels("status:failed"), []);
});

test("a number is nobody's to suggest", () => {
  assert.deepEqual(labels("accuracy > "), []);
  assert.deepEqual(labels("accuracy > 9"), []);
  assert.deepEqual(labels("status>s"), []);
  assert.deepEqual(labels("nothing:x"), []);
});

test("what stands behind the caret stays", () => {
  const [one] = suggest("sta model:cnn", 3, words);
  assert.deepEqual([one.from, one.to, one.text], [0, 3, "status:"]);
  assert.deepEqual(labels('"test acc'), []);
});

test("a catalogue alone is enough", () => {
  assert.ok(vocabulary(catalog).some(({ key }) => key === "epochs"));
});
