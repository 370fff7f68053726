// As much of node:assert/strict as the tests use, in a browser.
const shown = (value) => JSON.stringify(value, (_, one) => (one === undefined ? "undefined" : one));
const ok = (is, message) => {
  if (!is) throw new Error(message);
};
const inOrder = (value) =>
  value !== null && typeof value === "object" && !Array.isArray(value)
    ? Object.fromEntries(
        Object.keys(value)
          .toSorted()
          .map((key) => [key, inOrder(value[key])]),
      )
    : Array.isArray(value)
      ? value.map(inOrder)
      : value;
const same = (one, other) => shown(inOrder(one)) === shown(inOrder(other));

export default {
  ok,
  equal: (got, wanted, why = "") => ok(Object.is(got, wanted), `${why} ${shown(got)} is not ${shown(wanted)}`),
  notEqual: (got, other, why = "") => ok(!Object.is(got, other), `${why} both are ${shown(got)}`),
  deepEqual: (got, wanted, why = "") => ok(same(got, wanted), `${why} ${shown(got)} is not ${shown(wanted)}`),
  match: (got, wanted) => ok(wanted.test(got), `${got} does not match ${wanted}`),
};
