// Curves as the server sends them: fetched in buckets, brought up to date by their tail. No drawing here.

import { get, query } from "./api.js";

const MOST = 100; // runs a request
const LISTS = ["steps", "times", "min", "max", "mean", "last", "smoothed"];

/** {name, width, items: Map(run -> curve)} of these runs; options: points, smoothing, from, to, width. */
export async function fetchCurves(runs, name, options) {
  const parts = [];
  for (let start = 0; start < runs.length; start += MOST) {
    parts.push(get(`/series${query({ run: runs.slice(start, start + MOST), name, ...options })}`));
  }
  const answers = await Promise.all(parts);
  const items = new Map(answers.flatMap((answer) => answer.items).map((curve) => [curve.run, curve]));
  return { name, width: answers[0]?.width ?? 1, from: options.from ?? 1, items };
}

/** First step of the last bucket of these runs that may have been full: what is new lies from there on. */
export function tailStart(curves, runs) {
  const starts = runs.map((run) => {
    if (!curves.items.has(run)) return 1;
    const steps = curves.items.get(run)?.steps ?? [];
    return steps.length ? Math.floor((steps.at(-1) - 1) / curves.width) * curves.width + 1 : 1;
  });
  return Math.max(1, Math.min(...starts));
}

/** Put `tail`, fetched from step `from` on, in place of what the curves held there. */
export function replaceTail(curves, tail, from) {
  for (const [run, fresh] of tail.items) {
    const old = curves.items.get(run);
    if (!old) {
      curves.items.set(run, fresh);
      continue;
    }
    let keep = old.steps.findIndex((step) => step >= from);
    if (keep < 0) keep = old.steps.length;
    const merged = { ...fresh };
    for (const list of LISTS) merged[list] = fresh[list] && [...old[list].slice(0, keep), ...fresh[list]];
    curves.items.set(run, merged);
  }
}

/** x of each bucket: by step, epoch or seconds of training. */
export function xOf(curve, axis, stepsPerEpoch) {
  if (axis === "time") return curve.times;
  return axis === "epoch" ? curve.steps.map((step) => step / stepsPerEpoch) : curve.steps;
}

/**
 * Mean of several curves with the range they span, bucket by bucket: {x, mean, low, high}.
 * Only buckets that every curve which is still growing or has ended holds are averaged over those that hold them.
 */
export function spread(curves, axis, stepsPerEpoch, width) {
  const buckets = new Map();
  for (const curve of curves) {
    const x = xOf(curve, axis, stepsPerEpoch);
    const y = curve.smoothed ?? curve.mean;
    curve.steps.forEach((step, index) => {
      const number = Math.floor((step - 1) / width);
      const bucket = buckets.get(number) ?? { x: 0, sum: 0, n: 0, low: Infinity, high: -Infinity };
      bucket.x += x[index];
      bucket.sum += y[index];
      bucket.n += 1;
      bucket.low = Math.min(bucket.low, y[index]);
      bucket.high = Math.max(bucket.high, y[index]);
      buckets.set(number, bucket);
    });
  }
  const sorted = [...buckets.entries()].sort((a, b) => a[0] - b[0]).map(([, bucket]) => bucket);
  return {
    x: sorted.map((bucket) => bucket.x / bucket.n),
    mean: sorted.map((bucket) => bucket.sum / bucket.n),
    low: sorted.map((bucket) => bucket.low),
    high: sorted.map((bucket) => bucket.high),
  };
}

/** How many points a curve's buckets hold: a loss has one a step, a test's buckets hold one point each. */
const pointsOf = (curve, { name, from }) => (name === "train/loss" && curve.steps.length ? curve.steps.at(-1) - from + 1 : curve.steps.length);

/** What a chart shows, in words: "938 points a run in 235 buckets of 4 steps, min and max kept, smoothing …". */
export function caption(curves, smoothing) {
  const longest = [...curves.items.values()].reduce((a, b) => (pointsOf(b, curves) > (a ? pointsOf(a, curves) : -1) ? b : a), null);
  if (!longest?.steps.length) return "No point has been recorded yet.";
  const count = pointsOf(longest, curves).toLocaleString("en-US");
  const many = curves.items.size > 1 ? `${count} points a run` : `${count} points`;
  const cut = curves.width > 1 ? `${many} in ${longest.steps.length} buckets of ${curves.width} steps, min and max kept` : `${many}, every one drawn`;
  return `${cut}${smoothing ? `, smoothing ${smoothing} on the raw series` : ""}.`;
}
