// What opens under a pressed word: over the page, so that nothing shifts. Typing replaces; "+ compare" makes a list.

import { el, icon, setText } from "../dom.js";

const SEPARATORS = /[,;\s]+/;
const GAP = 8;

let open = null; // {box, anchor, close}

/**
 * Open an editor under `anchor`. `blocks`: what valuesBlock() and choicesBlock() make; `closed()` is called when it closes,
 * by Enter, Escape, or a press elsewhere. The first field has the focus, its text selected.
 */
export function openEditor(anchor, title, blocks, closed = () => {}) {
  closeEditor();
  const box = el("div.editor", { popover: "auto", role: "dialog", "aria-label": title }, ...blocks);
  box.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.ctrlKey || event.metaKey || event.target.tagName === "BUTTON") return;
    event.preventDefault();
    closeEditor();
  });
  box.addEventListener("toggle", (event) => {
    if (event.newState !== "closed") return;
    if (open?.box === box) open = null;
    const inside = box.contains(document.activeElement) || document.activeElement === document.body;
    box.remove();
    anchor.setAttribute("aria-expanded", "false");
    if (inside && anchor.isConnected) anchor.focus();
    closed();
  });
  (anchor.closest("dialog") ?? document.body).append(box);
  box.showPopover();
  open = { box, anchor };
  anchor.setAttribute("aria-expanded", "true");
  placeEditor();
  const first = box.querySelector("input, select, [aria-pressed=true], button");
  first?.focus({ preventScroll: true });
  first?.select?.();
  box.scrollIntoView?.({ block: "nearest" });
}

export function closeEditor() {
  open?.box.hidePopover();
  open = null;
}

/** Under its word again, which may have moved to another line. */
export function placeEditor() {
  if (!open) return;
  const { box, anchor } = open;
  const word = anchor.getBoundingClientRect();
  const right = document.documentElement.clientWidth - box.offsetWidth - GAP;
  box.style.left = `${Math.max(GAP, Math.min(word.left, right)) + scrollX}px`;
  box.style.top = `${word.bottom + GAP + scrollY}px`;
}

const timesOf = (count) => (count > 1 ? `${count} values × ${count}` : "");

/** Head of a block: its title, and how often it multiplies the runs. */
function head(title, help) {
  const times = el("span.times");
  return { times, box: el("div.editor-head", {}, el("b", { title: help }, title), times) };
}

/**
 * A field a value. `texts`: those there are; `change(texts)`: others are. `ranges`: {is, begin, end, low, high, log} where
 * values can be drawn from a range. Returns {box, mark(messages)}.
 */
export function valuesBlock({ title, help = null, texts, change, hint = null, range = null }) {
  const { box: top, times } = head(title, help);
  const cells = el("div.editor-values");
  const error = el("p.error", { role: "alert", hidden: true });
  const read = () =>
    [...cells.querySelectorAll("input")].flatMap((input) => input.value.split(SEPARATORS)).filter(Boolean);
  const changed = () => {
    const now = read();
    setText(times, timesOf(new Set(now).size));
    cells.classList.toggle("several", cells.children.length > 1);
    change(now);
  };
  const add = (text) => {
    const input = el("input", {
      type: "text",
      value: text,
      autocomplete: "off",
      spellcheck: "false",
      "aria-label": title,
      maxlength: 200,
      oninput: changed,
    });
    const away = el(
      "button.remove",
      {
        type: "button",
        "aria-label": `Remove ${text || "this value"}`,
        onclick: () => (cell.remove(), changed(), cells.querySelector("input").focus()),
      },
      icon("close"),
    );
    const cell = el("span.editor-value", {}, input, away);
    cells.append(cell);
    return input;
  };
  for (const text of texts.length ? texts : [""]) add(text);
  setText(times, timesOf(texts.length));
  cells.classList.toggle("several", cells.children.length > 1);
  const more = el(
    "button.btn-link.more",
    { type: "button", onclick: () => (add("").focus(), cells.classList.add("several")) },
    icon("plus"),
    "compare",
  );
  const draw = range && el("button.btn-link", { type: "button", onclick: range }, "draw from a range");
  const foot = el(
    "div.editor-foot",
    {},
    el("span.row", {}, more, draw),
    el("span.note", {}, hint ?? ["Typing replaces · ", el("kbd", {}, "↵"), " done"]),
  );
  const mark = (messages) => {
    error.hidden = !messages.length;
    setText(error, messages.join("; "));
  };
  return { box: el("div.editor-block", {}, top, cells, error, foot), mark };
}

