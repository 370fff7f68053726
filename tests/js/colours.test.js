// Which colour a model has.

import assert from "node:assert/strict";
import { test } from "node:test";

import { COLOURS, colourPlace, placesOf } from "../../static/js/model/colours.js";
import { catalog } from "./catalog.js";

test("each of our models has a colour of its own", () => {
  const places = catalog.models.map(({ name }) => colourPlace(name));
  assert.equal(new Set(places).size, COLOURS);
  assert.equal(places.length, COLOURS);
});

test("a model of another package has one by its name", () => {
  const place = colourPlace("my-net");
  assert.ok(place >= 0 && place < COLOURS);
  assert.equal(colourPlace("my-net"), place);
  assert.ok(colourPlace("") >= 0);
});

test("side by side no two have the same, while there are enough", () => {
  const others = ["a", "b", "c", "d", "e", "f"];
  const places = placesOf([...others, "cnn", "fc", "cnn"]);
  assert.equal(new Set(places.values()).size, 8);
  assert.equal(places.get("cnn"), 1);
  assert.equal(places.get("fc"), 0);
  assert.equal(placesOf(Array.from({ length: 12 }, (_, at) => `net ${at}`)).size, 12);
});
