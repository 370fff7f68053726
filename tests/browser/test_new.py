"""New experiment says what it will launch."""

import pytest
from playwright.sync_api import Page, expect

from tests.serving import Server


@pytest.mark.parametrize("width", [1440, 390])
def test_the_plan_is_a_product_and_a_sentence(server: Server, page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(f"{server.url}/experiments/new?preset=digits-fc-vs-cnn")
    expect(page.locator("#plan-title")).to_have_text("2 nets × 2 orders × 5 seeds = 20 runs")
    expect(page.locator("#sentence")).to_have_text(
        "Train FC and CNN on Digits, pixels in order and shuffled, for 10 epochs, learning rate 0.05, 5 seeds."
    )
    field = page.get_by_role("combobox", name="Epochs").or_(page.locator("#epochs"))
    field.first.fill("3")
    field.first.press("Enter")
    expect(page.locator("#plan-title")).to_contain_text("2 epochs ×")
    expect(page.locator("#sentence")).to_contain_text("for 10 and 3 epochs")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
