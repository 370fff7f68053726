"""The Runs page while it is busy: what runs and comes next, queued runs in one line, many runs chosen at once."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.serving import Server, serving
from trainer.prepared import Places

WAIT = 60_000


@pytest.fixture(scope="module")
def alone(places: Places, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with two slots that nobody else launches on."""
    with serving(tmp_path_factory.mktemp("now") / "home", places.prepared, RUNYARD_CPU_SLOTS="2") as found:
        yield found


@pytest.fixture(scope="module")
def busy(alone: Server) -> Iterator[int]:
    """An experiment of eight runs that take hours, two at a time."""
    base = {"dataset": "digits", "epochs": 10_000}
    grid = {"model": ["fc", "cnn"], "seed": [1, 2, 3, 4]}
    made = alone.call("POST", "/experiments", json={"name": "Busy", "base": base, "grid": grid})
    yield made["id"]
    alone.call("POST", f"/experiments/{made['id']}/stop")


@pytest.mark.parametrize("width", [1440, 768, 390])
def test_what_runs_and_what_comes_next_stands_on_top(alone: Server, page: Page, busy: int, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(alone.url)
    now = page.locator("#now")
    expect(now.locator(".now-line", has_text="Running")).to_have_count(2, timeout=WAIT)
    expect(page.locator("#now-said")).to_have_text("2 running on 2 slots, 6 queued")
    expect(now.locator(".of-queue")).to_contain_text("6 runs of Busy")
    folded = page.locator("tr.queued-line")
    expect(folded).to_contain_text("6 runs, seeds ")
    expect(folded).to_contain_text("1st to 6th in the queue")
    expect(page.locator("tr.run:visible")).to_have_count(2)
    folded.get_by_role("button", name="Each of the queued runs").click()
    expect(page.locator("tr.run:visible")).to_have_count(8)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert busy


def test_runs_are_chosen_by_shift_and_by_their_groups_box(alone: Server, page: Page, busy: int) -> None:
    page.goto(f"{alone.url}/?experiment={busy}")
    page.get_by_role("button", name="Each of the queued runs").click()
    boxes = page.locator("tr.run:visible .pick input")
    expect(boxes).to_have_count(8)
    boxes.nth(1).click()
    boxes.nth(4).click(modifiers=["Shift"])
    expect(page.locator("#bulk-count")).to_have_text("4 runs selected")
    group = page.get_by_role("checkbox", name="Select the runs of Busy")
    assert group.evaluate("box => box.indeterminate")
    group.click()
    expect(page.locator("#bulk-count")).to_have_text("8 runs selected")
    group.click()
    expect(page.locator("#bulk")).to_be_hidden()


def test_outside_its_group_a_run_carries_its_experiment(alone: Server, page: Page, busy: int) -> None:
    page.goto(f"{alone.url}/?experiment={busy}&sort=name&order=asc")
    expect(page.locator("tr.run .p-name").first).to_have_text(re.compile(r"^Busy · cnn-original-1"))
    expect(page.locator("tr.run .c-started", has_text=re.compile(r"^\d(st|nd|rd|th) in the queue$"))).to_have_count(6)
