// Controls of charts that stand in the address: rows of buttons of which one is pressed, and the smoothing.

import { setText } from "../dom.js";
import { gathered } from "../live.js";

const SMOOTHING_MS = 120;

/**
 * Attach every row of buttons on the page (data-choice names what of `view` it sets). `changed(key, value)` is called
 * once another one is pressed, and puts it into the view.
 */
export function offerChoices(view, changed) {
  for (const choice of document.querySelectorAll("[data-choice]")) {
    const key = choice.dataset.choice;
    const show = () => {
      for (const button of choice.children) button.setAttribute("aria-pressed", String(button.value === view[key]));
    };
    choice.addEventListener("click", ({ target }) => {
      if (target.tagName !== "BUTTON" || target.getAttribute("aria-pressed") === "true") return;
      changed(key, target.value);
      show();
    });
    show();
  }
}

/** Attach the slider of the smoothing, whose value `view` holds as text; `changed()` fetches the curves anew. */
export function offerSmoothing(view, changed) {
  const slider = document.getElementById("smoothing");
  const show = () => {
    const factor = Number(view.smoothing);
    setText(document.getElementById("smoothing-value"), factor ? factor.toFixed(2) : "off");
  };
  const moved = gathered(changed, SMOOTHING_MS);
  slider.value = view.smoothing;
  slider.addEventListener("input", () => {
    view.smoothing = slider.value;
    show();
    moved("smoothing");
  });
  show();
}
