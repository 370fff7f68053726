// Saved views of the Runs page: a name and an address each, kept by this browser.

import { asked, el, icon } from "../../dom.js";
import { root, url } from "../../model/address.js";

const KEY = `runyard-views${root}`;
const byId = (id) => document.getElementById(id);

const kept = () => {
  try {
    return JSON.parse(localStorage.getItem(KEY) ?? "[]").filter(
      (one) => typeof one.name === "string" && typeof one.search === "string",
    );
  } catch {
    return []; // another program's, or storage is not allowed
  }
};
const keep = (views) => localStorage.setItem(KEY, JSON.stringify(views));

/** Fill the menu; saving takes the address as it stands. */
export function offerViews() {
  const show = () => {
    const views = kept();
    byId("views-list").replaceChildren(
      ...views.map((one) =>
        el(
          "span.row.spread",
          {},
          el("a", { href: url(`/${one.search}`) }, one.name),
          el(
            "button.btn.btn-quiet.btn-icon.btn-small",
            {
              type: "button",
              "aria-label": `Forget the view ${one.name}`,
              onclick: () => (keep(kept().filter((other) => other.name !== one.name)), show()),
            },
            icon("close"),
          ),
        ),
      ),
      ...(views.length ? [] : [el("span.muted", {}, "None saved yet")]),
      el("button.btn-link", { type: "button", id: "save-view", onclick: save }, "Save this view"),
    );
  };
  const save = async () => {
    byId("views").removeAttribute("open");
    const name = (
      await asked("Save this view", {
        label: "Name",
        yes: "Save",
        detail: "Filters, order and groups as they are now, kept in this browser.",
      })
    )?.trim();
    if (!name) return;
    keep([...kept().filter((one) => one.name !== name), { name, search: location.search }]);
    show();
  };
  document.addEventListener(
    "click",
    (event) => event.target.closest("#views") || byId("views").removeAttribute("open"),
  );
  show();
}
