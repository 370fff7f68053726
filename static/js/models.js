// All models, with their parameters on the data set chosen.

import { get } from "./api.js";
import { query, url } from "./model/address.js";
import { el, report, setText, swatch } from "./dom.js";
import { integer } from "./format.js";

const byId = (id) => document.getElementById(id);
const select = byId("for");

for (const card of document.querySelectorAll("[data-model]"))
  card.querySelector("h2").prepend(swatch(card.dataset.model, "original"));

get("/catalog")
  .then(({ models, datasets }) => {
    select.replaceChildren(...datasets.map((one) => el("option", { value: one.name }, one.title)));
    const wanted = new URL(location.href).searchParams.get("dataset");
    select.value = datasets.some((one) => one.name === wanted)
      ? wanted
      : datasets.some((one) => one.name === "mnist")
        ? "mnist"
        : datasets[0].name;
    const show = () => {
      for (const model of models) {
        const card = document.querySelector(`[data-model="${CSS.escape(model.name)}"]`);
        const parameters = model.parameters[select.value];
        setText(
          card.querySelector(".parameters"),
          parameters === undefined ? `does not take ${select.selectedOptions[0].text}’s images` : integer(parameters),
        );
        const link = card.querySelector("a");
        link.href = url(`/models/${model.name}${query({ dataset: parameters === undefined ? "" : select.value })}`);
      }
    };
    select.addEventListener("change", () => {
      history.replaceState(null, "", url(`/models${query({ dataset: select.value })}`));
      show();
    });
    show();
  })
  .catch(report);
