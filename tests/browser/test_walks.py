"""Three walks from end to end: a first visit, a lesson, daily work by the keyboard alone."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from benchmarks.filled import fill
from tests.browser.words import type_into
from tests.serving import Server, serving
from trainer.prepared import Places

TRAINED = 600_000
"""Milliseconds for a whole experiment on a busy machine."""


@pytest.fixture
def empty(places: Places, tmp_path: Path) -> Iterator[Server]:
    """A server as at its first start, with two slots."""
    with serving(tmp_path / "home", places.prepared, RUNYARD_CPU_SLOTS="2") as found:
        yield found


@pytest.mark.long  # twenty trainings, as the button on the first page launches them
def test_a_first_visit_leads_from_the_first_page_to_the_answer_in_words(empty: Server, page: Page) -> None:
    page.goto(empty.url)
    page.locator(".preset", has_text="without a download").get_by_role("button", name="Launch 20 runs").click()
    headline = page.locator("#headline")
    expect(headline).to_have_text(re.compile(r"^Verdict when all 20 runs have ended"))
    expect(page.locator(".change-line")).to_have_count(2)
    expect(headline).to_have_text(re.compile("pixels.*CNN"), timeout=TRAINED)
    expect(headline).not_to_contain_text("Verdict when", timeout=TRAINED)
    expect(page.locator("#stop")).to_have_text("All ended")
    compared = empty.call("GET", "/compare?experiment=1")
    assert headline.inner_text() == compared["verdict"]["title"]
    assert compared["ended"] == 20
    for line, row in zip(page.locator(".change-line").all(), compared["verdict"]["rows"], strict=True):
        expect(line.locator(".lead b")).to_have_text(row["lead"])


def test_a_class_sees_the_two_by_two_after_four_runs(empty: Server, page: Page) -> None:
    page.set_viewport_size({"width": 1920, "height": 1080})
    page.goto(f"{empty.url}/experiments/new?preset=digits-fc-vs-cnn")
    expect(page.locator("#launch-words")).to_have_text("Launch 20 runs")
    page.locator("#ways-line").scroll_into_view_if_needed()
    type_into(page, "seed", "1")
    expect(page.locator("#launch-words")).to_have_text("Launch 4 runs")
    page.keyboard.press("Control+Enter")
    expect(page).to_have_url(re.compile("/compare"))
    titles = page.locator(".panel-title")
    expect(titles).to_have_count(4)
    expect(page).to_have_title(re.compile(r"^\d/4 "))
    expect(page.locator("#stop")).to_have_text("All ended", timeout=TRAINED)
    names = ["FC, in order", "FC, shuffled", "CNN, in order", "CNN, shuffled"]
    for title, name in zip(titles.all(), names, strict=True):
        expect(title).to_contain_text(name)
        expect(title).to_contain_text("final loss")
    rows = page.locator("#table tbody tr")
    expect(rows).to_have_count(4)
    for row, name in zip(rows.all(), names, strict=True):
        expect(row).to_contain_text(name)
        expect(row).to_contain_text("1 of 1")
    # where a lesson goes on: how many seeds it would take
    expect(page.get_by_role("button", name=re.compile(r"^Launch \d+ more seeds$"))).to_be_visible()


@pytest.fixture
def worked_with(places: Places, tmp_path: Path) -> Iterator[Server]:
    """A server with two hundred runs, of forty learning rates and five seeds."""
    home = tmp_path / "home"
    fill(home, 40, 5, 50)
    with serving(home, places.prepared, RUNYARD_CPU_SLOTS="2", RUNYARD_PRELOAD="0") as found:
        yield found


def test_daily_work_by_keyboard_leads_from_two_hundred_runs_to_a_comparison_of_two(
    worked_with: Server, page: Page
) -> None:
    server = worked_with
    page.goto(server.url)
    expect(page.locator("tr.run")).to_have_count(100)
    press = page.keyboard.press
    press("/")
    page.keyboard.type("mod")
    expect(page.locator("#q-suggestions li")).to_have_text([re.compile("^Model")])
    press("ArrowDown")
    press("Enter")
    page.keyboard.type("fc seed:2")
    expect(page.locator("#q")).to_have_value("model:fc seed:2")
    expect(page.locator("#range")).to_have_text("40 runs in 1 experiment")
    expect(page.locator("#q-suggestions")).to_be_hidden()
    press("Tab")
    for key in "jxjx":
        press(key)
    expect(page.locator("#bulk-count")).to_have_text("2 runs selected")
    press("c")
    expect(page).to_have_url(re.compile(r"/compare\?run=\d+&run=\d+$"))
    expect(page.locator("#show-runs")).to_have_text("Show 2 runs")

    # launch, watch and stop: nothing of it needs the mouse
    press("n")
    expect(page).to_have_url(re.compile("/experiments/new"))
    page.goto(f"{server.url}/experiments/new?dataset=digits&model=fc&epochs=9000")
    expect(page.locator("#launch-words")).to_have_text("Launch 1 run")
    press("Control+Enter")
    expect(page).to_have_url(re.compile(r"/compare\?experiment=\d+"))
    expect(page.locator(".going").first).to_contain_text("running")
    press("s")
    expect(page.locator("#stop")).to_have_text("Stopped")
