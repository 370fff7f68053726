// What else is known: other experiments in which the same configurations ran, with their answers.

import { get } from "./api.js";
import { el, report } from "./dom.js";
import { plural } from "./format.js";
import { url } from "./model/address.js";

const part = document.getElementById("related");
const { experiment } = document.getElementById("experiment-menu").dataset;

requestIdleCallback(() => get(`/experiments/${experiment}/related`).then(show).catch(report), { timeout: 2000 });

function show(found) {
  part.hidden = !found.length;
  part
    .querySelector("ul")
    .replaceChildren(
      ...found.map((one) =>
        el(
          "li",
          {},
          el("a", { href: url(`/compare?experiment=${one.experiment}`) }, one.name),
          el("span.note", {}, ` ${plural(one.shared, "configuration")} of these`),
          el("p", {}, one.answer),
        ),
      ),
    );
}
