// One line over all panels and one box beside the pointer: what every curve shows at the x that is pointed at.

import { el } from "./dom.js";
import { listen } from "./plots.js";

const MOST = 12; // rows
const BESIDE = 14; // pixels between pointer and box

/**
 * Attach to a figure whose panels share their x axis, in place of Plotly's own boxes. `words(x)`: where it is;
 * `format(value)`: a value in words. A curve's name is that of its configuration, then the seed.
 */
export function hoverAcross(plot, place, { words, format }) {
  plot.classList.add("own-hover");
  const clear = () => place.querySelectorAll(".across, .hover-box").forEach((one) => one.remove());
  const show = ({ points: [point], event }) => {
    clear();
    const layout = plot._fullLayout;
    const axes = Object.keys(layout).filter((name) => /^xaxis\d*$/.test(name));
    const curves = [];
    for (const key of axes) {
      const [x, y] = [layout[key], layout[key.replace("x", "y")]];
      const left = x._offset + x.l2p(x.d2l(point.x));
      if (left < x._offset || left > x._offset + x._length) continue;
      place.append(
        el("div.across", { "aria-hidden": "true", style: `left:${left}px;top:${y._offset}px;height:${y._length}px` }),
      );
      for (const trace of plot.data) {
        if (!trace.name || (trace.xaxis ?? "x") !== x._id || !trace.x.length || trace.x[0] > point.x) continue;
        const cut = trace.name.lastIndexOf(", ");
        curves.push({
          of: cut < 0 ? trace.name : trace.name.slice(0, cut),
          colour: trace.line.color,
          value: valueAt(trace, point.x),
        });
      }
    }
    if (curves.length) place.append(boxOf(curves, words(point.x), format, place, event));
  };
  listen(plot, { plotly_unhover: clear, plotly_relayout: clear, plotly_hover: show });
}

/** The box, beside the pointer and within its place. */
function boxOf(curves, where, format, place, { clientX, clientY }) {
  const groups = Map.groupBy(curves, ({ of }) => of);
  const rows = [...groups]
    .slice(0, MOST)
    .map(([name, members]) =>
      el(
        "tr",
        {},
        el("th", { scope: "row" }, el("i.dot", { style: `background:${members[0].colour}` }), name),
        el("td", {}, members.map(({ value }) => format(value)).join("  ")),
      ),
    );
  const more = groups.size > MOST && el("p.muted", {}, `and ${groups.size - MOST} more`);
  const box = el(
    "div.hover-box",
    { "aria-hidden": "true" },
    el("b", {}, where),
    el("table", {}, el("tbody", {}, ...rows)),
    more,
  );
  const around = place.getBoundingClientRect();
  const [x, y] = [clientX - around.left, clientY - around.top];
  if (x > around.width / 2) box.style.right = `${around.width - x + BESIDE}px`;
  else box.style.left = `${x + BESIDE}px`;
  if (y > around.height / 2) box.style.bottom = `${around.height - y + BESIDE}px`;
  else box.style.top = `${y + BESIDE}px`;
  return box;
}

/** The value of a line at the last of its points up to `x`. */
function valueAt(trace, x) {
  let [low, high] = [0, trace.x.length - 1];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (trace.x[middle] <= x) low = middle;
    else high = middle - 1;
  }
  return trace.y[low];
}
