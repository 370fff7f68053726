// @ts-check
// The grammar of knob paths, as trainer/paths.py has it: `epochs`, `model`, `model.n_hidden`, `optimizer.lr`.

/** "optimizer.lr" -> ["optimizer", "lr"]; of a path of one word the knob is "". */
export function split(path) {
  const [head, knob = ""] = path.split(".");
  return [head, knob];
}

/** ("optimizer", "lr") -> "optimizer.lr" */
export const join = (head, knob) => `${head}.${knob}`;

/** The last word: "optimizer.lr" -> "lr", "epochs" -> "epochs". */
export const leaf = (path) => split(path)[1] || path;

/** A knob's value in a spec, an object's name for its own path; null where it has none. */
export function valueAt(spec, path) {
  const [head, knob] = split(path);
  const value = spec[head];
  if (knob) return value?.[knob] ?? null;
  return value !== null && typeof value === "object" ? value.name : value;
}
