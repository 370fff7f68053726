// What New experiment holds: the form, what it began with, and the server's answer to it.

import { query, url } from "../../model/address.js";
import { addressOf, bodyOf, emptyForm, formAt, formOf } from "../../model/form.js";
import { nameOf } from "../../model/sentence.js";

export const state = {
  catalog: null,
  form: emptyForm(),
  /** The preset that the form is, unchanged; else null. */
  preset: null,
  /** The server's plan of the form. */
  plan: null,
  /** What is wrong with it, [{field, message}]. */
  errors: [],
  /** Path to what it was in the run that the form comes from. */
  changed: {},
  /** What a run can ask to train on, [{value, title}]. */
  devices: [{ value: "auto", title: "any free" }],
};

/** What the experiment is called: as typed, or after the preset, or after what it compares. */
export const nameNow = () => state.form.name || state.preset?.title || nameOf(state.form, state.catalog);

/** The body of the request that launches it. */
export const bodyNow = () => bodyOf({ ...state.form, name: nameNow() }, state.catalog);

/** The address that opens this form again. */
export const addressNow = () =>
  state.preset && !state.form.name
    ? url(`/experiments/new${query({ preset: state.preset.name })}`)
    : addressOf(state.form);

/** Begin with a preset. */
export function usePreset(preset) {
  state.preset = preset;
  state.form = formOf("", preset.base, preset.grid, state.catalog);
  state.changed = {};
}

/** Begin with nothing chosen that isn't usual. */
export function useBlank() {
  state.preset = null;
  state.form = formOf("", { dataset: "digits", model: "cnn" }, {}, state.catalog);
  state.changed = {};
}

/** Begin with what an address says; without one with the first preset whose data is there. */
export function useAddress(search) {
  const params = new URLSearchParams(search);
  const { presets, datasets } = state.catalog;
  const chosen = presets.find(({ name }) => name === params.get("preset"));
  const form = chosen ? null : formAt(search, state.catalog);
  if (!form)
    return usePreset(
      chosen ?? presets.find(({ base }) => datasets.find(({ name }) => name === base.dataset)?.on_disk) ?? presets[0],
    );
  state.form = form;
  state.changed = Object.fromEntries(params.getAll("changed").map((change) => change.split("="))); // as optimizer.lr=100
}

/** Take another form; it is the preset's no longer where it asks for something else. */
export function take(form) {
  state.form = form;
  const { preset, catalog } = state;
  const same =
    preset &&
    !form.ask &&
    JSON.stringify(bodyOf(formOf(form.name, preset.base, preset.grid, catalog), catalog)) ===
      JSON.stringify(bodyOf(form, catalog));
  if (!same) state.preset = null;
}
