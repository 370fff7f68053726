"""What the benchmark of pages (benchmarks/pages.py) visits is there, and weighs less at the second visit."""

from pathlib import Path

from playwright.sync_api import Browser

from benchmarks import pages
from benchmarks.filled import fill
from tests.serving import serving
from trainer.prepared import Places

IDLE = {"RUNYARD_PRELOAD": "0", "RUNYARD_CPU_SLOTS": "0"}


def test_a_page_is_visited_twice(places: Places, tmp_path: Path, browser: Browser) -> None:
    experiment, runs = fill(tmp_path / "home", 1, 2, 50)
    addresses = pages.addresses(experiment, runs)
    with serving(tmp_path / "home", places.prepared, **IDLE) as server:
        context = browser.new_context()
        first, second = (pages.visit(context, server.url + addresses["Run"]) for _ in range(2))
        context.close()
        with server.api() as client:
            found = {title: client.get(server.url + path).status_code for title, path in addresses.items()}
    assert found == dict.fromkeys(addresses, 200)
    assert first.paint > 0
    assert first.sent > second.sent > second.of_series > 0, "what the browser has by then is not sent again"