/** A range that values are drawn from: from, to, and on which scale. `change(text)` gets it as typed text, `end()` goes back to one value. */
export function rangeBlock({ title, range, change, end }) {
  const { box: top, times } = head(title, null);
  setText(times, "drawn at random");
  const error = el("p.error", { role: "alert", hidden: true });
  const field = (words, value) =>
    el("input", {
      type: "text",
      value: String(value),
      autocomplete: "off",
      "aria-label": words,
      oninput: () => changed(),
    });
  const [low, high] = [field(`${title}, from`, range.low), field(`${title}, to`, range.high)];
  const log = el("input", { type: "checkbox", checked: Boolean(range.log), onchange: () => changed() });
  const changed = () => change(`${low.value.trim()}..${high.value.trim()}${log.checked ? ":log" : ""}`);
  const foot = el(
    "div.editor-foot",
    {},
    el("button.btn-link", { type: "button", onclick: end }, "one value"),
    el("label.row.note", {}, log, "even on a log scale"),
  );
  const mark = (messages) => {
    error.hidden = !messages.length;
    setText(error, messages.join("; "));
  };
  return {
    box: el(
      "div.editor-block",
      {},
      top,
      el("div.editor-values.of-range", {}, low, el("span.muted", {}, "to"), high),
      error,
      foot,
    ),
    mark,
  };
}

/**
 * What there is to choose from. `options`: [{value, title, note, mark}]; pressing one chooses it alone and closes, "+ compare"
 * adds it, a cross takes it away. `change(values)`. Returns {box, mark(messages)}.
 */
export function choicesBlock({ title, help = null, options, chosen, change, several = true }) {
  const { box: top, times } = head(title, help);
  const error = el("p.error", { role: "alert", hidden: true });
  const list = el("div.editor-options", { role: "group", "aria-label": title });
  let values = [...chosen];
  const take = (next) => {
    values = next;
    show();
    change(values);
  };
  const rows = options.map(({ value, title: words, note = null, mark: sign = null }) => {
    const pick = el(
      "button.pick",
      { type: "button", onclick: () => (take([value]), closeEditor()) },
      sign,
      el("span", {}, words),
      note && el("span.note", {}, note),
    );
    const more = el(
      "button.btn-link.more",
      {
        type: "button",
        "aria-label": `Compare with ${words}`,
        onclick: () => (take([...values, value]), pick.focus()),
      },
      icon("plus"),
      "compare",
    );
    const away = el(
      "button.remove",
      {
        type: "button",
        "aria-label": `Remove ${words}`,
        onclick: () => (take(values.filter((one) => one !== value)), pick.focus()),
      },
      icon("close"),
    );
    return { value, pick, more, away, row: el("div.option", {}, pick, more, away) };
  });
  const show = () => {
    setText(times, timesOf(values.length));
    for (const { value, pick, more, away, row } of rows) {
      const on = values.includes(value);
      row.classList.toggle("on", on);
      pick.setAttribute("aria-pressed", String(on));
      more.hidden = on || !several;
      away.hidden = !on || values.length < 2;
    }
  };
  list.addEventListener("keydown", (event) =>
    move(
      event,
      rows.map(({ pick }) => pick),
    ),
  );
  list.append(...rows.map(({ row }) => row));
  show();
  const mark = (messages) => {
    error.hidden = !messages.length;
    setText(error, messages.join("; "));
  };
  return { box: el("div.editor-block", {}, top, list, error), mark };
}

/** Arrows go from one to the next, a letter to the next that begins with it. */
function move(event, picks) {
  const at = picks.indexOf(document.activeElement);
  const to = (index) => {
    event.preventDefault();
    picks[(index + picks.length) % picks.length].focus();
  };
  if (event.key === "ArrowDown") to(at + 1);
  else if (event.key === "ArrowUp") to(at - 1);
  else if (/^\w$/.test(event.key) && !event.ctrlKey && !event.metaKey) {
    const later = [...picks.slice(at + 1), ...picks.slice(0, at + 1)];
    const found = later.find((pick) => pick.textContent.toLowerCase().startsWith(event.key.toLowerCase()));
    if (found) to(picks.indexOf(found));
  }
}
