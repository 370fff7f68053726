// Keyboard for the main actions: one key each, never while something is typed. `?` lists them.

import { el } from "./dom.js";
import { url } from "./model/address.js";

const known = new Map(); // key -> [words, action]

/** keys({"s": ["Stop the selected runs", f]}); a key may be any KeyboardEvent.key. */
export function keys(more) {
  for (const [key, entry] of Object.entries(more)) known.set(key, entry);
}

const isTyping = (element) =>
  element.closest?.("input:not([type=checkbox]), textarea, select, [contenteditable], dialog[open]");
const NAMES = { " ": "Space", Escape: "Esc", ArrowDown: "↓", ArrowUp: "↑" };

function help() {
  const close = el("button.btn", { value: "close", autofocus: true }, "Close");
  const rows = [...known]
    .filter(([, [words]]) => words)
    .map(([key, [words]]) => el("tr", {}, el("td", {}, el("kbd", {}, NAMES[key] ?? key)), el("td", {}, words)));
  const dialog = el(
    "dialog",
    { "aria-label": "Keys", onclose: () => dialog.remove() },
    el(
      "form",
      { method: "dialog" },
      el("h2", {}, "Keys"),
      el("table.keys", {}, el("tbody", {}, ...rows)),
      el("div.actions", {}, close),
    ),
  );
  document.body.append(dialog);
  dialog.showModal();
}

/** Begin; frame.js does. */
export function start() {
  keys({
    n: ["New experiment", () => location.assign(url("/experiments/new"))],
    "?": ["This list", help],
  });
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || isTyping(event.target)) return;
    // Space and Enter on a button or a link are that button's or link's
    if ([" ", "Enter"].includes(event.key) && event.target.closest?.("button, a, summary, input")) return;
    const entry = known.get(event.key);
    if (!entry) return;
    event.preventDefault();
    entry[1](event);
  });
}
