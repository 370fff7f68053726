// What the Runs page holds: how it is filtered and ordered, the runs shown, what is chosen and folded.

import { query, url } from "../../model/address.js";

const given = new URL(location.href).searchParams;

/** Filters, order and groups, as they stand in the address. */
export const view = {
  q: given.get("q") ?? "",
  status: given.getAll("status"),
  experiment: given.get("experiment") ?? "",
  dataset: given.get("dataset") ?? "",
  tag: given.getAll("tag"),
  group: given.get("group") ?? "",
  sort: given.get("sort") ?? "created",
  order: given.get("order") ?? "desc",
};

/** The runs shown, by id, in their order. */
export const runs = new Map();
/** Experiments by id, as the server tells them. */
export const experiments = new Map();
/** Curves of the training loss by run. */
export const sparks = new Map();
/** Elements of each run's row. */
export const rows = new Map();
/** Runs that are chosen. */
export const selected = new Set();
/** Experiments, or values of what is grouped by, whose runs are folded away. */
export const closed = new Set();
/** Experiments whose queued runs are shown one by one. */
export const unfolded = new Set();
/** Cursor of the next page, runs by status, the catalogue: null until they are known. */
export const state = { next: null, counts: null, catalog: null };
/** What parts of the page ask of it; page.js says how. */
export const page = { render() {}, changed() {}, more() {} };

export const byId = (id) => document.getElementById(id);
export const body = byId("runs").tBodies[0];
/** Columns of the table. */
export const WIDE = 18;

export const titleOf = (kind, name) => state.catalog?.[kind].find((one) => one.name === name)?.title ?? name;

export const choose = (id, chosen) => (chosen ? selected.add(id) : selected.delete(id));

/** Put filters and order into the address. */
export function remember() {
  const { sort, order, ...rest } = view;
  const shown = sort === "created" && order === "desc" ? rest : view;
  history.replaceState(null, "", url(`/${query(shown)}`));
}

/** What is asked of the server. */
export const filters = () => {
  const { group, experiment, ...shown } = view; // groups are made here
  const archived = experiment === "archived";
  return {
    ...shown,
    experiment: archived ? "" : experiment,
    archived: archived || null,
    status: statusesOf(view.status),
  };
};
const statusesOf = (chosen) => chosen.flatMap((status) => (status === "running" ? ["starting", "running"] : [status]));
