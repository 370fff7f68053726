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
let theme = null; // the one on the screen, while it is printed
// on paper stands where it came from; charts draw themselves anew for its width
addEventListener("beforeprint", () => {
  const now = new Date().toLocaleString("en-GB", { dateStyle: "long", timeStyle: "short" });
  document.getElementById("printed-from").textContent = `${location.href} · ${now} · Runyard`;
  theme = document.documentElement.getAttribute("data-theme");
  document.documentElement.setAttribute("data-theme", "light");
  document.body.classList.add("printing");
  document.dispatchEvent(new Event("themechange"));
});
addEventListener("afterprint", () => {
  document.body.classList.remove("printing");
  if (theme === null) document.documentElement.removeAttribute("data-theme");
  else document.documentElement.setAttribute("data-theme", theme);
  document.dispatchEvent(new Event("themechange"));
});
start();
startKeys();
