// Which columns of the runs table are shown: chosen in a menu, remembered by this browser.

import { el } from "../../dom.js";
import { root } from "../../model/address.js";

const KEY = `runyard.columns${root}`;
/** Column class -> title and whether it is shown before anybody chose. */
export const COLUMNS = {
  "c-model": ["Model, pixel order", true],
  "c-data": ["Data", true],
  "c-seed": ["Seed", true],
  "c-epochs": ["Epochs", false],
  "c-batch": ["Batch size", false],
  "c-lr": ["Learning rate", false],
  "c-parameters": ["Parameters", false],
  "c-step": ["Step", true],
  "c-bar": ["Progress", true],
  "c-spark": ["Training loss", true],
  "c-last": ["Last loss", true],
  "c-accuracy": ["Test accuracy", true],
  "c-time": ["Duration", true],
  "c-started": ["Started", true],
  "c-device": ["Device", true],
};

const sheet = new CSSStyleSheet();
document.adoptedStyleSheets.push(sheet);

function remembered() {
  try {
    return JSON.parse(localStorage.getItem(KEY)) ?? {};
  } catch {
    return {}; // storage is closed to us, or holds something else
  }
}

function apply(chosen) {
  const hidden = Object.entries(COLUMNS).filter(([key, [, usual]]) => !(chosen[key] ?? usual));
  sheet.replaceSync(hidden.map(([key]) => `.runs .${key} { display: none !important; }`).join("\n"));
}

/** Fill the menu; it takes effect at once. */
export function columnsMenu(menu) {
  let chosen = remembered();
  const show = () => {
    const boxes = Object.entries(COLUMNS).map(([key, [title, usual]]) => {
      const box = el("input", { type: "checkbox", checked: chosen[key] ?? usual });
      box.addEventListener("change", () => keep({ ...chosen, [key]: box.checked }));
      return el("label", {}, box, title);
    });
    const usual = el("button.btn-link", { type: "button" }, "As at first");
    usual.addEventListener("click", () => {
      keep({});
      show();
    });
    menu.replaceChildren(...boxes, usual);
  };
  const keep = (next) => {
    chosen = next;
    try {
      localStorage.setItem(KEY, JSON.stringify(chosen));
    } catch {
      // it holds for this visit
    }
    apply(chosen);
  };
  apply(chosen);
  show();
}
