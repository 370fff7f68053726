// Fields that take several values: typed with commas and shown as chips, or buttons of which several can be pressed.

import { el, icon } from "./dom.js";

/** {box, values(), set(texts), mark(bad)}: `id` names the input, for its label. */
export function chipField(id, { label = null, expand = (text) => [text], onchange }) {
  let texts = [];
  const input = el("input", { type: "text", id, autocomplete: "off", inputmode: "text", "aria-label": label, maxlength: 200 });
  const box = el("div.chips", {}, input);
  box.addEventListener("click", (event) => event.target === box && input.focus());

  const show = () => {
    box.querySelectorAll(".value").forEach((chip) => chip.remove());
    const chips = texts.map((text) =>
      el(
        "span.value",
        { "data-value": text },
        text,
        el("button", { type: "button", "aria-label": `Remove ${text}`, onclick: () => take(texts.filter((one) => one !== text)) }, icon("close")),
      ),
    );
    input.before(...chips);
    input.placeholder = "add";
  };
  const take = (next) => {
    texts = next;
    show();
    onchange();
  };
  const add = () => {
    const typed = input.value.split(/[,\s]+/).filter(Boolean).flatMap(expand);
    input.value = "";
    const fresh = [...new Set(typed)].filter((text) => !texts.includes(text));
    if (fresh.length) take([...texts, ...fresh]);
  };
  input.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && input.value.trim()) {
      event.preventDefault();
      add();
    } else if (event.key === "Backspace" && !input.value && texts.length) {
      take(texts.slice(0, -1));
    }
  });
  input.addEventListener("input", () => input.value.includes(",") && add());
  input.addEventListener("blur", add);
  return {
    box,
    input,
    values: () => texts,
    set(next) {
      texts = [...next];
      show();
    },
    mark(messages) {
      box.classList.toggle("wrong", messages.length > 0);
      for (const chip of box.querySelectorAll(".value")) {
        const { value } = chip.dataset;
        chip.classList.toggle("wrong", messages.some((message) => message.includes(` ${value}:`) || message.includes(`'${value}'`) || message.includes(` ${Number(value).toFixed(1)}:`)));
      }
    },
  };
}

/** As chipField, for a knob that offers choices. The last one pressed stays pressed. */
export function choiceField(id, { choices, label, onchange }) {
  let pressed = [];
  const box = el(
    "div.segmented.tall",
    { id, role: "group", "aria-label": label },
    ...choices.map((choice) =>
      el("button", {
        type: "button",
        value: choice,
        onclick: () => {
          const next = choices.filter((one) => (one === choice) !== pressed.includes(one));
          if (!next.length) return;
          set(next);
          onchange();
        },
      }, choice),
    ),
  );
  const set = (next) => {
    pressed = [...next];
    for (const button of box.children) button.setAttribute("aria-pressed", String(pressed.includes(button.value)));
  };
  return { box, values: () => pressed, set, mark: (messages) => box.classList.toggle("wrong", messages.length > 0) };
}
