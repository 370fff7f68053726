"""What all pages share: the header at every width, the bar when the server is away, what is printed."""

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.serving import Server, until

WAIT = 60_000


@pytest.fixture(scope="module")
def run(server: Server) -> int:
    base = {"dataset": "digits", "batch_size": 500}
    grid = {"model": ["fc", "cnn"], "pixel_order": ["original", "shuffled"]}
    made = server.call("POST", "/experiments", json={"name": "Four", "base": base, "grid": grid})
    for run_id in made["run_ids"]:
        server.wait_for(run_id, "succeeded")
    first: int = made["run_ids"][0]
    return first


@pytest.mark.parametrize("width", [390, 768, 1024])
def test_no_page_scrolls_sideways_and_the_menu_is_there(server: Server, page: Page, run: int, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    experiment = server.run(run)["experiment_id"]
    for path in (
        f"/compare?experiment={experiment}",
        f"/runs/{run}",
        "/experiments/new",
        "/system",
        "/data/digits",
        "/",
    ):
        page.goto(f"{server.url}{path}")
        expect(page.locator("#live")).to_have_text("Live")
        expect(page.locator("[data-waits]")).to_have_count(0)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
        right = page.locator(".top-end").bounding_box()
        left = page.locator(".brand").bounding_box()
        assert right is not None
        assert left is not None
        assert left["x"] + left["width"] <= right["x"], path
    if width < 960:
        expect(page.get_by_role("link", name="System")).to_be_hidden()
        page.get_by_role("button", name="Menu").click()
    page.get_by_role("link", name="System").click()
    expect(page).to_have_url(f"{server.url}/system")


def test_runs_at_work_and_queued_are_counted_by_icons(server: Server, page: Page) -> None:
    long = [server.launch(dataset="digits", model="fc", epochs=10_000) for _ in range(3)]
    page.goto(server.url)
    expect(page.locator("#counts")).to_have_text("2 running1 queued", timeout=WAIT)
    server.call("POST", "/runs/bulk", json={"action": "stop", "run_ids": long})
    expect(page.locator("#counts")).to_have_text("Nothing running", timeout=WAIT)


def test_a_server_that_is_away_is_said_once_and_since_when(server: Server, browser: Browser) -> None:
    page = browser.new_page()
    page.goto(server.url)
    expect(page.locator("#live")).to_have_text("Live", timeout=WAIT)
    expect(page.locator("#offline")).to_be_hidden()
    page.context.set_offline(True)
    page.route("**/api/v1/events*", lambda route: route.abort())
    page.evaluate(
        "dispatchEvent(new Event('pagehide')); dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))"
    )
    expect(page.locator("#offline")).to_have_text(
        re.compile(r"^Offline since \d\d:\d\d: figures are of then\. Training goes on\.$"), timeout=WAIT
    )
    page.unroute_all(behavior="ignoreErrors")
    page.context.set_offline(False)
    expect(page.locator("#offline")).to_be_hidden(timeout=WAIT)
    page.close()


def test_on_paper_charts_are_light_and_as_wide_as_it_and_the_screen_stays(server: Server, page: Page, run: int) -> None:
    page.emulate_media(color_scheme="dark")
    page.goto(f"{server.url}/compare?experiment={server.run(run)['experiment_id']}")
    drawn = "() => document.getElementById('plot').layout?.width ?? 0"
    ground = "() => document.getElementById('plot').layout?.paper_bgcolor"
    until(lambda: page.evaluate(drawn) > 0, "it is drawn")
    wide = page.evaluate(drawn)
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    until(lambda: page.evaluate(drawn) == 700, "it is drawn anew")
    assert page.evaluate(ground) == "#ffffff"
    expect(page.locator("#printed-from")).to_contain_text(f"{server.url}/compare?experiment=")
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    until(lambda: page.evaluate(drawn) == wide, "it is as it was")
    assert page.evaluate(ground) == "#101419"
