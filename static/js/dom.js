// Making and changing elements, messages, menus. Data always goes in as text, never as markup.

import { activity } from "./format.js";
import { colorVariable } from "./palette.js";

const SVG = "http://www.w3.org/2000/svg";

/**
 * el("button.btn", {type: "button", onclick: f, "aria-label": "Stop"}, icon("stop"), "Stop")
 * Properties that are functions become listeners; true sets an empty attribute; null and false leave it out.
 */
export function el(selector, properties = {}, ...children) {
  const [tag, ...classes] = selector.split(".");
  const element = document.createElement(tag || "div");
  if (classes.length) element.className = classes.join(" ");
  for (const [name, value] of Object.entries(properties)) {
    if (typeof value === "function") element.addEventListener(name.replace(/^on/, ""), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== null && value !== undefined && value !== false) element.setAttribute(name, value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** One of the symbols of templates/icons.svg. */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `#i-${name}`);
  svg.append(use);
  return svg;
}

/** A line in the model's colour, dashed for shuffled pixels: the legend of every chart and table. */
export function swatch(model, order) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "swatch");
  svg.setAttribute("aria-hidden", "true");
  svg.setAttribute("viewBox", "0 0 22 10");
  const line = document.createElementNS(SVG, "line");
  const place = { x1: 0, x2: 22, y1: 5, y2: 5, stroke: `var(${colorVariable(model)})` };
  if (order === "shuffled") place["stroke-dasharray"] = "6 3";
  for (const [name, value] of Object.entries(place)) line.setAttribute(name, value);
  svg.append(line);
  return svg;
}

/** A status badge: icon and word. Bring it up to date with setStatus(). */
export function statusBadge(run) {
  const badge = el("span.status", {}, icon("queued"), el("span"));
  setStatus(badge, run);
  return badge;
}

export function setStatus(badge, run) {
  if (badge.dataset.status !== run.status) {
    badge.dataset.status = run.status;
    badge.querySelector("use").setAttribute("href", `#i-${run.status}`);
  }
  setText(badge.lastElementChild, activity(run));
  if (run.cause) badge.title = run.cause;
  else badge.removeAttribute("title");
}

/** What held its place unseen until its first figures are there. */
export const showArrived = () =>
  document.querySelectorAll("[data-waits]").forEach((part) => part.removeAttribute("data-waits"));

/** Write only what changed: a cell that stays the same costs no layout. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/**
 * A message in the corner. kind: ok, bad or info. action: {label, run}, e.g. Undo.
 * Errors stay until closed; others leave after `seconds`, but wait while pointed at or focused.
 */
export function toast(text, { kind = "info", action = null, seconds = kind === "bad" ? Infinity : 8 } = {}) {
  const region = document.getElementById("toasts");
  let timer = 0;
  const close = () => {
    clearTimeout(timer);
    box.remove();
  };
  const wait = () => {
    clearTimeout(timer);
    if (Number.isFinite(seconds)) timer = setTimeout(close, seconds * 1000);
  };
  const box = el(
    "div.toast",
    {
      "data-kind": kind,
      role: kind === "bad" ? "alert" : null,
      onpointerenter: () => clearTimeout(timer),
      onpointerleave: wait,
      onfocusin: () => clearTimeout(timer),
      onfocusout: wait,
    },
    icon({ ok: "succeeded", bad: "warn", info: "info" }[kind]),
    el("div.text", {}, text),
    action && el("button.btn.btn-small", { type: "button", onclick: () => (close(), action.run()) }, action.label),
    el(
      "button.btn.btn-quiet.btn-icon.btn-small",
      { type: "button", "aria-label": "Close", onclick: close },
      icon("close"),
    ),
  );
  while (region.children.length > 3) region.firstElementChild.remove();
  region.append(box);
  wait();
  return close;
}

/** Show an error where there is no field beside which it belongs. */
export const report = (error) => toast(error.message, { kind: "bad" });

/** Copy text; true when it worked. Clipboard access is missing on plain http off loopback. */
export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const box = el("textarea", { readonly: true, class: "visually-hidden" });
    box.value = text;
    document.body.append(box);
    box.select();
    const done = document.execCommand("copy");
    box.remove();
    return done;
  }
}

/** Ask for a line of text. Resolves to it, or to null when it was cancelled. */
export async function asked(question, { label, value = "", detail = "", yes }) {
  const told = await askedFor(question, { fields: { text: { label, value } }, detail, yes });
  return told && told.text;
}

/**
 * Ask for several things. fields: {name: {label, value, options: [[value, text]] for a choice}};
 * `act(texts)`: what is done with them; where it fails, its words are shown and the dialog stays.
 * Resolves to {name: text}, or to null when it was cancelled.
 */
export function askedFor(question, { fields, detail = "", yes, act = async () => {} }) {
  return new Promise((resolve) => {
    const inputs = Object.entries(fields).map(([name, field], at) => [name, fieldOf(field, at === 0)]);
    const texts = () => Object.fromEntries(inputs.map(([name, input]) => [name, input.value]));
    const wrong = el("p.error", { role: "alert", hidden: true });
    const close = () => {
      dialog.remove();
      resolve(dialog.returnValue === "yes" ? texts() : null);
    };
    const submit = async (event) => {
      if (event.submitter?.value !== "yes") return;
      event.preventDefault();
      try {
        await act(texts());
        dialog.close("yes");
      } catch (error) {
        setText(wrong, error.message);
        wrong.hidden = false;
      }
    };
    // the first submit button is the one that Enter presses
    const buttons = [
      el("button.btn.btn-primary", { value: "yes" }, yes),
      el("button.btn", { value: "no", formnovalidate: true }, "Cancel"),
    ];
    const labels = inputs.map(([name, input]) => el("label.note", {}, fields[name].label, input));
    const parts = [el("h2", {}, question), ...labels, detail && el("p.muted", {}, detail), wrong];
    const dialog = el(
      "dialog",
      { "aria-label": question, onclose: close },
      el("form", { method: "dialog", onsubmit: submit }, ...parts, el("div.actions.reverse", {}, ...buttons)),
    );
    document.body.append(dialog);
    dialog.showModal();
    inputs[0][1].select?.();
  });
}

function fieldOf({ label, value = "", options = null }, first) {
  const common = { "aria-label": label, autofocus: first };
  if (!options) return el("input", { type: "text", value, autocomplete: "off", ...common });
  return el(
    "select",
    common,
    ...options.map(([key, text]) => el("option", { value: key, selected: String(key) === String(value) }, text)),
  );
}
