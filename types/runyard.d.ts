// What the scripts of the pages take from the API, by the names that they use. api.d.ts is made of the server's own
// description of its API by `make types`.

import type { components } from "./api";

type Schemas = components["schemas"];

export type Catalog = Schemas["CatalogOut"];
export type Knob = Schemas["KnobOut"];
export type Queue = Schemas["QueueOut"];
export type Run = Schemas["RunOut"];
export type Waiting = Schemas["WaitingOut"];
