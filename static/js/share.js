// A comparison to take along: as a picture, or as a report, one file that opens without a network.

import { el, report, setText, toast } from "./dom.js";
import { token } from "./palette.js";
import { CONFIG } from "./plots.js";

const byId = (id) => document.getElementById(id);
const SCALE = 2; // pixels of a PNG for one of the page

/** Attach the menu's entries; `name()` gives the title. */
export function offer(name) {
  const menu = byId("save");
  const act = (id, make) =>
    byId(id).addEventListener("click", () => {
      menu.removeAttribute("open");
      make(name()).catch(report);
    });
  act("save-png", async (title) => save(await png(await svg(title)), `${slug(title)}.png`));
  act("save-svg", async (title) => save(new Blob([await svg(title)], { type: "image/svg+xml" }), `${slug(title)}.svg`));
  act("save-report", async (title) => {
    save(new Blob([await written(title)], { type: "text/html" }), `${slug(title)}.html`);
    toast("The report is one file: it opens in any browser, without a network");
  });
  document.addEventListener("click", (event) => event.target.closest("#save") || menu.removeAttribute("open"));
}

/** A title as a file's name: letters and digits of any script, the rest as dashes. */
export const slug = (title) =>
  title
    .toLowerCase()
    .replace(/[^\p{L}\p{M}\p{N}]+/gu, "-")
    .replace(/^-|-$/g, "")
    .slice(0, 100) || "comparison";

function save(blob, name) {
  const address = URL.createObjectURL(blob);
  el("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}

/** The panels as SVG text, with the titles that stand above them on the page. */
async function svg(title) {
  const { data, layout } = byId("plot");
  const panels = [...document.querySelectorAll("#panel-titles .panel-title")];
  const names = panels.map((panel) => [...panel.querySelectorAll(".named")].map((one) => one.textContent).join(", "));
  const axes = Object.keys(layout).filter((key) => /^xaxis\d*$/.test(key));
  const annotations = axes.map((key, at) => ({
    text: names[at] ?? "",
    showarrow: false,
    xref: "paper",
    yref: "paper",
    xanchor: "left",
    yanchor: "bottom",
    yshift: 4,
    x: layout[key].domain[0],
    y: layout[key.replace("x", "y")].domain[1],
    font: { color: token("--text"), size: 12 },
  }));
  const figure = {
    data,
    layout: {
      ...layout,
      title: { text: title, font: { size: 15, color: token("--text") } },
      margin: { ...layout.margin, t: 44 },
      height: layout.height + 44,
      annotations: [...(layout.annotations ?? []), ...annotations],
    },
  };
  const address = await globalThis.Plotly.toImage(figure, {
    format: "svg",
    width: layout.width,
    height: layout.height + 44,
  });
  return decodeURIComponent(address.slice(address.indexOf(",") + 1));
}

/** Drawn on a canvas of our own: Plotly's way needs addresses that this page's policy forbids. */
async function png(text) {
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`;
  await image.decode();
  const canvas = el("canvas", { width: image.naturalWidth * SCALE, height: image.naturalHeight * SCALE });
  canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
  return new Promise((resolve) => canvas.toBlob(resolve));
}

/** The page as it is, without what only works here; its figures stay alive, drawn by Plotly from within the file. */
async function written(title) {
  const sheets = [...document.querySelectorAll('link[rel="stylesheet"]')].map((link) =>
    fetch(link.href).then((found) => found.text()),
  );
  const plotly = fetch(document.querySelector("link[data-plotly]").href).then((found) => found.text());
  const main = byId("main").cloneNode(true);
  const figures = [];
  for (const drawn of document.querySelectorAll("#main .js-plotly-plot")) {
    const place = main.querySelector(`#${drawn.id}`);
    place.replaceChildren();
    place.className = "";
    figures.push({ id: drawn.id, data: drawn.data, layout: { ...drawn.layout, width: drawn.clientWidth } });
  }
  main.querySelectorAll("button, select, input, details, .smoothing, dialog").forEach((part) => {
    if (part.matches(".change-line")) part.replaceWith(el("div.change-line", {}, ...part.childNodes));
    else if (part.matches(".named")) part.replaceWith(el("span.named", {}, ...part.childNodes));
    else if (part.matches("select"))
      part.replaceWith(el("b", {}, document.getElementById(part.id)?.selectedOptions[0]?.text ?? ""));
    else part.remove();
  });
  main.querySelectorAll(".segmented, label:empty, [hidden]").forEach((part) => part.remove());
  main
    .querySelectorAll("a")
    .forEach((link) => link.setAttribute("href", new URL(link.getAttribute("href"), location.href).href));
  const note = el(
    "p.note",
    {},
    `Report of ${location.href}, made ${new Date().toLocaleString("en-GB", { timeZoneName: "short" })} by Runyard.`,
  );
  main.append(note);
  const theme =
    document.documentElement.getAttribute("data-theme") ??
    (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
  // "<" within JSON would end the script where it is followed by "/script"
  const data = JSON.stringify(figures, (_, value) => (ArrayBuffer.isView(value) ? [...value] : value)).replaceAll(
    "<",
    "\\u003c",
  );
  const shell = new DOMParser().parseFromString(
    "<!doctype html><html><head><meta charset=utf-8><title></title></head><body></body></html>",
    "text/html",
  );
  shell.documentElement.setAttribute("lang", "en");
  shell.documentElement.setAttribute("data-theme", theme);
  setText(shell.querySelector("title"), `${title} · Runyard`);
  shell.head.append(
    el("meta", { name: "viewport", content: "width=device-width, initial-scale=1" }),
    el("style", {}, (await Promise.all(sheets)).join("\n")),
  );
  shell.body.append(main);
  const script = `for (const one of JSON.parse(document.getElementById("figures").textContent)) Plotly.newPlot(one.id, one.data, one.layout, ${JSON.stringify(CONFIG)});`;
  const html = `<!doctype html>\n${shell.documentElement.outerHTML}`;
  const end = html.lastIndexOf("</body>");
  return `${html.slice(0, end)}<script type="application/json" id="figures">${data}</script><script>${(await plotly).replaceAll("</script", "<\\/script")}</script><script>${script}</script>${html.slice(end)}`;
}
