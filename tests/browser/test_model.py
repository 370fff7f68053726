"""The pure part of the pages' scripts, `static/js/model`: its unit tests (tests/js), by Node or in Chromium."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Route

from app.web.api.system import whole_catalog
from trainer.prepared import Places

ROOT = Path(__file__).parents[2]
MODEL = ROOT / "static" / "js" / "model"
TESTS = sorted((ROOT / "tests" / "js").glob("*.test.js"))
NODE = shutil.which("node")
LEAST_BRANCHES = 90.0
"""Per cent that the tests run through, of each module."""
HOST = "http://tests.invalid"
SHIMS = {"test": "test", "assert/strict": "assert", "fs": "fs"}
"""What of Node the tests use, as a browser has it."""


@pytest.fixture(scope="module")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The catalogue as the API gives it, in a file."""
    folder = tmp_path_factory.mktemp("catalog")
    path = folder / "catalog.json"
    path.write_text(whole_catalog(Places(folder, folder)).model_dump_json())
    return path


@pytest.mark.skipif(NODE is None, reason="there is no Node here: Chromium runs them")
def test_they_pass_in_node_and_run_through_nearly_all_of_it(catalog: Path) -> None:
    command = [str(NODE), "--test", "--experimental-test-coverage", *map(str, TESTS)]
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, "RUNYARD_TEST_CATALOG": str(catalog)}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout[-6000:]
    rows = re.findall(r"(\w+\.js)\s*\|\s*[\d.]+\s*\|\s*([\d.]+)\s*\|", done.stdout)
    branches = {name: float(share) for name, share in rows if (MODEL / name).is_file()}
    assert set(branches) == {path.name for path in MODEL.glob("*.js")}, done.stdout[-3000:]
    assert {name: share for name, share in branches.items() if share < LEAST_BRANCHES} == {}


def test_they_pass_in_chromium(catalog: Path, browser: Browser) -> None:
    shims = {f"node:{name}": f"{HOST}/tests/js/shims/{file}.js" for name, file in SHIMS.items()}
    page_text = (
        f"<script>process = {{ env: {{}} }}; catalogText = {json.dumps(catalog.read_text())}</script>"
        f'<script type="importmap">{json.dumps({"imports": shims})}</script>'
        + "".join(f'<script type="module" src="/{path.relative_to(ROOT)}"></script>' for path in TESTS)
    )

    def answer(route: Route) -> None:
        path = route.request.url.removeprefix(HOST).lstrip("/")
        if not path:
            route.fulfill(body=page_text, content_type="text/html")
        elif (ROOT / path).is_file():
            route.fulfill(body=(ROOT / path).read_text(), content_type="text/javascript")
        else:
            route.fulfill(status=404)

    context = browser.new_context()
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.route(f"{HOST}/**", answer)
    page.goto(HOST)
    results = page.evaluate("() => Promise.all(globalThis.results ?? [])")
    context.close()
    assert errors == []
    assert len(results) > 15
    assert [result for result in results if result["error"]] == []
