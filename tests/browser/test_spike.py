"""One bad batch among a million is seen at every zoom, and buckets stay where they are while a run grows."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page

from app.store.engine import open_database
from app.store.tables import Status
from benchmarks.filled import curve, fill, grow, record
from tests.browser.plots import is_drawn
from tests.serving import Server, serving, until
from trainer.prepared import Places

POINTS = 1_000_000
SPIKE, HEIGHT = 654_321, 50.0
HALF = 500_000


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Run 1 has a spike; run 2 is half of a run of that length."""
    home = tmp_path_factory.mktemp("spike") / "home"
    fill(home, 2, 1, 0)
    engine = open_database(home / "runyard.db")
    loss = curve(POINTS, 1)
    loss[SPIKE - 1] = HEIGHT
    record(engine, 1, loss, total=POINTS, status=Status.SUCCEEDED)
    record(engine, 2, loss[:HALF], total=POINTS, status=Status.PAUSED)
    engine.dispose()
    return home


@pytest.fixture(scope="module")
def server(home: Path, places: Places) -> Iterator[Server]:
    with serving(home, places.prepared, RUNYARD_PRELOAD="0") as found:
        yield found


def series(server: Server, run: int, **more: Any) -> dict[str, Any]:
    params = {"name": "train/loss", "points": 400, "smoothing": 0.9, **more}
    found: dict[str, Any] = server.call("GET", f"/runs/{run}/series", params=params)
    return found


@pytest.mark.parametrize("around", [POINTS, 300_000, 10_000, 500, 20])
def test_a_spike_is_in_what_the_api_gives_at_every_zoom(server: Server, around: int) -> None:
    first, last = max(1, SPIKE - around // 2), min(POINTS, SPIKE + around // 2)
    found = series(server, 1, **{"from": first, "to": last})
    assert max(found["max"]) == HEIGHT
    at = found["max"].index(HEIGHT)
    assert found["steps"][at] - found["width"] < SPIKE <= found["steps"][at]


def test_a_spike_is_drawn_at_every_zoom(server: Server, page: Page) -> None:
    highest = """() => Math.max(...(document.getElementById('plot').data ?? [])
        .filter((t) => t.fill === 'toself').flatMap((t) => t.y))"""
    for around in (POINTS, 10_000, 200):
        first, last = max(0, SPIKE - around), min(POINTS, SPIKE + around)
        page.goto(f"{server.url}/compare?run=1&curves=runs&from={first}&to={last}")
        is_drawn(page)
        assert page.evaluate(highest) == HEIGHT
    page.goto(f"{server.url}/compare?run=1&curves=mean")
    is_drawn(page)
    assert page.evaluate(highest) == HEIGHT


def test_buckets_do_not_move_while_a_run_grows(server: Server, home: Path, page: Page) -> None:
    drawn = """() => { const line = (document.getElementById('plot').data ?? []).find((t) => t.name);
        return line ? [[...line.x], [...line.y]] : [[], []]; }"""
    page.goto(f"{server.url}/compare?run=2&curves=runs")
    is_drawn(page)
    x, y = page.evaluate(drawn)
    before = series(server, 2)
    engine = open_database(home / "runyard.db")
    grow(engine, 2, HALF + 1, curve(60_000, 2))
    engine.dispose()
    after = series(server, 2)
    assert after["width"] == before["width"]
    whole = len(before["steps"]) - 1  # the last bucket was not full
    for name in ("steps", "times", "min", "max", "mean", "last", "smoothed"):
        assert after[name][:whole] == before[name][:whole]
    until(lambda: len(page.evaluate(drawn)[0]) > len(x), "the page draws what is new")
    grown_x, grown_y = page.evaluate(drawn)
    assert grown_x[: len(x) - 1] == x[:-1]
    assert np.array_equal(grown_y[: len(y) - 1], y[:-1])
