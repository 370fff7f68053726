"""The words of an experiment's sentence, as a reader presses them."""

from playwright.sync_api import Locator, Page


def press(page: Page, path: str) -> Locator:
    """Press the word of a setting. Returns the editor that opens under it."""
    page.locator(f'.sentence [data-path="{path}"], #settings [data-path="{path}"]').first.click()
    return page.locator(".editor")


def type_into(page: Page, path: str, *values: str) -> None:
    """Press a setting's word and type: the first value replaces, each further one is compared with it; Enter closes."""
    editor = press(page, path)
    while editor.locator(".remove:visible").count():
        editor.locator(".remove:visible").last.click()
    editor.locator("input").first.fill(values[0])
    for value in values[1:]:
        editor.get_by_role("button", name="compare", exact=True).click()
        page.keyboard.type(value)
    page.keyboard.press("Enter")
