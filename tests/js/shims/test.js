// node:test in a browser: results are gathered for whoever opened the page.
globalThis.results = [];
export const test = (name, run) =>
  globalThis.results.push(
    Promise.resolve()
      .then(run)
      .then(
        () => ({ name, error: null }),
        (error) => ({ name, error: `${error.message}\n${error.stack}` }),
      ),
  );
