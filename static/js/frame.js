// What every page does: the live stream, the keyboard, and the menu on a phone.

import { start as startKeys } from "./keys.js";
import { start } from "./live.js";

const button = document.getElementById("menu");
const nav = document.getElementById("nav");
const set = (open) => {
  nav.classList.toggle("open", open);
  button.setAttribute("aria-expanded", String(open));
};
button.addEventListener("click", () => set(!nav.classList.contains("open")));
document.addEventListener("click", (event) => {
  if (!event.target.closest(".top")) set(false);
});
document.addEventListener("keydown", (event) => event.key === "Escape" && set(false));
start();
startKeys();
