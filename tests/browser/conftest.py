"""A real Chromium; the tests skip, with the reason, where there is none."""

import shutil
from collections.abc import Iterator
from urllib.parse import urljoin

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Error, Page, ViewportSize, expect, sync_playwright

from tests.serving import Server

BROWSERS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
"""The first is Chromium without its windows: the same pages for two thirds of the processor."""
CHROMIUM = next(filter(None, map(shutil.which, BROWSERS)), None)
ARGUMENTS = ["--no-sandbox", "--disable-quic", "--disable-background-networking"]

WINDOW = ViewportSize(width=1440, height=900)

expect.set_options(timeout=60_000)  # milliseconds; the machine may be busy


@pytest.fixture(scope="module")
def server(shared_server: Server) -> Server:
    return shared_server


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("no Chromium is installed: apt-get install chromium-headless-shell, or chromium")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield opened
        opened.close()


@pytest.fixture(scope="session")
def tab(browser: Browser) -> Iterator[Page]:
    """The one that all tests take: a new one is a new process, which has to compile Plotly again."""
    context = browser.new_context(viewport=WINDOW)
    yield context.new_page()
    context.close()


@pytest.fixture
def page(tab: Page) -> Iterator[Page]:
    """A page at 1440 × 900 whose console has to stay clean, but for answers of 4xx that a test provokes."""
    said: list[str] = []

    def hear(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and "the server responded with a status of 4" not in message.text:
            said.append(message.text)

    def fail(error: Error) -> None:
        said.append(error.stack or str(error))

    tab.on("console", hear)
    tab.on("pageerror", fail)
    yield tab
    tab.remove_listener("console", hear)
    tab.remove_listener("pageerror", fail)
    tab.unroute_all(behavior="ignoreErrors")
    tab.evaluate("localStorage.clear(); sessionStorage.clear()")
    tab.goto(urljoin(tab.url, "/healthz"))  # of the same server, so that the process stays
    tab.context.clear_cookies()
    tab.set_viewport_size(WINDOW)
    tab.emulate_media(color_scheme="null")
    assert not said, "\n".join(said)
