// A row of buttons as one stop of the Tab key: arrows go along it.

/** Make it so: the pressed button is the stop, else the first. */
export function roving(row) {
  const buttons = () => [...row.querySelectorAll("button:not([hidden])")];
  const stop = (at) => buttons().forEach((button) => (button.tabIndex = button === at ? 0 : -1));
  row.addEventListener("focusin", (event) => stop(event.target.closest("button")));
  row.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const all = buttons();
    all[(all.indexOf(document.activeElement) + step + all.length) % all.length].focus();
  });
  new MutationObserver(
    () => row.contains(document.activeElement) || stop(row.querySelector('[aria-pressed="true"]') ?? buttons()[0]),
  ).observe(row, { subtree: true, childList: true, attributeFilter: ["aria-pressed"] });
  stop(row.querySelector('[aria-pressed="true"]') ?? buttons()[0]);
}
