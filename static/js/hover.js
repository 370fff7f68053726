// One line over all panels: what the others show at the x that is pointed at. Plotly's own hover stays in its panel.

import { el } from "./dom.js";
import { listen } from "./plots.js";

const MOST = 8; // values a panel

/** Attach to a figure with several panels that share their x axis. `format`: a value in words. */
export function hoverAcross(plot, place, format) {
  const clear = () => place.querySelectorAll(".across").forEach((one) => one.remove());
  const show = ({ points: [point] }) => {
    clear();
    const layout = plot._fullLayout;
    const here = point.xaxis._id;
    for (const key of Object.keys(layout).filter((name) => /^xaxis\d*$/.test(name))) {
      const x = layout[key];
      if (x._id === here) continue;
      const y = layout[key.replace("x", "y")];
      const left = x._offset + x.l2p(x.d2l(point.x));
      if (left < x._offset || left > x._offset + x._length) continue;
      const values = plot.data.filter((trace) => trace.name && (trace.xaxis ?? "x") === x._id && trace.x.length).map((trace) => valueAt(trace, point.x));
      const said = values.filter(Boolean).slice(0, MOST).map(({ name, value, colour }) => el("span", { style: `color:${colour}` }, `${format(value)} ${name}`));
      if (values.length > MOST) said.push(el("span.muted", {}, `and ${values.length - MOST} more`));
      const onLeft = left > x._offset + x._length / 2;
      place.append(
        el("div.across", { "aria-hidden": "true", style: `left:${left}px;top:${y._offset}px;height:${y._length}px` }, el(`div.across-values${onLeft ? ".on-left" : ""}`, {}, ...said)),
      );
    }
  };
  listen(plot, { plotly_unhover: clear, plotly_relayout: clear, plotly_hover: show });
}

/** The value of a line at the last of its points up to `x`. */
function valueAt(trace, x) {
  let [low, high] = [0, trace.x.length - 1];
  if (trace.x[0] > x) return null;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (trace.x[middle] <= x) low = middle;
    else high = middle - 1;
  }
  return { name: trace.name.split(", ").at(-1), value: trace.y[low], colour: trace.line.color };
}
