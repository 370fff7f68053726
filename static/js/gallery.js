// Test images with what one or two nets say of them: rows that grow on request, and one image opened large.

import { get } from "./api.js";
import { query } from "./model/address.js";
import { el, icon, report } from "./dom.js";
import { integer } from "./format.js";
import { cut, multiple, picture } from "./images.js";

/** 0.9994 -> "over 99% sure", 0.84 -> "84% sure" */
export const sure = (confidence) => (confidence >= 0.995 ? "over 99% sure" : `${Math.round(confidence * 100)}% sure`);

const GAP = 16;

/**
 * Fill `box` with the images that `asked` (of GET /predictions/images) gives: `count`, or as many as fit in `rows`; more
 * on request.
 * said(item) lists the runs, as places in `asked.run`, whose answers stand below an image; seen: pixels as the net sees them.
 * Resolves to how many there are.
 */
export async function showGallery(
  box,
  asked,
  { size = 96, rows = 1, count = 0, seen = false, said = () => [0], more = null, names = [] },
) {
  const wide = box.clientWidth || 600;
  const columns = (pixels) => Math.max(3, Math.floor((wide + GAP) / (pixels + GAP)));
  const first = await get(
    `/predictions/images${query({ ...asked, count: count || Math.min(200, columns(size) * rows) })}`,
  );
  const pixels = multiple(first.shape[2], size);
  box.style.setProperty("--size", `${pixels}px`);
  const shown = (part) => {
    const originals = cut(part.original, part.items.length);
    const seens = cut(part.seen, part.items.length);
    return part.items.map((item, at) =>
      tile(item, part, originals[at], seens[at], { pixels, seen, said: said(item), names }),
    );
  };
  box.replaceChildren(...shown(first));
  const state = () => {
    if (!more) return;
    const left = first.total - box.childElementCount;
    more.hidden = left <= 0;
    more.textContent = `Show ${integer(Math.min(left, 48))} more`;
  };
  if (more) {
    more.onclick = async () => {
      more.disabled = true;
      try {
        box.append(
          ...shown(await get(`/predictions/images${query({ ...asked, start: box.childElementCount, count: 48 })}`)),
        );
      } catch (error) {
        report(error);
      }
      more.disabled = false;
      state();
    };
    state();
  }
  return first.total;
}

/** One image as a button that opens it: true name, then what each net says. */
function tile(item, { classes, shape }, original, seen, options) {
  const title = classes[item.label];
  const answers = options.said.flatMap((at) => [
    verdict(item, at, classes),
    el("span.muted", {}, sure(item.confidence[at])),
  ]);
  return el(
    "button.tile",
    { type: "button", onclick: () => open(item, { classes, shape }, original, seen, options.names) },
    picture(options.seen ? seen : original, shape, options.pixels, `test image ${integer(item.index)}`),
    el("span", {}, title),
    ...answers,
  );
}

/** What one net says: right as a quiet tick, wrong as a red cross, with the name. */
export function verdict(item, at, classes) {
  const right = item.predicted[at] === item.label;
  return el(
    right ? "span.verdict" : "span.verdict.wrong",
    {},
    icon(right ? "tick" : "close"),
    classes[item.predicted[at]],
  );
}

function open(item, { classes, shape }, original, seen, names) {
  const pixels = multiple(shape[2], 256);
  const same = original.every((value, at) => value === seen[at]);
  const pictures = [
    el(
      "figure",
      {},
      picture(original, shape, pixels, "The image"),
      same ? null : el("figcaption.note", {}, "Original"),
    ),
  ];
  if (!same)
    pictures.push(
      el(
        "figure",
        {},
        picture(seen, shape, pixels, "As the net sees it"),
        el("figcaption.note", {}, "As the net sees it"),
      ),
    );
  const rows = item.predicted.map((_, at) => [
    names[at] ?? "Predicted",
    el("span.row", {}, verdict(item, at, classes), el("span.muted", {}, sure(item.confidence[at]))),
  ]);
  const facts = [["True class", classes[item.label]], ...rows, ["Place", `test image ${integer(item.index)}`]];
  const dialog = el(
    "dialog.opened",
    {
      "aria-label": `Test image ${item.index}`,
      onclose: () => dialog.remove(),
      onclick: (event) => event.target === dialog && dialog.close(),
    },
    el("div.row", {}, ...pictures),
    el(
      "table.facts",
      {},
      el(
        "tbody",
        {},
        ...facts.map(([name, value]) => el("tr", {}, el("th", { scope: "row" }, name), el("td", {}, value))),
      ),
    ),
    el("form", { method: "dialog" }, el("button.btn", { autofocus: true }, "Close")),
  );
  document.body.append(dialog);
  dialog.showModal();
}
