// node:fs in a browser: the one file that is read was put into the page.
export const readFileSync = () => globalThis.catalogText;
