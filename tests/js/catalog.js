// The catalogue of this version of Runyard, as GET /api/v1/catalog gives it: the test that starts these wrote it.
import { readFileSync } from "node:fs";

export const catalog = JSON.parse(readFileSync(process.env.RUNYARD_TEST_CATALOG, "utf8"));
export const preset = (name) => catalog.presets.find((one) => one.name === name);
