// How a comparison is looked at: attached before anything is awaited, so that no click is lost.

import { copy, el, report, setText, toast } from "../../dom.js";
import { varied } from "../../facets.js";
import { declared } from "../../metrics.js";
import { query, url } from "../../model/address.js";
import { offerChoices, offerSmoothing } from "../../views/choice.js";
import { byId, page, remember, state, view, what } from "./state.js";

const FACETS = ["rows", "columns", "color", "dash"];

/** Attach them. */
export function offerControls() {
  offerChoices(view, (key, value) => {
    view[key] = value;
    remember();
    page.redraw();
  });
  const select = (key, changed, field = byId(key)) => {
    if ([...field.options].some((option) => option.value === view[key])) field.value = view[key];
    field.addEventListener("change", () => {
      view[key] = field.value;
      changed();
      remember();
    });
  };
  const unzoom = () => {
    view.from = view.to = "";
    page.reload().catch(report);
  };
  select("metric", unzoom);
  select("x", unzoom);
  for (const key of FACETS) select(key, () => page.restyle(), byId(`facet-${key}`));
  if (byId("measure")) {
    select("measure", () => {
      view.smallest = ""; // of another measure it is another
      page.recompare().catch(report);
    });
    byId("matters").addEventListener("change", (event) => {
      const typed = event.target.value.trim();
      const value = Number(typed) / (state.compared?.measure.is_accuracy ? 100 : 1);
      view.smallest = typed === "" ? "" : Number.isFinite(value) ? String(Number(value.toPrecision(12))) : typed;
      remember();
      page.recompare().catch((error) => {
        view.smallest = "";
        remember();
        report(error);
      });
    });
  }
  byId("best").checked = view.best !== "";
  byId("best").addEventListener("change", (event) => {
    view.best = event.target.checked ? "marked" : "";
    remember();
    page.redraw();
  });
  document.addEventListener(
    "click",
    (event) => event.target.closest("#facets") || byId("facets").removeAttribute("open"),
  );
  byId("reset-zoom").addEventListener("click", () => {
    unzoom();
    remember();
  });
  offerSmoothing(view, async () => {
    remember();
    await page.reload();
  });
  byId("copy").addEventListener("click", async () => {
    toast((await copy(location.href)) ? "Link copied" : "The link could not be copied: it is in the address line");
  });
  document.addEventListener("themechange", () => page.restyle());
  for (const [id, more] of Object.entries({
    "save-csv": {},
    "save-parquet": { format: "parquet" },
    "save-runs": { what: "runs" },
  })) {
    byId(id).href = url(`/api/v1/export${query({ ...what, ...more })}`);
  }
}

/** What can be drawn, and by which knobs: the series that were recorded, the knobs that vary. */
export function offerKnobs() {
  const knobs = varied(state.compared);
  for (const key of FACETS) {
    const options = [["auto", "as it fits"], ["none", "none"], ...knobs.map((one) => [one.knob, one.title])];
    const field = byId(`facet-${key}`);
    if (field.options.length !== options.length)
      field.replaceChildren(...options.map(([value, title]) => el("option", { value }, title)));
    field.value = options.some(([value]) => value === view[key]) ? view[key] : "auto";
  }
  byId("facets").hidden = !knobs.length;
  const known = new Set([...byId("metric").options].map((option) => option.value));
  for (const name of state.compared.series.filter((one) => !known.has(one)))
    byId("metric").append(el("option", { value: name }, declared(state.compared.metrics, name).title));
  byId("metric").value = view.metric;
  const measure = byId("measure");
  if (!measure) return;
  const { name, title } = state.compared.measure;
  if (![...measure.options].some((option) => option.value === name))
    measure.append(el("option", { value: name }, title)); // of a question, or named in the address
  measure.value = name;
  const [scale, unit] = state.compared.measure.is_accuracy ? [100, "points"] : [1, state.compared.measure.unit];
  if (document.activeElement !== byId("matters"))
    byId("matters").value = String(Number((state.compared.facts.smallest * scale).toPrecision(3)));
  setText(byId("matters-unit"), unit);
}
