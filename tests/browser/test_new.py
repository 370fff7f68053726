"""New experiment: one sentence, its words pressed and typed into, and what it will launch."""

import json
import re

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.words import press, type_into
from tests.serving import Server

WAIT = 60_000
MOST_TABS = 12
DIGITS = "/experiments/new?preset=digits-fc-vs-cnn"
SENTENCE = (
    "Train Models: FC and CNN × 2 on Data: Digits, pixels Pixel order: in order and shuffled × 2, "
    "for Epochs: 10 epochs, learning rate Learning rate: 0.05, Seeds: 5 seeds."
)


@pytest.mark.parametrize("width", [1440, 768, 390])
def test_typing_replaces_and_only_compare_multiplies(server: Server, page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(f"{server.url}{DIGITS}")
    expect(page.locator("#product")).to_have_text("2 nets × 2 orders × 5 seeds = 20 runs")
    expect(page.locator("#sentence")).to_have_text(SENTENCE)
    editor = press(page, "epochs")
    page.keyboard.type("3")  # what was there is selected
    expect(page.locator("#product")).to_have_text("2 nets × 2 orders × 5 seeds = 20 runs")
    expect(page.locator('[data-path="epochs"] .said')).to_have_text("3 epochs")
    editor.get_by_role("button", name="compare", exact=True).click()
    page.keyboard.type("7")
    expect(page.locator("#product")).to_have_text("2 nets × 2 orders × 2 epochs × 5 seeds = 40 runs")
    expect(editor.locator(".times")).to_have_text("2 values × 2")
    box = editor.bounding_box()
    assert box is not None
    assert 0 <= box["x"] <= width - box["width"]
    page.keyboard.press("Enter")
    expect(editor).to_be_hidden()
    expect(page.locator('[data-path="epochs"]')).to_be_focused()
    press(page, "epochs").get_by_role("button", name="Remove 3").click()
    expect(page.locator('[data-path="epochs"] .said')).to_have_text("7 epochs")
    page.keyboard.press("Escape")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_nothing_moves_when_a_word_is_opened(server: Server, page: Page) -> None:
    page.goto(f"{server.url}{DIGITS}")
    expect(page.locator("#product")).to_contain_text("= 20 runs")
    places = [page.locator(f"#{name}").bounding_box() for name in ("launch", "ways", "images", "recipe")]
    expect(press(page, "model")).to_be_visible()
    assert places == [page.locator(f"#{name}").bounding_box() for name in ("launch", "ways", "images", "recipe")]


def test_a_choice_replaces_and_compare_adds(server: Server, page: Page) -> None:
    page.goto(f"{server.url}{DIGITS}")
    press(page, "pixel_order").get_by_role("button", name="Remove shuffled").click()
    expect(page.locator("#product")).to_have_text("2 nets × 5 seeds = 10 runs")
    press(page, "model").get_by_role("button", name=re.compile("^ResNet")).click()
    expect(page.locator(".editor")).to_be_hidden()
    expect(page.locator("#product")).to_have_text("5 seeds = 5 runs")
    expect(page.locator("#name-words")).to_have_text("ResNet on Digits")
    page.locator("#recipe summary").click()
    press(page, "optimizer").get_by_role("button", name="Compare with AdamW", exact=True).click()
    page.keyboard.press("Escape")
    expect(page.locator("#product")).to_have_text("2 optimisers × 5 seeds = 10 runs")
    expect(page.locator("#sentence")).to_contain_text("by Optimiser: SGD and AdamW")


def test_the_preset_and_a_sweep_take_at_most_six_clicks_or_keys(server: Server, page: Page) -> None:
    body = {"name": "Another", "base": {"model": "fc", "dataset": "digits", "batch_size": 5000}}
    another = server.call("POST", "/experiments", json=body)
    page.goto(f"{server.url}/experiments/new")
    expect(page.locator("#launch")).to_be_enabled(timeout=WAIT)
    page.get_by_role("button", name=re.compile("Which learning rate")).click()
    press(page, "seed")
    page.keyboard.type("3")
    expect(page.locator("#product")).to_have_text("4 rates × 3 seeds = 12 runs")
    asked: list[str] = []

    def answer(route: Route) -> None:
        """As if it had been launched: its data are not here."""
        asked.append(route.request.post_data or "")
        route.fulfill(status=201, json=another)

    page.route("**/api/v1/experiments", answer)
    page.keyboard.press("Control+Enter")
    expect(page).to_have_url(re.compile(rf"/compare\?experiment={another['id']}$"), timeout=WAIT)
    assert json.loads(asked[0])["grid"] == {"optimizer.lr": [0.001, 0.01, 0.1, 1], "seed": [1, 2, 3]}


def test_launch_is_at_most_twelve_tabs_away_and_the_keyboard_alone_launches(server: Server, page: Page) -> None:
    page.goto(f"{server.url}{DIGITS}")
    expect(page.locator("#product")).to_contain_text("= 20 runs")
    expect(page.locator("#main")).to_be_focused()
    for _ in range(MOST_TABS):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.dataset.path") == "seed":
            page.keyboard.press("Enter")
            page.keyboard.type("1")
            page.keyboard.press("Enter")
        if page.evaluate("document.activeElement.id") == "launch":
            break
    expect(page.locator("#launch")).to_be_focused()
    expect(page.locator("#launch-words")).to_have_text("Launch 4 runs")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/compare\?experiment=\d+$"), timeout=WAIT)
    experiment = page.url.rpartition("=")[2]
    server.call("POST", f"/experiments/{experiment}/stop")


def test_a_search_is_a_way_and_leads_back(server: Server, page: Page) -> None:
    page.goto(f"{server.url}/experiments/new?model=cnn&dataset=digits")
    page.get_by_role("button", name="search", exact=True).click()
    expect(page.locator("#product")).to_have_text("20 draws × 1 seed = 20 runs")
    editor = press(page, "optimizer.lr")
    editor.get_by_role("textbox", name="Learning rate, to").fill("1")
    expect(page.locator("#script")).to_contain_text('"high": 1')
    page.keyboard.press("Escape")
    page.get_by_role("button", name="a fixed number of seeds").click()
    expect(page.locator('[data-path="optimizer.lr"] .said')).to_have_text("0.0316")
    expect(page.locator("#product")).to_have_text("1 seed = 1 run")


def test_a_setting_that_changes_nothing_is_not_offered(server: Server, page: Page) -> None:
    page.goto(f"{server.url}/experiments/new?model=cnn&dataset=digits")
    page.locator("#recipe summary").click()
    expect(page.locator('#settings [data-path="schedule"]')).to_be_visible()
    expect(page.locator('#settings [data-path="decay_epochs"]')).to_have_count(0)
    press(page, "schedule").get_by_role("button", name="step", exact=True).click()
    expect(page.locator('#settings [data-path="decay_epochs"]')).to_be_visible()
    type_into(page, "decay_epochs", "2", "4")
    expect(page.locator("#product")).to_have_text("2 values of step every × 1 seed = 2 runs")
