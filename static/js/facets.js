// Which knob makes rows, columns, colour and dash of a comparison. Sensible by default, any knob by choice.

import { placesOf } from "./model/colours.js";
import { dash, token } from "./palette.js";

const SVG = "http://www.w3.org/2000/svg";
const MOST_PANELS = 24;
const DASHES = ["solid", "6px,3px", "2px,3px", "9px,3px,2px,3px"];
// Of an ordered knob, from its least to its greatest value: ever darker on light ground, ever lighter on dark
const RAMP = {
  light: ["#b08a1e", "#3f7699", "#244c8c", "#0b1f4d"],
  dark: ["#3f6fc0", "#6f9fd8", "#b9c48a", "#fff0a0"],
};

/** The knobs that make configurations differ, each with its values: [{knob, title, values}]. */
export const varied = (compared) => compared.differences.filter((one) => !["seed", "device"].includes(one.knob));

const isOrdered = (one) => one.values.length > 2 && one.values.every((value) => typeof value === "number");

/** {rows, columns, color, dash}: the knobs chosen, null for none; `auto` leaves the choice to what varies. */
export function chosen(view, compared) {
  const knobs = varied(compared);
  const [only] = knobs;
  const isSweep = knobs.length === 1 && isOrdered(only);
  const tooMany = compared.groups.length > MOST_PANELS;
  const pick = (key, fallback) =>
    view[key] === "auto"
      ? fallback
      : view[key] === "none" || !knobs.some((one) => one.knob === view[key])
        ? null
        : view[key];
  const rows = view.view === "one" ? null : pick("rows", isSweep || tooMany ? null : compared.rows);
  const columns = view.view === "one" ? null : pick("columns", isSweep || tooMany ? null : compared.columns);
  const has = (knob) => knobs.some((one) => one.knob === knob);
  const left = knobs.find((one) => ![rows, columns, "model", "pixel_order"].includes(one.knob));
  return {
    rows,
    columns,
    color: pick("color", has("model") ? "model" : (left?.knob ?? null)),
    dash: pick("dash", has("pixel_order") ? "pixel_order" : null),
  };
}

/** Where each configuration is drawn: [{groups, title}], row by row. */
export function panelsOf(compared, { rows, columns }) {
  if (compared.groups.length < 2 || (rows === null && columns === null)) return [{ groups: compared.groups }];
  const values = (knob) => (knob === null ? [null] : [...new Set(compared.groups.map((one) => one.knobs[knob]))]);
  const found = [];
  for (const row of values(rows)) {
    for (const column of values(columns)) {
      const groups = compared.groups.filter(
        (one) => (rows === null || one.knobs[rows] === row) && (columns === null || one.knobs[columns] === column),
      );
      if (groups.length) found.push({ groups });
    }
  }
  return found.length > MOST_PANELS ? [{ groups: compared.groups }] : found;
}

/** Colour and dash of each configuration: of(group), mark(group) for legends and tables. */
export function styleOf(compared, { color, dash: dashed }) {
  const dark = getComputedStyle(document.documentElement).colorScheme.includes("dark");
  const valuesOf = (knob) => varied(compared).find((one) => one.knob === knob);
  const ordered =
    color && valuesOf(color) && isOrdered(valuesOf(color)) ? [...valuesOf(color).values].sort((a, b) => a - b) : null;
  const places = placesOf(compared.groups.map((one) => one.model));
  const colourOf = (one) => {
    if (color === null || color === "model") return token(`--data-${places.get(one.model)}`);
    const at = (ordered ?? valuesOf(color).values).indexOf(one.knobs[color]);
    if (at < 0) return token("--ghost"); // a knob that this model has not got
    return ordered ? ramp(dark ? RAMP.dark : RAMP.light, at / (ordered.length - 1)) : token(`--data-${at % 8}`);
  };
  const dashOf = (one) => {
    if (dashed === null) return "solid";
    return dashed === "pixel_order"
      ? dash(one.pixel_order)
      : DASHES[valuesOf(dashed).values.indexOf(one.knobs[dashed]) % DASHES.length];
  };
  const styles = new Map(compared.groups.map((one) => [one.name, { colour: colourOf(one), dash: dashOf(one) }]));
  return {
    ramp: ordered !== null,
    of: (one) => styles.get(one.name),
    mark: (one, without) => mark(styles.get(one.name).colour, without === dashed ? "solid" : styles.get(one.name).dash),
  };
}

function mark(colour, dashes) {
  const svg = document.createElementNS(SVG, "svg");
  for (const [name, value] of Object.entries({ class: "swatch", "aria-hidden": "true", viewBox: "0 0 22 10" }))
    svg.setAttribute(name, value);
  const line = document.createElementNS(SVG, "line");
  const place = {
    x1: 0,
    x2: 22,
    y1: 5,
    y2: 5,
    stroke: colour,
    ...(dashes !== "solid" && { "stroke-dasharray": dashes.replaceAll("px", "") }),
  };
  for (const [name, value] of Object.entries(place)) line.setAttribute(name, value);
  svg.append(line);
  return svg;
}

/** The colour at `share` (0 to 1) of a ramp of hex colours. */
function ramp(stops, share) {
  const at = Math.min(stops.length - 2, Math.floor(share * (stops.length - 1)));
  const part = share * (stops.length - 1) - at;
  const channel = (hex, place) => parseInt(hex.slice(place, place + 2), 16);
  const mixed = [1, 3, 5].map((place) =>
    Math.round(channel(stops[at], place) * (1 - part) + channel(stops[at + 1], place) * part),
  );
  return `#${mixed.map((value) => value.toString(16).padStart(2, "0")).join("")}`;
}
