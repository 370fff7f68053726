"""python -m tests.browser.screenshots OUT: pictures of every page in its states, and sheets of them to look at.

390, 768, 1440 and 1920 px, light and dark, on paper; empty, live, done, failed, offline. Starts a server of its own on
a home in OUT and launches the digits preset and a sweep. The sheets are OUT/sheet-NAME.png.
"""

import sys
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.conftest import ARGUMENTS, CHROMIUM
from tests.serving import Server, serving
from trainer import catalog
from trainer.prepared import Places, ensure_prepared

SIZES = {390: 844, 768: 1024, 1440: 900, 1920: 1080}
THEMES = ("light", "dark")
PAPER = 700
"""CSS pixels of what is printed."""
STILL = {
    "models": "/models",
    "model": "/models/cnn",
    "data": "/data",
    "dataset": "/data/digits",
    "system": "/system",
    "how-sure": "/how-sure",
    "api": "/api",
    "not-found": "/nothing",
}
DONE = {
    "run-done": "/runs/{run}",
    "run-failed": "/runs/{failed}",
    "predictions": "/runs/{run}/predictions",
    "two-runs": "/compare/predictions?run={run}&run={other}",
    "compare-index": "/compare",
    "compare-done": "/compare?experiment=1",
    "compare-one-chart": "/compare?experiment=1&view=one&curves=mean",
    "compare-sweep": "/compare?experiment=2",
    "compare-failed": "/compare?experiment=3",
    "runs-done": "/",
}


def main(out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    places = Places(out / "datasets", out / "prepared")
    ensure_prepared("digits", places)
    preset = catalog.PRESETS["digits-fc-vs-cnn"]
    with (
        serving(out / "home", places.prepared, RUNYARD_CPU_SLOTS="2") as server,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        take(browser, server, out, "runs-empty", "/")
        take(browser, server, out, "new", "/experiments/new?preset=digits-fc-vs-cnn")
        take(browser, server, out, "new-error", "/experiments/new?name=&model=fc&epochs=0&optimizer.momentum=1.5")
        body = {"name": preset.title, "base": {**preset.base, "epochs": 12}, "grid": dict(preset.grid)}
        ids = server.call("POST", "/experiments", json=body)["run_ids"]
        sweep = {"optimizer.lr": [0.003, 0.01, 0.03, 0.1], "seed": [1, 2, 3]}
        base = {"model": "fc", "dataset": "digits", "epochs": 2}
        ids += server.call("POST", "/experiments", json={"name": "Which rate?", "base": base, "grid": sweep})["run_ids"]
        steep = {
            "model": {"name": "fc", "n_hidden": 512},
            "optimizer": {"name": "sgd", "lr": 100.0, "momentum": 0.99},
        }
        lost = server.call("POST", "/experiments", json={"name": "Too fast", "base": steep, "grid": {"seed": [1, 2]}})
        server.wait_for(ids[2], "running", steps=200)
        for name, path in {
            "runs-live": "/",
            "compare-live": "/compare?experiment=1",
            "run-live": f"/runs/{ids[2]}",
        }.items():
            take(browser, server, out, name, path, sizes=(390, 1440), paper=False)
        take(browser, server, out, "run-queued", f"/runs/{ids[-1]}", sizes=(390, 1440), paper=False)
        for run_id in ids:
            server.wait_for(run_id, "succeeded", seconds=900)
        for run_id in lost["run_ids"]:
            server.wait_for(run_id, "failed")
        known = {"run": ids[0], "other": ids[5], "failed": lost["run_ids"][0]}
        for name, path in {**DONE, **STILL}.items():
            take(browser, server, out, name, path.format(**known))
        take(browser, server, out, "runs-offline", "/", sizes=(390, 1440), paper=False, offline=True)
        for sheet in sorted({file.stem.rpartition("-")[0].rpartition("-")[0] for file in out.glob("*-*-*.png")}):
            lay_out(browser, out, sheet)
        browser.close()


def take(
    browser: Browser,
    server: Server,
    out: Path,
    name: str,
    path: str,
    sizes: tuple[int, ...] = tuple(SIZES),
    *,
    paper: bool = True,
    offline: bool = False,
) -> None:
    """Pictures of a page, NAME-WIDTH-THEME.png each; on paper they are NAME-paper-light.png."""
    for theme in THEMES:
        for width in sizes:
            context = browser.new_context(viewport={"width": width, "height": SIZES[width]}, color_scheme=theme)
            page = context.new_page()
            look_at(page, f"{server.url}{path}")
            if offline:
                context.set_offline(True)
                page.evaluate("dispatchEvent(new Event('pagehide'))")
                page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))")
                page.locator("#offline").wait_for(timeout=60_000)
            page.screenshot(path=out / f"{name}-{width}-{theme}.png", full_page=True)
            context.close()
    if paper:
        page = browser.new_page(viewport={"width": PAPER, "height": 990})
        look_at(page, f"{server.url}{path}")
        page.evaluate("dispatchEvent(new Event('beforeprint'))")
        page.emulate_media(media="print")
        page.wait_for_timeout(600)
        page.screenshot(path=out / f"{name}-paper-light.png", full_page=True)
        page.close()
    print(name, flush=True)


def look_at(page: Page, address: str) -> None:
    page.goto(address)
    page.locator("#live", has_text="Live").wait_for()
    page.wait_for_timeout(1200)  # pictures are for eyes: charts and images have settled by then


def lay_out(browser: Browser, out: Path, name: str) -> None:
    """A page's pictures side by side, at a third of their size."""
    order = [f"{name}-{width}-{theme}" for theme in THEMES for width in (*SIZES, "paper")]
    shown = [out / f"{one}.png" for one in order if (out / f"{one}.png").is_file()]
    pictures = "".join(f'<img src="{file.as_uri()}" style="zoom:0.34">' for file in shown)
    sheet = out / f"sheet-{name}.html"
    sheet.write_text(f'<body style="margin:8px;background:#888;display:flex;gap:8px;align-items:start">{pictures}')
    page = browser.new_page(viewport={"width": 3400, "height": 700})
    page.goto(sheet.as_uri())
    page.wait_for_timeout(300)
    page.screenshot(path=out / f"sheet-{name}.png", full_page=True)
    page.close()
    sheet.unlink()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
