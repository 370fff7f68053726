// @ts-check
// Addresses and their parts.

/** The path at which a proxy shows this server, as "/runyard"; "" where it has a host of its own. */
export const root = globalThis.document?.documentElement.dataset.root ?? "";

/** The address of a page or a call of this server: every link and every request goes by it. */
export const url = (path) => root + path;

/** A name as one part of an address; what is allowed there stays readable. */
export const segment = (name) => encodeURIComponent(name).replaceAll("%3A", ":").replaceAll("%40", "@");

/** Query string of a plain object; arrays repeat, empty values are left out. */
export function query(values) {
  const params = new URLSearchParams();
  for (const [key, value] of Object.entries(values)) {
    for (const item of Array.isArray(value) ? value : [value]) {
      if (item !== null && item !== undefined && item !== "") params.append(key, item);
    }
  }
  const text = params.toString();
  return text ? `?${text}` : "";
}
