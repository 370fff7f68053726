// A run's loss as a small curve: all with one scale, from 0 to where training starts; x spans all steps to come.

import { colorVariable, dash } from "../palette.js";

const SIZE = { width: 120, height: 24 };
const DIVERGED = 20; // a loss that starts above is none that others can be compared with

/** The height of the scale that curves share. */
export function topOf(curves) {
  const starts = curves.map((curve) => curve?.smoothed?.[0]).filter((value) => value < DIVERGED);
  return Math.max(0.1, ...starts);
}

/** The SVG of a run's curve, of numbers and names of our own only. */
export function spark(run, curve, top) {
  const { width, height } = SIZE;
  const base = `<line x1="0" x2="${width}" y1="${height - 0.5}" y2="${height - 0.5}" stroke="var(--line)"/>`;
  let path = "";
  if (curve?.steps.length) {
    const x = (step) => ((step / run.steps_total) * width).toFixed(1);
    const y = (value) => (height - 2 - (Math.min(value, top) / top) * (height - 4)).toFixed(1);
    const places = curve.steps.map((step, at) => `${x(step)} ${y(curve.smoothed[at])}`);
    const stroke = `stroke="var(${colorVariable(run.spec.model.name)})"`;
    const dashes = dash(run.spec.pixel_order) === "solid" ? "" : ' stroke-dasharray="4 2"';
    path = `<path d="M${places.join("L")}" fill="none" ${stroke} stroke-width="1.5"${dashes}/>`;
    if (run.status === "running") {
      const [cx, cy] = places.at(-1).split(" ");
      path += `<circle cx="${cx}" cy="${cy}" r="2.5" fill="var(${colorVariable(run.spec.model.name)})"/>`;
    }
  }
  return `<svg class="spark" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" aria-hidden="true">${base}${path}</svg>`;
}
