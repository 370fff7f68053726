// Suggestions under a text field: arrows choose, Enter or Tab takes, Escape closes.

import { el } from "../dom.js";

/**
 * Attach them. `field`: an input with role="combobox" whose aria-controls names the list; `suggest(text, caret)` gives
 * [{from, to, text, label, hint}]. What is taken is typed: an `input` event tells of it. Returns what looks again, for when
 * there is more to suggest.
 */
export function offerSuggestions(field, suggest) {
  const list = document.getElementById(field.getAttribute("aria-controls"));
  let shown = [];
  let at = -1;
  let cleared = false; // by Escape, which says that nothing is wanted
  const close = () => {
    shown = [];
    show();
  };
  const show = () => {
    list.hidden = !shown.length;
    field.setAttribute("aria-expanded", String(shown.length > 0));
    list.replaceChildren(
      ...shown.map((one, number) =>
        el(
          "li",
          { role: "option", id: `${list.id}-${number}`, "data-at": number, "aria-selected": String(number === at) },
          el("span", {}, one.label),
          el("span.muted", {}, one.hint ?? ""),
        ),
      ),
    );
    if (at >= 0 && shown.length) field.setAttribute("aria-activedescendant", `${list.id}-${at}`);
    else field.removeAttribute("aria-activedescendant");
  };
  const look = () => {
    at = -1;
    shown = document.activeElement === field && !cleared ? suggest(field.value, field.selectionStart) : [];
    cleared = false;
    show();
  };
  const take = (one) => {
    field.setRangeText(one.text, one.from, one.to, "end");
    field.dispatchEvent(new Event("input", { bubbles: true }));
  };
  field.addEventListener("input", look);
  field.addEventListener("focus", look);
  field.addEventListener("blur", close);
  field.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && shown.length) {
      event.preventDefault();
      close();
    } else if (event.key === "Escape") {
      cleared = field.value !== "";
    } else if (["ArrowDown", "ArrowUp"].includes(event.key)) {
      event.preventDefault();
      if (!shown.length) return look();
      at =
        (at + (event.key === "ArrowDown" ? 1 : -1) + shown.length + (at < 0 && event.key === "ArrowUp" ? 1 : 0)) %
        shown.length;
      show();
    } else if (["Enter", "Tab"].includes(event.key) && at >= 0 && shown.length) {
      event.preventDefault();
      take(shown[at]);
    }
  });
  // before the field loses the focus
  list.addEventListener("pointerdown", (event) => {
    event.preventDefault();
    const option = event.target.closest("[data-at]");
    if (option) take(shown[Number(option.dataset.at)]);
  });
  return look;
}
