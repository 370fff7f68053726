// @ts-check
// Which scale a value axis has. Pure functions.

const DECADES = 1000;
const MOST_TICKS = 6;

/** The least and the greatest of what lines show (curves as the API has them: `smoothed` or `mean`), of values over 0. */
export function extremesOf(curves) {
  let [least, greatest] = [Infinity, -Infinity];
  for (const curve of curves) {
    for (const value of curve.smoothed ?? curve.mean) {
      if (value === null || !(value > 0)) continue;
      least = Math.min(least, value);
      greatest = Math.max(greatest, value);
    }
  }
  return { least, greatest };
}

/** Between the ticks of a logarithmic axis, in decades; undefined: as Plotly likes, over less than a decade and a half. */
export function decadesOf(from, to) {
  const decades = Math.log10(to / from);
  return decades > 1.5 ? Math.max(1, Math.ceil(decades / MOST_TICKS)) : undefined;
}

/** `linear` or `log`: as it was chosen, else by itself logarithmic where lines go over more than three decades. */
export function scaleOf(chosen, curves, isFraction) {
  if (chosen) return chosen;
  const { least, greatest } = extremesOf(curves);
  return !isFraction && greatest / least > DECADES ? "log" : "linear";
}
