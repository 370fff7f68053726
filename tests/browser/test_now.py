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
    expect(page.locator("tr.run .c-started", has_text=re.compile(r"^\d(st|nd|rd|th) in the queue"))).to_have_count(6)


def test_queued_runs_move_to_the_front(alone: Server, page: Page, busy: int) -> None:
    body = {"name": "Later", "base": {"dataset": "digits", "model": "fc"}, "grid": {"seed": [1, 2]}}
    made = alone.call("POST", "/experiments", json=body)
    last = alone.launch(dataset="digits", model="fc")
    page.goto(alone.url)
    page.get_by_role("button", name="Move the queued runs of Later to the front").click()
    expect(page.locator("#toasts")).to_contain_text("2 runs moved to the front of the queue")
    expect(page.locator(f"tr[data-run='{made['run_ids'][0]}'] .c-started")).to_have_text(
        re.compile("^1st in the queue")
    )
    expect(page.get_by_role("button", name="Move the queued runs of Later to the front")).to_be_hidden()
    page.locator(f"tr[data-run='{last}']").get_by_role("button", name="to the front").click()
    expect(page.locator(f"tr[data-run='{last}'] .c-started")).to_have_text(re.compile("^1st in the queue"))
    queue = alone.call("GET", "/queue")["waiting"]
    assert [one["run_ids"] for one in queue[:2]] == [[last], made["run_ids"]]
    assert busy
    alone.call("POST", "/runs/bulk", json={"action": "stop", "run_ids": [last, *made["run_ids"]]})


@pytest.mark.parametrize("width", [1440, 390])
def test_the_search_suggests_what_it_understands(alone: Server, page: Page, busy: int, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(f"{alone.url}/?experiment={busy}")
    expect(page.locator("tr.queued-line")).to_have_count(1)
    box = page.get_by_role("combobox", name="Search names and tags")
    box.press_sequentially("Test acc")
    expect(page.locator("#q-suggestions li")).to_have_text(["Test accuracyaccuracy > 94%"])
    box.press("ArrowDown")
    box.press("Enter")
    expect(box).to_have_value("accuracy > ")
    box.press_sequentially("94%")
    expect(page).to_have_url(re.compile(r"q=accuracy\+%3E\+94%25"))
    expect(page.locator("#nothing")).to_be_visible()
    box.fill("Model: ")
    page.locator("#q-suggestions li", has_text="cnn").click()
    expect(box).to_have_value("Model: cnn ")
    expect(page.locator("tr.run .c-model:visible" if width == 1440 else "tr.run:visible")).not_to_have_count(0)
    expect(page.locator("#range")).to_have_text("4 runs in 1 experiment")
    box.press("Escape")
    expect(page.get_by_role("listbox")).to_be_hidden()


def test_a_queued_run_says_its_place_on_its_page_and_moves_to_the_front(alone: Server, page: Page, busy: int) -> None:
    last = alone.launch(dataset="digits", model="fc")
    page.goto(f"{alone.url}/runs/{last}")
    expect(page.locator("#when")).to_have_text(re.compile(r"^7th in the queue"))
    page.get_by_role("button", name="Move to front").click()
    expect(page.locator("#when")).to_have_text(re.compile(r"^1st in the queue"))
    expect(page.get_by_role("button", name="Move to front")).to_be_hidden()
    assert alone.call("GET", "/queue")["waiting"][0]["run_ids"] == [last]
    page.get_by_role("button", name="Stop", exact=True).click()
    expect(page.locator("#status")).to_have_text("Stopped")
    assert busy
