"""What Plotly has drawn on a page."""

from playwright.sync_api import Page, expect

from tests.serving import until


def is_drawn(page: Page) -> None:
    """Wait for the curves of the compare page: Plotly is evaluated after everything else, the caption too."""
    expect(page.locator("#caption")).to_contain_text("points")
    until(lambda: page.evaluate("() => Boolean(document.getElementById('plot')._fullLayout)"), "Plotly has drawn")
