"""What each page weighs, when it is first painted, how much it shifts, and what keeps its main thread longest."""

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, sync_playwright

from benchmarks.filled import fill
from benchmarks.report import Report
from tests.serving import Server, serving, until
from trainer.prepared import Places, ensure_prepared

WIDTH, HEIGHT = 1440, 900
SETTLED_MS = 1500
"""Without a request: what comes later was not part of the visit."""
ARGUMENTS = ["--no-sandbox", "--disable-quic", "--disable-background-networking"]
WATCH = """
window.seen = { paint: 0, shift: 0, task: 0 };
const watch = (type, take) =>
  new PerformanceObserver((list) => list.getEntries().forEach(take)).observe({ type, buffered: true });
watch("paint", (entry) => { if (entry.name === "first-contentful-paint") seen.paint = entry.startTime; });
watch("layout-shift", (entry) => { if (!entry.hadRecentInput) seen.shift += entry.value; });
watch("longtask", (entry) => { seen.task = Math.max(seen.task, entry.duration); });
"""


@dataclass
class Visit:
    """`paint`, `task`: milliseconds; `sent`: bytes as they came, `of_series` of them points."""

    paint: float
    shift: float
    task: float
    sent: int
    of_series: int


def visit(context: BrowserContext, address: str) -> Visit:
    page = context.new_page()
    page.add_init_script(WATCH)
    client = context.new_cdp_session(page)
    client.send("Network.enable")
    urls: dict[str, str] = {}
    sent: dict[str, int] = {}
    client.on("Network.responseReceived", lambda event: urls.update({event["requestId"]: event["response"]["url"]}))

    def arrived(event: dict[str, Any]) -> None:
        sent[event["requestId"]] = int(event["encodedDataLength"])

    client.on("Network.loadingFinished", arrived)
    page.goto(address)
    before = -1
    while len(sent) != before:  # an open stream of events never ends, so that the network is never idle
        before = len(sent)
        page.wait_for_timeout(SETTLED_MS)
    seen = page.evaluate("() => window.seen")
    page.close()
    series = sum(size for request, size in sent.items() if "/series" in urls.get(request, ""))
    return Visit(seen["paint"], seen["shift"], seen["task"], sum(sent.values()), series)


def addresses(experiment: int, runs: list[int]) -> dict[str, str]:
    """Title to path."""
    return {
        "Runs": "/",
        "New experiment": "/experiments/new",
        "Comparisons": "/compare",
        "Compare": f"/compare?experiment={experiment}",
        "Run": f"/runs/{runs[0]}",
        "Two runs": f"/compare/predictions?first={runs[0]}&second={runs[1]}",
        "Models": "/models",
        "Model": "/models/cnn",
        "Data": "/data",
        "Data set": "/data/digits",
        "How sure": "/how-sure",
        "System": "/system",
        "API": "/api",
    }


def pages(report: Report, points: int = 10_000) -> None:
    """First visit, with nothing in the browser's cache, and second; on an experiment of 8 runs that nobody trained."""
    columns = ("page", "first paint", "layout shift", "longest task", "first visit", "second visit", "of that, series")
    table = report.table(f"Pages in headless Chromium at {WIDTH} × {HEIGHT}, one visit each", *columns)
    with tempfile.TemporaryDirectory() as root, sync_playwright() as playwright:
        places = Places(Path(root) / "datasets", Path(root) / "prepared")
        ensure_prepared("digits", places)
        experiment, runs = fill(Path(root) / "home", 2, 4, points)
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium-headless-shell") or shutil.which("chromium"), args=ARGUMENTS
        )
        with serving(Path(root) / "home", places.prepared, RUNYARD_PRELOAD="0", RUNYARD_CPU_SLOTS="0") as server:
            until(lambda: server.call("GET", "/system")["devices"], "the devices are known")
            for title, path in addresses(experiment, runs).items():
                report.attempt(title, lambda title=title, path=path: table.add(title, *cells(browser, server, path)))
        browser.close()


def cells(browser: Browser, server: Server, path: str) -> tuple[str, ...]:
    context = browser.new_context(viewport={"width": WIDTH, "height": HEIGHT})
    first, second = visit(context, server.url + path), visit(context, server.url + path)
    context.close()
    return (
        f"{first.paint:.0f} ms",
        f"{first.shift:.3f}",
        f"{first.task:.0f} ms",
        *(f"{size / 1000:,.0f} kB" for size in (first.sent, second.sent, second.of_series)),
    )
