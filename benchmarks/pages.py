"""What each page weighs, when it is first painted, how much it shifts, and what keeps its main thread longest."""

import shutil
import tempfile
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

from playwright.sync_api import Browser, BrowserContext, sync_playwright

from benchmarks.filled import fill
from benchmarks.report import Report
from tests.serving import serving, until
from trainer.prepared import Places, ensure_prepared

WIDTH, HEIGHT = 1440, 900
SETTLED_MS = 1500
"""Without a request: what comes later was not part of the visit."""
LIVE_MS = 8000
"""Or so long, of a page that goes on asking while something runs."""
ARGUMENTS = ["--no-sandbox", "--disable-quic", "--disable-background-networking"]
WATCH = """
window.seen = { paint: 0, shift: 0, tasks: [] };
const watch = (type, take) =>
  new PerformanceObserver((list) => list.getEntries().forEach(take)).observe({ type, buffered: true });
watch("paint", (entry) => { if (entry.name === "first-contentful-paint") seen.paint = entry.startTime; });
watch("layout-shift", (entry) => { if (!entry.hadRecentInput) seen.shift += entry.value; });
watch("longtask", (entry) => seen.tasks.push(entry.duration));
"""


@dataclass
class Visit:
    """`paint`, `task`, `next_task`: milliseconds, of the longest task and of the one after it (where a page has charts
    the longest is the evaluation of Plotly); `sent`: bytes as they came, `of_series` of them points."""

    paint: float
    shift: float
    task: float
    next_task: float
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
    until_ms = page.evaluate("performance.now()") + LIVE_MS
    # an open stream of events never ends, so that the network is never idle
    while len(sent) != before and page.evaluate("performance.now()") < until_ms:
        before = len(sent)
        page.wait_for_timeout(SETTLED_MS)
    seen = page.evaluate("() => window.seen")
    page.close()
    series = sum(size for request, size in sent.items() if "/series" in urls.get(request, ""))
    task, next_task = sorted([*seen["tasks"], 0, 0], reverse=True)[:2]
    return Visit(seen["paint"], seen["shift"], task, next_task, sum(sent.values()), series)


def addresses(experiment: int, runs: list[int]) -> dict[str, str]:
    """Title to path."""
    return {
        "Runs": "/",
        "New experiment": "/experiments/new",
        "Comparisons": "/compare",
        "Compare": f"/compare?experiment={experiment}",
        "Run": f"/runs/{runs[0]}",
        "Two runs": f"/compare/predictions?run={runs[0]}&run={runs[1]}",
        "Models": "/models",
        "Model": "/models/cnn",
        "Data": "/data",
        "Data set": "/data/digits",
        "How sure": "/how-sure",
        "System": "/system",
        "API": "/api",
    }


def pages(report: Report, points: int = 10_000, times: int = 1) -> None:
    """First visit, with nothing in the browser's cache, and second; on an experiment of 8 runs that nobody trained,
    then while two others train."""
    columns = ("page", "first paint", "layout shift", "longest task", "the next", "first visit", "second visit")
    table = report.table(
        f"Pages in headless Chromium at {WIDTH} × {HEIGHT}, medians of {times}", *columns, "of that, series"
    )
    with tempfile.TemporaryDirectory() as root, sync_playwright() as playwright:
        places = Places(Path(root) / "datasets", Path(root) / "prepared")
        ensure_prepared("digits", places)
        experiment, runs = fill(Path(root) / "home", 2, 4, points)
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium-headless-shell") or shutil.which("chromium"), args=ARGUMENTS
        )

        def measure(title: str, address: str) -> None:
            report.attempt(title, lambda: table.add(title, *cells(browser, address, times)))

        with serving(Path(root) / "home", places.prepared, RUNYARD_PRELOAD="0", RUNYARD_CPU_SLOTS="0") as server:
            until(lambda: server.call("GET", "/system")["devices"], "the devices are known")
            for title, path in addresses(experiment, runs).items():
                measure(title, server.url + path)
        with serving(Path(root) / "home", places.prepared, RUNYARD_CPU_SLOTS="2") as server:
            body = {"base": {"model": "fc", "epochs": 10_000}, "grid": {"pixel_order": ["original", "shuffled"]}}
            made = server.call("POST", "/experiments", json={"name": "Live", **body})
            for run in made["run_ids"]:
                server.wait_for(run, "running", steps=200)
            live = addresses(made["id"], made["run_ids"])
            for title in ("Runs", "Compare", "Run"):
                measure(f"{title}, live", server.url + live[title])
            server.call("POST", f"/experiments/{made['id']}/stop")
        browser.close()


def cells(browser: Browser, address: str, times: int) -> tuple[str, ...]:
    """Medians over as many browsers that have nothing in their cache."""
    firsts, seconds = [], []
    for _ in range(times):
        context = browser.new_context(viewport={"width": WIDTH, "height": HEIGHT})
        firsts.append(visit(context, address))
        seconds.append(visit(context, address))
        context.close()
    first, second = (partial(_median, visits) for visits in (firsts, seconds))
    return (
        f"{first('paint'):.0f} ms",
        f"{first('shift'):.3f}",
        *(f"{first(task):.0f} ms" if first(task) else "under 50 ms" for task in ("task", "next_task")),
        *(f"{size / 1000:,.0f} kB" for size in (first("sent"), second("sent"), second("of_series"))),
    )


def _median(visits: list[Visit], name: str) -> float:
    return float(median(getattr(one, name) for one in visits))
