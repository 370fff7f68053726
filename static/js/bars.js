// Differences to the best as bars against one zero line: a cell of each row, and the axis below them.

const SVG = "http://www.w3.org/2000/svg";
const WIDTH = 300;
const NARROW = 96; // on a phone
const HEIGHT = 22;
const PAD = 8;
const REACH = 6; // a bar further out than so many times the widest that matters is cut, with an arrow

/** `rows` of GET /compare with their differences; `smallest`: the smallest difference that matters. */
export function bars(rows, measure, smallest) {
  const whole = matchMedia("(max-width: 640px)").matches ? NARROW : WIDTH;
  const unit = measure.is_accuracy ? 100 : 1;
  const found = rows.map((row) => row.difference).filter((one) => one?.low != null);
  const near = found.filter((one) => one.decision === "may be best").flatMap((one) => [one.low, one.high]);
  const closest = Math.min(...found.map((one) => Math.max(Math.abs(one.low), Math.abs(one.high))));
  const reach = REACH * Math.max(smallest, near.length ? 0 : closest, ...near.map(Math.abs));
  const within = (value) => Math.max(-reach, Math.min(reach, value));
  const ends = [0, -smallest, smallest, ...found.flatMap((one) => [one.low, one.high])].map(within);
  const [least, greatest] = [Math.min(...ends), Math.max(...ends)];
  const x = (value) => PAD + ((within(value) - least) / (greatest - least || 1)) * (whole - 2 * PAD);

  /** The bar of one difference; null: of the best itself. */
  function bar(difference, colour) {
    const svg = drawing(
      whole,
      HEIGHT,
      difference ? `${difference.value_text}, ${difference.interval_text}` : "the best: 0",
    );
    if (smallest)
      svg.append(
        shape("rect", {
          x: x(-smallest),
          width: x(smallest) - x(-smallest),
          y: 0,
          height: HEIGHT,
          fill: "var(--track)",
        }),
      );
    svg.append(shape("line", { x1: x(0), x2: x(0), y1: 0, y2: HEIGHT, stroke: "var(--text)" }));
    const middle = HEIGHT / 2;
    if (!difference) svg.append(shape("rect", { x: x(0) - 2, width: 4, y: middle - 6, height: 12, fill: colour }));
    if (difference?.low != null) {
      const [low, high] = [difference.low, difference.high];
      svg.append(
        shape("rect", {
          x: x(low),
          width: Math.max(1, x(high) - x(low)),
          y: middle - 4,
          height: 8,
          fill: colour,
          "fill-opacity": 0.4,
        }),
      );
      for (const end of [low, high]) {
        if (within(end) === end)
          svg.append(shape("rect", { x: x(end) - 1, width: 2, y: middle - 6, height: 12, fill: colour }));
        else svg.append(arrow(end < 0, middle, colour));
      }
    }
    if (difference?.value != null && within(difference.value) === difference.value) {
      svg.append(shape("rect", { x: x(difference.value) - 1.5, width: 3, y: middle - 6, height: 12, fill: colour }));
    }
    return svg;
  }

  const arrow = (left, middle, colour) =>
    shape("path", {
      d: left ? `M${PAD - 7} ${middle}l7 -5v10z` : `M${whole - PAD + 7} ${middle}l-7 -5v10z`,
      fill: colour,
    });

  function axis() {
    const svg = drawing(whole, 16, "");
    for (const value of ticks(least * unit, greatest * unit, whole / 60)) {
      const label = shape("text", {
        x: x(value / unit),
        y: 12,
        "text-anchor": "middle",
        fill: "var(--muted)",
        "font-size": 12,
      });
      label.textContent = value === 0 ? "0" : `${value < 0 ? "−" : "+"}${Number(Math.abs(value).toPrecision(3))}`;
      svg.append(label);
    }
    return svg;
  }
  return { bar, axis };
}

/** At most so many round values between two. */
export function ticks(least, greatest, most) {
  const span = greatest - least;
  if (!(span > 0)) return [0];
  const power = 10 ** Math.floor(Math.log10(span / most));
  const step = [1, 2, 5, 10].map((times) => times * power).find((one) => span / one <= most);
  const first = Math.ceil(least / step);
  return Array.from({ length: Math.floor(greatest / step) - first + 1 }, (_, at) =>
    Number(((first + at) * step).toPrecision(12)),
  );
}

function drawing(width, height, label) {
  const svg = shape("svg", { class: "interval-bar", viewBox: `0 0 ${width} ${height}`, width, height });
  if (label) {
    svg.setAttribute("role", "img");
    svg.setAttribute("aria-label", label);
  } else svg.setAttribute("aria-hidden", "true");
  return svg;
}

function shape(name, attributes) {
  const element = document.createElementNS(SVG, name);
  for (const [attribute, value] of Object.entries(attributes)) element.setAttribute(attribute, value);
  return element;
}
