// What the browser's tab tells while something runs: progress in title and icon, and once that it is done.

import { toast } from "../dom.js";
import { token } from "../palette.js";

const link = document.querySelector('link[rel="icon"]');
const usual = link.href;

/** A ring, filled clockwise from the top by a share from 0 to 1. */
function ring(share) {
  const around = 2 * Math.PI * 7;
  const circle = (colour, drawn) =>
    `<circle cx="10" cy="10" r="7" fill="none" stroke="${colour}" stroke-width="4" stroke-dasharray="${drawn} ${around}" transform="rotate(-90 10 10)"/>`;
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 20 20">${circle("#9aa4b2", around)}${circle(token("--accent"), around * share)}</svg>`;
  return `data:image/svg+xml,${encodeURIComponent(svg)}`;
}

/** Title and icon: `words` of the progress ("14/20") and its share while something runs; null when nothing does. */
export function showTab(title, words = null, share = 0) {
  document.title = `${words === null ? "" : `${words} `}${title} · Runyard`;
  const href = words === null ? usual : ring(share);
  if (link.href !== href) link.href = href;
}

let wanted = false; // a notification
let runs = false; // something did, when it was last looked

/** Attach the button that asks for one notification, where the browser knows them. */
export function offerNotification(button) {
  if (!button || !("Notification" in globalThis) || Notification.permission === "denied") return;
  const show = () => {
    button.setAttribute("aria-pressed", String(wanted));
    button.textContent = wanted ? "Do not notify me" : "Notify me when all have ended";
  };
  button.addEventListener("click", async () => {
    const allowed = Notification.permission === "granted" || (await Notification.requestPermission()) === "granted";
    if (!allowed) toast("Notifications are blocked for this page: allow them in the browser’s settings for it");
    wanted = allowed && !wanted;
    if (wanted) toast("You will be notified once, when all runs have ended, as long as this page stays open");
    show();
  });
  button.dataset.offered = "";
  show();
}

/** Tell what is: whether something still runs. When the last has ended, whoever asked is notified, once. */
export function tellEnd(button, isGoing, title, body) {
  if (button) button.hidden = !isGoing || button.dataset.offered === undefined;
  if (runs && !isGoing && wanted) {
    wanted = false;
    const said = new Notification(title, { body, tag: location.pathname + location.search });
    said.addEventListener("click", () => {
      focus();
      said.close();
    });
  }
  runs = isGoing;
}
