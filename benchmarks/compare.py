"""python -m benchmarks.compare: the compare page of 4 and of 200 runs of 10,000 points each.

Seconds until the server has sent all series, bytes that it sends, seconds until the chart is drawn in Chromium, and,
while 20 of the runs grow five times a second, the longest time that the page's main thread was blocked.
"""

import shutil
import tempfile
import threading
import time
from pathlib import Path

import httpx
from playwright.sync_api import Page, sync_playwright
from sqlmodel import col, update

from app.store.engine import open_database, writing
from app.store.tables import Run, Status
from benchmarks.filled import curve, fill, grow
from tests.serving import Server, serving
from trainer.prepared import Places, ensure_prepared

POINTS = 10_000
LIVE = 20
LIVE_SECONDS = 15.0
DRAWN = "() => document.querySelectorAll('#plot .scatterlayer .trace path.js-line').length > 0"


def main() -> None:
    work = Path(tempfile.mkdtemp())
    places = Places(work / "datasets", work / "prepared")
    ensure_prepared("digits", places)
    print("runs  series, s  sent, kB  whole, kB  drawn, s  compare, s  longest block while 20 grow, ms")
    for configurations, seeds in ((2, 2), (40, 5)):
        home = work / f"home-{configurations}"
        experiment, run_ids = fill(home, configurations, seeds, POINTS)
        with serving(home, places.prepared, RUNYARD_PRELOAD="0") as server:
            time.sleep(5)  # what its start has begun is over
            measure(server, home, experiment, run_ids)
    shutil.rmtree(work)


def measure(server: Server, home: Path, experiment: int, run_ids: list[int]) -> None:
    points = min(330, round(40_000 / len(run_ids)))
    asked = {"run": run_ids, "name": "train/loss", "points": points, "smoothing": 0.9}
    with httpx.Client(base_url=f"{server.url}/api/v1", timeout=60) as client:
        compared = min(timed(client, "/compare", {"experiment": experiment})[0] for _ in range(3))
        found = [timed(client, "/series", asked) for _ in range(3)]
    seconds, sent, whole = min(found)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-quic"]
        )
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        address = f"{server.url}/compare?experiment={experiment}"
        page.goto(address)  # once, so that Plotly's script is in the cache
        drawn = min(drawing(page, address) for _ in range(3))
        blocked = blocks(page, home, run_ids[:LIVE])
        browser.close()
    print(
        f"{len(run_ids):>4}  {seconds:>9.2f}  {sent / 1e3:>8,.0f}  {whole / 1e3:>9,.0f}  {drawn:>8.2f}  "
        f"{compared:>10.2f}  {blocked:>32.0f}"
    )


def timed(client: httpx.Client, path: str, params: dict[str, object]) -> tuple[float, int, int]:
    """Seconds, bytes sent and bytes unpacked."""
    began = time.perf_counter()
    with client.stream("GET", path, params=params) as answer:  # type: ignore[arg-type]
        sent = sum(len(part) for part in answer.iter_raw())
    took = time.perf_counter() - began
    whole = client.get(path, params=params, headers={"Accept-Encoding": "identity"})  # type: ignore[arg-type]
    return took, sent, len(whole.content)


def drawing(page: Page, address: str) -> float:
    began = time.perf_counter()
    page.goto(address, wait_until="commit")
    while not page.evaluate(DRAWN):
        time.sleep(0.01)
    return time.perf_counter() - began


def blocks(page: Page, home: Path, run_ids: list[int]) -> float:
    """The longest task of the page's main thread, ms, while these runs grow."""
    engine = open_database(home / "runyard.db")
    with writing(engine) as session:
        ids = col(Run.id).in_(run_ids)
        going = {"status": Status.RUNNING, "ended_at": None, "steps_total": 4 * POINTS}
        session.execute(update(Run).where(ids).values(**going, changed=session.change))
    page.evaluate(
        """() => { window.longest = 0; new PerformanceObserver((list) => {
            for (const one of list.getEntries()) window.longest = Math.max(window.longest, one.duration);
        }).observe({ entryTypes: ["longtask"] }); }"""
    )
    over = threading.Event()

    def growing() -> None:
        step = POINTS + 1
        while not over.wait(0.2):
            for run_id in run_ids:
                grow(engine, run_id, step, curve(40, step))
            step += 40

    thread = threading.Thread(target=growing)
    thread.start()
    time.sleep(LIVE_SECONDS)
    longest: float = page.evaluate("() => window.longest")
    over.set()
    thread.join()
    with writing(engine) as session:
        session.execute(update(Run).where(col(Run.id).in_(run_ids)).values(status=Status.SUCCEEDED))
    engine.dispose()
    return longest


if __name__ == "__main__":
    main()
