// Parts of addresses. Pure functions: no DOM, no fetch.

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
