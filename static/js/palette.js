// Colour = model, by its name; dash = pixel order. The same on every chart, sparkline and swatch.

import { colourPlace } from "./model/colours.js";

/** Name of the CSS variable that holds the model's colour. */
export const colorVariable = (model) => `--data-${colourPlace(model)}`;

/** The value of a CSS variable in the theme that is on. */
export const token = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

export const color = (model) => token(colorVariable(model));
export const dash = (order) => (order === "shuffled" ? "6px,3px" : "solid");

/** "#0072b2", 0.13 -> "rgba(0,114,178,0.13)" */
export function faint(hex, opacity) {
  const [r, g, b] = [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
  return `rgba(${r},${g},${b},${opacity})`;
}
