// Curves as the server sends them: fetched in buckets, brought up to date by their tail. No drawing here.

import { get } from "./api.js";
import { query } from "./model/address.js";

const MOST = 250; // runs a request
const LISTS = ["steps", "times", "min", "max", "mean", "last", "smoothed"];

/** {name, metric, width, items: Map(run -> curve)} of these runs; options: points, smoothing, from, to, width. */
export async function fetchCurves(runs, name, options) {
  const parts = [];
  for (let start = 0; start < runs.length; start += MOST) {
    parts.push(get(`/series${query({ run: runs.slice(start, start + MOST), name, ...options })}`));
  }
  const answers = await Promise.all(parts);
  const items = new Map(answers.flatMap((answer) => answer.items).map((curve) => [curve.run, curve]));
  return { name, metric: answers[0]?.metric, width: answers[0]?.width ?? 1, from: options.from ?? 1, items };
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
 * Mean of several curves bucket by bucket, with the range that they span and the raw extremes in it:
 * {x, mean, low, high, least, most}, of the buckets that every curve holds: where one has ended, or has no number, a mean
 * of the others would bend for no reason of theirs. `xs`: x of each bucket of a curve.
 */
export function spread(curves, xs, width) {
  const buckets = new Map();
  for (const curve of curves) {
    const x = xs(curve);
    const y = curve.smoothed ?? curve.mean;
    for (let index = 0; index < curve.steps.length; index += 1) {
      if (y[index] === null) continue; // no number
      const number = Math.floor((curve.steps[index] - 1) / width);
      let bucket = buckets.get(number);
      if (!bucket)
        buckets.set(
          number,
          (bucket = { x: 0, sum: 0, n: 0, low: Infinity, high: -Infinity, least: Infinity, most: -Infinity }),
        );
      bucket.x += x[index];
      bucket.sum += y[index];
      bucket.n += 1;
      if (y[index] < bucket.low) bucket.low = y[index];
      if (y[index] > bucket.high) bucket.high = y[index];
      if (curve.min[index] < bucket.least) bucket.least = curve.min[index];
      if (curve.max[index] > bucket.most) bucket.most = curve.max[index];
    }
  }
  const sorted = [...buckets.entries()]
    .filter(([, bucket]) => bucket.n === curves.length)
    .sort((a, b) => a[0] - b[0])
    .map(([, bucket]) => bucket);
  const of = (value) => sorted.map(value);
  return {
    x: of((bucket) => bucket.x / bucket.n),
    mean: of((bucket) => bucket.sum / bucket.n),
    low: of((bucket) => bucket.low),
    high: of((bucket) => bucket.high),
    least: of((bucket) => bucket.least),
    most: of((bucket) => bucket.most),
  };
}

/** How many points a curve's buckets hold: one a step, or one each. */
const pointsOf = (curve, { metric, from }) =>
  metric?.per === "step" && curve.steps.length ? curve.steps.at(-1) - from + 1 : curve.steps.length;

/** What a chart shows, in words: "938 points a run in 235 buckets of 4 steps, min and max kept, trailing average of 0.9." */
export function caption(curves, smoothing) {
  const longest = [...curves.items.values()].reduce(
    (a, b) => (pointsOf(b, curves) > (a ? pointsOf(a, curves) : -1) ? b : a),
    null,
  );
  if (!longest?.steps.length) return "No point has been recorded yet.";
  const count = pointsOf(longest, curves).toLocaleString("en-US");
  const many = curves.items.size > 1 ? `${count} points a run` : `${count} points`;
  const cut =
    curves.width > 1
      ? `${many} in ${longest.steps.length} buckets of ${curves.width} steps, min and max kept`
      : `${many}, every one drawn`;
  return `${cut}${smoothing ? `, trailing average of ${smoothing}` : ""}.`;
}
