// The sentence of an experiment: text, and words that are buttons. One word's button stays the same element as long as there is such a word.

import { el, icon, setText } from "../dom.js";

/**
 * Show a sentence. parts: as model/sentence.js makes them; `titles(path)`: what a word is, for those who can't see where it
 * stands; `wrong`: paths with an error; `press(path, button)`: a word was pressed.
 */
export function showSentence(element, parts, { titles, wrong = new Set(), press }) {
  const known = new Map([...element.querySelectorAll("[data-path]")].map((button) => [button.dataset.path, button]));
  const focused = element.contains(document.activeElement) ? document.activeElement : null;
  const nodes = [];
  for (let at = 0; at < parts.length; at += 1) {
    const { path, text } = parts[at];
    if (!path) {
      nodes.push(text);
      continue;
    }
    const button = known.get(path) ?? wordButton(path, press);
    showWord(button, parts[at], titles(path), wrong.has(path));
    const after = parts[at + 1]?.text ?? "";
    const mark = /^[,.]/.test(after) ? after[0] : ""; // it stays on the word's line
    nodes.push(mark ? el("span.nowrap", {}, button, mark) : button);
    if (mark) {
      nodes.push(after.slice(1));
      at += 1;
    }
  }
  element.replaceChildren(...nodes);
  focused?.focus();
}

/** A word's button, outside a sentence as well: one setting, its values. */
export function wordButton(path, press) {
  const button = el("button.setting-word", {
    type: "button",
    "data-path": path,
    "aria-haspopup": "dialog",
    onclick: () => press(path, button),
  });
  button.append(
    el("span.visually-hidden"),
    el("s.was", { hidden: true }),
    el("span.said"),
    el("span.times", { hidden: true }),
    icon("down"),
  );
  return button;
}

export function showWord(button, { text, count, was }, title, isWrong = false) {
  const [hidden, before, said, times] = button.children;
  setText(hidden, `${title}: `);
  before.hidden = was === null;
  setText(before, was ?? "");
  setText(said, text || "none");
  times.hidden = count < 2;
  setText(times, count > 1 ? ` × ${count}` : "");
  button.classList.toggle("several", count > 1);
  button.classList.toggle("changed", was !== null);
  button.classList.toggle("wrong", isWrong);
}
