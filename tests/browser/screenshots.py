"""python -m tests.browser.screenshots OUT: a sheet of every page, 1440 and 390 px, light and dark, empty, mid-run.

Starts a server of its own on a home in OUT, launches the digits preset and takes pictures while it runs and after.
"""

import sys
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from tests.browser.conftest import ARGUMENTS, CHROMIUM
from tests.serving import Server, serving
from trainer import catalog
from trainer.prepared import Places, ensure_prepared

SIZES = {1440: 900, 390: 844}


def main(out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    places = Places(out / "datasets", out / "prepared")
    ensure_prepared("digits", places)
    preset = catalog.PRESETS["digits-fc-vs-cnn"]
    with serving(out / "home", places.prepared) as server, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        take(browser, server, out, "runs-empty", "/")
        take(browser, server, out, "new", "/experiments/new?preset=digits-fc-vs-cnn")
        take(browser, server, out, "new-error", "/experiments/new?name=&model=fc&epochs=0&optimizer.momentum=1.5")
        body = {"name": preset.title, "base": {**preset.base, "epochs": 40}, "grid": dict(preset.grid)}
        ids = server.call("POST", "/experiments", json=body)["run_ids"]
        failing = server.launch(model={"name": "fc", "n_hidden": 512}, optimizer={"lr": 100, "momentum": 0.99})
        server.wait_for(ids[6], "running", steps=2000)
        take(browser, server, out, "run-mid", f"/runs/{ids[6]}")
        take(browser, server, out, "compare-mid", "/compare?experiment=1")
        take(browser, server, out, "runs-mid", "/")
        for run_id in ids:
            server.wait_for(run_id, "succeeded", seconds=600)
        server.wait_for(failing, "failed")
        for name, path in {
            "run-done": f"/runs/{ids[-1]}",
            "run-failed": f"/runs/{failing}",
            "compare-done": "/compare?experiment=1",
            "compare-one-chart": "/compare?experiment=1&view=one&curves=mean",
            "runs-done": "/",
        }.items():
            take(browser, server, out, name, path)
        browser.close()


def take(browser: Browser, server: Server, out: Path, name: str, path: str) -> None:
    for theme in ("light", "dark"):
        for width, height in SIZES.items():
            context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=theme)
            page = context.new_page()
            page.goto(f"{server.url}{path}")
            page.locator("#live", has_text="Live").wait_for()
            page.wait_for_timeout(1200)  # pictures are for eyes: charts and images have settled by then
            page.screenshot(path=out / f"{name}-{width}-{theme}.png", full_page=True)
            context.close()
    print(name, flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
